"""A request to a function's URL as the event that Lambda makes of it, and the function's answer as HTTP. Pure."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from actas import apigateway
from actas.invoke import lambda_answers
from actas.invoke.lambda_errors import LambdaMalformed
from actas.invoke.route_events import without_claims
from actas.model.call import Call, Headers
from actas.model.facts import Known
from actas.model.held import Held
from actas.model.outcome import Answered

VERSION: Final = "function-url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The request, as the door read it."""

    function: str
    method: str
    path: str
    """Behind the function's own prefix; canonical, encoded."""
    query: str
    protocol: str
    headers: Headers


def event(asked: Asked, call: Call, *, domain: str, account: str, held: Held | None) -> bytes:
    """Make the event; what speaks for a caller is left out of its headers, and who called stands in the envelope."""
    request = apigateway.HttpRequest(
        method=asked.method,
        path=asked.path,
        query_string=asked.query,
        headers=without_claims(asked.headers),
        body=call.payload,
        source_ip=str(call.address.value) if isinstance(call.address, Known) else "",
        protocol=asked.protocol,
    )
    made = apigateway.event(
        request,
        version=VERSION,
        request_id=call.id,
        now=call.received_at,
        account_id=account,
        api_id=asked.function,
        domain_name=domain,
        authorizer={} if held is None else {"iam": _iam(held)},
    )
    return msgspec.json.encode(made)


def _iam(held: Held) -> dict[str, Any]:
    """Say who signed, as Lambda does under AWS_IAM."""
    account = held.role_arn.split(":")[4]
    return {
        "accessKey": held.access_key_id,
        "accountId": account,
        "callerId": held.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": held.arn,
        "userId": held.user_id,
    }


def answer(outcome: Answered) -> Answered:
    """Make the HTTP answer: what the function says it is, or what Lambda infers where it says nothing."""
    if outcome.function_error is None and ("Content-Type", lambda_answers.HTTP_STREAM) in outcome.headers:
        return _with_its_own_head(outcome)
    made = apigateway.answer(outcome.payload, version=VERSION, function_error=outcome.function_error)
    return Answered(payload=made.body, status=made.status, headers=made.headers, function_error=outcome.function_error)


def _with_its_own_head(outcome: Answered) -> Answered:
    """Take the head off what a function wrote as a stream, which came here in one piece."""
    head, found, body = outcome.payload.partition(lambda_answers.DELIMITER)
    malformed = answer(Answered(payload=b"", function_error="Unhandled"))
    if not found or len(head) > lambda_answers.LARGEST_HEAD:
        return malformed
    try:
        status, headers = lambda_answers.head(head, function="")
    except LambdaMalformed:
        return malformed
    if "content-type" not in {name.lower() for name, _ in headers}:
        headers = (*headers, ("Content-Type", "application/octet-stream"))
    return Answered(payload=body, status=status, headers=headers)
