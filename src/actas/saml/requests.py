"""Make what a service provider sends: authentication and logout requests, and its metadata.

Identifiers are arguments, as is the time: nothing here is random.
"""

import base64
import re
from collections.abc import Sequence
from datetime import datetime

from lxml import etree

from actas.saml.bindings import redirect_url
from actas.saml.certificates import Certificate
from actas.saml.errors import AskedWrongly
from actas.saml.names import DS, MD, POST, REDIRECT, SAML, SAMLP, SUCCESS, XENC, XENC11, ds, md, saml, samlp
from actas.saml.parsing import Element
from actas.saml.signing import SigningKey, load_signing_key, sign_element
from actas.saml.times import write_time

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,255}")  # Entra refuses one that starts with a digit
_NAMESPACES = {"samlp": SAMLP, "saml": SAML}


def authn_request(
    *,
    id: str,  # noqa: A002 - its name in SAML
    issuer: str,
    destination: str,
    now: datetime,
    acs: str | None = None,
    binding: str = POST,
    key: SigningKey | None = None,
    relay_state: str | None = None,
    force_authn: bool = False,
    is_passive: bool = False,
    name_id_format: str | None = None,
    authn_contexts: Sequence[str] = (),
) -> bytes:
    """Ask for a sign-in: XML for a form (POST), or the address to go to (Redirect)."""
    root = _message("AuthnRequest", id, issuer, destination, now)
    if acs is not None:
        _set(root, AssertionConsumerServiceURL=acs, ProtocolBinding=POST)
    if force_authn:
        root.set("ForceAuthn", "true")
    if is_passive:
        root.set("IsPassive", "true")
    policy = etree.SubElement(root, samlp("NameIDPolicy"), AllowCreate="true")
    if name_id_format is not None:
        _set(policy, Format=name_id_format)
    if authn_contexts:
        # Entra answers any other Comparison with an error.
        asked = etree.SubElement(root, samlp("RequestedAuthnContext"), Comparison="exact")
        for context in authn_contexts:
            _write(asked, saml("AuthnContextClassRef"), context)
    return _sent(root, destination, binding, key=key, relay_state=relay_state)


def logout_request(
    *,
    id: str,  # noqa: A002 - its name in SAML
    issuer: str,
    destination: str,
    now: datetime,
    name_id: str,
    name_id_format: str | None = None,
    name_qualifier: str | None = None,
    sp_name_qualifier: str | None = None,
    session_index: str | None = None,
    not_on_or_after: datetime | None = None,
    binding: str = POST,
    key: SigningKey | None = None,
    relay_state: str | None = None,
) -> bytes:
    """Ask for a sign-out: XML for a form (POST), or the address to go to (Redirect)."""
    root = _message("LogoutRequest", id, issuer, destination, now)
    if not_on_or_after is not None:
        root.set("NotOnOrAfter", write_time(not_on_or_after))
    name = _write(root, saml("NameID"), name_id)
    said = {"NameQualifier": name_qualifier, "SPNameQualifier": sp_name_qualifier, "Format": name_id_format}
    _set(name, **{attribute: text for attribute, text in said.items() if text is not None})
    if session_index is not None:
        _write(root, samlp("SessionIndex"), session_index)
    return _sent(root, destination, binding, key=key, relay_state=relay_state)


def logout_response(
    *,
    id: str,  # noqa: A002 - its name in SAML
    issuer: str,
    destination: str,
    now: datetime,
    in_response_to: str | None,
    status: Sequence[str] = (SUCCESS,),
    binding: str = POST,
    key: SigningKey | None = None,
    relay_state: str | None = None,
) -> bytes:
    """Answer a request to sign out; *status* has the codes, outer first, and *relay_state* is what came with it."""
    root = _message("LogoutResponse", id, issuer, destination, now)
    if in_response_to is not None:
        _set(root, InResponseTo=in_response_to)
    if not 1 <= len(status) <= 2:
        raise AskedWrongly(argument="status", why="has neither one nor two codes")
    parent = etree.SubElement(root, samlp("Status"))
    for code in status:  # SAML core 3.2.2.2: the second stands inside the first
        parent = etree.SubElement(parent, samlp("StatusCode"))
        _set(parent, Value=code)
    return _sent(root, destination, binding, key=key, relay_state=relay_state, parameter="SAMLResponse")


