"""A real gateway with a SAML provider, and a browser that keeps cookies as browsers do."""

import base64
import os
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from actas import saml
from actas.identify.saml_profile import Doors
from actas.model import clock
from actas.saml.names import DS, SAML, XENC, XENC11
from actas.saml.parsing import parse
from actas.testing.saml_idp import Said, SamlIdp

CONTROL = "http://127.0.0.1:8701"
ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = "https://aws.amazon.com/SAML/Attributes/Role"
MFA = "https://refeds.org/profile/mfa"
FINANCE = {"groups": ("finance",), "roles": ("reader",)}


def role(name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{name}"


def pair(name, account=ACCOUNT):
    return f"{role(name, account)},arn:aws:iam::{account}:saml-provider/ping"


@dataclass
class Browser:
    """Keeps cookies; on http at a loopback address it keeps Secure ones too, as browsers do."""

    address: str
    cookies: dict = field(default_factory=dict)
    lines: list = field(default_factory=list)

    def get(self, path, *, cross_site=False, **headers):
        return self._ask("GET", path, None, cross_site=cross_site, headers=headers)

    def post(self, path, form, *, cross_site=True, **headers):
        return self._ask("POST", path, form, cross_site=cross_site, headers=headers)

    def _ask(self, method, path, form, *, cross_site, headers):
        kept = {
            name: value
            for name, (value, site) in self.cookies.items()
            if not cross_site or site == "None" or (site == "Lax" and method == "GET")
        }
        shown = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())} if kept else {}
        answer = httpx.request(
            method, f"http://{self.address}{path}", data=form, headers={**shown, **headers}, timeout=30, trust_env=False
        )
        for line in answer.headers.get_list("set-cookie"):
            self._keep(line)
        return answer

    def _keep(self, line):
        self.lines.append(line)
        first, *rest = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        told = dict(one.partition("=")[::2] for one in rest)
        if told.get("Max-Age") == "0":
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = (value, told["SameSite"])


@dataclass
class Asked:
    """What the provider was asked by a browser that came."""

    xml: bytes
    relay: str | None
    query: bytes

    @property
    def id(self):
        return parse(self.xml).get("ID")


def asked_by_redirect(address, parameter="SAMLRequest"):
    """Read the message in an address that a browser was sent to."""
    query = urlsplit(address).query
    found = parse_qs(query)
    return Asked(
        xml=saml.decode_redirect(found[parameter][0]),
        relay=found.get("RelayState", [None])[0],
        query=query.encode(),
    )


@dataclass
class Ping:
    """The provider, as the gateway knows it by the name of *provider*."""

    idp: SamlIdp
    provider: str = "ping"

    @property
    def doors(self):
        return Doors.of(CONTROL, self.provider)

    def said(self, **changes):
        plain = {"recipient": self.doors.acs, "audience": self.doors.metadata, "attributes": FINANCE}
        return Said(**plain | changes)

    def response(self, *, now=None, **changes):
        return form_of(self.idp.response(self.said(**changes), now=now or clock.now()))

    def assertion(self, *, now=None, **changes):
        said = self.said(**{"recipient": self.doors.token} | changes)
        return base64.urlsafe_b64encode(self.idp.assertion(said, now=now or clock.now())).rstrip(b"=").decode()


def encrypted_to(document, certificate):
    """Encrypt the assertion in *document* to a certificate, as XML Encryption has it, and give it for a form."""
    root = etree.fromstring(document)
    assertion = next(root.iter(f"{{{SAML}}}Assertion"))
    secret, nonce = os.urandom(32), os.urandom(12)
    sealed = nonce + AESGCM(secret).encrypt(nonce, etree.tostring(assertion), None)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # what real providers send
    wrapped = x509.load_der_x509_certificate(certificate).public_key().encrypt(secret, oaep)
    value = "<e:CipherData><e:CipherValue>{}</e:CipherValue></e:CipherData>"
    key = value.format(base64.b64encode(wrapped).decode())
    data = value.format(base64.b64encode(sealed).decode())
    made = etree.fromstring(
        f'<s:EncryptedAssertion xmlns:s="{SAML}" xmlns:e="{XENC}" xmlns:d="{DS}"><e:EncryptedData Type="{XENC}Element">'
        f'<e:EncryptionMethod Algorithm="{XENC11}aes256-gcm"/><d:KeyInfo><e:EncryptedKey>'
        f'<e:EncryptionMethod Algorithm="{XENC}rsa-oaep-mgf1p"><d:DigestMethod Algorithm="{DS}sha1"/>'
        f"</e:EncryptionMethod>{key}</e:EncryptedKey></d:KeyInfo>{data}</e:EncryptedData></s:EncryptedAssertion>"
    )
    assertion.getparent().replace(assertion, made)
    return form_of(etree.tostring(root))


