"""A sign-in tried from the command line ends where a call would; and what is wrong with one is said with its cure."""

import base64
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
import yaml

from actas import saml
from actas.cli.saml_forms import forms
from actas.identify.saml_profile import Doors
from actas.model import clock
from actas.testing.saml_idp import Said, SamlIdp

DOORS = Doors.of("http://127.0.0.1:8701", "ping")
FINANCE = {"groups": ("finance",), "roles": ("reader",)}


@pytest.fixture(scope="module")
def idp():
    return SamlIdp(entity_id="https://sso.example.okta.com/abc")


@pytest.fixture
def house(tmp_path, idp):
    """A folder with settings that know the provider."""

    def make(**more):
        (tmp_path / "functions.py").write_text("def hello(event, context):\n    return {}\n")
        (tmp_path / "idp.xml").write_bytes(idp.metadata())
        (tmp_path / "reader.json").write_text(
            json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
            )
        )
        written = {
            "gateway": {"listen": "127.0.0.1:0", "control_listen": "127.0.0.1:0", "state": "kept"},
            "providers": {
                "ping": {"preset": "okta-saml", "metadata": "idp.xml", "groups": {"claim": "groups"}, **more}
            },
            "functions": {name: {"python": "functions.py:hello"} for name in ("hello", "payroll")},
            "roles": {
                "reader": {"arn": "arn:aws:iam::111122223333:role/reader", "session": "15m", "policy": "reader.json"}
            },
            "rules": [
                {"id": "all", "who": {"provider": "ping", "groups": ["finance"]}, "may": ["hello"], "as": "reader"},
                {"id": "few", "who": {"provider": "ping", "groups": ["payroll"]}, "may": ["payroll"], "as": "reader"},
            ],
        }
        (tmp_path / "actas.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
        return tmp_path

    return make


@pytest.fixture
def respond(idp, tmp_path):
    """Write a response to a file, in one of the forms that people have it in."""

    def make(form="xml", *, now=None, **said):
        plain = {"recipient": DOORS.acs, "audience": DOORS.metadata, "attributes": FINANCE}
        xml = idp.response(Said(**plain | said), now=now or clock.now())
        packed = base64.encodebytes(xml)
        shapes = {"xml": xml, "base64": packed, "form": b"SAMLResponse=" + quote_plus(packed.decode()).encode()}
        file = tmp_path / f"response.{form}"
        file.write_bytes(shapes[form])
        return file

    return make


@pytest.mark.parametrize("form", ["xml", "base64", "form"])
def test_a_dry_run_ends_with_the_session_that_would_be_issued(actas, house, respond, form):
    said = actas("saml", "dry-run", "--provider", "ping", "--response", respond(form), folder=house())

    assert said.code == 0, said.err
    assert said.out.startswith("a function could be run\n")
    for text in ("the assertion is signed, by rsa-sha256", "groups: 1 value, read for groups", "allow  hello"):
        assert text in said.out
    assert "deny   payroll" in said.out
    assert "hello would run as reader" in said.out
    assert "s3:GetObject" in said.out


def test_a_dry_run_as_data_holds_the_same(actas, house, respond):
    said = actas("saml", "dry-run", "--provider", "ping", "--response", respond(), "--json", folder=house())
    found = json.loads(said.out)

    assert found["could_run"] is True
    assert found["facts"]["groups"] == ["finance"]
    assert {one["target"]: one["allowed"] for one in found["decisions"]} == {"hello": True, "payroll": False}
    session = found["decisions"][0]["session"]
    assert (session["role"], session["rules"]) == ("reader", ["all"])
    assert {one["name"] for one in found["steps"]} >= {"signature", "key", "times", "attribute"}


def test_a_dry_run_uses_nothing_up(actas, house, respond):
    folder, file = house(), respond()

    assert [actas("saml", "dry-run", "--provider", "ping", "--response", file, folder=folder).code for _ in "12"] == [
        0,
        0,
    ]
    assert not (folder / "kept" / "state.db").exists()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"attributes": {"groups": ("guests",)}}, "no function could be run"),
        ({"signed": "nothing"}, "saml.not-signed"),
        ({"audience": "https://other.example"}, "saml.wrong-audience"),
        ({"recipient": "https://other.example"}, "saml.wrong-destination"),
        ({"subject_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "identify.no-stable-name"),
    ],
    ids=["no-right", "unsigned", "other-audience", "other-door", "no-lasting-name"],
)
def test_a_dry_run_that_runs_nothing_ends_with_one(actas, house, respond, said, told):
    found = actas("saml", "dry-run", "--provider", "ping", "--response", respond(**said), folder=house())

    assert found.code == 1, found.err
    assert told in found.out


