"""A small SAML identity provider for tests: real keys, real signatures, and documents that say what a test wants.

::

    idp = SamlIdp()
    idp.metadata()
    said = Said(subject="f1a9", recipient=acs, audience=sp, answers="_q1", attributes={"groups": ("finance",)})
    idp.response(said, now=now)

No socket: whoever tests carries the documents where a browser would.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from actas.identify.saml_preset import PERSISTENT
from actas.saml.names import BEARER, DS, MD, POST, REDIRECT, SAML, SAMLP, SUCCESS, ds, md, saml, samlp
from actas.saml.parsing import Element
from actas.saml.signing import sign_element
from actas.saml.times import write_time

BY_PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 - a name
_MADE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_NAMES: Final = {"saml": SAML, "samlp": SAMLP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one response says."""

    subject: str | None = "f1a9"
    subject_format: str | None = PERSISTENT
    subject_qualifiers: tuple[str, str] | None = None
    """NameQualifier and SPNameQualifier."""
    recipient: str
    audience: str
    answers: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    friendly: Mapping[str, str] = field(default_factory=dict)
    """FriendlyName by Name."""
    context: str = BY_PASSWORD
    session_index: str | None = "s1"
    lasts: timedelta = timedelta(minutes=5)
    session_lasts: timedelta | None = None
    signed: Literal["assertion", "response", "both", "nothing"] = "assertion"
    status: str = SUCCESS
    id: str | None = None


@cache
def _key(name: str) -> tuple[rsa.RSAPrivateKey, bytes]:
    """Make a key with its certificate, once in a run: making one takes longer than a test."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_MADE)
        .not_valid_after(_MADE.replace(year=2040))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(Encoding.DER)


@dataclass(slots=True, kw_only=True)
class SamlIdp:
    """The provider."""

    entity_id: str = "https://idp.example/saml"
    sso: str = "https://idp.example/sso"
    slo: str | None = "https://idp.example/slo"
    key_name: str = "first"
    published: tuple[str, ...] = ()
    """Names of other keys that the metadata lists, as while a key rolls over."""

    @property
    def key(self) -> rsa.RSAPrivateKey:
        """The key that signs."""
        return _key(self.key_name)[0]

    @property
    def certificate(self) -> bytes:
        """Its certificate, DER."""
        return _key(self.key_name)[1]

    def metadata(self, *, sso_bindings: tuple[str, ...] = (REDIRECT, POST)) -> bytes:
        """Describe the provider."""
        root = etree.Element(md("EntityDescriptor"), nsmap={"md": MD, "ds": DS}, entityID=self.entity_id)
        role = etree.SubElement(root, md("IDPSSODescriptor"), protocolSupportEnumeration=SAMLP)
        for name in (self.key_name, *self.published):
            described = etree.SubElement(role, md("KeyDescriptor"), use="signing")
            data = etree.SubElement(etree.SubElement(described, ds("KeyInfo")), ds("X509Data"))
            _write(data, ds("X509Certificate"), base64.b64encode(_key(name)[1]).decode())
        for binding in (REDIRECT, POST) if self.slo else ():
            etree.SubElement(role, md("SingleLogoutService"), Binding=binding, Location=str(self.slo))
        for binding in sso_bindings:
            etree.SubElement(role, md("SingleSignOnService"), Binding=binding, Location=self.sso)
        return _bytes(root)

    def response(self, said: Said, *, now: datetime) -> bytes:
        """Give a response with one assertion."""
        root = etree.Element(samlp("Response"), nsmap=_NAMES)
        _set(root, ID=_id(), Version="2.0", IssueInstant=write_time(now), Destination=said.recipient)
        _answers(root, said)
        _write(root, saml("Issuer"), self.entity_id)
        etree.SubElement(etree.SubElement(root, samlp("Status")), samlp("StatusCode"), Value=said.status)
        assertion = self._assertion(root, said, now)
        if said.signed in ("assertion", "both"):
            sign_element(assertion, self.key, position=1)
        if said.signed in ("response", "both"):
            sign_element(root, self.key, position=1)
        return _bytes(root)

    def assertion(self, said: Said, *, now: datetime) -> bytes:
        """Give a bare assertion, as machines show it."""
        root = self._assertion(None, said, now)
        if said.signed != "nothing":
            sign_element(root, self.key, position=1)
        return _bytes(root)

    def _assertion(self, parent: Element | None, said: Said, now: datetime) -> Element:
        tag = saml("Assertion")
        root = etree.Element(tag, nsmap={"saml": SAML}) if parent is None else etree.SubElement(parent, tag)
        _set(root, ID=said.id or _id(), Version="2.0", IssueInstant=write_time(now))
        _write(root, saml("Issuer"), self.entity_id)
        ends = write_time(now + said.lasts)
        subject = etree.SubElement(root, saml("Subject"))
        if said.subject is not None:
            name = _write(subject, saml("NameID"), said.subject)
            _set(name, **({} if said.subject_format is None else {"Format": said.subject_format}))
            if said.subject_qualifiers is not None:
                _set(name, NameQualifier=said.subject_qualifiers[0], SPNameQualifier=said.subject_qualifiers[1])
        confirmation = etree.SubElement(subject, saml("SubjectConfirmation"), Method=BEARER)
        data = etree.SubElement(confirmation, saml("SubjectConfirmationData"))
        _set(data, NotOnOrAfter=ends, Recipient=said.recipient)
        _answers(data, said)
        conditions = etree.SubElement(root, saml("Conditions"))
        _set(conditions, NotBefore=write_time(now - timedelta(seconds=30)), NotOnOrAfter=ends)
        _write(etree.SubElement(conditions, saml("AudienceRestriction")), saml("Audience"), said.audience)
        _authentication(root, said, now)
        _attributes(root, said)
        return root


def _authentication(root: Element, said: Said, now: datetime) -> None:
    statement = etree.SubElement(root, saml("AuthnStatement"), AuthnInstant=write_time(now))
    if said.session_index is not None:
        _set(statement, SessionIndex=said.session_index)
    if said.session_lasts is not None:
        _set(statement, SessionNotOnOrAfter=write_time(now + said.session_lasts))
    _write(etree.SubElement(statement, saml("AuthnContext")), saml("AuthnContextClassRef"), said.context)


def _attributes(root: Element, said: Said) -> None:
    if not said.attributes:
        return
    statement = etree.SubElement(root, saml("AttributeStatement"))
    for name, values in said.attributes.items():
        attribute = etree.SubElement(statement, saml("Attribute"), Name=name)
        if name in said.friendly:
            _set(attribute, FriendlyName=said.friendly[name])
        for value in values:
            _write(attribute, saml("AttributeValue"), value)


def _answers(element: Element, said: Said) -> None:
    if said.answers is not None:
        _set(element, InResponseTo=said.answers)


def _id() -> str:
    return f"_{secrets.token_hex(16)}"


def _set(element: Element, **values: str) -> None:
    for name, value in values.items():
        element.set(name, value)


def _write(parent: Element, tag: str, text: str) -> Element:
    child = etree.SubElement(parent, tag)
    child.text = text
    return child


def _bytes(root: Element) -> bytes:
    out: bytes = etree.tostring(root)
    return out
