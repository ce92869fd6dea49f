"""The admin API: every action is a call with an identity, a rule and a trail; its document says what it does."""

import base64
import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from actas.model import clock

ONE = "01M84C8NMY5F7PP43C6AAK7H8X"
PAGES = [
    ("status.read", "GET", "/admin/v1/status", None),
    ("metrics.read", "GET", "/metrics", None),
    ("audit.read", "GET", f"/admin/v1/calls/{ONE}", None),
    ("explain", "POST", "/admin/v1/explain", {"function": "web", "claims": {}}),
    ("events.read", "GET", "/admin/v1/events", None),
    ("events.replay", "POST", "/admin/v1/events/replays", {"deliveries": ["nothing"]}),
    ("events.audit", "POST", "/admin/v1/events/audits", {"since": "2026-03-14T12:00:00Z"}),
    ("events.examine", "GET", "/admin/v1/events/sources", None),
    ("sessions.revoke", "POST", "/admin/v1/revocations", {"provider": "other", "reason": "a test"}),
    ("denials.decode", "POST", "/admin/v1/denials", {"message": "none of ours"}),
]


@pytest.fixture
def admin(gateway, tokens):
    def ask(method, path, body=None, token="dalia", **more):
        content = None if body is None else json.dumps(body).encode()
        return gateway.ask(method, path, token and tokens[token], control=True, content=content, **more)

    return ask


@pytest.mark.parametrize(("action", "method", "path", "body"), PAGES, ids=[one[0] for one in PAGES])
def test_an_action_needs_a_rule_that_names_it(action, method, path, body, admin, gateway):
    allowed, refused, unknown = (admin(method, path, body, token) for token in ("dalia", "ana", None))

    assert allowed.status_code in (200, 400, 404)
    assert (refused.status_code, unknown.status_code) == (403, 401)
    trail = gateway.trail(refused.headers["actas-call-id"])
    assert (trail[0]["function"], trail[0]["verdict"], trail[0]["door"]) == (f"admin:{action}", "deny", "admin")
    assert gateway.trail(allowed.headers["actas-call-id"])[0]["verdict"] == "allow"


def test_an_admin_action_is_not_called_as_a_function(gateway, tokens):
    for name in ("admin:status.read", "admin%3Astatus.read"):
        answer = gateway.ask("POST", f"/call/{name}", tokens["dalia"], content=b"{}")

        assert answer.status_code in (403, 404), answer.text
        assert "settings" not in answer.text


def test_status_tells_the_state_of_each_part(admin):
    state = admin("GET", "/admin/v1/status").json()

    assert state["ready"] is True
    assert [one["provider"] for one in state["providers"]] == ["corp"]


def test_the_trail_of_a_call_can_be_asked_for(admin, gateway, tokens):
    name = gateway.call("web", tokens["ana"]).headers["actas-call-id"]
    gateway.trail(name)

    answer = admin("GET", f"/admin/v1/calls/{name}")

    assert answer.status_code == 200
    assert [one["type"] for one in answer.json()["records"]] == ["decided", "ended"]
    assert admin("GET", "/admin/v1/calls/..%2f..%2fkeys").status_code == 404
    assert admin("GET", "/admin/v1/calls/nothing").status_code == 404


def claims(idp, **more):
    now = int(clock.now().timestamp())
    return {"iss": idp.issuer, "sub": "somebody", "aud": "actas", "iat": now, "exp": now + 60, **more}


def subject_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]


@pytest.mark.parametrize(("groups", "verdict"), [(["finance"], "allow"), (["engineering"], "deny")])
def test_explain_says_what_the_rules_would_say(groups, verdict, admin, idp):
    answer = admin("POST", "/admin/v1/explain", {"function": "web", "claims": claims(idp, groups=groups)})

    assert answer.json()["verdict"] == verdict
    assert answer.json()["reasons"]
    assert {one["rule"] for one in answer.json()["rules"]} >= {"callers"}


BODIES = [
    ("nothing", b""),
    ("no JSON", b"{"),
    ("a list", b"[]"),
    ("a key too many", b'{"function": "web", "claims": {}, "more": 1}'),
    ("a key too few", b'{"claims": {}}'),
    ("no text", b'{"function": 1, "claims": {}}'),
    ("no claims of a provider", b'{"function": "web", "claims": {"iss": "https://nobody.example"}}'),
    ("depth without end", b"[" * 60_000),
    ("a lone surrogate", b'{"function": "\\ud800", "claims": {}}'),
    ("bytes that are no UTF-8", b'{"function": "\xff", "claims": {}}'),
]


