"""Signing in by a browser: asked here, answered once, in the same browser, and kept where no script reads it."""

import base64
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from actas import saml
from actas.model import clock
from actas.saml.parsing import parse
from actas.saml.redirect import check_query, read_redirect
from actas.saml.signature import verify_enveloped
from actas.saml.trust import Trust
from actas.testing.saml_idp import SamlIdp

SIGN_IN = "__Host-actas-sign-in"


def begin(browser, asked_by_redirect, path="/saml/ping/login"):
    return asked_by_redirect(browser.get(path).headers["location"])


def answer(browser, ping, asked, path="/saml/ping/acs", **said):
    form = {"SAMLResponse": ping.response(**{"answers": asked.id} | said), "RelayState": asked.relay}
    return browser.post(path, form)


def test_a_person_signs_in(browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect)
    done = answer(browser, ping, asked)
    page = browser.get("/saml/ping/signed-in")

    assert done.status_code == 303
    assert done.headers["location"] == ping.doors.done
    assert page.status_code == 200
    assert "You are signed in at ping until" in page.text
    assert "f1a9" not in page.text


def test_the_request_is_signed_and_says_where_the_answer_goes(browser, house, ping, asked_by_redirect):
    sent = browser.get("/saml/ping/login")
    asked = asked_by_redirect(sent.headers["location"])
    described = browser.get("/saml/ping/metadata")
    entity = saml.Metadata.parse(described.content, now=clock.now()).entities[0]

    assert sent.headers["location"].startswith("https://idp.example/sso?SAMLRequest=")
    message = read_redirect(asked.query)
    check_query(message, Trust.from_entity(entity).keys, allow_sha1=False, what="request")
    xml = asked.xml.decode()
    assert f'AssertionConsumerServiceURL="{ping.doors.acs}"' in xml
    assert f">{ping.doors.metadata}</saml:Issuer>" in xml
    assert not asked.id[0].isdigit()


def test_our_metadata_names_our_doors_and_is_signed_by_the_key_in_it(browser, ping):
    described = browser.get("/saml/ping/metadata")
    now = clock.now()
    entity = saml.Metadata.parse(described.content, now=now).entities[0]
    verified = saml.Metadata.parse(described.content, now=now, certificates=entity.signing_certificates)

    assert described.headers["content-type"].startswith("application/samlmetadata+xml")
    assert entity.entity_id == ping.doors.metadata
    services = [one.location for one in entity.endpoints if one.service == "AssertionConsumerService"]
    assert services == [ping.doors.acs, ping.doors.token]
    assert verified.is_verified
    assert entity.encryption_certificates


def test_an_assertion_that_is_encrypted_to_our_key_is_opened(browser, ping, asked_by_redirect, encrypted):
    asked = begin(browser, asked_by_redirect)
    described = browser.get("/saml/ping/metadata")
    entity = saml.Metadata.parse(described.content, now=clock.now()).entities[0]
    document = encrypted(
        ping.idp.response(ping.said(answers=asked.id), now=clock.now()), entity.encryption_certificates[0]
    )

    done = browser.post("/saml/ping/acs", {"SAMLResponse": document, "RelayState": asked.relay})

    assert done.status_code == 303


def test_the_cookies_are_as_narrow_as_they_can_be(browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect)
    answer(browser, ping, asked, session_lasts=timedelta(hours=8))
    waiting, over, kept = browser.lines

    assert re.fullmatch(
        r"__Host-actas-saml-[0-9a-f]{16}=[A-Za-z0-9_-]+; Path=/; Max-Age=300; Secure; HttpOnly; SameSite=None", waiting
    )
    assert over.endswith("=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None")
    assert re.fullmatch(rf"{SIGN_IN}=[A-Za-z0-9_-]+; Path=/; Max-Age=(900|899); Secure; HttpOnly; SameSite=Lax", kept)
    assert all(len(line) < 4096 for line in browser.lines)


