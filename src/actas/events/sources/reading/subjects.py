"""Whom a token of signals speaks of: Subject Identifiers, simple (RFC 9493) and complex (SSF 1.0, section 3). Pure.

A subject of the provider's own issuer, or an opaque one, is the identifier that tokens carry. Whoever is named in
another way is handed on as they were named: what that means for access is for whoever reads `Told` to say.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict

_LONGEST_ADDRESS: Final = 320
_MOST: Final = 20
_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "account": ("uri",),
    "email": ("email",),
    "iss_sub": ("iss", "sub"),
    "opaque": ("id",),
    "phone_number": ("phone_number",),
    "did": ("url",),
    "uri": ("uri",),
    "aliases": ("identifiers",),  # the last of RFC 9493, section 3.2
    "jwt_id": ("iss", "jti"),
    "saml_assertion_id": ("issuer", "assertion_id"),
    "ip-addresses": ("ip-addresses",),  # the last of SSF 1.0, section 3.4
}
FORMATS: Final = frozenset({*_MEMBERS, "complex"})
_WRITTEN: Final[dict[str, Callable[[str], object]]] = {
    "account": re.compile(r"acct:[^@\s]+@[^@\s]+").fullmatch,
    "email": re.compile(rf"(?=.{{3,{_LONGEST_ADDRESS}}}$).+@[^@\s]+").fullmatch,
    # E.164; an example of RISC's own has the blanks that people write.
    "phone_number": re.compile(r"\+[1-9](?:[ .()-]?[0-9]){1,14}").fullmatch,
    "did": re.compile(r"did:[a-z0-9]+:\S+").fullmatch,
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+").fullmatch,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a token speaks of, as far as tokens of ours carry it."""

    subject: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    named: tuple[str, ...] = field(default=(), repr=False)
    """How they were named, where that is in no token: ``email:…``, ``phone_number:…``, ``device:opaque:…``."""
    members: frozenset[str] = frozenset()
    """What a complex subject has: ``user``, ``tenant``, …"""


def subject_of(value: Any, issuers: Collection[str], *, alone_is_session: bool = False) -> Subject:
    """Read a Subject Identifier; *issuers* are those of the provider's own subjects.

    With *alone_is_session* an opaque one may be a session's name (CAEP 1.0 shows it so in ``session-revoked``) or a
    person's: nothing tells which, so it is both.
    """
    if not isinstance(value, dict):
        raise MalformedDelivery(why="it names no subject")
    if "format" not in value and "subject_type" not in value and ("user" in value or "session" in value):
        return _complex(value, issuers)  # as drafts of SSF had it
    form, is_old = value.get("format"), "format" not in value
    if is_old:  # Google's transmitter writes the older name, and members of its own
        form = value.get("subject_type")
        form = form.replace("-", "_") if isinstance(form, str) else form
    if not isinstance(form, str) or strict.name(form) is None:
        raise MalformedDelivery(why="its subject has no format")
    if form == "complex":
        return _complex(value, issuers)
    found = _simple(form, value, issuers, is_old=is_old)
    both = alone_is_session and form == "opaque"
    return Subject(subject=found.subject, session=found.subject, named=found.named) if both else found


def _complex(value: Mapping[str, Any], issuers: Collection[str]) -> Subject:
    """Read members that are simple each; one that is not there says nothing (SSF 1.0, section 3.3)."""
    members = {name: one for name, one in value.items() if name != "format"}
    if not 0 < len(members) <= _MOST or not all(strict.name(name) for name in members):
        raise MalformedDelivery(why="its complex subject has no members, or too many")
    found: dict[str, Subject] = {}
    for name, one in members.items():
        if not isinstance(one, dict) or one.get("format") == "complex":
            raise MalformedDelivery(why="a member of its complex subject is no simple subject")
        found[name] = subject_of(one, issuers)
    user, held = found.get("user", Subject()), members.get("session")
    is_plain = isinstance(held, dict) and held.get("format") == "opaque"
    session = found["session"].subject if is_plain else None
    named = user.named
    if "user" not in members and session is None:  # everybody of a tenant, whoever uses a device
        named = tuple(f"{name}:{said}" for name, one in found.items() for said in _said(one))
    return Subject(subject=user.subject, session=session, named=_short(named), members=frozenset(members))


def _simple(form: str, value: Mapping[str, Any], issuers: Collection[str], *, is_old: bool) -> Subject:
    members = _MEMBERS.get(form)
    if members is None and not (is_old and form == "id_token_claims"):
        return Subject(named=_short((form,)))
    members = members or _MEMBERS["iss_sub"]
    # RFC 9493, section 3: all that the format describes, and nothing that it does not.
    if any(one not in value for one in members) or (not is_old and len(value) != len(members) + 1):
        raise MalformedDelivery(why=f"its subject has not the members of {form}")
    if form == "aliases":
        return _aliases(value["identifiers"], issuers)
    if form == "ip-addresses":
        listed = value["ip-addresses"]
        texts = tuple(_text(one) for one in listed[:_MOST]) if isinstance(listed, list) and listed else (_text(None),)
    else:
        texts = tuple(_text(value[one]) for one in members)
    written = _WRITTEN.get(form)
    if written is not None and not written(texts[0]):
        raise MalformedDelivery(why=f"its subject is not written as {form} is")
    if form == "opaque":
        return Subject(subject=texts[0])
    # A subject of another issuer is none of ours, however alike its name is.
    if members == _MEMBERS["iss_sub"] and texts[0] in issuers:
        return Subject(subject=texts[1])
    return Subject(named=_short((f"{form}:{' '.join(texts)}",)))


def _aliases(listed: Any, issuers: Collection[str]) -> Subject:
    """All of them name the same: the one that tokens carry is it (RFC 9493, section 3.2.8: never nested)."""
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
        raise MalformedDelivery(why="its subject has no aliases")
    if any(isinstance(one, dict) and one.get("format") in ("aliases", "complex") for one in listed):
        raise MalformedDelivery(why="its subject has aliases of aliases")
    found = [subject_of(one, issuers) for one in listed]
    ours = {one.subject for one in found if one.subject is not None}
    if len(ours) > 1:
        raise MalformedDelivery(why="its aliases name several people")
    return Subject(subject=next(iter(ours), None), named=_short(tuple(said for one in found for said in one.named)))


def _said(one: Subject) -> tuple[str, ...]:
    return one.named or (() if one.subject is None else (one.subject,))


def _short(named: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one[: strict.LONGEST] for one in named))[:_MOST]


def _text(value: Any) -> str:
    return strict.required(value if isinstance(value, str) else None, "a member of its subject")
