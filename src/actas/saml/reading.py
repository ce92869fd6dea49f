"""Read an assertion from the tree that was parsed from its signed bytes.

Strict where it matters who, for whom and how long: an element that may be there once is there once, and one that the
schema does not have is refused. Texts are read whole, whatever stands between their parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from actas.saml.content_errors import UnknownCondition
from actas.saml.decryption import Opener, decrypt_value
from actas.saml.errors import DocumentTooLarge, UnexpectedStructure
from actas.saml.names import SAML, local, saml, samlp
from actas.saml.parsing import Element
from actas.saml.times import read_time

_SPACE = " \t\r\n"
_STATUS, _CODE = samlp("Status"), samlp("StatusCode")
_MOST_ATTRIBUTES, _MOST_CONFIRMATIONS, _MOST_ENCRYPTED = 1_000, 8, 32
_CHILDREN = frozenset(
    saml(name)
    for name in (
        "Issuer",
        "Subject",
        "Conditions",
        "Advice",
        "Statement",
        "AuthnStatement",
        "AuthzDecisionStatement",
        "AttributeStatement",
    )
)
_STATEMENT, _AUTHN = saml("AttributeStatement"), saml("AuthnStatement")
_CONTEXT, _CLASS = saml("AuthnContext"), saml("AuthnContextClassRef")
_NAME_ID, _ENCRYPTED_ID, _CONFIRMATION = saml("NameID"), saml("EncryptedID"), saml("SubjectConfirmation")
_DATA, _AUDIENCE, _RESTRICTION = saml("SubjectConfirmationData"), saml("Audience"), saml("AudienceRestriction")
_ONE_TIME, _PROXY = saml("OneTimeUse"), saml("ProxyRestriction")
_ATTRIBUTE, _ENCRYPTED_ATTRIBUTE, _VALUE = saml("Attribute"), saml("EncryptedAttribute"), saml("AttributeValue")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRestriction:
    """How far the assertion may be passed on: how often, and to whom; nobody named means anybody."""

    count: int | None
    audiences: tuple[str, ...]


class Confirmation(NamedTuple):
    """One way in which the subject may be confirmed."""

    method: str
    has_data: bool = False
    recipient: str | None = None
    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    in_response_to: str | None = None


class Conditions(NamedTuple):
    """When and where the assertion counts."""

    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    restrictions: tuple[tuple[str, ...], ...] = ()
    one_time_use: bool = False
    proxy: ProxyRestriction | None = None


class Authentication(NamedTuple):
    """How, when and until when the subject is signed in."""

    instant: datetime
    context: str | None
    session_index: str | None
    session_not_on_or_after: datetime | None


class Attribute(NamedTuple):
    """One attribute as it stands there. A tuple, for there are many."""

    name: str
    friendly_name: str | None
    values: list[str]


class Statement(NamedTuple):
    """All that an assertion says."""

    identifier: str
    version: str | None
    issued_at: datetime | None
    issuer: str
    issuer_format: str | None
    name_id: str | None
    name_id_format: str | None
    name_qualifier: str | None
    sp_name_qualifier: str | None
    confirmations: tuple[Confirmation, ...]
    conditions: Conditions
    authentications: tuple[Authentication, ...]
    attributes: Sequence[Attribute]


def read_statement(element: Element, opener: Opener) -> Statement:
    """Read everything of the assertion *element* that counts."""
    parts = sorted_by_tag(element)
    strange = parts.keys() - _CHILDREN
    if strange:
        raise UnexpectedStructure(where="Assertion", why=f"has a child {min(map(local, strange))}")
    issuer, subject = _only(parts, "Issuer"), _only(parts, "Subject")
    name = _name_id(subject, opener)
    if not element.get("ID"):  # what is not named cannot be known again when it is replayed
        raise UnexpectedStructure(where="Assertion", why="has no ID")
    return Statement(
        identifier=element.get("ID", ""),
        version=element.get("Version"),
        issued_at=time_of(element, "IssueInstant"),
        issuer=text_of(issuer),
        issuer_format=issuer.get("Format"),
        name_id=None if name is None else text_of(name),
        name_id_format=None if name is None else name.get("Format"),
        name_qualifier=None if name is None else name.get("NameQualifier"),
        sp_name_qualifier=None if name is None else name.get("SPNameQualifier"),
        confirmations=_confirmations(subject),
        conditions=_conditions(_only(parts, "Conditions")),  # SAML profiles 4.1.4.2: an audience is said
        authentications=tuple(_authentication(one) for one in parts.get(_AUTHN, ())),
        attributes=_attributes(parts.get(_STATEMENT, ()), opener),
    )


def sorted_by_tag(element: Element) -> dict[object, list[Element]]:
    """Sort the children of *element*; comments have a tag of their own."""
    parts: dict[object, list[Element]] = {}
    for child in element:
        tag = child.tag
        if tag in parts:
            parts[tag].append(child)
        else:
            parts[tag] = [child]
    return parts


def _only(parts: Mapping[object, list[Element]], name: str) -> Element:
    found = parts.get(f"{{{SAML}}}{name}", ())
    if len(found) != 1:
        raise UnexpectedStructure(where="Assertion", why=f"has {len(found)} elements {name} where one is read")
    return found[0]


def text_of(element: Element) -> str:
    """Read a text that is a name: whole, without the space that pretty printers put around it."""
    if len(element):
        raise UnexpectedStructure(where=local(element.tag), why="has markup where a text must be")
    text = (element.text or "").strip(_SPACE)
    if not text:
        raise UnexpectedStructure(where=local(element.tag), why="is empty")
    return text


def time_of(element: Element, name: str) -> datetime | None:
    """Read the time in the attribute *name*, if there is one."""
    text = element.get(name)
    return None if text is None else read_time(text.strip(_SPACE), what=name)


def status_of(response: Element, statuses: Sequence[Element] | None = None) -> tuple[str, ...]:
    """Read the codes of the one status that a response has, outer first."""
    found = response.findall(_STATUS) if statuses is None else statuses
    codes = found[0].findall(_CODE) if len(found) == 1 else []
    if len(codes) != 1:
        raise UnexpectedStructure(where=local(response.tag), why="does not have exactly one status")
    nested = codes[0].iterdescendants(_CODE)
    return tuple(code.get("Value", "") for code in (codes[0], *nested))[:3]


def _name_id(subject: Element, opener: Opener) -> Element | None:
    """Find who it is; SAML core 2.4.1 allows one identifier, or none."""
    found = [child for child in subject if child.tag != _CONFIRMATION]
    if not found:
        return None
    if len(found) > 1 or found[0].tag not in {_NAME_ID, _ENCRYPTED_ID}:
        raise UnexpectedStructure(where="Subject", why="does not have exactly one NameID or EncryptedID")
    return found[0] if found[0].tag == _NAME_ID else decrypt_value(found[0], _NAME_ID, opener)


def _confirmations(subject: Element) -> tuple[Confirmation, ...]:
    found = [child for child in subject if child.tag == _CONFIRMATION]
    if len(found) > _MOST_CONFIRMATIONS:
        raise DocumentTooLarge(what="subject confirmations", limit=_MOST_CONFIRMATIONS)
    return tuple(_confirmation(one) for one in found)


def _confirmation(element: Element) -> Confirmation:
    method = element.get("Method", "").strip(_SPACE)
    data = [child for child in element if child.tag == _DATA]
    if len(data) > 1:
        raise UnexpectedStructure(where="SubjectConfirmation", why="has more than one SubjectConfirmationData")
    if not data:
        return Confirmation(method=method)
    return Confirmation(
        method=method,
        has_data=True,
        recipient=data[0].get("Recipient"),
        not_before=time_of(data[0], "NotBefore"),
        not_on_or_after=time_of(data[0], "NotOnOrAfter"),
        in_response_to=data[0].get("InResponseTo"),
    )


def _conditions(element: Element) -> Conditions:
    restrictions: list[tuple[str, ...]] = []
    once: list[Element] = []
    for child in element:
        if child.tag == _RESTRICTION:
            restrictions.append(_audiences(child))
        elif child.tag in {_ONE_TIME, _PROXY} and all(child.tag != other.tag for other in once):
            once.append(child)
        else:  # SAML core 2.5.1.1: one that is not understood makes validity indeterminate
            raise UnknownCondition(condition=local(child.tag))
    proxy = next((child for child in once if child.tag == _PROXY), None)
    return Conditions(
        not_before=time_of(element, "NotBefore"),
        not_on_or_after=time_of(element, "NotOnOrAfter"),
        restrictions=tuple(restrictions),
        one_time_use=any(child.tag == _ONE_TIME for child in once),
        proxy=None if proxy is None else _proxy(proxy),
    )


def _audiences(element: Element) -> tuple[str, ...]:
    if any(child.tag != _AUDIENCE for child in element):
        raise UnexpectedStructure(where=local(element.tag), why="has something that is no Audience")
    return tuple(text_of(child) for child in element)


def _proxy(element: Element) -> ProxyRestriction:
    count = element.get("Count")
    if count is not None and not (count.isascii() and count.isdigit() and len(count) < 10):
        raise UnexpectedStructure(where="ProxyRestriction", why="has a Count that is no number")
    return ProxyRestriction(count=None if count is None else int(count), audiences=_audiences(element))


def _authentication(element: Element) -> Authentication:
    instant = time_of(element, "AuthnInstant")
    if instant is None:
        raise UnexpectedStructure(where="AuthnStatement", why="has no AuthnInstant")
    contexts = [one for context in element if context.tag == _CONTEXT for one in context if one.tag == _CLASS]
    if len(contexts) > 1:
        raise UnexpectedStructure(where="AuthnContext", why="has more than one AuthnContextClassRef")
    return Authentication(
        instant=instant,
        context=text_of(contexts[0]) if contexts else None,
        session_index=element.get("SessionIndex"),
        session_not_on_or_after=time_of(element, "SessionNotOnOrAfter"),
    )


def _attributes(statements: Sequence[Element], opener: Opener) -> list[Attribute]:
    found = [child for statement in statements for child in statement]
    if len(found) > _MOST_ATTRIBUTES:
        raise DocumentTooLarge(what="attributes", limit=_MOST_ATTRIBUTES)
    attributes: list[Attribute] = []
    has_counted = False
    for child in found:
        element = child
        if (tag := child.tag) != _ATTRIBUTE:
            if not has_counted and sum(one.tag == _ENCRYPTED_ATTRIBUTE for one in found) > _MOST_ENCRYPTED:
                raise DocumentTooLarge(what="encrypted attributes", limit=_MOST_ENCRYPTED)
            has_counted = True
            element = decrypt_value(child, _ATTRIBUTE, opener) if tag == _ENCRYPTED_ATTRIBUTE else child
        attributes.append(_attribute(element))
    return attributes


def _attribute(element: Element) -> Attribute:
    """Read one attribute; measured, for there are many, so its values are read in the same loop."""
    name = element.get("Name")
    if not name or element.tag != _ATTRIBUTE:
        raise UnexpectedStructure(where="AttributeStatement", why="has something that is no Attribute with a Name")
    values = []
    for child in element:
        if child.tag != _VALUE:
            raise UnexpectedStructure(where="Attribute", why="has something that is no AttributeValue")
        if len(child):  # such as the NameID of eduPersonTargetedID: its text is the value
            values.append("".join(str(part) for part in child.itertext()).strip(_SPACE))
        else:
            values.append(child.text or "")
    return Attribute(name, element.get("FriendlyName"), values)