def test_an_old_response_is_looked_at_as_of_its_time(actas, house, respond):
    then = clock.now() - timedelta(days=30)
    file, folder = respond(now=then), house()

    assert actas("saml", "dry-run", "--provider", "ping", "--response", file, folder=folder).code == 1
    at = f"{then + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    assert actas("saml", "dry-run", "--provider", "ping", "--response", file, "--at", at, folder=folder).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--provider", "ping"),
        ("--provider", "ping", "--user", "ana", "--response", "x"),
        ("--response", "absent.xml", "--provider", "ping"),
    ],
    ids=["nobody", "two", "no-file"],
)
def test_a_dry_run_that_is_asked_wrongly_says_so(actas, house, arguments):
    assert actas("saml", "dry-run", *arguments, folder=house()).code == 2


def test_a_provider_that_is_not_there_is_told(actas, house, respond):
    said = actas("saml", "dry-run", "--provider", "corp", "--response", respond(), folder=house())

    assert "identify.no-saml-provider" in said.err


def test_the_doctor_finds_a_good_response_good(actas, house, respond):
    said = actas("saml", "doctor", respond(), folder=house())

    assert (said.code, said.out) == (0, "the response of the provider ping is good\n")


def test_the_doctor_says_what_to_change_and_where(actas, house, respond):
    file = respond(audience="https://other.example", signed="nothing", attributes={})
    said = actas("saml", "doctor", file, "--provider", "ping", folder=house())

    assert said.code == 1
    assert said.out.startswith("the response of the provider ping would be refused\n")
    assert "at Okta: General > SAML Settings > Audience URI (SP Entity ID)." in said.out
    assert "[unsigned]" in said.out
    assert "[missing-attribute]" in said.out


def test_the_doctor_misses_the_roles_that_rules_take_from_assertions(actas, house, respond):
    folder = house()
    settings = yaml.safe_load((folder / "actas.yaml").read_text())
    who = {"provider": "ping"}
    settings["rules"].append(
        {"id": "claimed", "who": who, "may": ["payroll"], "roles_from": "assertion", "as": ["reader"],
         "accounts": ["111122223333"]}
    )  # fmt: skip
    (folder / "actas.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    said = actas("saml", "doctor", respond(), folder=folder)

    assert said.code == 0, said.out + said.err
    assert "https://aws.amazon.com/SAML/Attributes/Role is not there" in said.out


def test_the_doctor_works_without_settings(actas, tmp_path, respond):
    file = respond(signed="nothing", now=clock.now() - timedelta(days=1))
    said = actas("saml", "doctor", file, "--json", folder=tmp_path)
    found = [json.loads(line) for line in said.out.splitlines()]

    assert said.code == 1
    assert [one["code"] for one in found] == ["unsigned", "expired"]
    assert found[0]["where"].startswith("Okta: ")


def test_the_doctor_reads_metadata(actas, tmp_path, idp):
    (tmp_path / "metadata.xml").write_bytes(idp.metadata())
    good = actas("saml", "doctor", "metadata.xml", folder=tmp_path)
    (tmp_path / "metadata.xml").write_bytes(idp.metadata(sso_bindings=()))
    bad = actas("saml", "doctor", "metadata.xml", folder=tmp_path)

    assert (good.code, good.out) == (0, "the metadata is good\n")
    assert bad.code == 1
    assert "[no-sign-in-address]" in bad.out


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xff\xfe", b"SAMLResponse=%"])
def test_the_doctor_of_what_is_no_document_says_so(actas, tmp_path, content):
    (tmp_path / "junk").write_bytes(content)

    assert actas("saml", "doctor", "junk", folder=tmp_path).code == 2


def test_our_metadata_shows_both_keys_while_one_rolls_over(actas, house):
    folder = house()
    first = actas("saml", "metadata", "--provider", "ping", folder=folder)
    rotated = actas("saml", "rotate", folder=folder)
    second = actas("saml", "metadata", "--provider", "ping", folder=folder)

    assert (first.code, rotated.code, second.code) == (0, 0, 0), rotated.err
    old, both = (saml.Metadata.parse(one.out.strip().encode(), now=clock.now()) for one in (first, second))
    assert old.entities[0].entity_id == DOORS.metadata
    assert both.certificates[0] == old.certificates[0]
    assert (len(old.certificates), len(both.certificates)) == (1, 2)
    assert len(rotated.out.splitlines()) == 2


def test_a_stolen_key_is_thrown_away_at_once(actas, house):
    folder = house()
    before = actas("saml", "metadata", "--provider", "ping", folder=folder)
    said = actas("saml", "rotate", "--at-once", "--json", folder=folder)
    after = actas("saml", "metadata", "--provider", "ping", folder=folder)

    assert len(json.loads(said.out)["keys"]) == 1
    certificates = [
        saml.Metadata.parse(one.out.strip().encode(), now=clock.now()).certificates for one in (before, after)
    ]
    assert not set(certificates[0]) & set(certificates[1])


class Pages(ThreadingHTTPServer):
    """A provider with a form for the name, then one for the password, as some have."""

    daemon_threads = True

    def __init__(self, idp):
        self.idp, self.seen = idp, []
        self.elsewhere = None
        super().__init__(("127.0.0.1", 0), _Pages)
        self.idp.sso = f"http://127.0.0.1:{self.server_port}/sso"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        if "SAMLRequest" in query:
            self.server.asked = saml.decode_redirect(query["SAMLRequest"][0])
            self._send(302, "", {"Location": "/login?state=1&amp=2", "Set-Cookie": "s=1; HttpOnly"})
            return
        action = self.server.elsewhere or "/password"
        fields = '<input name=csrf type=hidden value="a&amp;b"><input name="username"><input type=checkbox name=stay>'
        self._send(200, f'<form action="{action}" method="POST">{fields}<button>Go</button></form>')

    def do_POST(self):
        given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.seen.append((self.path, given, self.headers.get("Cookie")))
        if self.path == "/password" or given.get("password") != ["right"]:
            self._send(200, '<form action="/done" method="post"><input type="password" name="password"></form>')
            return
        said = Said(recipient=DOORS.acs, audience=DOORS.metadata, attributes=FINANCE)
        packed = base64.b64encode(self.server.idp.response(said, now=clock.now())).decode()
        field = f'<input type=hidden name=SAMLResponse value="{packed}">'
        self._send(200, f'<body onload=go()><form method=post action="{DOORS.acs}">{field}</form>')

    def _send(self, status, page, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page.encode())))
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def pages(idp):
    before = idp.sso
    server = Pages(idp)
    yield server
    server.shutdown()
    server.server_close()
    idp.sso = before