def test_a_sign_in_ends_with_the_providers_session(browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect)
    answer(browser, ping, asked, session_lasts=timedelta(seconds=40))

    seconds = int(re.search(rf"{SIGN_IN}=[^;]+; Path=/; Max-Age=([0-9]+)", browser.lines[-1])[1])
    assert 30 <= seconds <= 40


def test_somebody_in_too_many_groups_for_a_cookie_signs_in_all_the_same(browser, ping, asked_by_redirect):
    import secrets

    many = tuple(secrets.token_hex(18) for _ in range(300))
    asked = begin(browser, asked_by_redirect)
    answer(browser, ping, asked, attributes={"groups": many})

    assert len(browser.lines[-1]) < 4096
    assert browser.get("/saml/ping/signed-in").status_code == 200


def test_the_relay_state_is_a_key_and_nothing_else(browser, asked_by_redirect):
    one = begin(browser, asked_by_redirect, "/saml/ping/login?next=%2Freports")
    other = begin(browser, asked_by_redirect)

    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", one.relay)
    assert one.relay != other.relay


def test_an_answer_in_another_browser_is_refused(browser, another_browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect)
    begin(another_browser, asked_by_redirect)

    theirs = answer(another_browser, ping, asked)
    ours = answer(browser, ping, asked)

    assert theirs.status_code == 403
    assert SIGN_IN not in another_browser.cookies
    assert ours.status_code == 303


@pytest.mark.parametrize(
    "changes",
    [{"answers": "_" + "0" * 32}, {"answers": None}],
    ids=["to another request", "to no request"],
)
def test_an_answer_is_refused_that_belongs(browser, ping, asked_by_redirect, changes):
    asked = begin(browser, asked_by_redirect)

    refused = answer(browser, ping, asked, **changes)
    taken = answer(browser, ping, begin(browser, asked_by_redirect))

    assert refused.status_code == 403
    assert taken.status_code == 303


def test_a_relay_state_opens_once(browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect)
    kept = dict(browser.cookies)
    assert answer(browser, ping, asked).status_code == 303

    browser.cookies = kept
    again = answer(browser, ping, asked)

    assert again.status_code == 403


def test_an_assertion_counts_once_at_all_doors(browser, loose):
    form = {"SAMLResponse": loose.response()}

    first = browser.post("/saml/loose/acs", form)
    second = browser.post("/saml/loose/acs", form)

    assert (first.status_code, second.status_code) == (303, 403)
    assert "used before" in second.text


def test_a_provider_begins_by_itself_only_where_that_is_allowed(browser, ping, loose):
    taken = browser.post("/saml/loose/acs", {"SAMLResponse": loose.response(), "RelayState": "https://evil.example/"})
    refused = browser.post("/saml/ping/acs", {"SAMLResponse": ping.response()})
    answered = browser.post("/saml/loose/acs", {"SAMLResponse": loose.response(answers="_stolen")})

    assert (taken.status_code, taken.headers["location"]) == (303, loose.doors.done)
    assert refused.status_code == 403
    assert answered.status_code == 403


def test_an_assertion_for_one_provider_is_none_at_another(browser, ping, loose):
    mixed = loose.idp.response(ping.said(recipient=loose.doors.acs, audience=loose.doors.metadata), now=clock.now())
    ours = ping.idp.response(loose.said(), now=clock.now())
    from base64 import b64encode

    assert browser.post("/saml/loose/acs", {"SAMLResponse": b64encode(ours).decode()}).status_code == 403
    assert browser.post("/saml/loose/acs", {"SAMLResponse": b64encode(mixed).decode()}).status_code == 303


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\tb", "x"]
)
def test_nobody_is_sent_on_to_another_place(browser, page):
    import httpx

    refused = browser.get(f"/saml/ping/login?{httpx.QueryParams({'next': page})}")

    assert refused.status_code == 400


def test_a_person_ends_up_where_they_wanted_to_go(browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect, "/saml/ping/login?next=%2Fconsole%3Fpage%3D2")

    done = answer(browser, ping, asked)

    assert done.headers["location"] == "http://127.0.0.1:8701/console?page=2"


