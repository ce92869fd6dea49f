"""`actas call` against a real gateway, and against what is no gateway."""

import contextlib
import http.server
import io
import sys
import threading

import pytest

from actas.cli.call import failure_text, read


def test_what_the_function_gives_back_is_the_answer(at_bench):
    said = at_bench("call", "hello", "--as", "ana", "--payload", '{"name": "Ana"}')

    assert (said.code, said.out, said.err) == (0, '{"hello": "Ana"}\n', "")


def test_with_json_the_answer_has_its_call_id(at_bench):
    said = at_bench("call", "hello", "--as", "ana", "--json")

    call = said.data.pop("call")
    assert said.code == 0
    assert {**said.data, "call": None} == {
        "outcome": "answered",
        "status": 200,
        "call": None,
        "answer": {"hello": "you"},
    }
    assert len(call) == 26


def test_a_no_is_an_answer_with_its_reasons(at_bench):
    said = at_bench("call", "payroll", "--as", "ben")

    verdict, reason = said.out.splitlines()
    assert (said.code, said.err, verdict) == (1, "", "denied")
    assert reason.startswith("  ")
    assert reason.endswith("[no-rule-allows]")


def test_a_no_has_the_same_codes_as_json(at_bench):
    said = at_bench("call", "payroll", "--as", "ben", "--json")

    assert (said.code, said.data["outcome"], said.data["status"]) == (1, "denied", 403)
    assert [one["code"] for one in said.data["answer"]["reasons"]] == ["no-rule-allows"]


def test_a_function_that_fails_is_told_from_a_call_that_was_not_taken(at_bench):
    said = at_bench("call", "broken", "--as", "ana")

    assert said.code == 3
    assert '"errorType": "KeyError"' in said.out
    assert said.err.startswith("the function failed; its error is above, its log: actas logs --call ")


def test_a_role_outside_what_the_rules_offer_is_a_no(at_bench):
    assert at_bench("call", "hello", "--as", "ana", "--role", "staff").code == 0
    assert at_bench("call", "hello", "--as", "ana", "--role", "admin").code == 1


def test_a_function_that_is_not_there_is_not_found_out_by_its_answer(at_bench):
    said = at_bench("call", "nowhere/../hello", "--as", "ana")

    assert said.code in (1, 2)
    assert "Traceback" not in said.err


def test_an_event_comes_from_a_file_or_from_standard_input(at_bench, tmp_path, monkeypatch):
    (tmp_path / "event.json").write_text('{"name": "file"}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"name": "pipe"}')))

    assert at_bench("call", "hello", "--as", "ana", "--payload", f"@{tmp_path / 'event.json'}").out == (
        '{"hello": "file"}\n'
    )
    assert at_bench("call", "hello", "--as", "ana", "--payload", "@-").out == '{"hello": "pipe"}\n'


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--payload", "@not-there.json"), "cli.bad-file"),
        (("--payload", "{'single': 1}"), "cli.not-json"),
        (("--gateway", "http://functions.example"), "cli.not-encrypted"),
        (("--gateway", "ftp://functions.example"), "cli.not-encrypted"),
        (("--state", "elsewhere"), "cli.no-gateway"),
        (("--as", "nobody"), "cli.not-signed-in"),
    ],
    ids=[
        "an event file that is not there",
        "an event that is not JSON",
        "a token never travels in the clear",
        "a gateway speaks HTTP",
        "a state folder without a gateway",
        "somebody who is not signed in",
    ],
)
def test_what_was_asked_wrongly_is_said_and_nothing_is_called(at_bench, arguments, code):
    said = at_bench("call", "hello", *(("--as", "ana") if "--as" not in arguments else ()), *arguments)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error[{code}]: ")
    assert "\n  hint: " in said.err


def test_a_gateway_that_is_not_there_is_said_to_be_so(at_bench):
    said = at_bench("call", "hello", "--as", "ana", "--gateway", "http://127.0.0.1:1")

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("error[actas.not-reachable]: http://127.0.0.1:1/call/hello did not answer: ")


@contextlib.contextmanager
def listening(answer):
    """Listen for one request after the other; *answer* is what each gets."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def test_no_proxy_of_the_environment_ever_sees_a_token(at_bench, monkeypatch):
    with listening((200, {}, b"{}")) as (proxy, seen):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)

        assert at_bench("call", "hello", "--as", "ana").code == 0
        assert seen == []


def test_a_redirect_is_not_followed(at_bench):
    with listening((307, {"Location": "http://127.0.0.1:1/"}, b"")) as (url, seen):
        said = at_bench("call", "hello", "--as", "ana", "--gateway", url)

    assert (said.code, seen) == (3, ["/call/hello"])
    assert said.err.startswith("error[http.307]: ")


@pytest.mark.parametrize("body", [b"<h1>Forbidden</h1>", b'"no"', b'{"reasons": "no"}'])
def test_a_403_of_something_else_is_no_decision(at_bench, body):
    with listening((403, {}, body)) as (url, _seen):
        said = at_bench("call", "hello", "--as", "ana", "--gateway", url)

    assert said.code == 3
    assert said.err.startswith("error[http.403]: ")


@pytest.mark.parametrize(
    ("status", "headers", "code", "hint"),
    [
        (401, {}, 3, "actas who --as NAME"),
        (429, {"retry-after": "7"}, 3, "Call again in 7 s."),
        (413, {}, 2, "Send a smaller event."),
        (503, {"retry-after": "5"}, 3, "/readyz"),
        (502, {"actas-call-id": "01M8"}, 3, "actas audit show 01M8"),
    ],
    ids=[
        "not believed: who says why",
        "too many: when to come again",
        "too large is the caller's",
        "not ready: where to look",
        "a failure has its call id",
    ],
)
def test_what_failed_has_a_hint_of_its_own(status, headers, code, hint):
    found = read(status, headers, "{}")

    assert (found.outcome, found.exit_code) == ("failed", code)
    assert hint in failure_text(found)


def test_a_token_that_is_not_believed_is_no_denial(at_bench, bench):
    from actas.testing.idp import Idp

    with Idp(shape="oidc") as stranger:
        from actas.cli.login_demo import Demo, DemoPerson, write_demo

        folder = bench.folder / "stranger"
        folder.mkdir(exist_ok=True, mode=0o700)
        people = {"ana": DemoPerson(password=stranger.people["ana"].password.reveal())}
        write_demo(folder, Demo(issuer=stranger.issuer, client_id="cli", people=people))
        said = at_bench("call", "hello", "--as", "ana", "--state", folder, "--gateway", bench.url)

    assert said.code == 3
    assert said.err.startswith("error[http.401]: who is calling is not known\n  hint: See which step fails: ")


def test_what_a_function_writes_gives_the_terminal_no_orders():
    assert "\x1b" not in failure_text(read(500, {}, '{"title": "\\u001b[2Jgone"}'))