def test_a_dry_run_signs_in_by_the_providers_own_form(actas, house, pages, monkeypatch):
    monkeypatch.setenv("ACTAS_SAML_PASSWORD", "right")
    said = actas("saml", "dry-run", "--provider", "ping", "--user", "ana", folder=house())

    assert said.code == 0, said.err
    assert "hello would run as reader" in said.out
    assert [(path, given.get("username"), given.get("csrf")) for path, given, _ in pages.seen] == [
        ("/password", ["ana"], ["a&b"]),
        ("/done", None, None),
    ]
    assert pages.seen[0][2] == "s=1"
    assert DOORS.acs.encode() in pages.asked
    assert "right" not in said.out + said.err


@pytest.mark.parametrize("spoil", ["password", "host"])
def test_a_form_that_cannot_be_driven_opens_the_browser(actas, house, pages, monkeypatch, spoil):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("ACTAS_SAML_PASSWORD", "wrong" if spoil == "password" else "right")
    if spoil == "host":
        pages.elsewhere = f"http://localhost:{pages.server_port}/password"
    said = actas("saml", "dry-run", "--provider", "ping", "--user", "ana", folder=house())

    assert said.code == 3
    assert "cli.form-not-driven" in said.err
    assert opened == [DOORS.login]
    assert not any("password" in given for _, given, _ in pages.seen if spoil == "host")


def test_forms_are_read_as_browsers_read_them():
    found = forms(
        "<input name=lost><form action=/a method=POST><input name=u type=text value=x><input name=e type=email>"
        "<input name=p type=password><input type=hidden name=h value=1><input name=off disabled><input type=radio>"
        "<button name=one value=1>1</button><button name=two value=2>2</button></form><form><input name=q></form>"
    )

    assert [(one.action, one.method) for one in found] == [("/a", "post"), ("", "get")]
    assert found[0].filled("ana", "s3cret") == {"u": "ana", "e": "", "p": "s3cret", "h": "1", "one": "1"}
