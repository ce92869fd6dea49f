"""Answers that botocore's own parser reads back."""

import botocore.session
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from actas.http.problems import Head
from actas.http.sts import answers, wording
from actas.http.sts.errors import AccessDenied, StsError

NOT_HERE = {
    "RegionDisabledException",  # no region is ever off
    "ExpiredTradeInTokenException",  # actions that are not there
    "JWTPayloadSizeExceededException",
    "OutboundWebIdentityFederationDisabledException",
    "SessionDurationEscalationException",
}
"""Errors of the service's model that are not raised here, and why."""
MODEL = botocore.session.get_session().get_service_model("sts")
CALL = "01M84C8NMY5F7PP43C6AAK7H8X"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


def parsed(answer: tuple[int, Head, bytes], operation: str):
    status, head, body = answer
    headers = {name.decode(): value.decode() for name, value in head}
    shape = MODEL.operation_model(operation).output_shape
    return create_parser("query").parse({"status_code": status, "headers": headers, "body": body}, shape)


@given(arn=TEXT, name=TEXT, share=st.integers(0, 100))
def test_what_is_given_is_read_back(arn, name, share):
    user = {"AssumedRoleId": name, "Arn": arn}
    content = {"AssumedRoleUser": user, "PackedPolicySize": share, "SourceIdentity": name}

    found = parsed(answers.result("AssumeRole", content, CALL), "AssumeRole")

    assert found["AssumedRoleUser"] == user
    assert (found["PackedPolicySize"], found["SourceIdentity"]) == (share, name)
    assert found["ResponseMetadata"]["RequestId"] == CALL


@given(message=TEXT)
def test_an_error_is_read_back(message):
    found = parsed(wording.told(AccessDenied(sent=message), CALL), "AssumeRole")

    assert found["Error"] == {"Type": "Sender", "Code": "AccessDenied", "Message": message}
    assert found["ResponseMetadata"] == {**found["ResponseMetadata"], "RequestId": CALL, "HTTPStatusCode": 403}


def test_what_xml_cannot_hold_is_replaced():
    status, _, body = answers.error(400, "ValidationError", "a\x00b\ud800<&>", CALL)

    assert status == 400
    assert "a\ufffdb\ufffd&lt;&amp;&gt;" in body.decode()


def test_an_empty_answer_is_one_that_clients_take():
    assert parsed(answers.result("GetCallerIdentity", {}, CALL), "GetCallerIdentity")["ResponseMetadata"]


def test_every_error_of_the_model_that_we_raise_has_the_status_of_the_model():
    by_code = {}
    for name in MODEL.operation_names:
        for shape in MODEL.operation_model(name).error_shapes:
            by_code[shape.metadata["error"]["code"]] = shape.metadata["error"]["httpStatusCode"]
    ours = {one.name: one.status for one in StsError.__subclasses__()}
    ours |= {code: status for status, code, _ in wording.SAID.values()}
    common = by_code.keys() & ours.keys()

    assert {code: ours[code] for code in common} == {code: by_code[code] for code in common}
    assert common == by_code.keys() - NOT_HERE
