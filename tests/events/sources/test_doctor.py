"""``actas events doctor``: each kind of source says what is off or cannot be seen, and what to switch on, and where."""

import json
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import anyio
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from actas.errors import ActasError
from actas.events.interface import Examines
from actas.events.sources import SOURCES
from actas.identify.flow import Answer
from actas.settings.schema import Provider, SecretRef
from actas.settings.schema_event_sources import EventClient, Signature

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ISSUER = "https://sso.example/realms/corp"
OF_TESTS = SecretRef(env="S")
CLIENT = EventClient(id="c", secret=OF_TESTS, token_url="https://sso.example/token")
ADDRESS = "https://functions.example/events/told"
PEM = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
GOOGLE = EventClient(id="events@project.example", secret=SecretRef(env=PEM.decode()), admin="ana@people.example")


def saying(answers):
    """Answer by the end of the path; everything else is an empty list or a token."""

    async def fetch(wish):
        path = urlsplit(wish.url).path
        if path.endswith("token"):
            return Answer(status=200, headers=(), body=b'{"access_token":"x.e30.x","expires_in":300}')
        for end, said in answers.items():
            if path.endswith(end):
                return said if isinstance(said, Answer) else Answer(status=200, body=json.dumps(said).encode())
        return Answer(status=200, headers=(), body=b"[]")

    return fetch


REFUSED = Answer(status=403, headers=(), body=b"{}")
DELTA = {"value": [], "@odata.deltaLink": "https://graph.microsoft.com/v1.0/users/delta?x"}
ENTRA = Provider(preset="entra", tenant="72f988bf-86f1-41af-91ab-2d7cd011db47", audience="actas")
TOLD = {"sender-unseen", "address"}
CASES = [
    ("okta, told alone", {"kind": "okta", "secret": OF_TESTS}, {}, TOLD | {"does-not-ask"}, set()),
    ("okta, asked", {"kind": "okta", "token": OF_TESTS}, {}, {"log-readable"}, set()),
    ("okta, both", {"kind": "okta", "token": OF_TESTS, "secret": OF_TESTS}, {}, TOLD | {"log-readable"}, set()),
    ("okta, without the right", {"kind": "okta", "token": OF_TESTS}, {"/logs": REFUSED}, {"right-missing"},
     {"right-missing"}),
    ("auth0, told alone", {"kind": "auth0", "secret": OF_TESTS}, {}, TOLD | {"does-not-ask"}, set()),
    ("auth0, both", {"kind": "auth0", "secret": OF_TESTS, "client": CLIENT}, {}, TOLD | {"log-readable"}, set()),
    ("keycloak, told alone", {"kind": "keycloak", "secret": OF_TESTS}, {}, TOLD | {"does-not-ask"}, set()),
    ("webhook, signed without a time",
     {"kind": "webhook", "secret": OF_TESTS, "signature": Signature(header="X-S")}, {}, TOLD | {"replayable"}, set()),
    ("webhook, signed with the time",
     {"kind": "webhook", "secret": OF_TESTS,
      "signature": Signature(header="X-S", timestamp="X-T", signed="{timestamp}.{body}")}, {}, TOLD, set()),
    ("cloudevents", {"kind": "cloudevents", "secret": OF_TESTS}, {}, TOLD, set()),
    ("backchannel-logout, where it is supported", {"kind": "backchannel-logout", "audience": "portal"},
     {"/openid-configuration": {"backchannel_logout_supported": True, "backchannel_logout_session_supported": True}},
     TOLD | {"logout-supported"}, set()),
    ("backchannel-logout, without sessions", {"kind": "backchannel-logout", "audience": "portal"},
     {"/openid-configuration": {"backchannel_logout_supported": True}}, TOLD | {"logout-without-session"}, set()),
    ("backchannel-logout, where it is not supported", {"kind": "backchannel-logout", "audience": "portal"},
     {"/openid-configuration": {}}, TOLD | {"logout-not-supported"}, {"logout-not-supported"}),
    ("google", {"kind": "google", "client": GOOGLE},
     {"/login": {"items": []}, "/ana@people.example": {"id": "1"}}, {"reports-readable", "directory-readable"}, set()),
    ("google, without the directory", {"kind": "google", "client": GOOGLE},
     {"/login": {"items": []}, "/ana@people.example": REFUSED}, {"reports-readable", "right-missing"},
     {"right-missing"}),
    ("entra", {"kind": "entra", "client": CLIENT, "of": ENTRA}, {"/delta": DELTA},
     {"users-readable", "groups-readable", "directoryroles-readable", "sign-ins-not-read", "audits-not-read"}, set()),
    ("entra, with a secret that Graph does not keep whole",
     {"kind": "entra", "client": CLIENT, "of": ENTRA, "secret": SecretRef(env="x" * 129)}, {"/delta": DELTA},
     {"users-readable", "groups-readable", "directoryroles-readable", "sign-ins-not-read", "audits-not-read",
      "client-state-too-long"}, {"client-state-too-long"}),
    ("entra, with the longest that it keeps",
     {"kind": "entra", "client": CLIENT, "of": ENTRA, "secret": SecretRef(env="x" * 128)}, {"/delta": DELTA},
     {"users-readable", "groups-readable", "directoryroles-readable", "sign-ins-not-read", "audits-not-read"}, set()),
    ("ssf, without a token to look with", {"kind": "ssf", "audience": "us"}, {}, {"stream-unseen"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "answers", "codes", "errors"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_doctor_says_of(built, settings, answers, codes, errors):
    source = built(fetch=saying(answers), **settings)

    found = anyio.run(partial(source.examine, now=NOW))

    assert {one.code for one in found} == codes
    assert {one.code for one in found if one.severity == "error"} == errors
    for one in found:
        assert (one.hint == "") is (one.severity == "fine")
        assert one.hint[-1:] in ("", ".", ")")
        assert not one.message.endswith(".")
    if "sender-unseen" in codes:
        assert any(ADDRESS in one.hint for one in found)


def test_every_kind_of_source_can_be_examined(built):
    made = {settings["kind"]: built(**settings) for _, settings, *_ in CASES}

    assert made.keys() == SOURCES.keys()
    assert all(isinstance(one, Examines) for one in made.values())


def test_a_provider_that_does_not_answer_is_trouble_and_no_advice(built):
    async def down(_wish):
        return Answer(status=503, headers=(), body=b"")

    source = built("backchannel-logout", audience="portal", fetch=down)
    with pytest.raises(ActasError) as wrong:
        anyio.run(partial(source.examine, now=NOW))
    assert wrong.value.code == "events.provider-busy"
