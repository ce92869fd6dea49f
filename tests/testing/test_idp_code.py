"""Authorization code with PKCE: what the provider gives, and to whom it gives nothing."""

import re
from datetime import timedelta

import pytest

from actas.model import clock
from actas.model.secret import Secret
from actas.testing.idp import Client, Idp
from actas.testing.idp.authorize import is_registered

NATIVE = Client(id="native", redirects=("http://127.0.0.1/callback", "http://[::1]/callback", "https://app.example/cb"))


@pytest.mark.parametrize(
    ("redirect", "taken"),
    [
        ("http://127.0.0.1:49152/callback", True),
        ("http://127.0.0.1:1/callback", True),
        ("http://127.0.0.1/callback", True),
        ("http://[::1]:49152/callback", True),
        ("https://app.example/cb", True),
        ("https://app.example:444/cb", False),
        ("https://app.example/cb/", False),
        ("https://app.example/cb?next=https://evil.example", False),
        ("http://127.0.0.1:49152/callback/", False),
        ("http://127.0.0.1:49152/callback?x=1", False),
        ("http://127.0.0.1:49152/callback#x", False),
        ("http://127.0.0.1:49152/Callback", False),
        ("http://localhost:49152/callback", False),
        ("http://127.0.0.1:49152@evil.example/callback", False),
        ("http://evil.example@127.0.0.1:49152/callback", False),
        ("http://127.0.0.2:49152/callback", False),
        ("http://127.0.0.1:99999/callback", False),
        ("http://127.0.0.1:049152/callback", False),
        ("https://127.0.0.1:49152/callback", False),
        ("", False),
    ],
)
def test_a_redirect_address_is_exact_but_for_the_port_on_loopback(redirect, taken):
    assert is_registered(redirect, NATIVE) is taken


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": "http://evil.example/callback"},
        {"redirect_uri": None},
    ],
    ids=["an unknown client", "no client", "a foreign redirect", "no redirect"],
)
def test_what_cannot_be_trusted_is_told_here_and_never_by_a_redirect(talk, wrong):
    response = talk.ask(**wrong)

    assert response.status_code == 400
    assert "location" not in response.headers


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"state": "s" * 5000}, "invalid_request"),
    ],
)
def test_what_else_is_wrong_is_told_to_the_client_with_its_state_and_our_name(talk, carried, wrong, error):
    told = carried(talk.ask(**wrong))

    assert told["error"] == error
    assert told["iss"] == talk.issuer
    assert told["state"] == wrong.get("state", "a-state")


def test_a_parameter_that_comes_twice_is_refused(talk):
    address = f"{talk.found['authorization_endpoint']}?client_id=cli&client_id=web"

    assert talk.web.get(address).status_code == 400


def test_the_answer_carries_code_state_and_issuer_and_is_kept_by_nobody(talk, carried):
    response = talk.answer(talk.ask())

    told = carried(response)
    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("a-state", talk.issuer)
    assert response.headers["cache-control"] == "no-store"


def test_a_wrong_password_asks_again_and_gives_no_code(talk):
    response = talk.answer(talk.ask(), password="guess")

    assert response.status_code == 401
    assert "not this person&#39;s password" in response.text


def test_after_a_wrong_password_the_right_one_still_does(talk, carried):
    again = talk.answer(talk.ask(), password="guess")

    assert "code" in carried(talk.answer(again))


def test_the_fifth_wrong_password_ends_the_sign_in(talk, carried):
    page = talk.ask()
    for _ in range(4):
        page = talk.answer(page, password="guess")

    assert carried(talk.answer(page, password="guess"))["error"] == "access_denied"


def test_somebody_who_is_not_known_is_refused_like_a_wrong_password(talk):
    assert talk.answer(talk.ask(), person="nobody", password="").status_code == 401


def test_a_person_may_say_no(talk, carried):
    assert carried(talk.answer(talk.ask(), answer="no", password=""))["error"] == "access_denied"


def test_a_form_counts_only_in_the_browser_that_was_shown_it(talk, talk_to, shared_idp):
    page = talk.ask()
    other = talk_to(shared_idp)
    other.ask()

    assert other.answer(page).status_code == 400
    assert talk.answer(talk.ask()).status_code == 303


def test_a_form_counts_once(talk):
    page = talk.ask()
    talk.answer(page)

    assert talk.answer(page).status_code == 400


def test_a_code_counts_once_and_its_second_use_ends_what_came_of_it(talk):
    code = talk.code()
    given = talk.trade(code).json()

    again = talk.trade(code)

    assert again.json()["error"] == "invalid_grant"
    renewed = talk.token({"grant_type": "refresh_token", "client_id": "cli", "refresh_token": given["refresh_token"]})
    assert renewed.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": None},
        {"code_verifier": "v" * 42},
        {"redirect_uri": "http://127.0.0.1:49153/callback"},
        {"redirect_uri": None},
    ],
)
def test_a_code_counts_only_with_its_verifier_and_its_redirect(talk, wrong):
    assert talk.trade(talk.code(), **wrong).json()["error"] == "invalid_grant"