@pytest.mark.parametrize("body", [one[1] for one in BODIES], ids=[one[0] for one in BODIES])
def test_a_body_of_another_form_is_the_askers_mistake(body, gateway, tokens):
    answer = gateway.ask("POST", "/admin/v1/explain", tokens["dalia"], control=True, content=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "http.bad-body")


TIMES = ["", "yesterday", "2026-13-01T00:00:00Z", "99999-01-01", "0001-01-01T00:00:00+23:00"]


@pytest.mark.parametrize("at", TIMES)
def test_a_time_that_is_none_is_the_askers_mistake(at, admin, idp):
    answer = admin("POST", "/admin/v1/explain", {"function": "web", "claims": claims(idp), "at": at})

    assert answer.status_code == 400


def test_a_body_is_limited_in_size_and_time(gateway, tokens):
    def ask(*lines, body=b""):
        with gateway.control_wire() as wire:
            head = [b"POST /admin/v1/explain HTTP/1.1", b"Host: a.example", b"Authorization: Bearer " + token, *lines]
            return wire.say(b"\r\n".join([*head, b"", body])).answer()

    token = tokens["dalia"].encode()
    fits = b'{"function": "' + b"x" * (64 * 1024 - 30) + b'", "claims":{}}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(fits) + 1, fits + b" ")

    assert len(fits) == 64 * 1024 - 1
    assert ask(b"Content-Length: 65536", body=fits + b" ").json()["code"] == "http.bad-body"
    assert ask(b"Content-Length: 65537").status == 413
    assert ask(b"Transfer-Encoding: chunked", body=b"10001\r\n" + fits + b"  \r\n0\r\n\r\n").status == 413
    assert ask(b"Transfer-Encoding: chunked", body=chunked).json()["code"] == "http.bad-body"
    assert ask(b"Content-Length: 10", body=b"{").status == 408


class TestRevoking:
    @pytest.fixture
    def own(self, running, settings):
        with running(settings()) as one:
            yield one

    def revoke(self, own, tokens, **body):
        content = json.dumps({"provider": "corp", "reason": "a test", **body}).encode()
        return own.ask("POST", "/admin/v1/revocations", tokens["dalia"], control=True, content=content)

    def test_what_was_issued_before_is_refused_from_the_next_call_on(self, own, tokens, idp):
        before = own.call("web", tokens["ana"]).status_code

        answer = self.revoke(own, tokens, subject=subject_of(tokens["ana"]))

        assert (before, answer.status_code) == (200, 200)
        assert answer.json()["sessions_ended"] >= 1
        assert own.call("web", tokens["ana"]).status_code == 401
        assert own.call("web", tokens["chidi"]).status_code == 200

    def test_everybody_of_a_provider_can_be_ended(self, own, tokens, idp):
        assert self.revoke(own, tokens).status_code == 200

        assert [own.call("web", tokens[name]).status_code for name in ("ana", "chidi")] == [401, 401]
        assert self.revoke(own, tokens).status_code == 401

    @pytest.mark.parametrize(
        "body", [{"provider": "other"}, {"reason": ""}, {"reason": "x" * 65}, {"before": "soon"}, {"more": 1}]
    )
    def test_what_cannot_be_meant_is_refused_and_ends_nothing(self, own, tokens, body):
        assert self.revoke(own, tokens, **body).status_code == 400
        assert own.call("web", tokens["ana"]).status_code == 200


def test_the_document_describes_every_action_and_needs_no_token(admin, gateway):
    document = admin("GET", "/openapi.json", token=None).json()

    found = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    assert found == {action for action, *_ in PAGES}
    assert document["openapi"] == "3.1.0"


def test_whatever_the_document_allows_is_answered_as_it_says(gateway, tokens):
    schema = schemathesis.openapi.from_dict(gateway.ask("GET", "/openapi.json", control=True).json())
    headers = {"Authorization": f"Bearer {tokens['dalia']}"}
    seen = set()

    for found in schema.get_all_operations():
        for mode in GenerationMode:
            _ask(found.ok(), mode, f"http://{gateway.control}", headers, seen)

    assert {label for label, _ in seen} == {f"{method} {path.replace(ONE, '{call}')}" for _, method, path, _ in PAGES}
    assert {status for _, status in seen} >= {200, 400, 404}


def _ask(operation, mode, url, headers, seen):
    try:
        cases = operation.as_strategy(generation_mode=mode)
    except Unsatisfiable:  # nothing about it can be wrong
        return

    @hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=cases)
    def ask(case):
        response = case.call(base_url=url, headers=headers)
        seen.add((operation.label, response.status_code))
        # A claim of no provider is of the right form and yet no caller's.
        case.validate_response(
            response, headers=headers, excluded_checks=CHECKS.get_by_names(["positive_data_acceptance"])
        )

    try:
        ask()
    except Unsatisfiable:
        return
