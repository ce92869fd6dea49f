"""Verify the envelope of a call and give the caller it names.

What an envelope proves: this gateway let this caller make this call, with this event, of this function, just now.
It does not prove that the call is made once: whoever may invoke the function directly and has seen the envelope can
send both again until it ends. A function that must not act twice remembers ``Caller.call``.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from actas import jose
from actas.lambda_.canonical import NotCanonical, canonical, canonical_bytes
from actas.lambda_.claims import ALGORITHMS, TYPE, Acts, Envelope
from actas.lambda_.errors import EnvelopeRefused, EventChanged, EventUnverifiable, NoEnvelope, NoKeys
from actas.model import clock
from actas.model.facts import Fact, Known, Missing

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts on the caller's behalf."""

    issuer: str
    subject: str = field(repr=False)
    client: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who called this function, as the gateway believes it; facts are known, or missing in a way that is said."""

    subject: str = field(repr=False)
    issuer: str
    provider: str
    kind: Fact[str]
    groups: Fact[frozenset[str]] = field(repr=False)
    roles: Fact[frozenset[str]] = field(repr=False)
    scopes: Fact[frozenset[str]] = field(repr=False)
    client: Fact[str]
    tenant: Fact[str]
    mfa: Fact[bool]
    actors: tuple[Acting, ...] = field(repr=False)
    """The current actor first; empty where the caller acts for itself."""
    role: str | None
    """The role that the call was allowed under, by its name in the settings; ``role_arn`` is its ARN."""
    role_arn: str | None
    call: str
    root: str
    """The call at the root of the chain; this one's own id where it is the root."""
    depth: int
    expires_at: datetime


def caller(
    event: Any,
    context: Any,
    *,
    keys: jose.KeySet | str | bytes | Mapping[str, Any] | None = None,
    issuer: str | None = None,
    now: datetime | None = None,
) -> Caller:
    """Verify the envelope that came with *event* and *context*, a Lambda handler's two arguments.

    *keys* is the gateway's key set (``ACTAS_JWKS`` where it is left out), *issuer* its name (``ACTAS_ISSUER``).
    Call it before the handler changes the event. Raises `LambdaError`, and then nobody is known to have called.
    """
    token, signed_event, audience = envelope_of(event, context)
    return verify(token, audience=audience, event=signed_event, keys=keys, issuer=issuer, now=now)


def envelope_of(event: Any, context: Any) -> tuple[str, Any, tuple[str, ...]]:
    """Find the envelope of a call, the event that it vouches for, and whom it must be for; nothing is verified yet."""
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    token, signed_event = _direct(custom, event) or _routed(event)
    function = (str(getattr(context, "invoked_function_arn", "")), str(getattr(context, "function_version", "")))
    return token, signed_event, _audiences(*function)


def verify(
    envelope: str,
    *,
    audience: str | tuple[str, ...],
    event: Any,
    keys: jose.KeySet | str | bytes | Mapping[str, Any] | None = None,
    issuer: str | None = None,
    now: datetime | None = None,
) -> Caller:
    """Verify an envelope by itself; *event* is the parsed event, or the exact bytes that were sent.

    For HTTP functions: the envelope is the header ``Actas-Caller``, *event* the request's body.
    """
    expected_issuer = issuer or os.environ.get("ACTAS_ISSUER") or jose.UNCHECKED
    try:
        claims = jose.verify_jwt(
            envelope,
            _keys(keys),
            issuer=expected_issuer,
            audience=audience,
            now=now or clock.now(),
            algorithms=ALGORITHMS,
            typ=TYPE,
        )
        said = msgspec.convert(dict(claims), Envelope)
    except jose.JoseError as wrong:
        raise EnvelopeRefused(why=wrong.message) from wrong
    except msgspec.ValidationError as wrong:
        raise EnvelopeRefused(why="its claims are not an envelope's") from wrong
    _check_event(said, event)
    return _caller(said)