def sp_metadata(
    *,
    entity_id: str,
    acs: str | Sequence[str],
    logout: str | None = None,
    signing_certificates: Sequence[bytes | str] = (),
    encryption_certificates: Sequence[bytes | str] = (),
    name_id_formats: Sequence[str] = (),
    want_assertions_signed: bool = True,
    valid_until: datetime | None = None,
    key: SigningKey | None = None,
    id: str = "_metadata",  # noqa: A002 - its name in SAML
) -> bytes:
    """Describe a service provider; of a key that is changing, give the old and the new certificate."""
    root = etree.Element(md("EntityDescriptor"), nsmap={"md": MD, "ds": DS})
    _set(root, ID=_checked_id(id), entityID=entity_id)
    if valid_until is not None:
        root.set("validUntil", write_time(valid_until))
    role = etree.SubElement(root, md("SPSSODescriptor"), protocolSupportEnumeration=SAMLP)
    role.set("AuthnRequestsSigned", "true" if signing_certificates else "false")
    role.set("WantAssertionsSigned", "true" if want_assertions_signed else "false")
    for certificate in signing_certificates:
        _key_descriptor(role, "signing", certificate)
    for certificate in encryption_certificates:
        descriptor = _key_descriptor(role, "encryption", certificate)
        for cipher in (f"{XENC11}aes256-gcm", f"{XENC11}aes128-gcm", f"{XENC}rsa-oaep-mgf1p"):
            etree.SubElement(descriptor, md("EncryptionMethod"), Algorithm=cipher)
    for binding in (REDIRECT, POST) if logout else ():
        _set(etree.SubElement(role, md("SingleLogoutService"), Binding=binding), Location=str(logout))
    for form in name_id_formats:
        _write(role, md("NameIDFormat"), form)
    for index, place in enumerate([acs] if isinstance(acs, str) else acs):
        service = etree.SubElement(role, md("AssertionConsumerService"), Binding=POST, index=str(index))
        _set(service, Location=place, isDefault="true" if index == 0 else "false")
    if key is not None:
        sign_element(root, load_signing_key(key), position=0)  # SAML metadata 2.3.2: before everything else
    return _bytes(root)


def _checked_id(identifier: str) -> str:
    if not _ID.fullmatch(identifier):
        raise AskedWrongly(argument="id", why="is no XML ID: letters, digits, _ . and -, not a digit first")
    return identifier


def _message(name: str, identifier: str, issuer: str, destination: str, now: datetime) -> Element:
    if getattr(now, "tzinfo", None) is None:
        raise AskedWrongly(argument="now", why="is not a time with a zone")
    root = etree.Element(samlp(name), nsmap=_NAMESPACES)
    _set(root, ID=_checked_id(identifier), Version="2.0", IssueInstant=write_time(now), Destination=destination)
    _write(root, saml("Issuer"), issuer)
    return root


def _set(element: Element, **values: str) -> None:
    try:
        for name, value in values.items():
            element.set(name, value)
    except (ValueError, TypeError):  # lxml refuses control characters
        raise AskedWrongly(argument=name, why="is not a text that XML can hold") from None


def _write(parent: Element, tag: str, text: str) -> Element:
    child = etree.SubElement(parent, tag)
    try:
        child.text = text
    except (ValueError, TypeError):
        raise AskedWrongly(argument=tag.rpartition("}")[2], why="is not a text that XML can hold") from None
    return child


def _key_descriptor(role: Element, use: str, certificate: bytes | str) -> Element:
    descriptor = etree.SubElement(role, md("KeyDescriptor"), use=use)
    data = etree.SubElement(etree.SubElement(descriptor, ds("KeyInfo")), ds("X509Data"))
    der = Certificate.read(certificate).der
    _write(data, ds("X509Certificate"), base64.b64encode(der).decode())
    return descriptor


def _sent(
    root: Element,
    destination: str,
    binding: str,
    *,
    key: SigningKey | None,
    relay_state: str | None,
    parameter: str = "SAMLRequest",
) -> bytes:
    """Put the message into the form of its binding; each of them signs elsewhere."""
    loaded = None if key is None else load_signing_key(key)
    if binding == REDIRECT:
        return redirect_url(_bytes(root), destination, parameter=parameter, relay_state=relay_state, key=loaded)
    if binding != POST:
        raise AskedWrongly(argument="binding", why="is neither POST nor REDIRECT")
    if relay_state is not None:
        raise AskedWrongly(argument="relay_state", why="stands in the form beside the message, not in it")
    if loaded is not None:
        sign_element(root, loaded, position=1)  # behind the issuer
    return _bytes(root)


def _bytes(root: Element) -> bytes:
    out: bytes = etree.tostring(root)
    return out
