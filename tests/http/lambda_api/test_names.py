"""What a function may be called by, and what is refused because it could be read in two ways."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.http.lambda_api.errors import InvalidName, LambdaApiError, QualifiersDiffer
from actas.http.lambda_api.names import LONGEST, FunctionName, function_name

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:report"
WHOLE = {"name": "report", "account": "111122223333", "region": "eu-west-1", "partition": "aws"}


@pytest.mark.parametrize(
    ("text", "qualifier", "found"),
    [
        pytest.param("report", None, {"name": "report"}, id="a name"),
        pytest.param("Re_port-9", None, {"name": "Re_port-9"}, id="a name of every kind of character"),
        pytest.param("report:PROD", None, {"name": "report", "qualifier": "PROD"}, id="a name with an alias"),
        pytest.param("report:$LATEST", None, {"name": "report", "qualifier": "$LATEST"}, id="a name with $LATEST"),
        pytest.param("report", "7", {"name": "report", "qualifier": "7"}, id="a version in the query"),
        pytest.param("report:7", "7", {"name": "report", "qualifier": "7"}, id="the same version twice"),
        pytest.param(
            "111122223333:function:report", None, {"name": "report", "account": "111122223333"}, id="a partial ARN"
        ),
        pytest.param(
            "111122223333:function:report:PROD",
            None,
            {"name": "report", "account": "111122223333", "qualifier": "PROD"},
            id="a partial ARN with an alias",
        ),
        pytest.param(ARN, None, WHOLE, id="an ARN"),
        pytest.param(f"{ARN}:$LATEST", None, WHOLE | {"qualifier": "$LATEST"}, id="a qualified ARN"),
        pytest.param(ARN, "PROD", WHOLE | {"qualifier": "PROD"}, id="an ARN and an alias in the query"),
        pytest.param(
            ARN.replace("aws", "aws-cn").replace("eu-west-1", "cn-north-1"),
            None,
            WHOLE | {"partition": "aws-cn", "region": "cn-north-1"},
            id="an ARN of another partition",
        ),
        pytest.param("function", None, {"name": "function"}, id="a function that is called function"),
        pytest.param("a" * 64, None, {"name": "a" * 64}, id="the longest name"),
        pytest.param(f"f:{'q' * 128}", None, {"name": "f", "qualifier": "q" * 128}, id="the longest alias"),
    ],
)
def test_a_name_is_read(text, qualifier, found):
    assert function_name(text, qualifier) == FunctionName(**found)


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("a" * 65, None, id="a name that is too long"),
        pytest.param("a" * (LONGEST + 1), None, id="a text that is too long"),
        pytest.param(f"f:{'q' * 129}", None, id="an alias that is too long"),
        pytest.param("report ", None, id="a space"),
        pytest.param("report\n", None, id="a line's end"),
        pytest.param("rëport", None, id="a letter that is not ASCII"),
        pytest.param("rep.ort", None, id="a dot"),
        pytest.param("rep/ort", None, id="a slash"),
        pytest.param("report*", None, id="a star"),
        pytest.param("report:", None, id="a colon with nothing behind it"),
        pytest.param("report:$OTHER", None, id="a dollar that is not $LATEST's"),
        pytest.param("report:a:b", None, id="two aliases"),
        pytest.param("function:report", None, id="what AWS reads as a function without its alias"),
        pytest.param("111122223333:report", None, id="what AWS reads as an account and a name"),
        pytest.param("arn:report", None, id="the beginning of an ARN"),
        pytest.param("us-east-1:report:PROD", None, id="a region before the name"),
        pytest.param(ARN.replace("lambda", "s3"), None, id="another service's ARN"),
        pytest.param(ARN.replace("function", "layer"), None, id="a layer's ARN"),
        pytest.param(ARN.replace("111122223333", "1111"), None, id="an account of four digits"),
        pytest.param(ARN.replace("111122223333", "١١١١٢٢٢٢٣٣٣٣"), None, id="an account of Arabic digits"),
        pytest.param(ARN.replace("eu-west-1", ""), None, id="an ARN without a region"),
        pytest.param(f"{ARN}:a:b", None, id="an ARN with two aliases"),
        pytest.param("report", "", id="an empty alias in the query"),
        pytest.param("report", "PROD\n", id="an alias with a line's end"),
        pytest.param("report", "a*", id="an alias with a star"),
    ],
)
def test_a_text_that_is_no_name_is_refused(text, qualifier):
    with pytest.raises(InvalidName) as refused:
        function_name(text, qualifier)

    assert refused.value.type == "ValidationException"
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [("report:PROD", "TEST"), ("report:$LATEST", "1"), (f"{ARN}:PROD", "prod")],
    ids=["two aliases", "$LATEST and a version", "two cases of one alias"],
)
def test_a_name_and_a_query_that_contradict_each_other_are_refused(text, qualifier):
    with pytest.raises(QualifiersDiffer) as refused:
        function_name(text, qualifier)

    said = "The derived qualifier from the function name does not match the specified qualifier."
    assert (refused.value.type, refused.value.said) == ("InvalidParameterValueException", said)


def test_a_refusal_is_logged_without_what_was_sent():
    with pytest.raises(InvalidName) as refused:
        function_name("Ana was here")

    assert "Ana" not in str(refused.value)
    assert "Ana was here" in refused.value.said


@given(st.text(max_size=150) | st.from_regex(r"[a-z:0-9$-]{0,40}", fullmatch=True), st.none() | st.text(max_size=20))
def test_whatever_is_read_is_written_in_one_way(text, qualifier):
    try:
        found = function_name(text, qualifier)
    except LambdaApiError:
        return

    front = f"{found.account}:function:" if found.account else ""
    front = f"arn:{found.partition}:lambda:{found.region}:{front}" if found.region else front
    whole = f"{front}{found.name}" + (f":{found.qualifier}" if found.qualifier else "")
    assert function_name(whole) == found
    assert re.fullmatch(r"[A-Za-z0-9_:$-]+", whole)