@pytest.fixture
def encrypted():
    return encrypted_to


def form_of(xml):
    return base64.b64encode(xml).decode()


@pytest.fixture(scope="session")
def ping():
    return Ping(SamlIdp(entity_id="https://ping.example/"))


@pytest.fixture(scope="session")
def loose():
    """A provider that may begin by itself, and encrypts to a key of ours from before."""
    return Ping(SamlIdp(entity_id="https://loose.example/", key_name="loose", slo=None), "loose")


@pytest.fixture(scope="session")
def oid():
    """A provider that names people by an attribute."""
    return Ping(SamlIdp(entity_id="https://oid.example/", key_name="oid"), "oid")


@pytest.fixture(scope="session")
def posted():
    """A provider that is asked by a form, for much, and must sign all of its answer."""
    return Ping(SamlIdp(entity_id="https://posted.example/", key_name="posted"), "posted")


@pytest.fixture(scope="session")
def with_saml(settings, ping, loose, oid, posted, tmp_path_factory):
    """Make settings with SAML providers."""
    folder = tmp_path_factory.mktemp("metadata")
    old = SamlIdp(key_name="ours-of-old").key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "old.pem").write_bytes(old)
    (folder / "old.pem").chmod(0o600)
    for one in (ping, loose, oid, posted):
        (folder / f"{one.provider}.xml").write_bytes(one.idp.metadata())

    def make(**more):
        providers = {
            "ping": {"preset": "pingfederate-saml", "metadata": str(folder / "ping.xml"), **more.pop("ping", {})},
            "loose": {
                "preset": "saml",
                "metadata": str(folder / "loose.xml"),
                "idp_initiated": True,
                "decryption": [{"file": str(folder / "old.pem")}],
            },
            "oid": {"preset": "saml", "metadata": str(folder / "oid.xml"), "subject": "urn:example:oid"},
            "posted": {
                "preset": "saml",
                "metadata": str(folder / "posted.xml"),
                "audience": "urn:example:actas",
                "require": {"signed_response": True, "signed_assertion": True, "authn_contexts": MFA},
                "request": {"binding": "post", "force": True, "authn_contexts": MFA, "name_id": "persistent"},
            },
        }
        rules = [
            {"id": "finance", "who": {"provider": "ping", "groups": "finance"}, "may": "web", "as": "reader"},
            {
                "id": "by-assertion",
                "who": {"provider": "ping", "groups": "aws"},
                "may": "web",
                "as": ["app-*"],
                "roles_from": "assertion",
                "accounts": [ACCOUNT],
            },
        ]
        made = settings(rules=rules, **more)
        roles = {name: {"arn": role(name)} for name in ("app-reader", "app-writer", "hidden")}
        roles["app-elsewhere"] = {"arn": role("app-elsewhere", OTHER)}
        return made | {"providers": made["providers"] | providers, "roles": made["roles"] | roles}

    return make


@pytest.fixture(scope="session")
def house(running, with_saml):
    """One gateway for all tests that leave it as it was."""
    with running(with_saml()) as one:
        yield one


@pytest.fixture
def browser(house):
    return Browser(house.control)


@pytest.fixture
def another_browser(house):
    return Browser(house.control)


@pytest.fixture
def person():
    """Somebody else in each test: who signed out is not let in again by what was issued in the same second."""
    return f"f1a9-{secrets.token_hex(6)}"


@pytest.fixture
def signed_in(browser, ping, person):
    """A browser in which somebody signed in."""
    asked = asked_by_redirect(browser.get("/saml/ping/login").headers["location"])
    form = {
        "SAMLResponse": ping.response(
            subject=person, session_index=f"{person}-1", answers=asked.id, session_lasts=timedelta(hours=8)
        ),
        "RelayState": asked.relay,
    }
    assert browser.post("/saml/ping/acs", form).status_code == 303
    return browser


@pytest.fixture(name="asked_by_redirect")
def _asked_by_redirect():
    return asked_by_redirect


@pytest.fixture(name="form_of")
def _form_of():
    return form_of


@pytest.fixture(name="pair")
def _pair():
    return pair


@pytest.fixture(scope="session")
def make_browser():
    return lambda house: Browser(house.control)
