"""What `actas check` says of SAML providers, and of rules that rest on their assertions."""

import base64
import hashlib
from datetime import date

import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from actas.identify.presets import SAML_PRESETS
from actas.identify.saml_requirements import saml_requirements
from actas.saml.names import DS, ENVELOPED, EXCLUSIVE
from actas.testing.saml_idp import SamlIdp
from actas.wiring.load import load

TODAY = date(2026, 11, 23)
ACCOUNT = "111122223333"
IDP = SamlIdp()


def signed_with_sha_1(document, key):
    """Sign metadata as old providers do."""
    root = etree.fromstring(document)
    root.set("ID", "_m")
    form = {"method": "c14n", "exclusive": True, "with_comments": False}
    digest = base64.b64encode(hashlib.sha1(etree.tostring(root, **form)).digest()).decode()
    info = etree.fromstring(
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{DS}rsa-sha1"/><ds:Reference URI="#_m"><ds:Transforms>'
        f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXCLUSIVE}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{DS}sha1"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
        "</ds:SignedInfo>"
    )
    value = key.sign(etree.tostring(info, **form), padding.PKCS1v15(), hashes.SHA1())
    signature = etree.Element(f"{{{DS}}}Signature")
    signature.append(info)
    etree.SubElement(signature, f"{{{DS}}}SignatureValue").text = base64.b64encode(value).decode()
    root.insert(0, signature)
    return etree.tostring(root)


