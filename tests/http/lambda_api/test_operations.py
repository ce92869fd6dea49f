"""Every operation of the Lambda API, as botocore's own model has them."""

import botocore.session
import pytest

from actas.http.lambda_api.errors import UnknownOperation
from actas.http.lambda_api.operations import DATES, Done, operation

MODEL = botocore.session.get_session().get_service_model("lambda")
OTHER_ACTIONS = {
    "Invoke": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    # They share a path with another operation and differ in the query; nobody may do either here.
    "GetLayerVersionByArn": "ListLayers",
    "ListProvisionedConcurrencyConfigs": "GetProvisionedConcurrencyConfig",
}


def _path(name: str) -> tuple[str, ...]:
    uri = MODEL.operation_model(name).http["requestUri"].partition("?")[0]
    return tuple("some" if part.startswith("{") else part for part in uri.strip("/").split("/"))


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_an_operation_of_the_model_is_known(name):
    found = operation(MODEL.operation_model(name).http["method"], _path(name))

    assert found.action == f"lambda:{OTHER_ACTIONS.get(name, name)}"
    assert found.function == ("some" if "{FunctionName}" in MODEL.operation_model(name).http["requestUri"] else None)


def test_what_is_done_here_is_six_operations():
    done = {operation(MODEL.operation_model(name).http["method"], _path(name)).done for name in MODEL.operation_names}

    assert done - {None} == set(Done)


def test_the_dates_are_those_of_the_model():
    assert set(DATES) == {_path(name)[0] for name in MODEL.operation_names}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "2015-03-31/functions/f/invocations"),
        ("POST", "2015-03-31/functions/f/invocation"),
        ("POST", "2015-03-31/functions/f/invocations/g"),
        ("POST", "2015-03-31/Functions/f/invocations"),
        ("POST", "2015-04-31/functions/f/invocations"),
        ("post", "2015-03-31/functions/f/invocations"),
        ("POST", "2015-03-31"),
        ("HEAD", "2015-03-31/functions"),
    ],
)
def test_another_path_is_no_operation(method, path):
    with pytest.raises(UnknownOperation):
        operation(method, tuple(path.split("/")))


def test_no_route_may_hide_the_api():
    from actas.settings.meaning.routes import BUILT_IN, LAMBDA_DATES

    assert LAMBDA_DATES == DATES
    assert set(DATES) <= BUILT_IN
