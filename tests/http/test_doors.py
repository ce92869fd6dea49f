"""Which door serves what, on which origin, by which method, and what is said where it does not."""

import json
import re

import pytest

CALL_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
BUILT_IN = ["/healthz", "/readyz", "/.well-known/actas/jwks.json"]


@pytest.mark.parametrize("path", BUILT_IN)
@pytest.mark.parametrize("control", [False, True], ids=["public", "control"])
def test_health_and_keys_are_on_both_origins_and_need_no_token(path, control, gateway, service):
    answer = gateway.ask("GET", path, control=control)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/j")
    assert service.heads == []


def test_the_keys_are_public_and_may_be_cached(gateway):
    answer = gateway.ask("GET", "/.well-known/actas/jwks.json")

    assert answer.headers["cache-control"] == "max-age=300"
    assert all("d" not in key and key["kty"] in ("EC", "OKP") for key in answer.json()["keys"])
    assert answer.json()["keys"]


@pytest.mark.parametrize("path", [*BUILT_IN, "/metrics", "/.well-known/openid-configuration", "/2015-03-31/x"])
def test_a_route_that_takes_everything_takes_nothing_of_ours(path, gateway, service, tokens):
    answer = gateway.ask("GET", path, tokens["ana"])

    assert answer.status_code == (200 if path in BUILT_IN else 403 if "2015" in path else 404)
    assert service.heads == []
    assert gateway.ask("GET", "/anything", tokens["ana"]).status_code == 200


