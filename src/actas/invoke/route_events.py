"""A route's request as the event that a function behind API Gateway gets, and its answer as HTTP.

Pure. The envelope stands where API Gateway puts what a Lambda authorizer found out: ``requestContext.authorizer``,
under ``lambda`` in payload format 2.0. It vouches for the event without that place.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

import msgspec

from actas import apigateway
from actas.invoke.proxy_headers import normalised, speaks_for_caller
from actas.model.call import Call, Headers, Route
from actas.model.facts import Known
from actas.model.outcome import Answered

Format = Literal["1.0", "2.0"]

_KEPT: Final = frozenset({"host", "via", "content-length"})
"""Of what a proxy writes anew for a backend, these say nothing of a caller: API Gateway shows them to functions too."""


def event(
    call: Call,
    route: Route,
    *,
    version: Format,
    domain_name: str,
    account_id: str,
    binary_media_types: tuple[str, ...] = (),
    envelope: Callable[[bytes, datetime], str],
    now: datetime,
) -> bytes:
    """Make the event of *call*, with the envelope in it."""
    request = apigateway.HttpRequest(
        method=route.method,
        path=route.path,
        query_string=route.query,
        headers=without_claims(route.headers),
        body=call.payload,
        source_ip=str(call.address.value) if isinstance(call.address, Known) else "",
    )
    made = apigateway.event(
        request,
        version=version,
        route=route.template,
        request_id=call.id,
        now=call.received_at,
        account_id=account_id,
        domain_name=domain_name,
        binary_media_types=binary_media_types,
    )
    signed = {"actas": envelope(msgspec.json.encode(made), now)}
    made["requestContext"]["authorizer"] = {"lambda": signed} if version == "2.0" else signed
    return msgspec.json.encode(made)


def answer(answered: Answered, route: Route, *, version: Format, binary_media_types: tuple[str, ...] = ()) -> Answered:
    """Turn what the function returned into an HTTP answer, as API Gateway does; a failure becomes its 500 or 502."""
    accept = next((value for name, value in route.headers if name.lower() == "accept"), None)
    made = apigateway.answer(
        answered.payload,
        version=version,
        binary_media_types=binary_media_types,
        accept=accept,
        function_error=answered.function_error,
    )
    return Answered(
        payload=made.body,
        function_error=answered.function_error,
        log_hash=answered.log_hash,
        log_tail=answered.log_tail,
        status=made.status,
        headers=made.headers,
    )


def without_claims(headers: Headers) -> Headers:
    """Leave out the caller's proofs and whatever speaks for a caller: a function finds only what the gateway says."""
    return tuple(
        (name, value) for name, value in headers if (key := normalised(name)) in _KEPT or not speaks_for_caller(key)
    )
