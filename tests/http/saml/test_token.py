"""Assertion, role, function: a machine trades an assertion for a token of ours, once, and calls with it."""

import base64
import json
import secrets
from datetime import timedelta

import pytest

from actas import jose
from actas.model import clock

GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"
ROLE = "https://aws.amazon.com/SAML/Attributes/Role"


def trade(house, assertion, *, provider="ping", **more):
    form = {"grant_type": GRANT, "assertion": assertion} | more.pop("form", {})
    return house.ask("POST", f"/saml/{provider}/token", control=True, data=form, **more)


def token_of(house, ping, **said):
    answer = trade(house, ping.assertion(**said))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def decided(house, answer):
    return house.trail(answer.headers["actas-call-id"])[0]


def test_an_assertion_becomes_a_token_and_a_functions_answer(house, ping, service):
    answer = trade(house, ping.assertion())
    told = answer.json()
    called = house.ask("GET", "/orders/7", told["access_token"])

    assert answer.headers["cache-control"] == "no-store"
    assert set(told) == {"access_token", "token_type", "expires_in"}
    assert told["token_type"] == "Bearer"
    assert 290 <= told["expires_in"] <= 300
    assert (called.status_code, called.text) == (200, "hi")
    record = decided(house, called)
    assert record["evidence"] == "saml"
    assert record["provider"] == "ping"
    assert record["verdict"] == "allow"
    assert record["role"] == "reader"


def test_the_token_is_no_longer_than_a_quarter_of_an_hour_and_than_the_assertion(house, ping):
    long = trade(house, ping.assertion(lasts=timedelta(hours=2))).json()
    session = trade(house, ping.assertion(session_lasts=timedelta(seconds=90))).json()

    assert 895 <= long["expires_in"] <= 900
    assert 85 <= session["expires_in"] <= 90


def test_the_token_tells_whoever_carries_it_nothing_of_anybody(house, ping):
    token = token_of(house, ping, subject="f1a9-ana")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))

    assert claims.keys() == {"iss", "aud", "iat", "exp", "jti", "sealed"}
    assert claims["iss"] == claims["aud"] == "http://127.0.0.1:8701"
    assert jose.peek(token)["typ"] == "actas-caller+jwt"
    assert "ana" not in json.dumps(claims)
    assert "finance" not in json.dumps(claims)


def test_the_trail_names_the_assertion_and_nobody(house, ping, service):
    token = token_of(house, ping, subject="f1a9-nobody-sees-this")
    called = house.ask("GET", "/orders/7", token)
    record = decided(house, called)

    assert len(record["evidence_id"]) == 32
    assert "f1a9" not in json.dumps(house.records())


def test_an_assertion_counts_once(house, ping):
    assertion = ping.assertion()

    answers = [trade(house, assertion) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 400]
    assert answers[1].json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "http://127.0.0.1:8701/saml/ping/acs"},
        {"recipient": "http://127.0.0.1:8701/saml/ping/token/"},
        {"recipient": "http://127.0.0.1:8701/saml/loose/token"},
        {"audience": "https://another.example/"},
        {"signed": "nothing"},
        {"lasts": timedelta(seconds=-61)},
        {"subject": "ana@people.example", "subject_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"},
    ],
    ids=[
        "for the door of browsers",
        "for a door that differs by a slash",
        "for another provider's door",
        "for somebody else",
        "signed by nobody",
        "over",
        "of an address",
    ],
)
def test_an_assertion_is_refused_that_is(house, ping, changes):
    refused, taken = trade(house, ping.assertion(**changes)), trade(house, ping.assertion())

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert taken.status_code == 200


def test_every_assertion_that_is_not_taken_gets_the_same_answer(house, ping):
    answers = [
        trade(house, ping.assertion(audience="https://another.example/")),
        trade(house, ping.assertion(signed="nothing")),
        trade(house, "AAAA"),
        trade(house, ping.assertion(recipient="https://another.example/")),
    ]

    told = set()
    for answer in answers:
        body = answer.json()
        assert body.pop("call") == answer.headers["actas-call-id"]
        told.add((answer.status_code, json.dumps(body)))
    assert len(told) == 1


def test_a_response_is_taken_as_providers_pages_have_it(house, ping, form_of):
    document = ping.idp.response(ping.said(recipient=ping.doors.token, signed="response"), now=clock.now())

    assert trade(house, form_of(document)).status_code == 200


