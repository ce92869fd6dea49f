"""A request to a function's URL as the event that Lambda makes of it, and the function's answer as HTTP. Pure."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from actas import apigateway
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
    made = apigateway.answer(outcome.payload, version=VERSION, function_error=outcome.function_error)
    return Answered(payload=made.body, status=made.status, headers=made.headers, function_error=outcome.function_error)
