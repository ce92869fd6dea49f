"""Verify a JSON Web Token: its signature, and then what it claims (RFC 7519, RFC 8725, RFC 9068 section 4)."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final

from actas.jose import claims as checks
from actas.jose import jws, strict_json
from actas.jose.algorithms import ASYMMETRIC, is_several
from actas.jose.claim_errors import WrongType
from actas.jose.claims import Claims
from actas.jose.errors import AskedWrongly, MalformedToken
from actas.jose.key import Key
from actas.jose.keyset import KeySet


class Unchecked(Enum):
    """The type of `UNCHECKED`."""

    UNCHECKED = "unchecked"


UNCHECKED: Final = Unchecked.UNCHECKED
"""Says that an issuer or audience is checked by the caller, or by nobody."""

_SIXTY: Final = 60.0
_LEEWAY: Final = timedelta(seconds=_SIXTY)


def verify_jwt(
    token: bytes | str,
    keys: KeySet | Key,
    *,
    issuer: str | Collection[str] | Unchecked,
    audience: str | Collection[str] | Unchecked,
    now: datetime,
    algorithms: Collection[str] = ASYMMETRIC,
    typ: str | Collection[str] | None = None,
    leeway: timedelta = _LEEWAY,
    client_id: str | Collection[str] | None = None,
    require_exp: bool = True,
    max_age: timedelta | None = None,
) -> Claims:
    """Verify *token* and give its claims, or raise a `JoseError` that says what is wrong first.

    *issuer*, *audience*, *client_id* and *typ* each take one text or several of which one must be met. A token is
    good until its ``exp`` (and until ``iat`` plus *max_age*), and *leeway* longer.
    """
    # This is the hot path: one issuer and one audience are the common case, and no call is made for them.
    issuers = (issuer,) if type(issuer) is str and issuer else _texts_or_none(issuer, "issuer")
    audiences = (audience,) if type(audience) is str and audience else _texts_or_none(audience, "audience")
    clients = None if client_id is None else _texts(client_id, "client_id")
    types = None if typ is None else _texts(typ, "typ")
    seconds = _SIXTY if leeway is _LEEWAY else _seconds(leeway, "leeway")
    oldest = None if max_age is None else _seconds(max_age, "max_age")
    if (audiences is None and clients is None) or (oldest is None and not require_exp):
        raise _checks_too_little(audiences is None and clients is None)
    if type(now) is not datetime or now.tzinfo is not UTC:
        _is_aware(now)
    header, key, payload = jws.verify(token, keys, algorithms)
    if types is not None:
        _is_of_type(header.typ, types)
    found = _claims(payload)
    checks.comes_from(found, issuers)
    checks.is_meant_for(found, audiences)
    if clients is not None:
        checks.was_issued_to(found, clients)
    checks.names_are_texts(found)
    checks.is_good_now(found, now, seconds, require_exp, oldest)
    return Claims(found, header.values, key)


def _checks_too_little(audience: bool) -> AskedWrongly:  # noqa: FBT001 - private
    """Refuse a question that could let through what nobody meant to."""
    if audience:
        return AskedWrongly(argument="client_id", why="is required where the audience is unchecked")
    return AskedWrongly(argument="max_age", why="is required where exp is not")


def _is_aware(now: object) -> None:
    if not isinstance(now, datetime) or now.utcoffset() is None:
        raise AskedWrongly(argument="now", why="must be an aware datetime")


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        found = strict_json.loads(payload)
    except strict_json.NotStrictJson as wrong:
        raise MalformedToken(part="payload", why=str(wrong)) from wrong
    if type(found) is not dict:
        raise MalformedToken(part="payload", why="is not a JSON object")
    return found


def _texts_or_none(value: str | Collection[str] | Unchecked, argument: str) -> Collection[str] | None:
    return None if value is UNCHECKED else _texts(value, argument)


def _texts(value: object, argument: str) -> Collection[str]:
    if type(value) is str and value:
        return (value,)
    if not is_several(value) or not value:
        raise AskedWrongly(argument=argument, why="must be a text or a collection of texts, and not empty")
    texts = tuple(one for one in value if isinstance(one, str) and one)
    if len(texts) != len(value):
        raise AskedWrongly(argument=argument, why="must hold texts only, and none that is empty")
    return texts


def _seconds(span: object, argument: str) -> float:
    if not isinstance(span, timedelta) or span < timedelta():
        raise AskedWrongly(argument=argument, why="must be a timedelta that is not negative")
    return span.total_seconds()


def _is_of_type(found: str | None, wanted: Collection[str]) -> None:
    if found is None or _media_type(found) not in {_media_type(one) for one in wanted}:
        raise WrongType(found=found, wanted=wanted)


def _media_type(typ: str) -> str:
    """Write *typ* out in full: RFC 7515 section 4.1.9 lets ``application/`` be left off; case does not matter."""
    folded = typ.lower()
    return folded if "/" in folded else f"application/{folded}"
