"""What reads forms, cookies and RelayStates: one reading or none, and only their own errors."""

import contextlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.http.saml import codes, cookies, forms, pending
from actas.http.saml.errors import BadForm
from actas.http.saml.pages import Form, page
from actas.identify.own import Minted
from actas.model.secret import Secret
from actas.secrets.sealing import Sealing

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    found = Sealing(tmp_path_factory.mktemp("ring") / "sealing.json")
    found.rotate(NOW)
    return found


@given(st.dictionaries(PLAIN, PLAIN, max_size=8))
def test_what_a_browser_writes_is_read(fields):
    assert forms.pairs(urlencode(fields).encode()) == fields


@given(st.binary(max_size=300))
def test_whatever_comes_as_a_form_is_read_or_refused(body):
    with contextlib.suppress(BadForm):
        forms.pairs(body)


FORM = b"application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "kind",
    [FORM, FORM + b" ; charset=utf-8 ", FORM + b';charset="UTF-8"', FORM + b" " * 1_000_000],
    ids=["bare", "with blanks", "in quotes", "with a megabyte of blanks"],
)
def test_a_form_is_told_by_its_type_in_a_time_that_grows_with_it_alone(kind):
    assert forms.read([(b"content-type", kind)], b"a=b") == {"a": "b"}
    with pytest.raises(BadForm):  # were there two ways to read each blank, this would take hours
        forms.read([(b"content-type", kind + b" x")], b"a=b")


@given(st.binary(max_size=200))
def test_whatever_comes_as_a_cookie_is_read_or_left(value):
    found = cookies.read([(b"cookie", value)])

    assert all(name.startswith("__Host-actas-") for name in found)


def test_a_cookie_that_came_twice_is_none():
    one, other = b"__Host-actas-sign-in=a", b"__Host-actas-sign-in=b; __Host-actas-saml-x=c"

    assert cookies.read([(b"cookie", one)]) == {"__Host-actas-sign-in": "a"}
    assert cookies.read([(b"cookie", one), (b"cookie", other)]) == {"__Host-actas-saml-x": "c"}
    assert cookies.read([(b"cookie", one + b"; " + other)]) == {"__Host-actas-saml-x": "c"}


def test_only_cookies_that_this_host_set_are_read():
    told = b"actas-sign-in=a; __Secure-actas-sign-in=b; __host-actas-sign-in=c; __Host-other=d"

    assert cookies.read([(b"cookie", told)]) == {}


def begun(ring, **more):
    one = pending.begin(ring, "ping", now=NOW, **more)
    return one, cookies.read([(b"cookie", one.cookie.partition(";")[0].encode())])


def test_a_question_is_found_by_its_relay_state(ring):
    one, shown = begun(ring)
    relay = one.pending.relay

    assert pending.found(ring, shown, relay, provider="ping", what="sign-in", now=NOW) == one.pending


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"relay": "another"}, "another RelayState"),
        ({"relay": None}, "no RelayState"),
        ({"provider": "pong"}, "another provider's door"),
        ({"what": "sign-out"}, "another kind of answer"),
        ({"now": NOW + pending.LASTS}, "too late"),
        ({"shown": {}}, "no cookie"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_question_is_not_found_by(ring, changes, why):
    one, shown = begun(ring)
    asked = {"shown": shown, "relay": one.pending.relay, "provider": "ping", "what": "sign-in", "now": NOW} | changes
    last = NOW + pending.LASTS - timedelta(microseconds=1)
    in_time = {"shown": shown, "relay": one.pending.relay, "provider": "ping", "what": "sign-in", "now": last}

    assert pending.found(ring, **asked) is None, why
    assert pending.found(ring, **in_time) == one.pending


def test_the_cookie_of_one_question_does_not_go_with_another(ring):
    (one, shown), (other, _) = begun(ring), begun(ring)
    swapped = {cookies.pending_name(other.pending.relay): next(iter(shown.values()))}

    assert pending.found(ring, swapped, other.pending.relay, provider="ping", what="sign-in", now=NOW) is None
    assert one.pending.request != other.pending.request


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("/", True),
        ("/console?page=2&x=%2F", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example/", False),
        ("/a b", False),
        ("/a\n", False),
        ("", False),
        ("/" + "a" * 501, False),
    ],
)
def test_a_page_is_one_of_ours(text, good):
    assert pending.is_page(text) is good


@given(st.text(max_size=80))
def test_a_code_goes_to_this_machine_alone(redirect):
    assert pending.cli_of(redirect, "s" * 22, "c" * 43) is None


def test_a_code_opens_for_its_verifier(ring):
    minted = Minted(shown=Secret("token"), expires_at=NOW)
    verifier = "v" * 43
    challenge = codes._challenge(verifier)
    code = codes.write(ring, "ping", minted, Secret("leave"), redirect="r", challenge=challenge, now=NOW).reveal()

    def opened(now=NOW, **changes):
        asked = {"provider": "ping", "redirect": "r", "verifier": verifier} | changes
        return codes.opened(ring, code, **asked, now=now)

    assert opened(now=NOW + codes.LASTS - timedelta(microseconds=1)).token == "token"
    assert opened(now=NOW + codes.LASTS) is None
    assert opened(verifier="w" * 43) is None
    assert opened(provider="pong") is None
    assert opened(redirect="q") is None
    assert "token" not in code


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_is_written_into_a_page_leaves_its_place(title, value):
    form = Form(action="https://idp.example/sso", button=title, fields={"SAMLRequest": value}, sent=True)
    written = page(title, [value], nonce="n", call="c", form=form).body.decode()

    assert written.count("<script") == 1
    assert written.count("<form") == 1
    assert written.count("<input") == 1