ADMIN = [
    ("GET", "/metrics"),
    ("GET", "/admin/v1/status"),
    ("POST", "/admin/v1/explain"),
    ("GET", "/admin/v1/calls/01M84C8NMY5F7PP43C6AAK7H8X"),
    ("POST", "/admin/v1/revocations"),
    ("GET", "/openapi.json"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN)
def test_admin_pages_are_not_on_the_public_origin(method, path, running, settings, tokens, service, gateway):
    found = gateway.ask(method, path, tokens["dalia"])

    if method == "GET" and path != "/metrics":  # the route that takes everything has these, as any other path
        assert (found.status_code, found.text, service.target) == (200, "hi", path)
    else:
        assert found.status_code in (404, 405)
        assert service.heads == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/call/web", "/orders/7", "/anything"])
def test_calls_are_not_taken_on_the_control_origin(method, path, gateway, service, tokens):
    answer = gateway.ask(method, path, tokens["ana"], control=True)

    assert (answer.status_code, answer.json()["code"]) == (404, "http.no-such-path")
    assert service.heads == []


def test_what_is_posted_to_the_root_of_the_control_origin_is_asked_of_sts(gateway, service, tokens):
    answer = gateway.ask("POST", "/", tokens["ana"], control=True)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/xml")
    assert b"<ErrorResponse" in answer.content
    assert service.heads == []


METHODS = [
    ("a call by GET", "GET", "/call/web", "POST", False),
    ("a call by OPTIONS", "OPTIONS", "/call/web", "POST", False),
    ("a call by HEAD", "HEAD", "/call/web", "POST", False),
    ("a route by another method", "DELETE", "/orders", "GET, POST", False),
    ("health by POST", "POST", "/healthz", "GET, HEAD", False),
    ("an admin page by DELETE", "DELETE", "/admin/v1/status", "GET, HEAD", True),
    ("an admin action by GET", "GET", "/admin/v1/revocations", "POST", True),
]


@pytest.mark.parametrize(
    ("method", "path", "allowed", "control"), [one[1:] for one in METHODS], ids=[one[0] for one in METHODS]
)
def test_another_method_is_told_which_there_are(method, path, allowed, control, gateway, service, tokens):
    answer = gateway.ask(method, path, tokens["dalia"], control=control)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.headers["content-type"] == "application/problem+json"
    assert method == "HEAD" or answer.json()["code"] == "http.method-not-allowed"
    assert service.heads == []


def test_head_of_a_page_has_the_head_alone(gateway):
    whole, head = gateway.ask("GET", "/healthz"), gateway.ask("HEAD", "/healthz")

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_head_and_options_of_a_route_are_its_functions_to_answer(gateway, service, tokens):
    for method in ("HEAD", "OPTIONS"):
        answer = gateway.ask(method, "/web/x", tokens["ana"])

        assert answer.status_code == 200
        assert service.heads[-1].startswith(f"{method} /web/x ")


def test_tracing_a_request_is_not_done(gateway, service, tokens):
    answer = gateway.ask("TRACE", "/web/x", tokens["ana"])

    assert answer.status_code >= 400
    assert service.heads == []
    assert tokens["ana"] not in answer.text


@pytest.mark.parametrize(
    "path", ["/call", "/call/", "/call/web/", "/call/web/x", "/%63all/web", "/Call/web/x", "/nothing/here"]
)
def test_a_path_that_nobody_serves_is_a_problem(path, gateway, service, tokens):
    answer = gateway.ask("POST", path, tokens["ana"])

    assert answer.status_code in (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.heads == []


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/", "/admin/v1/status/"])
@pytest.mark.parametrize("control", [False, True], ids=["public", "control"])
def test_nobody_is_sent_elsewhere(path, control, gateway):
    answer = gateway.ask("GET", path, control=control, headers={"Host": "other.example"})

    assert answer.status_code == 404 or (not control and answer.status_code == 401)
    assert "location" not in answer.headers


def test_every_answer_names_its_call(gateway, service, tokens):
    answers = [
        gateway.call("web", tokens["ana"]),
        gateway.call("web", tokens["ben"]),
        gateway.call("web", None),
        gateway.call("web", "abc"),
        gateway.ask("GET", "/orders/7", tokens["ana"]),
        gateway.ask("GET", "/call/web"),
        gateway.ask("GET", "/metrics", tokens["dalia"], control=True),
        gateway.ask("GET", "/nothing", control=True),
    ]

    names = [answer.headers["actas-call-id"] for answer in answers]
    assert all(CALL_ID.fullmatch(name) for name in names)
    assert len(set(names)) == len(names)
    for answer in answers:
        if answer.headers["content-type"] == "application/problem+json":
            problem = answer.json()
            assert problem["call"] == answer.headers["actas-call-id"]
            assert problem["status"] == answer.status_code
            assert problem["type"] == "about:blank"
            assert problem["title"]
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_no_says_why_and_what_would_help(gateway, tokens):
    answer = gateway.call("web", tokens["ben"])

    assert answer.status_code == 403
    assert answer.json()["reasons"]
    assert all(re.fullmatch(r"[a-z.-]+", one["code"]) and one["because"] for one in answer.json()["reasons"])


def test_a_function_that_is_not_there_is_refused_and_trailed(gateway, tokens):
    answer = gateway.call("nothing", tokens["ben"])

    assert answer.status_code == 403
    assert [one.get("verdict") for one in gateway.trail(answer.headers["actas-call-id"])] == ["deny", None]


def test_the_role_that_a_caller_names_is_taken_where_it_is_among_the_allowed(gateway, tokens):
    taken = gateway.call("web", tokens["ana"], **{"Actas-Role": "reader"})
    other = gateway.call("web", tokens["ana"], **{"Actas-Role": "admin"})

    assert (taken.status_code, other.status_code) == (200, 403)
    assert gateway.trail(taken.headers["actas-call-id"])[0]["role"] == "reader"
    assert gateway.trail(other.headers["actas-call-id"])[0]["role"] is None


def test_the_trace_of_a_call_is_in_its_trail(gateway, tokens):
    trace = "0af7651916cd43dd8448eb211c80319c"

    kept = gateway.call("web", tokens["ana"], traceparent=f"00-{trace}-b7ad6b7169203331-01")
    none = gateway.call("web", tokens["ana"], traceparent="00-0-0-0")

    assert gateway.trail(kept.headers["actas-call-id"])[0]["trace"] == trace
    assert gateway.trail(none.headers["actas-call-id"])[0].get("trace") is None


class TestRoutesOfFunctionsHere:
    def test_what_belongs_to_the_connection_is_ours_to_say(self, local, tokens):
        with local.wire() as wire:
            answer = wire.say(
                b"GET /page HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer "
                + tokens["ana"].encode()
                + b"\r\n\r\n"
            ).answer()

        assert answer.status == 201
        assert answer.body == b"/page"
        assert answer["content-length"] == "5"
        assert answer["x-own"] == "yes"
        assert CALL_ID.fullmatch(answer["actas-call-id"])
        assert not {"connection", "keep-alive", "transfer-encoding", "trailer", "upgrade"} & {
            name.lower() for name, _ in answer.fields
        }
        assert [value for name, value in answer.fields if name == "set-cookie"] == ["a=1; HttpOnly", "b=2"]

    def test_the_path_that_was_decided_on_is_the_one_in_the_event(self, local, tokens):
        answer = local.ask("GET", "/pages/a%20b%C3%A9", tokens["ana"])

        assert answer.text == "/pages/a bé"  # decoded, as payload format 2.0 has it
        assert local.trail(answer.headers["actas-call-id"])[0]["route"] == "GET /pages/{id}"

    def test_an_event_comes_back_as_the_function_gives_it(self, local, tokens):
        answer = local.call("echo", tokens["ana"], {"a": [1, None, "é"]})

        assert answer.json() == {"event": {"a": [1, None, "é"]}}
        assert answer.headers["content-type"] == "application/json"
        assert "x-amz-function-error" not in answer.headers

    def test_a_function_that_fails_says_so_as_in_aws(self, local, tokens):
        answer = local.call("echo", tokens["ana"], {"sleep": "not a number"})

        assert answer.status_code == 200
        assert answer.headers["x-amz-function-error"] == "Unhandled"
        assert answer.json()["errorType"] == "TypeError"
        assert local.trail(answer.headers["actas-call-id"])[-1]["outcome"] == "function-error"

    def test_a_body_that_is_no_json_is_the_callers_mistake(self, local, tokens):
        answer = local.ask("POST", "/call/echo", tokens["ana"], content=b"{")

        assert answer.status_code == 400 or answer.headers.get("x-amz-function-error")
        assert json.loads(answer.content)


def test_readyz_says_on_the_control_origin_what_stands(gateway):
    state = gateway.ask("GET", "/readyz", control=True).json()

    assert state["ready"] is True
    assert state["settings"]["broken"] is None
    assert state["mode"] == "enforce"
    (corp,) = state["providers"]
    assert (corp["provider"], corp["ready"], corp["error"], corp["failing_since"]) == ("corp", True, None, None)
    assert corp["keys"] >= 1
    assert corp["fetched_at"].endswith("+00:00")


def test_readyz_tells_strangers_on_the_public_origin_one_word(gateway):
    answer = gateway.ask("GET", "/readyz")

    assert (answer.status_code, answer.json()) == (200, {"ready": True})


def test_metrics_count_by_outcome_and_never_by_a_name_that_a_caller_chose(gateway, tokens):
    gateway.call("made-up-by-a-caller", tokens["ana"])
    gateway.call("web", "abc")

    text = gateway.ask("GET", "/metrics", tokens["dalia"], control=True).text

    assert 'actas_calls_total{function="",outcome="refused"}' in text
    assert "made-up-by-a-caller" not in text
    assert 'actas_strangers_total{reason="identify.malformed-token"}' in text
    assert "actas_requests_in_flight 1.0" in text
    assert (
        'actas_calls_total{function="admin:metrics.read",outcome="answered"}'
        in gateway.ask("GET", "/metrics", tokens["dalia"], control=True).text
    )
