"""Read what ends a session: LogoutRequest and LogoutResponse, by form or by query.

The same safe order as for a response: the signature first, and then only what it covers is read. In a form it is
enveloped; in a query it covers the query, and the message may carry none of its own.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from actas.saml.algorithms import usable
from actas.saml.content_errors import MessageNotFresh
from actas.saml.decryption import DecryptionKey, Opener, decrypt_value, opener
from actas.saml.errors import (
    AskedWrongly,
    DocumentTooLarge,
    NotSigned,
    SignatureRefused,
    UnexpectedStructure,
    WrongDestination,
    WrongIssuer,
    WrongRequest,
    WrongVersion,
)
from actas.saml.names import ENTITY, PARTIAL_LOGOUT, SUCCESS, local, saml, samlp
from actas.saml.parsing import Element, canonical, parse, parse_canonical
from actas.saml.reading import status_of, text_of, time_of
from actas.saml.redirect import RedirectMessage, check_query
from actas.saml.signature import SIGNATURE, has_signature, verify_enveloped
from actas.saml.trust import Trust

LIFETIME = timedelta(minutes=5)
_LEEWAY = timedelta(seconds=60)
_REQUEST, _RESPONSE = samlp("LogoutRequest"), samlp("LogoutResponse")
_ISSUER, _EXTENSIONS, _INDEX, _STATUS = saml("Issuer"), samlp("Extensions"), samlp("SessionIndex"), samlp("Status")
_NAME_ID, _ENCRYPTED_ID = saml("NameID"), saml("EncryptedID")
_CHILDREN = {
    _REQUEST: (_ISSUER, SIGNATURE, _EXTENSIONS, _NAME_ID, _ENCRYPTED_ID, _INDEX),
    _RESPONSE: (_ISSUER, SIGNATURE, _EXTENSIONS, _STATUS),
}
"""In the order of the schema (SAML core 3.2.1, 3.2.2, 3.7)."""
_MOST_INDEXES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """The identity provider ends somebody's session."""

    id: str
    issuer: str
    name_id: str = field(repr=False)
    name_id_format: str | None
    session_indexes: tuple[str, ...]
    """The sessions that end; none named means all of this person."""
    not_on_or_after: datetime
    """The earlier of what it says and its lifetime; until then it must not be taken twice."""
    issued_at: datetime
    xml: bytes = field(repr=False)
    """The canonical bytes that were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutResponse:
    """The identity provider's answer to our request; whether it did as asked is a value, not an error."""

    id: str
    issuer: str
    in_response_to: str | None
    status: tuple[str, ...]
    """The status codes, outer first."""
    issued_at: datetime
    is_signed: bool
    xml: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether everybody that had to be told was told."""
        return self.status[0] == SUCCESS and PARTIAL_LOGOUT not in self.status

    @property
    def is_partial(self) -> bool:
        """Whether the session ended there, but not everywhere (SAML core 3.7.3.2)."""
        return PARTIAL_LOGOUT in self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    tag: str
    entity_id: str
    destination: str | None
    now: datetime
    leeway: timedelta
    lifetime: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    element: Element
    xml: bytes
    is_signed: bool


def read_logout_request(
    message: bytes | RedirectMessage,
    trust: Trust,
    *,
    destination: str | None,
    now: datetime,
    leeway: timedelta = _LEEWAY,
    lifetime: timedelta = LIFETIME,
    allow_sha1: bool = False,
    decryption_keys: Sequence[DecryptionKey] = (),
    old_ciphers: Collection[str] = (),
) -> LogoutRequest:
    """Verify a request to end a session, from a form (bytes) or a query, and give what it says."""
    expected = _expected(_REQUEST, trust, destination=destination, now=now, leeway=leeway, lifetime=lifetime)
    opens = opener(decryption_keys, old_ciphers=old_ciphers)
    found = _verified(message, trust, expected, allow_sha1=allow_sha1, must_be_signed=True)
    element = found.element
    issued_at = _checked(found, expected)
    name = _name_id(element, opens)
    return LogoutRequest(
        id=element.get("ID", ""),
        issuer=trust.entity_id,
        name_id=text_of(name),
        name_id_format=name.get("Format"),
        session_indexes=_indexes(element),
        not_on_or_after=_ends(element, issued_at, expected),
        issued_at=issued_at,
        xml=found.xml,
    )


def read_logout_response(
    message: bytes | RedirectMessage,
    trust: Trust,
    *,
    destination: str | None,
    in_response_to: str,
    now: datetime,
    leeway: timedelta = _LEEWAY,
    lifetime: timedelta = LIFETIME,
    allow_sha1: bool = False,
    must_be_signed: bool = True,
) -> LogoutResponse:
    """Verify the answer to our request *in_response_to*; some providers do not sign it, which must be said."""
    expected = _expected(_RESPONSE, trust, destination=destination, now=now, leeway=leeway, lifetime=lifetime)
    found = _verified(message, trust, expected, allow_sha1=allow_sha1, must_be_signed=must_be_signed)
    issued_at = _checked(found, expected)
    answered = found.element.get("InResponseTo")
    if answered != in_response_to:
        raise WrongRequest(found=answered, wanted=in_response_to)
    return LogoutResponse(
        id=found.element.get("ID", ""),
        issuer=trust.entity_id,
        in_response_to=answered,
        status=status_of(found.element),
        issued_at=issued_at,
        is_signed=found.is_signed,
        xml=found.xml,
    )


def _expected(
    tag: str, trust: Trust, *, destination: str | None, now: datetime, leeway: timedelta, lifetime: timedelta
) -> _Expected:
    if getattr(now, "tzinfo", None) is None:
        raise AskedWrongly(argument="now", why="is not a time with a zone")
    if not timedelta(0) <= leeway <= timedelta(hours=1):
        raise AskedWrongly(argument="leeway", why="is negative or more than an hour")
    if not timedelta(0) < lifetime <= timedelta(days=1):
        raise AskedWrongly(argument="lifetime", why="is not positive or more than a day")
    return _Expected(
        tag=tag, entity_id=trust.entity_id, destination=destination, now=now, leeway=leeway, lifetime=lifetime
    )


def _verified(
    message: bytes | RedirectMessage, trust: Trust, expected: _Expected, *, allow_sha1: bool, must_be_signed: bool
) -> _Message:
    """Give the message as it was signed."""
    keys, what = usable(trust.keys, allow_sha1=allow_sha1), local(expected.tag)
    is_signed_query = isinstance(message, RedirectMessage) and message.signature is not None
    if isinstance(message, RedirectMessage) and (is_signed_query or must_be_signed):
        check_query(message, keys, allow_sha1=allow_sha1, what=what)
    root = parse(message.xml if isinstance(message, RedirectMessage) else message)
    if root.tag != expected.tag:
        raise UnexpectedStructure(where=local(root.tag), why=f"is no {what}")
    if not has_signature(root):
        if must_be_signed and not is_signed_query:
            raise NotSigned(what=what)
        xml = canonical(root)  # and parsed again, so that a comment splits no text
        return _Message(element=parse_canonical(xml), xml=xml, is_signed=is_signed_query)
    if isinstance(message, RedirectMessage):  # SAML bindings 3.4.4.1
        raise SignatureRefused(why="a message in a query carries a signature of its own")
    signed = verify_enveloped(root, keys, allow_sha1=allow_sha1)
    return _Message(element=signed.element, xml=signed.xml, is_signed=True)


def _checked(message: _Message, expected: _Expected) -> datetime:
    """Raise the first thing wrong with the message; give when it was issued."""
    for check in MESSAGE:
        check(message, expected)
    return _issued_at(message.element)


def _is_saml_2(message: _Message, _expected: _Expected) -> None:
    if message.element.get("Version") != "2.0":
        raise WrongVersion(found=message.element.get("Version"))
    if not message.element.get("ID"):
        raise UnexpectedStructure(where=local(message.element.tag), why="has no ID")


def _has_what_the_schema_has(message: _Message, expected: _Expected) -> None:
    order = _CHILDREN[expected.tag]
    last = 0
    for child in message.element:
        if child.tag not in order or (place := order.index(child.tag)) < last:
            raise UnexpectedStructure(where=local(expected.tag), why=f"has a child {local(child.tag)} out of place")
        last = place


def _comes_from_the_issuer(message: _Message, expected: _Expected) -> None:
    issuers = message.element.findall(_ISSUER)
    if len(issuers) != 1:  # SAML profiles 4.4.4.1 and 4.4.4.2
        raise UnexpectedStructure(where=local(expected.tag), why="does not have exactly one Issuer")
    found = text_of(issuers[0])
    if found != expected.entity_id or issuers[0].get("Format", ENTITY) != ENTITY:
        raise WrongIssuer(found=found, wanted=expected.entity_id)


def _was_sent_here(message: _Message, expected: _Expected) -> None:
    found = message.element.get("Destination")
    if expected.destination is None or (found is None and not message.is_signed):
        return  # SAML bindings 3.4.5.2, 3.5.5.2: a signed message says where it goes
    if found != expected.destination:
        raise WrongDestination(found=found, wanted=expected.destination)


def _is_fresh(message: _Message, expected: _Expected) -> None:
    issued_at = _issued_at(message.element)
    ends = _ends(message.element, issued_at, expected)
    if issued_at > expected.now + expected.leeway or ends <= expected.now - expected.leeway:
        raise MessageNotFresh(what=local(expected.tag), issued_at=issued_at, ended_at=ends, now=expected.now)


MESSAGE: tuple[Callable[[_Message, _Expected], None], ...] = (
    _is_saml_2,
    _has_what_the_schema_has,
    _comes_from_the_issuer,
    _was_sent_here,
    _is_fresh,
)


def _issued_at(element: Element) -> datetime:
    found = time_of(element, "IssueInstant")
    if found is None:
        raise UnexpectedStructure(where=local(element.tag), why="has no IssueInstant")
    return found


def _ends(element: Element, issued_at: datetime, expected: _Expected) -> datetime:
    said = time_of(element, "NotOnOrAfter")
    try:
        longest = issued_at + expected.lifetime
    except OverflowError:  # in the year 9999
        longest = issued_at
    return longest if said is None else min(said, longest)


def _name_id(element: Element, opens: Opener) -> Element:
    found = [child for child in element if child.tag in {_NAME_ID, _ENCRYPTED_ID}]
    if len(found) != 1:
        raise UnexpectedStructure(where="LogoutRequest", why="does not have exactly one NameID or EncryptedID")
    return found[0] if found[0].tag == _NAME_ID else decrypt_value(found[0], _NAME_ID, opens)


def _indexes(element: Element) -> tuple[str, ...]:
    found = element.findall(_INDEX)
    if len(found) > _MOST_INDEXES:
        raise DocumentTooLarge(what="session indexes", limit=_MOST_INDEXES)
    return tuple(text_of(one) for one in found)
