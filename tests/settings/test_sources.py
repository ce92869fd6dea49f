"""A source of events has what its kind needs, and nothing that its kind does not look at."""

import pytest

from actas.settings.meaning.sources import KNOWS, NEEDS
from actas.settings.schema_events import EventSource

SOUND = """
gateway: {{public_url: "https://functions.example", control_url: "https://actas.example"}}
providers:
  corp: {{preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas}}
functions:
  report: {{python: "report.py:handler"}}
events:
  sources:
    told: {{{source}}}
rules:
  - {{id: people, who: {{provider: corp, groups: [staff]}}, may: [report]}}
"""
CLIENT = "client: {id: actas-events, secret: {env: EVENTS_SECRET}}"
SECRET = "secret: {env: EVENTS_SECRET}"
GOOD = {
    "keycloak": f"kind: keycloak, provider: corp, {CLIENT}, {SECRET}",
    "okta": f"kind: okta, provider: corp, token: {{env: EVENTS_SECRET}}, {SECRET}",
    "entra": f"kind: entra, provider: corp, {CLIENT}",
    "auth0": f"kind: auth0, provider: corp, {SECRET}",
    "google": f"kind: google, provider: corp, {CLIENT.replace('}}', '}, admin: ana@people.example}')}",
    "ssf": f"kind: ssf, provider: corp, audience: us, {SECRET}",
    "backchannel-logout": "kind: backchannel-logout, provider: corp, audience: portal",
    "webhook": f"kind: webhook, provider: corp, {SECRET}",
    "cloudevents": f"kind: cloudevents, provider: corp, {SECRET}",
}
SIGNED = f"kind: webhook, provider: corp, {SECRET}, signature: "


def told(desk, source):
    return [(one.code, one.severity, one.message) for one in desk.check(SOUND.format(source=source)).mistakes]


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("EVENTS_SECRET", "s")


@pytest.mark.parametrize("kind", KNOWS)
def test_a_source_of_each_kind_is_taken(desk, kind):
    assert [one for one in told(desk, GOOD[kind]) if "source" in one[0] or "effect" in one[0]] == []


@pytest.mark.parametrize("kind", KNOWS)
def test_a_source_without_what_its_kind_needs_is_refused(desk, kind):
    found = told(desk, f"kind: {kind}, provider: corp")

    wanted = [f"a source of kind {kind} needs {' or '.join(group)}" for group in NEEDS[kind]]
    assert [message for code, _, message in found if code == "settings.source-incomplete"] == wanted


def test_every_kind_that_there_is_is_checked():
    kinds = EventSource.__annotations__["kind"].__args__

    assert set(kinds) == KNOWS.keys() == NEEDS.keys()


CASES = [
    ("google without an administrator", GOOD["google"].replace(", admin: ana@people.example", ""),
     "settings.source-incomplete", "a source of kind google needs the administrator in whose name it reads"),
    ("polling without a token", GOOD["ssf"] + ", delivery: poll", "settings.source-incomplete",
     "a source that polls needs a token or a client"),
    ("a transmitter's client without a place for its token", f"{GOOD['ssf']}, {CLIENT}", "settings.source-incomplete",
     "a client of a transmitter has to say where it gets its token"),
    ("a key of another kind", GOOD["entra"] + ", transmitter: https://s.example", "settings.no-effect",
     "transmitter has no effect on a source of kind entra"),
    ("a transmitter that is none", GOOD["ssf"] + ", transmitter: s.example", "settings.bad-url",
     "transmitter does not start with https:// or http://"),
    ("a transmitter without https", GOOD["ssf"] + ', transmitter: "http://s.example"', "settings.insecure-url",
     "transmitter is not https: whoever is on the way could read and change what is said"),
    ("a transmitter inside", GOOD["ssf"] + ', transmitter: "https://10.1.2.3"', "settings.private-address",
     "transmitter is at a private address"),
    ("a signature of nothing", SIGNED + '{header: X-S, signed: "{timestamp}"}', "settings.wrong-value",
     "signed has to have {body} once, and may have {timestamp} once"),
    ("a time that is not signed", SIGNED + "{header: X-S, timestamp: X-T}", "settings.wrong-value",
     "a time of signing counts only where it is in a header and is signed too"),
    ("a signature without a time", SIGNED + "{header: X-S}", "settings.replayable",
     "no time is signed, so what was sent once can be sent again until its event is too old"),
    ("a header beside a signature", SIGNED + "{header: X-S}, header: X-Key", "settings.no-effect",
     "header has no effect where deliveries are signed"),
    ("an address that matches nobody", GOOD["webhook"] + ", fields: {address: mail}", "settings.no-effect",
     "address ends nobody's access: providers.corp does not say where people's addresses are"),
    ("an age of nothing", GOOD["webhook"] + ", oldest: 1s", "settings.out-of-range",
     "oldest is out of range; wanted: 1m to 366d"),
    ("an age beyond what is remembered", GOOD["webhook"] + ", oldest: 31d", "settings.out-of-range",
     "oldest is longer than events.keep (30d): what is forgotten counts anew"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code", "message"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_what_is_wrong_with_a_source_is_told(desk, source, code, message):
    assert (code, message) in [(found, says) for found, _, says in told(desk, source)]


@pytest.mark.parametrize("more", ["unmatched: everybody", "fields: {subject: who}"])
def test_an_address_that_ends_something_or_is_not_read_is_taken_without_a_word(desk, more):
    fields = "" if "fields" in more else ", fields: {address: mail}"

    assert "settings.no-effect" not in {code for code, _, _ in told(desk, f"{GOOD['webhook']}{fields}, {more}")}


def test_an_address_that_the_provider_knows_is_taken_without_a_word(desk):
    source = GOOD["webhook"] + ", fields: {address: mail}"
    text = SOUND.format(source=source).replace("audience: actas", "audience: actas, address: email")

    assert "settings.no-effect" not in {one.code for one in desk.check(text).mistakes}


def test_entra_with_several_tenants_needs_a_source_for_each(desk):
    tenants = ["72f988bf-86f1-41af-91ab-2d7cd011db47", "00f988bf-86f1-41af-91ab-2d7cd011db47"]
    corp = f"corp: {{preset: entra, tenant: organizations, tenants: [{', '.join(tenants)}], audience: actas}}"
    line = 'corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas}'

    several = desk.check(SOUND.format(source=GOOD["entra"]).replace(line, corp)).mistakes

    wanted = "a source of kind entra reads one tenant, and the provider takes several"
    assert wanted in {one.message for one in several}
    assert wanted not in {message for _, _, message in told(desk, GOOD["entra"])}


def test_a_signature_with_its_time_is_taken_without_a_word(desk):
    found = told(desk, SIGNED + '{header: X-S, timestamp: X-T, signed: "{timestamp}.{body}"}')

    assert not {"settings.replayable", "settings.wrong-value"} & {code for code, _, _ in found}
