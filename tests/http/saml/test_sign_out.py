"""Signing out, both ways: here and at the provider, by query and by form, and everything that rested on it ends."""

import base64
import re
from datetime import timedelta
from urllib.parse import quote_plus

import httpx
import pytest

from actas import saml
from actas.model import clock
from actas.saml.parsing import parse

SIGN_IN = "__Host-actas-sign-in"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def fields_of(page):
    return dict(re.findall(r'name="([A-Za-z]+)" value="([^"]*)"', page.text.replace("&amp;", "&")))


def request_of(provider, person="f1a9", *, binding=saml.REDIRECT, key=None, **changes):
    said = {
        "id": f"_q{clock.now().timestamp()}".replace(".", "x"),
        "issuer": provider.idp.entity_id,
        "destination": provider.doors.logout,
        "now": clock.now(),
        "name_id": person,
        "name_id_format": PERSISTENT,
        "session_index": f"{person}-1",
        "binding": binding,
        "key": key or provider.idp.key,
    } | changes
    message = saml.logout_request(**said)
    return message.decode().removeprefix("http://127.0.0.1:8701") if binding == saml.REDIRECT else message


def answer_of(provider, asked, *, status=(saml.SUCCESS,), relay, key=True, answers=None):
    made = saml.logout_response(
        id="_answer1",
        issuer=provider.idp.entity_id,
        destination=provider.doors.logout,
        now=clock.now(),
        in_response_to=answers or asked.id,
        status=status,
        binding=saml.REDIRECT,
        key=provider.idp.key if key else None,
        relay_state=relay,
    )
    return made.decode().removeprefix("http://127.0.0.1:8701")


def leave(browser, asked_by_redirect):
    sent = browser.post("/saml/ping/logout", {}, cross_site=False)
    assert sent.status_code == 303
    return asked_by_redirect(sent.headers["location"])


@pytest.mark.parametrize(
    ("origin", "method", "path"),
    [
        ("public", "GET", "/orders/7"),
        ("public", "POST", "/call/web"),
        ("control", "POST", "/2015-03-31/functions/web/invocations"),
        ("control", "POST", "/"),
        ("control", "GET", "/admin/v1/status"),
    ],
    ids=["a route", "a call", "the Lambda API", "STS", "the admin API"],
)
def test_a_sign_in_in_a_browser_calls_nothing(signed_in, house, origin, method, path):
    """Cookies count at the pages of the sign-in alone, so no other site makes a browser call a function."""
    cookie = f"{SIGN_IN}={signed_in.cookies[SIGN_IN][0]}"

    def asked(**headers):
        form = {"Action": "GetCallerIdentity", "Version": "2011-06-15"} if method == "POST" else None
        return house.ask(method, path, control=origin == "control", data=form, headers=headers).status_code

    assert asked(Cookie=cookie) == asked() >= 400


def test_a_person_leaves_here_and_at_the_provider(signed_in, ping, asked_by_redirect, person):
    asked = leave(signed_in, asked_by_redirect)
    page = signed_in.get(answer_of(ping, asked, relay=asked.relay), cross_site=True)

    xml = parse(asked.xml)
    assert xml.findtext("{urn:oasis:names:tc:SAML:2.0:assertion}NameID") == person
    assert xml.findtext("{urn:oasis:names:tc:SAML:2.0:protocol}SessionIndex") == f"{person}-1"
    assert b"&Signature=" in asked.query
    assert page.status_code == 200
    assert "You are signed out here and at your identity provider." in page.text
    assert not signed_in.cookies


def test_the_provider_hears_the_name_as_it_said_it(browser, ping, asked_by_redirect, person):
    """SAML core 3.3.4: LemonLDAP, for one, knows nobody by a name without its qualifiers."""
    asked = asked_by_redirect(browser.get("/saml/ping/login").headers["location"])
    said = {"subject": person, "subject_qualifiers": (ping.idp.entity_id, "urn:example:actas"), "answers": asked.id}
    browser.post("/saml/ping/acs", {"SAMLResponse": ping.response(**said), "RelayState": asked.relay})

    name = parse(leave(browser, asked_by_redirect).xml).find("{urn:oasis:names:tc:SAML:2.0:assertion}NameID")

    assert name.text == person
    assert dict(name.attrib) == {
        "Format": PERSISTENT,
        "NameQualifier": ping.idp.entity_id,
        "SPNameQualifier": "urn:example:actas",
    }