@pytest.fixture
def check(tmp_path):
    """Write settings, with some in place of others, and give every mistake: code, key, severity."""
    (tmp_path / "idp").mkdir()
    (tmp_path / "idp/ping.xml").write_bytes(IDP.metadata())

    def made(provider=None, rule=None, **more):
        corp = {"preset": "keycloak", "issuer": "https://sso.example.com/realms/corp", "audience": "actas"}
        plain = {"id": "one", "who": {"provider": "ping", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
        settings = {
            "gateway": {"public_url": "https://functions.example.com", "control_url": "https://actas.example.com"},
            "providers": {
                "ping": provider or {"preset": "pingfederate-saml", "metadata": "idp/ping.xml"},
                "corp": corp,
            },
            "functions": {"report": {"http": "https://report.example.com"}},
            "roles": {
                "reader": {"arn": f"arn:aws:iam::{ACCOUNT}:role/reader"},
                "app-reader": {"arn": f"arn:aws:iam::{ACCOUNT}:role/app-reader"},
            },
            "rules": [
                plain,
                {"id": "two", "who": {"provider": "corp", "groups": ["/a"]}, "may": "report", "as": "app-reader"},
                *([rule] if rule else []),
            ],
        } | more
        file = tmp_path / "actas.yaml"
        file.write_text(yaml.safe_dump(settings, sort_keys=False))
        return [(one.code, one.key, one.severity) for one in load(file, today=TODAY).mistakes]

    made.folder = tmp_path
    return made


def test_the_provider_of_the_design_is_all_that_is_needed(check):
    assert check() == []


SAML = {"preset": "saml", "metadata": "idp/ping.xml"}
WRONG = [
    ("no metadata", {"preset": "saml"}, "providers.ping.metadata"),
    ("metadata that is no file", SAML | {"metadata": "idp/nothing.xml"}, "providers.ping.metadata"),
    ("metadata in clear", SAML | {"metadata": "http://idp.example/metadata"}, "providers.ping.metadata"),
    ("metadata from nowhere", SAML | {"metadata": "https:///metadata"}, "providers.ping.metadata"),
    ("another provider's metadata", SAML | {"entity_id": "https://other.example/"}, "providers.ping.metadata"),
    ("two entity ids of ours", SAML | {"audience": ["a", "b"]}, "providers.ping.audience"),
    ("an issuer", SAML | {"issuer": "https://idp.example/"}, "providers.ping.issuer"),
    ("clients", SAML | {"clients": ["a"]}, "providers.ping.clients"),
    ("scopes", SAML | {"scopes": {"absent": "empty"}}, "providers.ping.scopes"),
    ("an address as the name", SAML | {"subject": "urn:oid:0.9.2342.19200300.100.1.3"}, "providers.ping.subject"),
    ("a login name as the name", SAML | {"subject": "uid"}, "providers.ping.subject"),
    ("a name that is another each time", SAML | {"name_id": "transient"}, "providers.ping.name_id"),
    ("formats without effect", SAML | {"name_id": "email", "subject": "employeeId"}, "providers.ping.name_id"),
    ("an address and nothing else", {"preset": "google-saml", "metadata": "idp/ping.xml"}, "providers.ping.subject"),
    ("a sign-in of a day", SAML | {"sign_in": "24h"}, "providers.ping.sign_in"),
    ("a sign-in of seconds", SAML | {"sign_in": "59s"}, "providers.ping.sign_in"),
    ("clocks an hour apart", SAML | {"leeway": "1h"}, "providers.ping.leeway"),
    ("a key in two places", SAML | {"decryption": [{"env": "A", "file": "b"}]}, "providers.ping.decryption[0]"),
]


@pytest.mark.parametrize(("provider", "key"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_a_provider_is_refused_that_has(check, provider, key):
    found = check(provider)

    assert key in [where for _, where, severity in found if severity == "error"], found


@pytest.mark.parametrize(
    "provider",
    [
        SAML,
        SAML | {"metadata": "https://idp.example/metadata?app=1"},
        SAML | {"metadata": "http://127.0.0.1:8080/metadata", "private": True},
        SAML | {"entity_id": IDP.entity_id, "audience": "urn:example:actas"},
        SAML | {"subject": "employeeId", "groups": {"claim": ["a", "b"], "absent": "empty"}},
        SAML | {"name_id": ["persistent", "email"]},
        SAML | {"sign_in": "1h", "leeway": "5m", "mfa": "urn:x", "service": {"type": "robot"}},
        SAML | {"require": {"gcm_only": True}, "request": {"force": True, "binding": "post"}, "idp_initiated": True},
        {"preset": "google-saml", "metadata": "idp/ping.xml", "name_id": "email"},
        *({"preset": name, "metadata": "idp/ping.xml"} for name in SAML_PRESETS if name != "google-saml"),
    ],
)
def test_a_provider_is_taken_that_has(check, provider):
    assert check(provider) == []


@pytest.mark.parametrize(
    "key",
    [
        "metadata",
        "metadata_certificate",
        "entity_id",
        "name_id",
        "require",
        "request",
        "idp_initiated",
        "allow_sha1",
        "old_ciphers",
    ],
)
def test_what_only_saml_has_is_refused_elsewhere(check, key):
    value = {
        "require": {"gcm_only": True},
        "request": {"force": True},
        "idp_initiated": True,
        "allow_sha1": True,
        "old_ciphers": ["rsa-1_5"],
        "metadata": "idp/ping.xml",
        "metadata_certificate": "idp/ping.xml",
    }.get(key, "x")
    corp = {"preset": "keycloak", "issuer": "https://sso.example.com/realms/x", "audience": "actas", key: value}

    assert f"providers.ping.{key}" in [where for _, where, severity in check(corp) if severity == "error"]


def test_sha_1_is_warned_of(check):
    assert check(SAML | {"allow_sha1": True}) == [("settings.sha1-allowed", "providers.ping.allow_sha1", "warning")]


@pytest.mark.parametrize("named", [["rsa-1_5"], ["tripledes-cbc"], ["rsa-1_5", "tripledes-cbc"]])
def test_old_ciphers_are_warned_of(check, named):
    found = check(SAML | {"old_ciphers": named})

    assert found == [("settings.old-ciphers", "providers.ping.old_ciphers", "warning")]


def test_no_other_cipher_can_be_switched_on(check):
    assert "error" in [severity for *_, severity in check(SAML | {"old_ciphers": ["aes128-ecb"]})]


def test_3des_is_no_gcm(check):
    found = check(SAML | {"old_ciphers": ["tripledes-cbc"], "require": {"gcm_only": True}})

    assert [where for _, where, severity in found if severity == "error"] == ["providers.ping.old_ciphers"]


def test_metadata_that_was_signed_with_sha_1_is_read_where_that_is_allowed(check):
    (check.folder / "idp/signed.xml").write_bytes(signed_with_sha_1(IDP.metadata(), IDP.key))
    (check.folder / "idp/pinned.der").write_bytes(IDP.certificate)
    shape = SAML | {"metadata": "idp/signed.xml", "metadata_certificate": "idp/pinned.der"}

    refused, taken = check(shape), check(shape | {"allow_sha1": True})

    assert ("settings.bad-metadata", "providers.ping.metadata", "error") in refused
    assert [severity for *_, severity in taken] == ["warning"]


def test_metadata_that_cannot_be_used_is_told_before_anything_starts(check):
    (check.folder / "idp/broken.xml").write_text("<EntityDescriptor/>")

    found = check(SAML | {"metadata": "idp/broken.xml"})

    assert ("settings.bad-metadata", "providers.ping.metadata", "error") in found


def test_two_providers_with_one_metadata_are_one(check):
    found = check(providers={"ping": dict(SAML), "pong": dict(SAML)})

    assert "settings.same-issuer" in [code for code, _, _ in found]


BY_ASSERTION = {
    "id": "three",
    "who": {"provider": "ping"},
    "may": ["report"],
    "as": ["app-*"],
    "roles_from": "assertion",
    "accounts": [ACCOUNT],
}
RULES = [
    ("no accounts", {"accounts": None}, "settings.missing-key", "rules[2].accounts"),
    ("no roles", {"as": None}, "settings.missing-key", "rules[2].as"),
    ("an account that is none", {"accounts": ["prod"]}, "settings.bad-account", "rules[2].accounts[0]"),
    ("a pattern that fits nothing", {"as": ["web-*"]}, "settings.no-such-role", "rules[2].as[0]"),
    ("a provider of tokens", {"who": {"provider": "corp"}}, "settings.not-saml", "rules[2].who.provider"),
    ("no provider", {"who": {}}, "settings.provider-not-named", "rules[2].who"),
    ("nothing that it allows", {"may": None, "may_not": ["report"]}, "settings.as-without-may", "rules[2].roles_from"),
    ("accounts for nothing", {"roles_from": None, "as": "app-reader"}, "settings.no-effect", "rules[2].accounts"),
]


@pytest.mark.parametrize(("change", "code", "key"), [one[1:] for one in RULES], ids=[one[0] for one in RULES])
def test_a_rule_by_assertion_is_refused_that_has(check, change, code, key):
    rule = {name: value for name, value in (BY_ASSERTION | change).items() if value is not None}

    assert (code, key, "error") in check(rule=rule)


def test_a_rule_by_assertion_is_taken(check):
    assert check(rule=BY_ASSERTION) == []


def test_a_pattern_that_fits_other_accounts_only_is_warned_of(check):
    found = check(rule=BY_ASSERTION | {"accounts": ["444455556666"]})

    assert ("settings.other-account", "rules[2].as[0]", "warning") in found


def test_the_room_says_the_same_when_it_starts(check):
    from actas.settings.schema import Provider

    found = saml_requirements(Provider(preset="saml"), SAML_PRESETS["saml"])

    assert [one.key for one in found] == ["metadata"]
