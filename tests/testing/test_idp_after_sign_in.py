"""Refresh, revocation, userinfo, signing out, and the device grant."""

import base64
from datetime import timedelta
from hashlib import sha256

import pytest

from actas.model import clock
from actas.testing.idp import DEVICE_CODE


def renew(talk, token, **more):
    return talk.token({"grant_type": "refresh_token", "client_id": "cli", "refresh_token": token, **more})


def who(talk, token):
    return talk.web.get(talk.found["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})


def test_a_refresh_gives_new_tokens_and_another_refresh_token(talk):
    given = talk.trade(talk.code()).json()

    renewed = renew(talk, given["refresh_token"]).json()

    assert renewed["access_token"] != given["access_token"]
    assert renewed["refresh_token"] != given["refresh_token"]


def test_a_refresh_token_that_comes_a_second_time_ends_the_sign_in(talk):
    given = talk.trade(talk.code()).json()
    renewed = renew(talk, given["refresh_token"]).json()

    assert renew(talk, given["refresh_token"]).json()["error"] == "invalid_grant"
    assert renew(talk, renewed["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("scope", "taken"), [("openid", True), ("openid profile", True), ("openid email", False)])
def test_a_refresh_never_gives_more_than_was_granted(talk, scope, taken):
    given = talk.trade(talk.code(scope="openid profile")).json()

    assert ("access_token" in renew(talk, given["refresh_token"], scope=scope).json()) is taken


def test_a_refresh_token_of_another_client_is_worth_nothing(talk):
    given = talk.trade(talk.code()).json()
    secret = talk.idp.clients["web"].secret.reveal()

    assert renew(talk, given["refresh_token"], client_id="web", client_secret=secret).status_code == 400


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_revoking_either_token_ends_the_sign_in(talk, which):
    given = talk.trade(talk.code()).json()

    answer = talk.web.post(talk.found["revocation_endpoint"], data={"client_id": "cli", "token": given[which]})

    assert answer.status_code == 200
    assert renew(talk, given["refresh_token"]).status_code == 400
    assert who(talk, given["access_token"]).status_code == 401


def test_revoking_what_does_not_exist_is_no_error(talk):
    answer = talk.web.post(talk.found["revocation_endpoint"], data={"client_id": "cli", "token": "made-up"})

    assert answer.status_code == 200


def test_a_client_cannot_revoke_what_another_got(talk):
    given = talk.trade(talk.code()).json()
    secret = talk.idp.clients["web"].secret.reveal()

    form = {"client_id": "web", "client_secret": secret, "token": given["refresh_token"]}
    answer = talk.web.post(talk.found["revocation_endpoint"], data=form)

    assert answer.status_code == 400
    assert renew(talk, given["refresh_token"]).status_code == 200


def test_userinfo_says_who_it_is_as_far_as_the_scopes_go(talk):
    given = talk.trade(talk.code(scope="openid profile")).json()

    said = who(talk, given["access_token"]).json()

    assert said == {"sub": talk.idp.people["ana"].id, "name": "Ana", "preferred_username": "ana"}


def test_userinfo_tells_a_stranger_nothing(talk):
    assert who(talk, "made-up").status_code == 401


@pytest.mark.parametrize(
    ("there", "status"),
    [("https://app.example/bye", 303), ("https://evil.example/", 400), (None, 200)],
)
def test_signing_out_leads_only_where_the_client_registered(talk, there, status):
    said = {"client_id": "web", "state": "s"} | ({"post_logout_redirect_uri": there} if there else {})

    assert talk.web.get(talk.found["end_session_endpoint"], params=said).status_code == status


class Waiting:
    """A device that waits for a person, at a provider whose clock we hold."""

    def __init__(self, talk):
        self.talk = talk
        self.codes = talk.web.post(
            talk.found["device_authorization_endpoint"], data={"client_id": "cli", "scope": "openid"}
        ).json()

    def poll(self):
        code = self.codes["device_code"]
        return self.talk.token({"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": code}).json()

    def later(self, seconds):
        self.talk.idp.faults.skew += timedelta(seconds=seconds)

    def connect(self, **changes):
        page = self.talk.web.get(self.codes["verification_uri_complete"])
        return self.talk.answer(page, **({"user_code": self.codes["user_code"]} | changes))


@pytest.fixture
def device(make_actas_idp, talk_to):
    start = clock.now()
    return Waiting(talk_to(make_actas_idp(algorithm="ES256", clock=lambda: start)))


def test_a_device_waits_until_a_person_connects_it(device):
    waited = device.poll()
    device.connect()
    device.later(5)

    assert waited["error"] == "authorization_pending"
    assert {"access_token", "id_token", "refresh_token"} <= set(device.poll())


def test_a_device_code_counts_once(device):
    device.connect()
    device.poll()
    device.later(5)

    assert device.poll()["error"] == "invalid_grant"


@pytest.mark.parametrize(("seconds", "error"), [(4.9, "slow_down"), (5, "authorization_pending")])
def test_a_device_that_asks_too_often_is_slowed_down(device, seconds, error):
    device.poll()
    device.later(seconds)

    assert device.poll()["error"] == error


@pytest.mark.parametrize(("seconds", "error"), [(9.9, "slow_down"), (10, "authorization_pending")])
def test_once_slowed_down_a_device_stays_slower(device, seconds, error):
    device.poll()
    device.poll()
    device.later(seconds)

    assert device.poll()["error"] == error


def test_a_person_may_refuse_a_device(device):
    device.connect(answer="no", password="")

    assert device.poll()["error"] == "access_denied"


def test_a_device_code_ends_after_ten_minutes(device):
    device.later(600)

    assert device.poll()["error"] == "expired_token"


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_code_may_be_typed_as_people_type(device, typed):
    device.connect(user_code=typed(device.codes["user_code"]))

    assert "access_token" in device.poll()


def test_a_code_that_nobody_waits_with_connects_nothing(device):
    page = device.connect(user_code="BBBB-BBBB")

    assert page.status_code == 400
    assert device.poll()["error"] == "authorization_pending"


def test_five_wrong_passwords_refuse_the_device(device):
    for _ in range(5):
        device.connect(password="guess")

    assert device.poll()["error"] == "access_denied"


def test_a_device_page_counts_only_in_the_browser_that_was_shown_it(device, talk_to):
    page = device.talk.web.get(device.codes["verification_uri_complete"])
    other = talk_to(device.talk.idp)

    answered = other.answer(page, user_code=device.codes["user_code"])

    assert answered.status_code == 400
    assert device.poll()["error"] == "authorization_pending"


def test_a_client_without_the_grant_gets_no_device_code(talk):
    secret = talk.idp.clients["web"].secret.reveal()

    form = {"client_id": "web", "client_secret": secret}
    answer = talk.web.post(talk.found["device_authorization_endpoint"], data=form)

    assert answer.json()["error"] == "unauthorized_client"


@pytest.mark.parametrize(("verifier", "taken"), [("v" * 43, True), ("w" * 43, False), (None, False)])
def test_a_device_that_began_with_a_challenge_is_held_to_it(talk, verifier, taken):
    form = {"client_id": "cli", "code_challenge": challenge("v" * 43), "code_challenge_method": "S256"}
    codes = talk.web.post(talk.found["device_authorization_endpoint"], data=form).json()

    poll = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": codes["device_code"]}
    answer = talk.token(poll | ({"code_verifier": verifier} if verifier else {}))

    assert answer.json()["error"] == ("authorization_pending" if taken else "invalid_grant")


def challenge(verifier):
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