def test_a_sign_in_that_was_copied_ends_with_the_persons_own(signed_in, another_browser, asked_by_redirect):
    another_browser.cookies = dict(signed_in.cookies)
    assert another_browser.get("/saml/ping/signed-in").status_code == 200

    leave(signed_in, asked_by_redirect)

    assert another_browser.get("/saml/ping/signed-in").status_code == 403


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"status": (saml.SUCCESS, saml.PARTIAL_LOGOUT)}, "could not sign you out everywhere"),
        ({"status": (saml.RESPONDER,)}, "could not sign you out everywhere"),
        ({"key": False}, "cannot be verified"),
        ({"answers": "_another"}, "cannot be verified"),
    ],
    ids=["everywhere but somewhere", "not done", "signed by nobody", "to another question"],
)
def test_what_the_provider_answers_changes_only_what_is_said(signed_in, ping, asked_by_redirect, how, sentence):
    asked = leave(signed_in, asked_by_redirect)

    page = signed_in.get(answer_of(ping, asked, relay=asked.relay, **how), cross_site=True)

    assert page.status_code == 200
    assert sentence in page.text


def test_an_answer_that_nobody_asked_for_is_refused(browser, ping, signed_in, asked_by_redirect):
    asked = leave(signed_in, asked_by_redirect)
    signed_in.cookies.clear()

    assert signed_in.get(answer_of(ping, asked, relay=asked.relay), cross_site=True).status_code == 403


def test_only_our_own_page_signs_out(signed_in):
    lured = signed_in.post("/saml/ping/logout", {}, cross_site=True)
    told = signed_in.post("/saml/ping/logout", {}, cross_site=False, **{"Sec-Fetch-Site": "cross-site"})
    still = signed_in.get("/saml/ping/signed-in")
    ours = signed_in.post("/saml/ping/logout", {}, cross_site=False, **{"Sec-Fetch-Site": "same-origin"})

    assert (lured.status_code, told.status_code, still.status_code, ours.status_code) == (403, 403, 200, 303)


def test_the_page_has_a_button_and_browsers_may_follow_it_to_the_provider(signed_in, ping):
    page = signed_in.get("/saml/ping/signed-in")
    asking = signed_in.get("/saml/ping/logout")

    assert f'<form method="post" action="{ping.doors.logout}">' in page.text
    assert (
        "form-action 'self' http://127.0.0.1:8701 https://idp.example https:" in page.headers["content-security-policy"]
    )
    assert "Sign out" in asking.text


def test_a_provider_ends_a_session_by_query(signed_in, ping, asked_by_redirect, person):
    sent = signed_in.get(request_of(ping, person, relay_state="theirs"), cross_site=True)
    answered = asked_by_redirect(sent.headers["location"], "SAMLResponse")
    read = saml.read_redirect(answered.query)

    assert sent.headers["location"].startswith("https://idp.example/slo?SAMLResponse=")
    assert answered.relay == "theirs"
    assert read.signature is not None
    assert saml.SUCCESS.encode() in answered.xml
    assert saml.PARTIAL_LOGOUT.encode() not in answered.xml
    assert SIGN_IN not in signed_in.cookies


