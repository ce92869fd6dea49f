"""Fetching the work session of a call, inside a function: what is sent, what comes back, and when nothing is sent."""

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import boto3
import pytest

from actas import jose
from actas.lambda_ import (
    EnvelopeRefused,
    EventChanged,
    GatewayUnreachable,
    NoEnvelope,
    NoExecutionRole,
    NoGateway,
    SessionRefused,
    proof,
    session,
)
from actas.model import clock

KEY = jose.Key.generate("ES256", kid="one")
KEYS = json.dumps({"keys": [KEY.to_json()]})
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:billing:$LATEST"
EVENT = {"month": "2026-10"}
ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "ASIAEXECUTIONROLE1",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-execution-role",
    "AWS_SESSION_TOKEN": "token-of-the-execution-role",
}
GIVEN = {
    "AccessKeyId": "ASIAWORK",
    "SecretAccessKey": "secret-of-the-work-session",
    "SessionToken": "token-of-the-work-session",
    "Expiration": "2026-11-23T12:15:00Z",
}


class Gateway(BaseHTTPRequestHandler):
    """The gateway's side of the wire; whether a proof holds is tried at its own door."""

    def do_POST(self):
        self.server.asked.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        status, body = self.server.says
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@pytest.fixture
def gateway(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.asked, server.says = [], (200, json.dumps(GIVEN).encode())
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.delenv("ACTAS_GATEWAY", raising=False)
    for name, value in {**ENVIRONMENT, "ACTAS_JWKS": KEYS, "ACTAS_ISSUER": server.url}.items():
        monkeypatch.setenv(name, value)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def called(gateway):
    """A handler's context, with the envelope of a call."""

    def make(*, key=KEY, event=EVENT, **claims):
        now = int(clock.now().timestamp())
        said = {
            "iss": gateway.url, "aud": ARN, "jti": "01JPA000000000000000000000", "iat": now, "exp": now + 300,
            "sub": "7f0c3f0e", "provider": "corp", "identity_issuer": "https://sso.example", "kind": "human",
            "event_form": "jcs", "root": "01JPA000000000000000000000",
            "event_sha256": hashlib.sha256(json.dumps(event, separators=(",", ":")).encode()).hexdigest(), **claims,
        }  # fmt: skip
        envelope = jose.sign(said, key, algorithm="ES256", header={"typ": "actas-envelope+jwt"})
        return SimpleNamespace(
            client_context=SimpleNamespace(custom={"actas": envelope}),
            invoked_function_arn=ARN,
            function_version="$LATEST",
        )

    return make


def test_the_gateway_is_shown_the_envelope_and_a_proof_that_holds(gateway, called):
    context = called()
    found = session(EVENT, context)

    ((path, body),) = gateway.asked
    shown = proof.Proof(**json.loads(body))
    assert path == "/work-sessions"
    assert shown.envelope == context.client_context.custom["actas"]
    assert isinstance(proof.read(shown, gateway=gateway.url, now=clock.now()), proof.Read)
    assert found.expires_at == datetime(2026, 11, 23, 12, 15, tzinfo=UTC)
    assert ENVIRONMENT["AWS_SECRET_ACCESS_KEY"] not in body.decode()


def test_it_is_what_boto3_takes(gateway, called):
    made = boto3.Session(**session(EVENT, called()), region_name="eu-west-1")

    found = made.get_credentials()
    assert (found.access_key, found.secret_key, found.token) == (
        "ASIAWORK", "secret-of-the-work-session", "token-of-the-work-session",
    )  # fmt: skip


def test_nothing_secret_is_shown(gateway, called):
    found = session(EVENT, called())

    assert "secret-of" not in repr(found)
    assert "token-of" not in repr(found)
    assert len(found) == 3
    with pytest.raises(KeyError):
        found["region_name"]


REFUSED = [
    ("no envelope", lambda _called: SimpleNamespace(client_context=None, invoked_function_arn=ARN), EVENT, NoEnvelope),
    ("another event", lambda called: called(), {"month": "2026-11"}, EventChanged),
    ("another's key", lambda called: called(key=jose.Key.generate("ES256", kid="one")), EVENT, EnvelopeRefused),
    ("another function", lambda called: called(aud=ARN.replace("billing", "report")), EVENT, EnvelopeRefused),
    ("another gateway", lambda called: called(iss="https://other.example"), EVENT, EnvelopeRefused),
    ("an envelope that has ended", lambda called: called(exp=1), EVENT, EnvelopeRefused),
]


@pytest.mark.parametrize(("context", "event", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_without_a_valid_envelope_nobody_is_asked(gateway, called, context, event, error):
    with pytest.raises(error):
        session(event, context(called))

    assert gateway.asked == []


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_without_an_execution_role_nobody_is_asked(gateway, called, monkeypatch, name):
    monkeypatch.delenv(name)
    with pytest.raises(NoExecutionRole, match=name):
        session(EVENT, called())

    assert gateway.asked == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_REGION", "eu west"),
        ("AWS_REGION", "x/y"),
        ("AWS_REGION", "eu\nwest"),
        ("AWS_REGION", "a" * 31),
        ("AWS_SESSION_TOKEN", "a\nb"),
        ("AWS_ACCESS_KEY_ID", "a/b"),
    ],
)
def test_with_variables_that_lambda_never_sets_nobody_is_asked(gateway, called, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(NoExecutionRole, match=name):
        session(EVENT, called())

    assert gateway.asked == []


def test_a_gateways_name_that_no_header_may_hold_is_none(gateway, called, monkeypatch):
    monkeypatch.delenv("ACTAS_ISSUER")
    with pytest.raises(NoGateway):
        session(EVENT, called(), gateway=f"{gateway.url}/\nx")

    assert gateway.asked == []


ADDRESSES = ["", "actas.example", "http://actas.example", "ftp://127.0.0.1", "https://[", "http://127.0.0.1.example"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_gateway_in_clear_or_of_no_address_is_not_asked(gateway, called, monkeypatch, address):
    monkeypatch.delenv("ACTAS_ISSUER")
    with pytest.raises(NoGateway):
        session(EVENT, called(), gateway=address)

    assert gateway.asked == []


@pytest.mark.parametrize(
    "address",
    ["https://gateway..example", f"https://{'a' * 64}.example", "http://127.0.0.1:1/\u00fc"],
    ids=["an empty label", "a label of 64 letters", "a path that is not ASCII"],
)
def test_an_address_that_http_has_no_form_for_is_no_gateway(gateway, called, address):
    with pytest.raises(NoGateway):
        session(EVENT, called(), gateway=address)

    assert gateway.asked == []


def test_the_gateway_may_be_reached_by_another_address_than_its_name(gateway, called):
    found = session(EVENT, called(iss="https://actas.example"), issuer="https://actas.example", gateway=gateway.url)

    shown = proof.Proof(**json.loads(gateway.asked[0][1]))
    assert found.access_key_id == "ASIAWORK"
    assert isinstance(proof.read(shown, gateway="https://actas.example", now=clock.now()), proof.Read)


def test_a_refusal_is_told_by_the_gateways_code_alone(gateway, called):
    gateway.says = (403, b'{"code": "http.work-session-refused", "detail": "ana"}')
    with pytest.raises(SessionRefused, match=r"http\.work-session-refused") as told:
        session(EVENT, called())

    assert "ana" not in str(told.value)


@pytest.mark.parametrize("body", [b'{"x":' + b"[" * 30_000, b'{"code": 5}', b"[]"], ids=["deep", "a number", "a list"])
def test_a_refusal_without_a_code_is_told_by_its_status(gateway, called, body):
    gateway.says = (403, body)
    with pytest.raises(SessionRefused, match="status 403"):
        session(EVENT, called())


ANSWERS = [
    ("no JSON", b"<html/>"),
    ("no credentials", b"{}"),
    ("no end", json.dumps({**GIVEN, "Expiration": "soon"}).encode()),
    ("a deep thing", b'{"x":' + b"[" * 30_000),
    ("too much", b" " * (64 * 1024) + json.dumps(GIVEN).encode()),
]


@pytest.mark.parametrize("body", [row[1] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_that_is_none_gives_no_session(gateway, called, body):
    gateway.says = (200, body)
    with pytest.raises(GatewayUnreachable):
        session(EVENT, called())


def test_a_redirect_is_not_followed(gateway, called):
    gateway.says = (307, b"")
    with pytest.raises(SessionRefused, match="status 307"):
        session(EVENT, called())

    assert len(gateway.asked) == 1


def test_a_gateway_that_is_not_there_is_told(gateway, called):
    with pytest.raises(GatewayUnreachable):
        session(EVENT, called(), gateway="http://127.0.0.1:1")


def test_a_local_function_has_its_session_already(gateway, called, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "actas1.sealed")
    found = session(EVENT, called())

    assert (found.session_token, found.expires_at) == ("actas1.sealed", None)
    assert gateway.asked == []
    with pytest.raises(EventChanged):
        session({"month": "2026-11"}, called())


def test_the_time_can_be_said(gateway, called):
    at = clock.now() + timedelta(seconds=30)
    session(EVENT, called(), now=at)

    shown = proof.Proof(**json.loads(gateway.asked[0][1]))
    assert shown.date == f"{at:%Y%m%dT%H%M%SZ}"
