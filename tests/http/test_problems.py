"""What is told when something is not done, and to whom: every error of the house has an answer that says no more."""

import importlib
import inspect
import json
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import actas
from actas.errors import ActasError
from actas.http.calls import Unexpected, unexpected
from actas.http.errors import MalformedAuthorization, MethodNotAllowed, NoToken, TooManyCalls
from actas.http.problems import TITLES, problem, refusal
from actas.model.decision import Deny, Reason

NAME = "01M84C8NMY5F7PP43C6AAK7H8X"
SAID = "what the error itself says"


def _rooms():
    for found in pkgutil.walk_packages(actas.__path__, "actas."):
        if not any(part in found.name for part in ("__main__", "testing", "forkserver", "inside")):
            yield importlib.import_module(found.name)


def _errors():
    found = {
        kind
        for module in _rooms()
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ActasError) and "code" in vars(kind) and kind.code
    }
    return sorted(found, key=lambda kind: kind.code)


def made(kind):
    """Make one without knowing its facts: they are what must not be told."""
    one = kind.__new__(kind)
    Exception.__init__(one, SAID)
    one.allowed = ("GET", "POST")
    one.retry_after = 7
    return one


@pytest.mark.parametrize("kind", _errors(), ids=lambda kind: kind.code)
def test_every_error_has_an_answer_that_says_what_may_be_said(kind):
    error = made(kind)

    status, head, content = problem(error, NAME)
    told, fields = json.loads(content), dict(head)

    assert status == kind.status
    assert status in TITLES or status == 500
    assert told["status"] == status
    assert told["call"] == NAME
    assert told["title"]
    assert fields[b"content-length"] == str(len(content)).encode()
    assert fields[b"content-type"] == b"application/problem+json"
    assert (SAID in content.decode()) <= kind.code.startswith(("http.", "model.path-"))
    assert ("code" in told) <= (status != 401 and not kind.code.startswith("identify."))
    assert (b"www-authenticate" in fields) == (status == 401 or kind is MalformedAuthorization)
    assert (b"retry-after" in fields) == (status in (429, 503))
    assert (b"allow" in fields) == (status == 405)
    assert kind.hint not in content.decode()


def test_the_challenges_are_those_of_rfc_6750():
    assert dict(problem(NoToken(), NAME)[1])[b"www-authenticate"] == b'Bearer realm="actas"'
    wrong = problem(MalformedAuthorization(why="it shows two"), NAME)
    assert (wrong[0], dict(wrong[1])[b"www-authenticate"]) == (400, b'Bearer realm="actas", error="invalid_request"')


def test_when_to_come_again_is_as_the_limit_says():
    assert dict(problem(TooManyCalls(whose="caller", retry_after=42), NAME)[1])[b"retry-after"] == b"42"
    assert dict(problem(MethodNotAllowed(allowed=("GET", "PUT")), NAME)[1])[b"allow"] == b"GET, PUT"


@given(st.text(), st.text())
def test_a_no_is_json_whatever_its_reasons_say(code, because):
    status, head, content = refusal(Deny(reasons=(Reason(code=code, because=because),), generation="g"), NAME)

    assert status == 403
    assert json.loads(content)["reasons"] == [{"code": code, "because": because}]
    assert dict(head)[b"content-length"] == str(len(content)).encode()


def test_what_nobody_foresaw_is_logged_by_where_it_was_and_not_by_what_it_says(caplog):
    secret = "hunter2-of-the-caller"

    try:
        raise KeyError(secret)  # noqa: TRY301 - as a dictionary would
    except KeyError as error:
        told = unexpected(NAME, error)

    assert isinstance(told, Unexpected)
    assert NAME in caplog.text
    assert "KeyError" in caplog.text
    assert secret not in caplog.text
    assert secret not in problem(told, NAME)[2].decode()