def test_an_assertion_may_answer_a_question_of_the_machines_own(house, ping):
    assert trade(house, ping.assertion(answers="_of-the-machine")).status_code == 200


def test_an_assertion_for_the_token_door_signs_no_browser_in(browser, loose):
    wrong = browser.post("/saml/loose/acs", {"SAMLResponse": loose.response(recipient=loose.doors.token)})
    right = browser.post("/saml/loose/acs", {"SAMLResponse": loose.response()})

    assert (wrong.status_code, right.status_code) == (403, 303)


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {"Authorization": "Bearer x"}},
        {"params": {"assertion": "x"}},
        {"form": {"scope": "reports.read"}},
        {"form": {"assertion": ""}},
        {"form": {"assertion": "not base64!"}},
    ],
    ids=["beside a header", "beside a query", "for a scope", "without one", "that is no base64url"],
)
def test_an_assertion_is_taken_from_the_body_alone_and_not(house, ping, how):
    refused = trade(house, ping.assertion(), **how)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_a_megabyte_of_blanks_costs_no_more_than_it_is_long(house, ping, form_of):
    """Were there two ways to read each blank, it would cost hours."""
    document = ping.idp.response(ping.said(recipient=ping.doors.token, signed="response"), now=clock.now())

    assert trade(house, form_of(document) + " " * 900_000 + "!").json()["error"] == "invalid_request"
    assert trade(house, form_of(document) + " " * 9_000).status_code == 200


def test_another_grant_is_not_known(house):
    refused = house.ask("POST", "/saml/ping/token", control=True, data={"grant_type": "password"})

    assert (refused.status_code, refused.json()) == (400, {"error": "unsupported_grant_type"})


