"""What is said of events fits together, and a rule grants what a subscription asks for."""

import pytest

SOUND = """
gateway: {public_url: "https://functions.example", control_url: "https://actas.example"}
providers:
  corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas}
functions:
  deprovision: {python: "report.py:handler"}
  orders: {http: "https://orders.example", routes: ["GET /orders"]}
roles:
  event-runner: {arn: "arn:aws:iam::111122223333:role/event-runner"}
events:
  sources:
    corp-events: {kind: webhook, provider: corp, secret: {env: EVENTS_SECRET}, ends: [role-revoked]}
on:
  - event: role-revoked
    where: {source: corp-events, role: admin}
    run: deprovision
    as: event-runner
    payload: [role]
rules:
  - {id: events-run, who: {provider: corp-events, kind: service}, may: [deprovision], as: event-runner}
  - {id: people-order, who: {provider: corp, groups: [staff]}, may: [orders]}
"""
CASES = [
    ("a source of a provider that is not there", "provider: corp, secret", "provider: crop, secret",
     "settings.no-such-provider", 'there is no provider "crop"'),
    ("a source that is called as a provider", "corp-events: {kind", "corp: {kind", "settings.source-named-provider",
     "corp is the name of a provider too; rules could not tell the two apart"),
    ("an end of access that is none", "ends: [role-revoked]", "ends: [role-granted]", "settings.wrong-value",
     'there is no kind of event that ends access "role-granted"'),
    ("a kind of event that is none", "event: role-revoked", "event: role-removed", "settings.wrong-value",
     'there is no kind of event "role-removed"'),
    ("no kind of event", "event: role-revoked", "event: []", "settings.empty-list", "on has an empty list in event"),
    ("a source that is not there", "{source: corp-events,", "{source: corp-event,", "settings.no-such-source",
     'there is no source "corp-event"'),
    ("a fact that cannot be asked for", "role: admin}", "colour: red}", "settings.wrong-value",
     'there is no fact to ask for "colour"'),
    ("a fact that nobody has", "payload: [role]", "payload: [password]", "settings.wrong-value",
     'there is no fact "password"'),
    ("a role that is not there", "    as: event-runner", "    as: event-runer",
     "settings.no-such-role", 'there is no role "event-runer"'),
    ("a function that is not there", "run: deprovision", "run: deprovison", "settings.names-nothing",
     'there is no function "deprovison"'),
    ("a function that has routes only", "run: deprovision", "run: orders", "settings.event-without-route",
     "orders runs on http, which knows routes only: an event has none"),
    ("no rule for the source", "who: {provider: corp-events, kind: service}", "who: {provider: corp, kind: service}",
     "settings.event-ungranted", "no rule lets corp-events run deprovision as event-runner"),
    ("a rule for people only", "kind: service}", "kind: human}", "settings.event-ungranted",
     "no rule lets corp-events run deprovision as event-runner"),
    ("a rule that asks for groups", "kind: service}", "groups: [robots]}", "settings.event-ungranted",
     "no rule lets corp-events run deprovision as event-runner"),
    ("a rule that gives no role", "may: [deprovision], as: event-runner}", "may: [deprovision]}",
     "settings.event-ungranted", "no rule lets corp-events run deprovision as event-runner"),
    ("a rule over something else", "may: [deprovision], as", "may: [orders], as", "settings.event-ungranted",
     "no rule lets corp-events run deprovision as event-runner"),
    ("forgetting whose access ended within a day", "events:\n", "events:\n  remember: 23h\n", "settings.out-of-range",
     "remember is out of range; wanted: 1d to 3660d"),
    ("asking more often than once a second", "kind: webhook,", "kind: webhook, every: 0s,", "settings.out-of-range",
     "every is out of range; wanted: 1s to 1h"),
]  # fmt: skip


def test_what_fits_together_is_taken(desk):
    loaded = desk.check(SOUND)

    assert [one for one in loaded.mistakes if one.severity == "error"] == []
    (on,) = loaded.usable().on
    assert (on.event, on.run, on.as_, on.payload) == ("role-revoked", "deprovision", "event-runner", ("role",))


@pytest.mark.parametrize(
    ("old", "new", "code", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_mistake_is_told(desk, old, new, code, message):
    assert SOUND.count(old) == 1

    loaded = desk.check(SOUND.replace(old, new))

    assert (code, message) in [(one.code, one.message) for one in loaded.mistakes]
    assert loaded.broken


CUT = 'role/event-runner", broker: aws-web-identity, cut: {by: {chain: true}, on: %s}'


@pytest.mark.parametrize(("kinds", "is_taken"), [("[role-revoked]", True), ("[role-granted]", False)])
def test_a_role_is_cut_by_kinds_that_end_access(desk, kinds, is_taken):
    loaded = desk.check(SOUND.replace('role/event-runner"', CUT % kinds))

    found = [one.message for one in loaded.mistakes if one.code == "settings.wrong-value"]
    assert found == ([] if is_taken else ['there is no kind of event that ends access "role-granted"'])


def test_only_a_role_that_aws_hands_out_can_be_cut(desk):
    loaded = desk.check(
        SOUND.replace('role/event-runner"', (CUT % "[role-revoked]").replace("aws-web-identity", "local"))
    )

    assert "settings.no-effect" in [one.code for one in loaded.mistakes]


def test_a_subscription_without_any_source_does_nothing_and_says_so(desk):
    before, _, rules = SOUND.partition("events:")
    text = before + "on: [{event: other, run: deprovision}]\nrules:" + rules.partition("rules:")[2]

    loaded = desk.check(text)

    assert "settings.no-effect" in [one.code for one in loaded.mistakes]


SOURCE = """\
events:
  sources:
    hears: {{kind: {kind}, provider: corp, {more}}}
"""
TELLS = {
    "keycloak": "client: {id: a, secret: {env: A}}",
    "ssf": "audience: actas, transmitter: 'https://sso.example'",
    "webhook": "secret: {env: A}, signature: {header: X, timestamp: T, signed: '{timestamp}.{body}'}",
}
NAMED = [
    ("read as events name people", "keycloak", "", "", None),
    ("read by another claim", "keycloak", "subject: email", "",
     "revocation: expiry only for callers of corp: its events name people by sub, and its tokens are read by email"),
    ("read by another claim, and nothing is to end", "keycloak", "subject: email", "ends: []", None),
    ("read by another claim, with addresses", "ssf", "subject: upn, address: email", "", None),
    ("of a webhook, which says itself whom it names", "webhook", "subject: email", "", None),
    ("of another shape of events", "ssf", "subject: email", "",
     "revocation: expiry only for callers of corp: its events name people by sub, and its tokens are read by email"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "provider", "source", "message"), [case[1:] for case in NAMED], ids=[case[0] for case in NAMED]
)
def test_people_whom_events_cannot_find_are_told_of(desk, sound, kind, provider, source, message):
    more = ", ".join(one for one in (TELLS[kind], source) if one)
    text = sound.replace("audience: actas}", f"audience: actas, {provider}}}") + SOURCE.format(kind=kind, more=more)
    found = [one for one in desk.check(text).mistakes if one.code == "settings.expiry-only"]

    assert [one.message for one in found] == ([] if message is None else [message])
    assert all(one.severity == "warning" for one in found)