def test_a_browser_keeps_few_sign_ins_that_wait(browser, asked_by_redirect):
    for _ in range(9):
        begin(browser, asked_by_redirect)

    assert len(browser.cookies) == 4


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/saml/nobody/login"), ("GET", "/saml/corp/login"), ("GET", "/saml/ping/elsewhere")],
)
def test_a_provider_that_speaks_no_saml_has_no_doors(house, method, path):
    assert house.ask(method, path, control=True).status_code == 404


def test_the_doors_are_on_the_control_origin_alone(house):
    assert house.ask("GET", "/saml/ping/login").status_code == 401  # a route of the tests' gateway takes any path
    assert house.ask("GET", "/saml/ping/login", control=True).status_code == 303


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/saml/ping/acs", "POST"), ("POST", "/saml/ping/login", "GET"), ("GET", "/saml/ping/token", "POST")],
)
def test_a_door_takes_its_method_alone(house, method, path, allowed):
    refused = house.ask(method, path, control=True)

    assert refused.status_code == 405
    assert allowed in refused.headers["allow"]


@pytest.mark.parametrize(
    "form",
    [
        "SAMLResponse=x&SAMLResponse=y",
        "SAMLResponse=%zz",
        "SAMLResponse=%ff",
        "SAMLResponse",
        "RelayState=x",
        "SAMLResponse=a%00b",
    ],
    ids=["twice", "an escape that is none", "no UTF-8", "no value", "nothing in it", "a control character"],
)
def test_a_form_that_can_be_read_in_two_ways_is_refused(house, form):
    refused = house.ask(
        "POST",
        "/saml/ping/acs",
        control=True,
        content=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert refused.status_code == 400
    assert "http.saml" not in refused.text  # a sentence for a person


def test_a_form_of_another_kind_is_refused(house, ping):
    refused = house.ask(
        "POST", "/saml/loose/acs", control=True, content="SAMLResponse=x", headers={"Content-Type": "text/plain"}
    )

    assert refused.status_code == 400


def test_a_form_that_is_too_large_is_refused(house):
    refused = house.ask("POST", "/saml/ping/acs", control=True, data={"SAMLResponse": "A" * 1_100_000})

    assert refused.status_code == 413


def test_a_page_for_people_says_the_call_and_nothing_of_anybody(browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect)
    page = answer(browser, ping, asked, subject="ana@people.example", audience="https://another.example/")

    call = page.headers["actas-call-id"]
    assert page.status_code == 403
    assert call in page.text
    assert "ana" not in page.text
    assert "another.example" not in page.text
    assert "audience" not in page.text


def test_a_page_can_do_nothing_but_be_read(browser, ping):
    page = browser.post("/saml/ping/acs", {"SAMLResponse": ping.response()})

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in page.headers  # this gateway's address is http


def test_what_a_provider_or_a_person_writes_is_not_part_of_a_page(browser):
    page = browser.get("/saml/ping/login?next=%2F%22%3E%3Cscript%3E")

    assert page.status_code == 400
    assert "<script" not in page.text


def test_a_provider_that_says_no_is_told_so(browser, ping, asked_by_redirect):
    asked = begin(browser, asked_by_redirect)

    page = answer(browser, ping, asked, status="urn:oasis:names:tc:SAML:2.0:status:Responder")

    assert page.status_code == 403
    assert "Your identity provider did not sign you in." in page.text


def test_a_stranger_is_counted_and_not_trailed(house, browser, ping, tokens):
    def counted():
        figures = house.ask("GET", "/metrics", tokens["dalia"], control=True).text
        found = re.search(r'actas_strangers_total\{reason="identify.saml-refused"\} ([0-9.]+)', figures)
        return float(found[1]) if found else 0.0

    before = counted()
    refused = browser.post("/saml/loose/acs", {"SAMLResponse": ping.response()})

    assert counted() == before + 1
    assert not [one for one in house.records() if one.get("call") == refused.headers["actas-call-id"]]


def test_a_command_gets_a_code_at_this_machine_alone(browser):
    good = {"redirect": "http://127.0.0.1:54321/callback", "state": "s" * 22, "challenge": "c" * 43}
    import httpx

    for changes in (
        {"redirect": "http://evil.example/callback"},
        {"redirect": "http://127.0.0.1.evil.example:1/callback"},
        {"redirect": "http://localhost:54321/callback"},
        {"redirect": "https://127.0.0.1:54321/callback"},
        {"redirect": "http://127.0.0.1:54321/callback?x=1"},
        {"redirect": "http://127.0.0.1:99999/callback"},
        {"challenge": "c" * 42},
        {"state": "s"},
        {"more": "x"},
    ):
        query = httpx.QueryParams({**good, **changes})
        assert browser.get(f"/saml/ping/login?{query}").status_code == 400, changes
    assert browser.get(f"/saml/ping/login?{httpx.QueryParams(good)}").status_code == 303


def test_the_location_of_the_request_is_the_providers_own(browser):
    location = browser.get("/saml/ping/login").headers["location"]

    assert urlsplit(location).netloc == "idp.example"
    assert set(parse_qs(urlsplit(location).query)) == {"SAMLRequest", "RelayState", "SigAlg", "Signature"}


def fields_of(page):
    return dict(re.findall(r'name="([A-Za-z]+)" value="([^"]*)"', page.text))


def test_a_provider_may_be_asked_by_a_form(browser, posted):
    page = browser.get("/saml/posted/login")
    fields = fields_of(page)
    xml = base64.b64decode(fields["SAMLRequest"])
    described = browser.get("/saml/posted/metadata").content
    keys = saml.Metadata.parse(described, now=clock.now()).entities[0]

    assert page.status_code == 200
    assert '<form method="post" action="https://idp.example/sso">' in page.text
    assert set(fields) == {"SAMLRequest", "RelayState"}
    policy = page.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)[1]
    assert f'<script nonce="{nonce}">document.forms[0].submit()</script>' in page.text
    assert "form-action 'self' https://idp.example https:" in policy
    signed = verify_enveloped(parse(xml), Trust.from_entity(keys).keys, allow_sha1=False)
    assert signed.xml
    for said in (
        b'ForceAuthn="true"',
        b'Comparison="exact"',
        b">https://refeds.org/profile/mfa<",
        b'Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"',
        b">urn:example:actas<",
    ):
        assert said in xml


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 303),
        ({"signed": "assertion"}, 403),
        ({"signed": "response"}, 403),
        ({"context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}, 403),
        ({"audience": "http://127.0.0.1:8701/saml/posted/metadata"}, 403),
    ],
    ids=[
        "all that is required",
        "the assertion signed alone",
        "the response signed alone",
        "one factor",
        "our other name",
    ],
)
def test_what_the_settings_require_is_required(browser, posted, changes, status):
    fields = fields_of(browser.get("/saml/posted/login"))
    asked = parse(base64.b64decode(fields["SAMLRequest"])).get("ID")
    said = {"signed": "both", "context": "https://refeds.org/profile/mfa", "audience": "urn:example:actas"} | changes
    form = {"SAMLResponse": posted.response(answers=asked, **said), "RelayState": fields["RelayState"]}

    assert browser.post("/saml/posted/acs", form).status_code == status


def test_a_key_of_ours_from_before_still_opens_where_the_settings_have_it(browser, loose, encrypted):
    old, strange = SamlIdp(key_name="ours-of-old").certificate, SamlIdp(key_name="strange").certificate
    now = clock.now()

    taken = browser.post("/saml/loose/acs", {"SAMLResponse": encrypted(loose.idp.response(loose.said(), now=now), old)})
    refused = browser.post(
        "/saml/loose/acs", {"SAMLResponse": encrypted(loose.idp.response(loose.said(), now=now), strange)}
    )

    assert (taken.status_code, refused.status_code) == (303, 403)
