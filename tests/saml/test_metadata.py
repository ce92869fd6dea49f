"""Promises about metadata and trust: all keys, no expired ones, and signed metadata only under a pinned key."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest

from actas import saml

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"


def key(der, use=' use="signing"'):
    text = base64.encodebytes(der).decode()
    return (
        f'<md:KeyDescriptor{use}><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{text}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def entity(keys, name="https://idp.example/", *, until="", role_until="", identifier=""):
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" entityID="{name}"{until}{identifier}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"{role_until}>{keys}'
        f'<md:SingleLogoutService Binding="{saml.POST}" Location="https://idp.example/slo" ResponseLocation="https://idp.example/r"/>'
        "<md:NameIDFormat>urn:f</md:NameIDFormat>"
        f'<md:SingleSignOnService Binding="{saml.REDIRECT}" Location="https://idp.example/sso"/>'
        f'<md:SingleSignOnService Binding="{saml.POST}" Location="https://idp.example/sso-post"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )


def group(*entities, until=""):
    return f'<md:EntitiesDescriptor xmlns:md="{MD}"{until}>{"".join(entities)}</md:EntitiesDescriptor>'


def test_old_and_new_key_are_trusted_together(idp, attacker, made, verify):
    xml = entity(key(idp.cert) + key(attacker.cert, use="")).encode()
    trust = saml.Trust.from_metadata(xml, now=made.NOW)

    assert trust.certificates == (idp.cert, attacker.cert)
    for one in (idp, attacker):
        assert verify(one.response(), trust=trust).name_id == "ana"


def test_a_key_for_encryption_alone_signs_nothing(idp, attacker, made, verify):
    xml = entity(key(idp.cert) + key(attacker.cert, use=' use="encryption"')).encode()
    trust = saml.Trust.from_metadata(xml, now=made.NOW)

    assert saml.Metadata.parse(xml, now=made.NOW).entities[0].encryption_certificates == (attacker.cert,)
    assert verify(idp.response(), trust=trust).name_id == "ana"
    with pytest.raises(saml.BadSignature):
        verify(attacker.response(), trust=trust)


SAML_1 = "urn:oasis:names:tc:SAML:1.1:protocol"
SAML_2 = "urn:oasis:names:tc:SAML:2.0:protocol"


@pytest.mark.parametrize("protocols", [SAML_2, f"{SAML_1}\n{SAML_2} urn:mace:shibboleth:1.0"])
def test_a_role_that_speaks_saml_2_among_others_counts(idp, made, protocols):
    xml = entity(key(idp.cert)).replace(SAML_2, protocols)

    assert saml.Trust.from_metadata(xml.encode(), now=made.NOW).certificates == (idp.cert,)


def test_a_role_that_speaks_other_protocols_alone_is_not_there(idp, attacker, made, verify):
    other = entity(key(attacker.cert)).replace(SAML_2, SAML_1)
    role = re.search("<md:IDPSSODescriptor.*</md:IDPSSODescriptor>", other, re.DOTALL)[0]
    beside = entity(key(idp.cert)).replace("</md:EntityDescriptor>", f"{role}</md:EntityDescriptor>")
    trust = saml.Trust.from_metadata(beside.encode(), now=made.NOW)

    assert verify(idp.response(), trust=trust).name_id == "ana"
    with pytest.raises(saml.BadSignature):
        verify(attacker.response(), trust=trust)
    with pytest.raises(saml.NoSuchEntity):
        saml.Trust.from_metadata(other.encode(), now=made.NOW)


def test_what_metadata_says_is_read(idp, made):
    metadata = saml.Metadata.parse(entity(key(idp.cert)).encode(), now=made.NOW)

    assert metadata.certificates == (idp.cert,)
    assert [one.location for one in metadata.endpoints] == [
        "https://idp.example/slo",
        "https://idp.example/sso",
        "https://idp.example/sso-post",
    ]
    provider = metadata.entities[0]
    assert provider.endpoint("SingleSignOnService", saml.POST, saml.REDIRECT).location == "https://idp.example/sso-post"
    assert provider.endpoint("SingleLogoutService").response_location == "https://idp.example/r"
    assert provider.endpoint("ArtifactResolutionService", saml.POST) is None
    assert (provider.name_id_formats, provider.is_idp, provider.is_sp) == (("urn:f",), True, False)


@pytest.mark.parametrize("where", ["until", "role_until"])
def test_expired_metadata_is_refused_at_its_end_and_not_before(idp, made, where):
    xml = entity(key(idp.cert), **{where: f' validUntil="{made.at()}"'}).encode()

    assert saml.Trust.from_metadata(xml, now=made.NOW - timedelta(seconds=1)).entity_id == "https://idp.example/"
    with pytest.raises((saml.MetadataExpired, saml.NoSuchEntity)):
        saml.Trust.from_metadata(xml, now=made.NOW)


def test_of_a_federation_one_entity_is_named(idp, attacker, made):
    expired = entity(key(idp.cert), "https://old.example/", until=f' validUntil="{made.at(-1)}"')
    xml = group(entity(key(idp.cert)), group(entity(key(attacker.cert), "https://two.example/")), expired).encode()

    assert saml.Trust.from_metadata(xml, "https://two.example/", now=made.NOW).certificates == (attacker.cert,)
    for wanted in (None, "https://three.example/", "https://old.example/"):
        with pytest.raises(saml.NoSuchEntity):
            saml.Trust.from_metadata(xml, wanted, now=made.NOW)


def test_the_same_entity_twice_is_nobody(idp, attacker, made):
    xml = group(entity(key(idp.cert)), entity(key(attacker.cert))).encode()

    with pytest.raises(saml.NoSuchEntity):
        saml.Trust.from_metadata(xml, "https://idp.example/", now=made.NOW)


def test_a_certificate_that_cannot_be_read_does_not_spoil_the_others(idp, made):
    xml = entity(key(b"0nothing") + key(idp.cert)).encode()

    assert saml.Trust.from_metadata(xml, now=made.NOW).certificates == (idp.cert,)
    with pytest.raises(saml.NoSigningKey):
        saml.Trust.from_metadata(entity(key(b"0nothing")).encode(), now=made.NOW)


def test_signed_metadata_is_verified_under_the_pinned_key(idp, attacker, made):
    xml = idp.signed(entity(key(idp.cert), identifier=' ID="_m1"'), position=0)

    assert saml.Metadata.parse(xml, now=made.NOW, certificates=(idp.cert,)).is_verified
    assert not saml.Metadata.parse(xml, now=made.NOW).is_verified
    with pytest.raises(saml.BadSignature):
        saml.Metadata.parse(xml, now=made.NOW, certificates=(attacker.cert,))
    with pytest.raises(saml.BadDigest):
        saml.Metadata.parse(xml.replace(b"/sso-post", b"/evil"), now=made.NOW, certificates=(idp.cert,))
    with pytest.raises(saml.NotSigned):
        saml.Metadata.parse(entity(key(idp.cert)).encode(), now=made.NOW, certificates=(idp.cert,))


def test_a_certificate_is_read_in_each_of_its_forms(idp, made):
    text = base64.b64encode(idp.cert).decode()
    armoured = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"
    forms = (idp.cert, armoured, armoured.encode(), text, text.encode())

    trust = saml.Trust("https://idp.example/", forms)

    assert len(trust.keys) == 1
    read = saml.Certificate.read(idp.cert)
    assert read.key.public_numbers() == idp.key.public_key().public_numbers()
    assert read.not_after == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("data", [b"", b"0", "no certificate", b"\x30\x82\x01", b"\x30\x03\x02\x01\x01", None])
def test_what_is_no_certificate_is_refused(data):
    with pytest.raises(saml.BadCertificate):
        saml.Trust("https://idp.example/", (data,))


def test_certificates_that_end_soon_are_told(idp, made):
    soon = made.certificate(idp.key, days=(-1, 5))
    provider = saml.Metadata.parse(entity(key(soon)).encode(), now=made.NOW).entities[0]

    assert [one.der for one in provider.expiring(made.NOW + timedelta(days=7))] == [soon]
    assert provider.expiring(made.NOW + timedelta(days=4)) == ()


@pytest.mark.parametrize("xml", [b"", b"<a/>", b"<md:EntityDescriptor/>", f'<EntityDescriptor xmlns="{MD}"/>'.encode()])
def test_what_is_no_metadata_is_refused(xml, made):
    with pytest.raises(saml.SamlError):
        saml.Metadata.parse(xml, now=made.NOW)
