"""What is wrong is said in plain words, all of it; and what is good has nothing wrong."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from actas import saml

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


@pytest.fixture(scope="module")
def wanted(made, trust):
    return saml.Wanted(
        trust=trust, audience=made.AUDIENCE, recipients=(made.ACS, "https://sp.example/token"), now=made.NOW
    )


def codes(found):
    return [one.code for one in found]


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_a_good_response_has_nothing_wrong(idp, wanted, sign):
    assert saml.diagnose(idp.response(sign=sign), wanted) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sign": "nothing"}, "unsigned"),
        ({"how": {"algorithm": "rsa-sha1", "digest": "sha1"}}, "sha1"),
        ({"how": {"algorithm": "hmac-sha256"}}, "algorithm"),
        ({"issuer": "<saml:Issuer>https://other.example/</saml:Issuer>"}, "issuer"),
        (
            {"audience": "<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>"},
            "audience",
        ),
        ({"recipient": "https://sp.example/other"}, "recipient"),
        ({"envelope": {"destination": ' Destination="https://x.example"'}, "sign": "response"}, "destination"),
        ({"begins": "2026-11-23T09:05:00Z"}, "clock"),
        ({"ends": "2026-11-23T08:30:00Z"}, "expired"),
        ({"confirmed_until": "2026-11-23T08:30:00Z"}, "expired"),
        ({"authn": ""}, "no-sign-in"),
        (
            {"envelope": {"status": '<samlp:Status><samlp:StatusCode Value="urn:x:Responder"/></samlp:Status>'}},
            "status",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_each_fault_is_found_and_nothing_else(idp, wanted, changes, code):
    found = saml.diagnose(idp.response(**changes), wanted)

    assert codes(found) == [code]
    assert found[0].severity == "error"
    assert found[0].sentence
    assert found[0].hint.endswith(".")


def test_several_faults_are_all_found(idp, wanted):
    found = saml.diagnose(
        idp.response(
            sign="nothing",
            recipient="https://sp.example/other",
            ends="2026-11-23T08:30:00Z",
            audience="",
            name='<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">x</saml:NameID>',
        ),
        replace(wanted, attributes=("Role", "groups")),
    )

    assert codes(found) == ["unsigned", "audience", "recipient", "expired", "transient-name", "missing-attribute"]
    assert [one.severity for one in found[-2:]] == ["warning", "warning"]
    assert "groups" in found[-1].sentence


def test_clocks_that_differ_are_told_from_documents_of_the_future(idp, wanted, made):
    response = idp.response(begins=made.at(300), ends=made.at(900), confirmed_until=made.at(900))
    later = idp.response(begins=made.at(7200), ends=made.at(9000), confirmed_until=made.at(9000))

    assert "the clocks differ" in saml.diagnose(response, wanted)[0].sentence
    assert "future" in saml.diagnose(later, wanted)[0].sentence


def test_a_key_that_is_not_in_the_metadata_is_told_from_a_changed_document(idp, attacker, wanted):
    changed = idp.response().replace(b">writer<", b">admin<")

    assert codes(saml.diagnose(attacker.response(), wanted)) == ["certificate-not-in-metadata"]
    assert codes(saml.diagnose(changed, wanted)) == ["bad-digest"]


def test_sha1_that_is_allowed_is_a_warning(idp, wanted):
    found = saml.diagnose(
        idp.response(how={"algorithm": "rsa-sha1", "digest": "sha1"}), replace(wanted, allow_sha1=True)
    )

    assert [(one.code, one.severity) for one in found] == [("sha1", "warning")]


def test_an_encrypted_assertion_is_told_of_without_and_with_the_key(idp, wanted, made, sp_key, attacker):
    sealed = made.encrypt(idp.signed(idp.assertion(recipient="https://sp.example/x")), sp_key)
    response = idp.envelope(sealed).encode()

    assert codes(saml.diagnose(response, wanted)) == ["encrypted"]
    assert codes(saml.diagnose(response, replace(wanted, decryption_keys=(attacker.key,)))) == ["encrypted"]
    assert codes(saml.diagnose(response, replace(wanted, decryption_keys=(sp_key,)))) == ["recipient"]


@pytest.mark.parametrize(
    ("how", "name"),
    [({"transport": "rsa-1_5"}, "rsa-1_5"), ({"cipher": "tripledes-cbc"}, "tripledes-cbc")],
    ids=["RSA-1.5", "3DES"],
)
def test_an_old_cipher_is_told_of_until_it_is_switched_on(idp, wanted, made, sp_key, trust, how, name):
    response = idp.envelope(made.encrypt(idp.signed(idp.assertion()), sp_key, **how)).encode()
    closed = replace(wanted, decryption_keys=(sp_key,))
    opens = {"decryption_keys": (sp_key,), "old_ciphers": (name,)}

    (told,) = saml.diagnose(response, closed)

    assert (told.code, name in told.sentence, "old_ciphers" in told.hint) == ("encrypted", True, True)
    (warned,) = saml.diagnose(response, replace(wanted, **opens))
    assert (warned.code, warned.severity, name in warned.sentence) == ("old-ciphers", "warning", True)
    assert saml.look(response, **opens).is_opened
    explained = saml.explain(
        response, trust, audience=made.AUDIENCE, recipient=made.ACS, now=made.NOW, in_response_to="_q1", **opens
    )
    assert explained.assertion.name_id == "ana"


def test_without_settings_only_what_they_do_not_decide_is_found(idp, made):
    bare = saml.Wanted(trust=None, now=made.NOW)

    assert saml.diagnose(idp.response(), bare) == ()
    assert codes(saml.diagnose(idp.response(sign="nothing", ends="2026-11-23T08:30:00Z"), bare)) == [
        "unsigned",
        "expired",
    ]


def test_a_wrapped_assertion_is_an_attack_and_said_so(idp, wanted):
    root = etree.fromstring(idp.response())
    root.append(etree.fromstring(idp.assertion(id="_evil")))

    assert "assertions" in codes(saml.diagnose(etree.tostring(root), wanted))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_finding(wanted, junk):
    assert len(saml.diagnose(junk, wanted)) >= 1


@given(data=st.data())
def test_what_verify_refuses_has_an_error_among_its_findings(idp, wanted, verify, data):
    response = bytearray(idp.response(sign=data.draw(st.sampled_from(["assertion", "response", "nothing"]))))
    for _ in range(data.draw(st.integers(0, 3))):
        response[data.draw(st.integers(0, len(response) - 1))] = data.draw(st.integers(0, 255))
    try:
        verify(bytes(response), in_response_to=saml.ANY)
    except saml.SamlError:
        assert any(one.severity == "error" for one in saml.diagnose(bytes(response), wanted))
    else:
        assert all(one.severity == "warning" for one in saml.diagnose(bytes(response), wanted))


def metadata(*certificates, more="", role_more="", services=None):
    keys = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{base64.b64encode(one).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
        for one in certificates
    )
    if services is None:
        services = "".join(
            f'<md:{name} Binding="{REDIRECT}" Location="https://idp.example/{name}"/>'
            for name in ("SingleLogoutService", "SingleSignOnService")
        )
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" entityID="https://idp.example/"{more}><md:IDPSSODescriptor{role_more} '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}{services}'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    ).encode()


@pytest.fixture(scope="module")
def lasting(made, idp):
    return made.certificate(idp.key, days=(-1, 400))


def test_good_metadata_has_nothing_wrong(made, lasting):
    assert saml.diagnose_metadata(metadata(lasting), now=made.NOW) == ()


@pytest.mark.parametrize(
    ("change", "codes_found"),
    [
        (lambda _made, _idp, _good: metadata(), ["no-signing-key"]),
        (lambda _made, _idp, good: metadata(good, b"x"), ["bad-certificate"]),
        (lambda made, idp, _good: metadata(made.certificate(idp.key, days=(-9, 20))), ["certificate-ends"]),
        (lambda made, idp, _good: metadata(made.certificate(idp.key, days=(-9, -1))), ["certificate-ends"]),
        (lambda made, idp, good: metadata(made.certificate(idp.key, days=(-9, -1)), good), []),
        (lambda _made, _idp, good: metadata(good, more=' validUntil="2026-11-23T10:00:00Z"'), ["metadata-ends"]),
        (lambda _made, _idp, good: metadata(good, more=' validUntil="2026-11-23T08:00:00Z"'), ["metadata-expired"]),
        (lambda _made, _idp, good: metadata(good, services=""), ["no-sign-in-address", "no-logout-address"]),
        (
            lambda _made, _idp, good: metadata(good).replace(
                b"https://idp.example/Single", b"http://idp.example/Single"
            ),
            ["in-clear", "in-clear"],
        ),
        (lambda _made, _idp, _good: b"<html/>", ["unexpected-structure"]),
        (lambda _made, _idp, _good: b"", ["malformed-document"]),
    ],
    ids=[
        "no-key",
        "unreadable",
        "soon",
        "ended",
        "renewed",
        "ends",
        "has-ended",
        "no-doors",
        "http",
        "a-page",
        "nothing",
    ],
)
def test_each_fault_of_metadata_is_found(made, idp, lasting, change, codes_found):
    assert codes(saml.diagnose_metadata(change(made, idp, lasting), now=made.NOW)) == codes_found


def test_metadata_signed_with_sha1_is_told(made, idp, lasting):
    xml = idp.signed(metadata(lasting, more=' ID="_m"').decode(), algorithm="rsa-sha1", digest="sha1", position=0)

    assert codes(saml.diagnose_metadata(xml, now=made.NOW)) == ["sha1"]


@pytest.fixture
def explained(made, trust):
    def run(response, **more):
        given = {"audience": made.AUDIENCE, "recipient": made.ACS, "now": made.NOW, "trust": trust} | more
        return saml.explain(response, given.pop("trust"), **given)

    return run


def test_a_dry_run_tells_the_key_and_each_attribute(explained, made, idp, attacker):
    both = saml.Trust(made.ISSUER, (attacker.cert, idp.cert))
    found = explained(idp.response(), trust=both, uses={"Role": "roles", "mail": "subject", "groups": "groups"})

    told = {one.name: one for one in found.steps if one.name != "attribute"}
    attributes = [(one.code, one.sentence) for one in found.steps if one.name == "attribute"]
    assert found.assertion is not None
    assert sum(one.name == "key" for one in found.steps) == 1
    assert "2026-11-22" in told["key"].sentence
    assert told["signature"].sentence == "the assertion is signed, by rsa-sha256"
    assert told["times"].sentence == "it counts until 2026-11-23T09:05:00Z, 300 s more"
    assert attributes == [
        ("ok", "urn:oid:0.9.2342.19200300.100.1.3 (mail): 1 value, read for subject"),
        ("ok", "Role: 2 values, read for roles"),
        ("missing", "groups: not there; groups would be read from it"),
    ]


def test_a_dry_run_shows_nobody(explained, idp):
    found = explained(idp.response())

    assert not any("ana" in one.sentence for one in found.steps)
    assert [one.code for one in found.steps if one.name == "attribute"] == ["unused", "unused"]


def test_a_dry_run_of_a_refused_response_ends_there(explained, idp, made):
    found = explained(idp.response(), now=made.NOW + timedelta(hours=1))

    assert found.assertion is None
    assert [(one.name, one.code) for one in found.steps] == [("refused", "saml.assertion-expired")]


def test_a_dry_run_tells_of_encryption(explained, idp, made, sp_key):
    sealed = idp.envelope(made.encrypt(idp.signed(idp.assertion()), sp_key)).encode()
    found = explained(sealed, decryption_keys=(sp_key,))

    told = {one.name: one.sentence for one in found.steps}
    assert told["encryption"] == "the assertion was encrypted, by aes256-gcm, rsa-oaep-mgf1p"
