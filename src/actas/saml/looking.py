"""Look at a response without believing it: what it claims, for people who must find out what is wrong with it.

Nothing of this is evidence. It is read from the tree as it arrived, which an attacker can have put together.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from actas.saml.certificates import Certificate
from actas.saml.content_errors import BadCertificate
from actas.saml.decryption import DecryptionKey, Opener, decrypt, opener
from actas.saml.errors import MalformedDocument, SamlError
from actas.saml.names import ds, local, saml, samlp, xenc
from actas.saml.parsing import Element, base64_of, parse
from actas.saml.times import read_time

_ASSERTION, _ENCRYPTED = saml("Assertion"), saml("EncryptedAssertion")
_MOST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSignature:
    """A signature, as it says itself."""

    over: str
    """The element that it stands in."""
    algorithm: str
    digest: str
    certificates: tuple[Certificate, ...] = field(repr=False)
    """Those that came with it, which nobody believes; but they tell which key was meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a response claims."""

    root: str
    issuers: tuple[str, ...]
    destination: str | None
    in_response_to: str | None
    status: tuple[str, ...]
    assertions: int
    is_encrypted: bool
    is_opened: bool
    """Whether what is encrypted could be opened and is told of here."""
    ciphers: tuple[str, ...]
    signatures: tuple[SeenSignature, ...]
    has_name: bool
    name_id_format: str | None
    audiences: tuple[str, ...]
    recipients: tuple[str, ...]
    issued_at: datetime | None
    not_before: datetime | None
    not_on_or_after: datetime | None
    """The earliest end of Conditions and confirmations."""
    attributes: tuple[str, ...]
    """Their Names and FriendlyNames."""
    has_sign_in: bool


def look(response: bytes, *, decryption_keys: Sequence[DecryptionKey] = (), old_ciphers: Collection[str] = ()) -> Seen:
    """Tell what *response* claims; raise a `SamlError` where it cannot even be read."""
    root = parse(response)
    found = list(root.iter(_ASSERTION))
    sealed = list(root.iter(_ENCRYPTED))
    opened = _opened(sealed, opener(decryption_keys, old_ciphers=old_ciphers))
    inner = found + opened
    places = [root, *inner]
    return Seen(
        root=local(root.tag),
        issuers=tuple(dict.fromkeys(_text(one) for place in places for one in place.findall(saml("Issuer")))),
        destination=root.get("Destination"),
        in_response_to=root.get("InResponseTo"),
        status=tuple(one.get("Value", "") for one in root.iter(samlp("StatusCode")))[:3],
        assertions=len(found) + len(sealed),
        is_encrypted=bool(sealed),
        is_opened=bool(opened),
        ciphers=tuple(one.get("Algorithm", "") for one in root.iter(xenc("EncryptionMethod")))[:_MOST],
        signatures=tuple(_signature(one) for place in dict.fromkeys(places) for one in place.findall(ds("Signature"))),
        has_name=_first(inner, saml("NameID")) is not None or _first(inner, saml("EncryptedID")) is not None,
        name_id_format=_attribute(inner, saml("NameID"), "Format"),
        audiences=tuple(dict.fromkeys(_text(one) for place in inner for one in place.iter(saml("Audience")))),
        recipients=_all(inner, saml("SubjectConfirmationData"), "Recipient"),
        issued_at=_time(root.get("IssueInstant")),
        not_before=_time(_attribute(inner, saml("Conditions"), "NotBefore")),
        not_on_or_after=_ends(inner),
        attributes=_names(inner),
        has_sign_in=_first(inner, saml("AuthnStatement")) is not None,
    )


def _opened(sealed: list[Element], opens: Opener) -> list[Element]:
    found = []
    for one in sealed[:1] if opens.keys else ():
        try:
            found.append(decrypt(one, _ASSERTION, opens))
        except SamlError:
            continue
    return found


def _signature(element: Element) -> SeenSignature:
    parent = element.getparent()
    certificates = []
    for one in element.iter(ds("X509Certificate")):
        try:
            certificates.append(Certificate.read(base64_of(one)))
        except (BadCertificate, MalformedDocument):
            continue
    return SeenSignature(
        over="" if parent is None else local(parent.tag),
        algorithm=_attribute([element], ds("SignatureMethod"), "Algorithm") or "",
        digest=_attribute([element], ds("DigestMethod"), "Algorithm") or "",
        certificates=tuple(certificates),
    )


def _first(places: Sequence[Element], tag: str) -> Element | None:
    return next((one for place in places for one in place.iter(tag)), None)


def _attribute(places: Sequence[Element], tag: str, name: str) -> str | None:
    found = _first(places, tag)
    return None if found is None else found.get(name)


def _all(places: Sequence[Element], tag: str, name: str) -> tuple[str, ...]:
    found = (one.get(name) for place in places for one in place.iter(tag))
    return tuple(dict.fromkeys(one for one in found if one is not None))[:_MOST]


def _text(element: Element) -> str:
    return "".join(str(part) for part in element.itertext()).strip()


def _time(text: str | None) -> datetime | None:
    try:
        return None if text is None else read_time(text.strip(), what="time")
    except MalformedDocument:
        return None


def _ends(places: Sequence[Element]) -> datetime | None:
    written = _all(places, saml("Conditions"), "NotOnOrAfter")
    written += _all(places, saml("SubjectConfirmationData"), "NotOnOrAfter")
    return min((at for at in map(_time, written) if at is not None), default=None)


def _names(places: Sequence[Element]) -> tuple[str, ...]:
    names = _all(places, saml("Attribute"), "Name") + _all(places, saml("Attribute"), "FriendlyName")
    return tuple(dict.fromkeys(names))