def test_two_assertions_are_none(house, ping):
    body = f"grant_type={GRANT}&assertion={ping.assertion()}&assertion={ping.assertion()}"
    refused = house.ask(
        "POST",
        "/saml/ping/token",
        control=True,
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_another_kind_of_token_that_we_sign_is_no_callers(house, ping, service):
    key = house.parts.signing.newest()
    now = int(clock.now().timestamp())
    ours = "http://127.0.0.1:8701"
    claims = {"iss": ours, "aud": ours, "iat": now, "exp": now + 60, "jti": "x", "sealed": "AAAA"}

    for typ in ("JWT", "at+jwt", "actas-envelope+jwt"):
        forged = jose.sign(claims, key, algorithm="ES256", header={"typ": typ})
        assert house.ask("GET", "/orders/7", forged).status_code == 401
    unsealed = jose.sign(claims, key, algorithm="ES256", header={"typ": "actas-caller+jwt"})
    assert house.ask("GET", "/orders/7", unsealed).status_code == 401


def test_a_token_whose_inside_was_swapped_is_none(house, ping, service):
    one, other = (json.loads(base64.urlsafe_b64decode(token_of(house, ping).split(".")[1] + "==")) for _ in range(2))
    key = house.parts.signing.newest()
    swapped = jose.sign(one | {"sealed": other["sealed"]}, key, algorithm="ES256", header={"typ": "actas-caller+jwt"})
    whole = jose.sign(one, key, algorithm="ES256", header={"typ": "actas-caller+jwt"})

    assert house.ask("GET", "/orders/7", swapped).status_code == 401
    assert house.ask("GET", "/orders/7", whole).status_code == 200


@pytest.mark.parametrize("revoked", ["subject", "session", "provider"])
def test_a_token_ends_with_what_is_revoked_at_its_provider(running, with_saml, ping, tokens, service, revoked):
    with running(with_saml()) as one:
        said = {"subject": f"f1a9-{revoked}", "session_index": "s9"}
        token = token_of(one, ping, **said)
        before = one.ask("GET", "/orders/7", token).status_code
        mark = {
            "subject": {"provider": "ping", "subject": said["subject"]},
            "session": {"provider": "ping", "session": "s9"},
            "provider": {"provider": "ping"},
        }[revoked]
        revoking = one.ask(
            "POST", "/admin/v1/revocations", tokens["dalia"], control=True, json={**mark, "reason": "test"}
        )
        after = one.ask("GET", "/orders/7", token).status_code
        old = trade(one, ping.assertion(now=clock.now() - timedelta(seconds=30), **said)).status_code

    assert (before, revoking.status_code, after, old) == (200, 200, 401, 400)


def test_a_token_ends_when_its_providers_settings_change(running, with_saml, ping, service, waits_for):
    with running(with_saml()) as one:
        token = token_of(one, ping)
        before = one.ask("GET", "/orders/7", token).status_code
        one.write(with_saml(ping={"groups": {"absent": "empty"}}))
        waits_for(lambda: one.ready()["settings"]["generation"] >= 2)
        after = one.ask("GET", "/orders/7", token).status_code
        anew = one.ask("GET", "/orders/7", token_of(one, ping)).status_code

    assert (before, after, anew) == (200, 401, 200)


def test_many_groups_are_overflowed_and_never_cut(house, ping, service):
    many = tuple(secrets.token_hex(18) for _ in range(600))
    few = house.ask("GET", "/orders/7", token_of(house, ping, attributes={"groups": ("finance",)}))
    token = token_of(house, ping, attributes={"groups": ("finance", *many)})
    crowded = house.ask("GET", "/orders/7", token)

    assert len(token) < 12 * 1024
    assert few.status_code == 200
    assert crowded.status_code == 403  # what is overflowed is in nobody's favour


class TestRolesOfTheAssertion:
    """`roles_from: assertion` narrows what the assertion claims, and never widens it."""

    def call(self, house, ping, *claimed, asked=None):
        token = token_of(house, ping, attributes={"groups": ("aws",), ROLE: claimed})
        headers = {"Actas-Role": asked} if asked else {}
        return house.ask("GET", "/orders/7", token, headers=headers)

    def test_the_role_that_it_claims_is_taken(self, house, ping, pair, service):
        called = self.call(house, ping, pair("app-writer"))

        assert called.status_code == 200
        assert decided(house, called)["role"] == "app-writer"

    def test_the_pair_may_come_in_either_order(self, house, ping, pair, service):
        turned = ",".join(reversed(pair("app-writer").split(",")))

        assert decided(house, self.call(house, ping, turned))["role"] == "app-writer"

    def test_of_several_the_call_may_choose(self, house, ping, pair, service):
        both = (pair("app-writer"), pair("app-reader"))

        assert decided(house, self.call(house, ping, *both))["role"] == "app-reader"  # the first of the settings
        assert decided(house, self.call(house, ping, *both, asked="app-writer"))["role"] == "app-writer"

    @pytest.mark.parametrize(
        ("claimed", "asked", "code"),
        [
            ([], None, "role-not-claimed"),
            (["app-reader"], "app-writer", "role-not-claimed"),
            (["hidden"], None, "role-not-claimed"),
            (["reader"], None, "role-not-claimed"),
        ],
        ids=[
            "nothing is claimed",
            "another one is asked for",
            "the pattern leaves it out",
            "another rule's role is claimed",
        ],
    )
    def test_no_role_is_had_where(self, house, ping, pair, claimed, asked, code):
        refused = self.call(house, ping, *map(pair, claimed), asked=asked)

        assert refused.status_code == 403
        assert [one["code"] for one in refused.json()["reasons"]] == [code]

    def test_a_role_of_another_environment_is_refused(self, house, ping, pair):
        refused = self.call(house, ping, pair("app-elsewhere", "444455556666"))
        same_name = self.call(house, ping, pair("app-reader", "444455556666"))

        for one in (refused, same_name):
            assert one.status_code == 403
            assert [reason["code"] for reason in one.json()["reasons"]] == ["role-elsewhere"]

    @pytest.mark.parametrize(
        "claimed",
        [
            "arn:aws:iam::111122223333:role/app-reader",
            "arn:aws:iam::111122223333:role/app-reader,arn:aws:iam::444455556666:saml-provider/ping",
            "arn:aws:iam::111122223333:role/app-*,arn:aws:iam::111122223333:saml-provider/ping",
            "arn:aws:iam::111122223333:role/app-reader,arn:aws:iam::111122223333:role/app-writer",
        ],
        ids=["no provider", "a provider of another account", "a wildcard", "two roles"],
    )
    def test_what_aws_would_refuse_claims_nothing(self, house, ping, claimed):
        assert self.call(house, ping, claimed).status_code == 403


def test_the_token_door_counts_networks(running, with_saml):
    slow = with_saml(limits={"rate": {"network": 60, "burst": 3, "subject": 0}})

    with running(slow) as one:
        answers = [trade(one, "AAAA") for _ in range(6)]

    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert int(limited[0].headers["retry-after"]) >= 1
