"""What the Lambda API shows of functions, and to whom."""

import json

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:lambda:eu-west-1:111122223333:function"
MAY = ["breaks", "cold", "echo", "fails", "keys", "large", "logs", "orders", "sleeps", "works"]


def names(answer):
    return [one["FunctionName"] for one in answer["Functions"]]


def test_a_caller_sees_what_the_session_may_call_and_nothing_else(ana):
    answer = ana.list_functions()

    assert names(answer) == MAY
    assert "NextMarker" not in answer


def test_who_is_forbidden_a_function_does_not_see_it(callers, house):
    assert names(callers("dalia").client(house.public).list_functions()) == [one for one in MAY if one != "logs"]


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10])
def test_pages_of_any_size_come_to_the_same(size, ana):
    pages = list(ana.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": size}))

    assert [name for page in pages for name in names(page)] == MAY
    assert all(len(page["Functions"]) <= size for page in pages)
    assert len(pages) == -(-len(MAY) // size)


@pytest.mark.parametrize(
    "options",
    [{"MaxItems": 0}, {"MaxItems": 10_001}, {"Marker": "%"}, {"Marker": "Li4v"}, {"FunctionVersion": "SOME"}],
    ids=["no items", "too many items", "a marker that is none", "a marker of another kind", "a version that is none"],
)
def test_a_page_that_is_none_is_refused(options, callers, house):
    client = callers("ana").client(house.public, config={"parameter_validation": False})

    with pytest.raises(ClientError) as refused:
        client.list_functions(**options)

    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_function_is_described_without_its_environment_and_its_place(ana):
    found = ana.get_function_configuration(FunctionName="echo")

    found.pop("ResponseMetadata")
    assert found.pop("Runtime").startswith("python3.")
    assert found.pop("Architectures") in (["x86_64"], ["arm64"])
    assert found == {
        "FunctionName": "echo",
        "FunctionArn": f"{ARN}:echo",
        "Version": "$LATEST",
        "Role": "arn:aws:iam::000000000000:role/reader",
        "Description": "",
        "Handler": "lambdas.echo",
        "Timeout": 10,
        "MemorySize": 128,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "TracingConfig": {"Mode": "PassThrough"},
    }


@pytest.mark.parametrize("name", ["echo", f"{ARN}:echo", "echo:$LATEST"])
def test_get_function_says_the_same(name, ana):
    described = ana.get_function_configuration(FunctionName="echo")
    described.pop("ResponseMetadata")

    assert ana.get_function(FunctionName=name)["Configuration"] == described


def test_waiters_of_the_client_are_content(ana):
    for waiter in ("function_active_v2", "function_updated_v2", "function_exists"):
        ana.get_waiter(waiter).wait(FunctionName="echo")


def test_the_policy_says_by_which_rules_this_session_may(ana):
    found = ana.get_policy(FunctionName="echo")

    policy = json.loads(found["Policy"])
    (statement,) = policy["Statement"]
    principal = statement.pop("Principal")["AWS"]
    assert principal.startswith("arn:aws:sts::000000000000:assumed-role/reader/")
    assert statement == {
        "Sid": "lambdas",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": f"{ARN}:echo",
    }
    assert found["RevisionId"]


@pytest.mark.parametrize("operation", ["get_function", "get_function_configuration", "get_policy"])
@pytest.mark.parametrize("name", ["hidden", "nothing", "billing", "echo:PROD"])
def test_what_may_not_be_called_is_not_shown(operation, name, ana):
    with pytest.raises(ClientError) as refused:
        getattr(ana, operation)(FunctionName=name)

    error = refused.value.response["Error"]
    action = {"get_policy": "GetPolicy"}.get(operation, operation.title().replace("_", ""))
    assert error["Code"] == "AccessDeniedException"
    assert f"is not authorized to perform: lambda:{action} on resource: arn:aws:lambda:" in error["Message"]
    assert error["Message"].endswith(f"because no identity-based policy allows the lambda:{action} action")


OTHERS = [
    ("delete_function", {"FunctionName": "echo"}, "DeleteFunction", f"{ARN}:echo"),
    ("create_alias", {"FunctionName": "echo", "Name": "a", "FunctionVersion": "1"}, "CreateAlias", f"{ARN}:echo"),
    ("update_function_code", {"FunctionName": "echo", "ZipFile": b""}, "UpdateFunctionCode", f"{ARN}:echo"),
    (
        "add_permission",
        {"FunctionName": "echo", "StatementId": "s", "Action": "lambda:*", "Principal": "*"},
        "AddPermission",
        f"{ARN}:echo",
    ),
    ("put_function_concurrency", {"FunctionName": "x", "ReservedConcurrentExecutions": 1}, "PutFunctionConcurrency",
     f"{ARN}:x"),
    ("get_account_settings", {}, "GetAccountSettings", "*"),
    ("list_layers", {}, "ListLayers", "*"),
    ("list_event_source_mappings", {}, "ListEventSourceMappings", "*"),
    ("list_tags", {"Resource": f"{ARN}:echo"}, "ListTags", "*"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "options", "action", "resource"), OTHERS, ids=[one[0] for one in OTHERS])
def test_what_is_not_done_here_is_refused_as_aws_refuses_it(operation, options, action, resource, ana):
    with pytest.raises(ClientError) as refused:
        getattr(ana, operation)(**options)

    error = refused.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert f"is not authorized to perform: lambda:{action} on resource: {resource} because" in error["Message"]