def _direct(custom: Any, event: Any) -> tuple[str, Any] | None:
    """Find the envelope of a direct call, which vouches for the whole event."""
    token = custom.get("actas") if isinstance(custom, Mapping) else None
    return (token, event) if isinstance(token, str) else None


def _routed(event: Any) -> tuple[str, Any]:
    """Find the envelope of a route's event; it stands in the event, so it vouches for all but its own place."""
    try:
        request_context = event["requestContext"]
        authorizer = request_context["authorizer"]
        place = authorizer.get("lambda", authorizer)
        token = place["actas"]
    except (TypeError, KeyError, AttributeError) as wrong:
        raise NoEnvelope from wrong
    if not isinstance(token, str):
        raise NoEnvelope
    if len(authorizer) != 1 or len(place) != 1:
        raise EventChanged  # nothing unsigned may stand beside it
    rest = {name: value for name, value in request_context.items() if name != "authorizer"}
    return token, {**event, "requestContext": rest}


def _audiences(arn: str, version: str) -> tuple[str, ...]:
    """Name this function as the gateway may have: the invoked ARN, qualified by the version where it is not."""
    if arn.count(":") == 7:
        return (arn,)
    return tuple(f"{arn}:{qualifier}" for qualifier in ("$LATEST", version) if qualifier)


def _keys(given: jose.KeySet | str | bytes | Mapping[str, Any] | None) -> jose.KeySet:
    if isinstance(given, jose.KeySet):
        return given
    if given is None:
        given = os.environ.get("ACTAS_JWKS")
        if not given:
            raise NoKeys(why="ACTAS_JWKS is not set")
    try:
        return _read(given) if isinstance(given, str) else jose.KeySet.from_json(given)
    except jose.JoseError as wrong:
        raise NoKeys(why=wrong.message) from wrong


@lru_cache(maxsize=4)
def _read(text: str) -> jose.KeySet:
    return jose.KeySet.from_json(text)


def _check_event(said: Envelope, event: Any) -> None:
    if isinstance(event, bytes):
        digested = _digest_of_bytes(said, event)
    elif said.event_form == "bytes":
        raise EventUnverifiable(why="its digest is of the bytes as they were sent")
    else:
        try:
            digested = canonical(event)
        except NotCanonical as wrong:
            raise EventUnverifiable(why=str(wrong)) from wrong
    if hashlib.sha256(digested).hexdigest() != said.event_sha256:
        raise EventChanged


def _digest_of_bytes(said: Envelope, event: bytes) -> bytes:
    if said.event_form == "bytes":
        return event
    try:
        return canonical_bytes(event)
    except NotCanonical as wrong:
        raise EventChanged from wrong


def _caller(said: Envelope) -> Caller:
    return Caller(
        subject=said.sub,
        issuer=said.identity_issuer,
        provider=said.provider,
        kind=_fact(said, "kind", said.kind),
        groups=_fact(said, "groups", None if said.groups is None else frozenset(said.groups)),
        roles=_fact(said, "roles", None if said.roles is None else frozenset(said.roles)),
        scopes=_fact(said, "scopes", None if said.scopes is None else frozenset(said.scopes)),
        client=_fact(said, "client", said.client),
        tenant=_fact(said, "tenant", said.tenant),
        mfa=_fact(said, "mfa", said.mfa),
        actors=tuple(_actors(said.act)),
        role=said.role,
        role_arn=said.role_arn,
        call=said.jti,
        root=said.root,
        depth=said.depth,
        expires_at=datetime.fromtimestamp(said.exp, UTC),
    )


def _fact(said: Envelope, name: str, value: T | None) -> Fact[T]:
    if value is not None:
        return Known(value)
    try:
        return Missing(said.missing.get(name, "unknown"))
    except ValueError:
        return Missing.UNKNOWN


def _actors(act: Acts | None) -> list[Acting]:
    found = []
    while act is not None:
        found.append(Acting(issuer=act.iss, subject=act.sub, client=act.client_id))
        act = act.act
    return found