def test_a_provider_ends_a_session_by_form(signed_in, another_browser, ping, person):
    another_browser.cookies = dict(signed_in.cookies)
    message = base64.b64encode(request_of(ping, person, binding=saml.POST)).decode()

    page = signed_in.post("/saml/ping/logout", {"SAMLRequest": message, "RelayState": "theirs"})
    fields = fields_of(page)

    assert page.status_code == 200
    assert fields["RelayState"] == "theirs"
    assert saml.SUCCESS.encode() in base64.b64decode(fields["SAMLResponse"])
    assert "script-src 'nonce-" in page.headers["content-security-policy"]
    assert another_browser.get("/saml/ping/signed-in").status_code == 403


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({"session_index": "another"}, False),
        ({"name_id": "f1a9-other"}, False),
        ({}, True),
        ({"session_index": None}, True),
    ],
    ids=["another session", "another person", "this session", "all sessions of this person"],
)
def test_what_is_named_ends_and_nothing_else(signed_in, another_browser, ping, changes, ends, person):
    another_browser.cookies = dict(signed_in.cookies)

    signed_in.get(request_of(ping, person, **changes), cross_site=True)

    assert another_browser.get("/saml/ping/signed-in").status_code == (403 if ends else 200)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "stranger"},
        {"key": None, "signed": False},
        {"destination": "http://127.0.0.1:8701/saml/loose/logout"},
        {"issuer": "https://another.example/"},
        {"now": clock.now() - timedelta(hours=1)},
    ],
    ids=["signed by a stranger", "signed by nobody", "for another door", "from somebody else", "old"],
)
def test_a_request_ends_nothing_that_is(signed_in, ping, loose, changes, person):
    changes = dict(changes)
    if changes.get("key") == "stranger":
        changes["key"] = loose.idp.key
    unsigned = not changes.pop("signed", True)
    address = request_of(ping, person, **changes)
    if changes.get("destination"):
        address = address.replace("/saml/loose/logout", "/saml/ping/logout")
    if unsigned:
        address = address.partition("&SigAlg=")[0]

    refused = signed_in.get(address, cross_site=True)

    assert refused.status_code == 403
    assert signed_in.get("/saml/ping/signed-in").status_code == 200


def test_a_request_counts_once(signed_in, ping, person):
    address = request_of(ping, person)

    first, second = (signed_in.get(address, cross_site=True) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 403)


def test_a_query_in_another_order_is_none(signed_in, ping, person):
    path, _, query = request_of(ping, person).partition("?")
    turned = "&".join(reversed(query.split("&")))

    assert signed_in.get(f"{path}?{turned}", cross_site=True).status_code == 400


def test_whoever_is_named_by_an_attribute_is_ended_by_their_session(browser, another_browser, oid, asked_by_redirect):
    asked = asked_by_redirect(browser.get("/saml/oid/login").headers["location"])
    said = {"answers": asked.id, "attributes": {"urn:example:oid": ("0b1c",)}, "session_index": "s7"}
    browser.post("/saml/oid/acs", {"SAMLResponse": oid.response(**said), "RelayState": asked.relay})
    another_browser.cookies = dict(browser.cookies)
    assert another_browser.get("/saml/oid/signed-in").status_code == 200

    unknown = browser.get(request_of(oid, name_id="f1a9", session_index=None), cross_site=True)
    partly = asked_by_redirect(unknown.headers["location"], "SAMLResponse")
    named = browser.get(request_of(oid, name_id="f1a9", session_index="s7"), cross_site=True)
    wholly = asked_by_redirect(named.headers["location"], "SAMLResponse")

    assert saml.PARTIAL_LOGOUT.encode() not in wholly.xml
    assert another_browser.get("/saml/oid/signed-in").status_code == 403
    assert saml.SUCCESS.encode() in partly.xml


def test_a_provider_without_a_place_for_it_is_not_told(browser, loose):
    browser.post("/saml/loose/acs", {"SAMLResponse": loose.response()})

    page = browser.post("/saml/loose/logout", {}, cross_site=False)

    assert page.status_code == 200
    assert "You are signed out here. Your identity provider may still know you." in page.text
    assert SIGN_IN not in browser.cookies


def test_nobody_is_signed_out_who_is_not_signed_in(browser):
    assert browser.post("/saml/ping/logout", {}, cross_site=False).status_code == 403


def test_a_message_may_come_in_pieces(signed_in, another_browser, ping, person, house):
    another_browser.cookies = dict(signed_in.cookies)
    message = base64.b64encode(request_of(ping, person, binding=saml.POST)).decode()

    answer = httpx.post(
        f"http://{house.control}/saml/ping/logout",
        content=iter([f"SAMLRequest={quote_plus(message)}".encode()]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        trust_env=False,
    )

    assert answer.status_code == 200
    assert another_browser.get("/saml/ping/signed-in").status_code == 403