def test_a_code_of_another_client_is_worth_nothing(talk):
    secret = talk.idp.clients["web"].secret.reveal()

    response = talk.trade(talk.code(), client_id="web", client_secret=secret)

    assert response.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("late", "taken"), [(timedelta(seconds=59), True), (timedelta(seconds=60), False)])
def test_a_code_lives_for_a_minute(make_actas_idp, talk_to, late, taken):
    start = clock.now()
    idp = make_actas_idp(algorithm="ES256", clock=lambda: start)
    talk = talk_to(idp)
    code = talk.code()
    idp.faults.skew = late

    assert ("access_token" in talk.trade(code).json()) is taken


def test_tokens_are_kept_by_no_cache(talk):
    assert talk.trade(talk.code()).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "auth", "status", "error"),
    [
        ({"client_id": "robot"}, None, 401, "invalid_client"),
        ({"client_id": "robot", "client_secret": "guess"}, None, 401, "invalid_client"),
        ({}, ("robot", "guess"), 401, "invalid_client"),
        ({"client_secret": "guess"}, ("robot", "guess"), 400, "invalid_request"),
        ({"client_id": "web"}, ("robot", "guess"), 400, "invalid_request"),
        ({"client_id": "nobody", "client_secret": ""}, None, 401, "invalid_client"),
        ({"client_id": "cli", "client_secret": "made-up"}, None, 401, "invalid_client"),
        ({"client_id": "cli"}, None, 400, "unauthorized_client"),
    ],
)
def test_a_program_that_does_not_prove_itself_gets_nothing(talk, form, auth, status, error):
    response = talk.token({"grant_type": "client_credentials"} | form, auth=auth)

    assert (response.status_code, response.json()["error"]) == (status, error)


def test_a_client_id_with_special_characters_authenticates_in_the_form_of_the_standard(make_actas_idp, talk_to):
    odd = Client(id="a:b c", secret=Secret("p%+:w"), grants=frozenset({"client_credentials"}), scopes=("x",))
    talk = talk_to(make_actas_idp(clients=[odd], algorithm="ES256"))

    response = talk.token({"grant_type": "client_credentials"}, auth=("a%3Ab+c", "p%25%2B%3Aw"))

    assert response.status_code == 200


@pytest.mark.parametrize("grant", ["password", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"])
def test_the_password_grant_and_others_do_not_exist(talk, grant):
    response = talk.token({"grant_type": grant, "client_id": "cli", "username": "ana", "password": "x"})

    assert response.json()["error"] == "unsupported_grant_type"


def test_a_body_that_is_no_form_is_refused(talk):
    response = talk.web.post(talk.found["token_endpoint"], json={"grant_type": "client_credentials"})

    assert response.json()["error"] == "invalid_request"


def test_a_body_that_is_too_long_is_refused(talk):
    assert talk.token({"grant_type": "x" * 40_000}).json()["error"] == "invalid_request"


@pytest.mark.parametrize(("resource", "audience"), [(None, "actas"), ("https://api.example", "https://api.example")])
def test_a_token_is_for_the_resource_that_was_asked_for(make_actas_idp, talk_to, resource, audience):
    import msgspec

    from actas import jose

    idp = make_actas_idp(algorithm="ES256")
    idp.audiences.add("https://api.example")
    talk = talk_to(idp)

    given = talk.trade(talk.code(resource=resource)).json()

    keys = jose.KeySet.from_json(idp.jwks())
    claims = msgspec.json.decode(jose.verify_jws(given["access_token"], keys, algorithms=("ES256",)).payload)
    assert claims["aud"] == audience


def test_an_unknown_resource_is_refused(talk):
    assert talk.trade(talk.code(resource="https://other.example")).json()["error"] == "invalid_target"


class TestThePage:
    def test_it_loads_nothing_and_may_not_be_framed(self, talk):
        page = talk.ask()

        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"(src|href)=", page.text)

    def test_it_says_that_it_is_a_test_provider(self, talk):
        assert "Not for production" in talk.ask().text

    def test_its_cookie_is_hidden_from_scripts_and_from_other_sites_forms(self, talk):
        cookie = talk.ask().headers["set-cookie"].lower()

        assert "httponly" in cookie
        assert "samesite=lax" in cookie

    def test_it_shows_what_a_stranger_wrote_as_text(self, make_actas_idp, talk_to):
        odd = Client(id="<script>alert(1)</script>", redirects=("http://127.0.0.1/callback",))
        talk = talk_to(make_actas_idp(clients=[odd], algorithm="ES256"))

        page = talk.ask(client_id=odd.id)

        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text

    def test_it_offers_the_hinted_person_first(self, talk):
        assert re.search(r'value="ben" required checked', talk.ask(login_hint="ben").text)

    def test_it_labels_each_field(self, talk):
        page = talk.ask().text

        assert '<html lang="en">' in page
        assert '<label for="password">' in page
        assert "<legend>" in page


def test_a_host_name_that_was_rebound_to_us_is_not_answered(talk):
    response = talk.web.get(talk.found["jwks_uri"], headers={"Host": "evil.example"})

    assert response.status_code == 421


def test_people_get_another_password_in_each_provider():
    one, other = (Idp(algorithm="ES256", base_url="https://idp.example") for _ in range(2))

    assert not one.people["ana"].password.matches(other.people["ana"].password.reveal())
