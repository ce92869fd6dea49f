"""Promises about what we send: signed as its binding asks, and readable by others."""

import base64
import zlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier

from actas import saml

NS = {"samlp": "urn:oasis:names:tc:SAML:2.0:protocol", "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}
SSO = "https://idp.example/sso"


@pytest.fixture
def ask(made):
    def run(**more):
        given = {"id": "_q1", "issuer": made.AUDIENCE, "destination": SSO, "now": made.NOW, "acs": made.ACS}
        return saml.authn_request(**(given | more))

    return run


def test_a_request_says_what_was_asked(ask):
    root = etree.fromstring(ask(force_authn=True, is_passive=True, name_id_format="urn:f", authn_contexts=["urn:c"]))

    assert root.attrib == {
        "ID": "_q1",
        "Version": "2.0",
        "IssueInstant": "2026-11-23T09:00:00Z",
        "Destination": SSO,
        "AssertionConsumerServiceURL": "https://sp.example/acs",
        "ProtocolBinding": saml.POST,
        "ForceAuthn": "true",
        "IsPassive": "true",
    }
    assert [etree.QName(one).localname for one in root] == ["Issuer", "NameIDPolicy", "RequestedAuthnContext"]
    assert root.xpath("string(samlp:RequestedAuthnContext/saml:AuthnContextClassRef)", namespaces=NS) == "urn:c"


def test_a_request_for_a_form_is_signed_in_the_xml(ask, idp, made):
    xml = ask(key=made.pem(idp.key))
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(idp.cert) + b"-----END CERTIFICATE-----\n"

    found = XMLVerifier().verify(
        xml,
        x509_cert=pem,
        id_attribute="ID",
        expect_config=SignatureConfiguration(
            require_x509=True, location="./", verification_time=made.NOW - timedelta(days=30)
        ),
        validate_schema=False,
    )

    assert found.signed_xml.get("ID") == "_q1"
    assert [etree.QName(one).localname for one in etree.fromstring(xml)][:2] == ["Issuer", "Signature"]


def test_a_request_for_a_redirect_is_signed_in_the_query(ask, idp):
    url = ask(key=idp.key, binding=saml.REDIRECT, relay_state="opaque").decode()
    query = urlsplit(url).query
    fields = {name: found[0] for name, found in parse_qs(query).items()}
    signed = query.partition("&Signature=")[0].encode()

    assert url.startswith(SSO + "?SAMLRequest=")
    assert list(fields) == ["SAMLRequest", "RelayState", "SigAlg", "Signature"]
    assert fields["RelayState"] == "opaque"
    idp.key.public_key().verify(base64.b64decode(fields["Signature"]), signed, padding.PKCS1v15(), hashes.SHA256())
    inflated = zlib.decompress(base64.b64decode(fields["SAMLRequest"]), -15)
    assert saml.decode_redirect(fields["SAMLRequest"]) == inflated
    assert etree.fromstring(inflated).get("ID") == "_q1"
    assert b"Signature" not in inflated


def test_a_logout_request_names_the_session(made, idp):
    root = etree.fromstring(
        saml.logout_request(
            id="_l1", issuer=made.AUDIENCE, destination=SSO, now=made.NOW, name_id="ana", name_id_format="urn:f",
            session_index="_s1", not_on_or_after=made.NOW + timedelta(minutes=5), key=idp.key,
        )
    )  # fmt: skip

    assert root.get("NotOnOrAfter") == "2026-11-23T09:05:00Z"
    assert [etree.QName(one).localname for one in root] == ["Issuer", "Signature", "NameID", "SessionIndex"]


def test_a_logout_request_names_whose_name_it_is(made):
    """SAML core 3.3.4: a provider that qualified a name knows nobody by the name alone."""
    said = {"id": "_l1", "issuer": made.AUDIENCE, "destination": SSO, "now": made.NOW, "name_id": "ana"}
    whole = {"name_id_format": "urn:f", "name_qualifier": made.ISSUER, "sp_name_qualifier": made.AUDIENCE}
    name = "{urn:oasis:names:tc:SAML:2.0:assertion}NameID"

    plain, qualified = (etree.fromstring(saml.logout_request(**one)).find(name) for one in (said, said | whole))

    assert dict(plain.attrib) == {}
    assert dict(qualified.attrib) == {
        "NameQualifier": made.ISSUER, "SPNameQualifier": made.AUDIENCE, "Format": "urn:f"
    }  # fmt: skip


def test_our_metadata_is_metadata(made, idp, attacker):
    xml = saml.sp_metadata(
        entity_id=made.AUDIENCE, acs=(made.ACS, "https://sp.example/acs2"), logout="https://sp.example/slo",
        signing_certificates=(idp.cert, attacker.cert), encryption_certificates=(idp.cert,), name_id_formats=("urn:f",),
        valid_until=made.NOW + timedelta(days=2), key=idp.key,
    )  # fmt: skip

    metadata = saml.Metadata.parse(xml, now=made.NOW, certificates=(idp.cert,))
    entity = metadata.entities[0]

    assert (entity.entity_id, entity.is_sp, entity.is_idp) == (made.AUDIENCE, True, False)
    assert entity.signing_certificates == (idp.cert, attacker.cert)
    assert entity.encryption_certificates == (idp.cert,)
    assert entity.endpoint("AssertionConsumerService", saml.POST, role="sp").location == made.ACS
    assert metadata.validity == made.NOW + timedelta(days=2)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("id", "1starts-with-a-digit"),
        ("id", ""),
        ("binding", "urn:other"),
        ("key", b"no key"),
        ("relay_state", "x" * 81),
        ("relay_state", "\ud800"),
        ("destination", "https://idp.example/\u00fc"),
        ("now", None),
    ],
)
def test_a_request_that_makes_no_sense_is_the_callers_mistake(ask, argument, value):
    more = {} if argument == "binding" else {"binding": saml.REDIRECT}

    with pytest.raises(saml.AskedWrongly) as refused:
        ask(**({argument: value} | more))
    assert refused.value.argument == argument


def test_control_characters_do_not_reach_xml(ask):
    with pytest.raises(saml.AskedWrongly):
        ask(issuer="a\x00b")


@pytest.mark.parametrize("text", ["", "=", "a", "YQ", "YQ=", "YQ==YQ==", "Y!Q=", "YWJj-_"])
def test_base64_is_strict(text):
    with pytest.raises(saml.MalformedDocument):
        saml.decode_post(text)


def test_base64_may_be_wrapped():
    assert saml.decode_post("YW\r\n Jj\n") == b"abc"
    assert saml.decode_post(saml.encode_post(b"<a/>")) == b"<a/>"


def test_a_small_message_that_inflates_to_a_large_one_is_refused():
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = base64.b64encode(packer.compress(b" " * 3_000_000) + packer.flush())

    with pytest.raises(saml.DocumentTooLarge):
        saml.decode_redirect(bomb.decode())


@pytest.mark.parametrize("text", ["YWJj", base64.b64encode(b"\xff" * 9).decode()])
def test_what_is_not_deflated_is_refused(text):
    with pytest.raises(saml.MalformedDocument):
        saml.decode_redirect(text)


def test_a_form_that_is_too_large_is_refused():
    with pytest.raises(saml.DocumentTooLarge):
        saml.decode_post("QUFB" * 100_000)
    assert len(saml.decode_post("QUFB" * 80_000)) == 240_000
