"""Sources that ask, each against what its provider's API answers: the contract, and what can go wrong on the way."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from actas import jose
from actas.errors import ActasError
from actas.events.interface import Begins
from actas.events.sources.reading.sets import CAEP, RISC, SSF
from actas.identify.errors import Unreachable
from actas.identify.fetch import Fetcher
from actas.identify.flow import Answer
from actas.model.secret import Secret
from actas.settings.schema import Provider, SecretRef
from actas.settings.schema_event_sources import EventClient
from actas.testing.contracts.source import SourceContract

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CLIENT = EventClient(id="actas-events", secret=SecretRef(env="S"))
ISSUER = "https://sso.example/realms/corp"
SECRET = "correct-horse-battery-staple"


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


class Api:
    """What every provider's API does: tokens, and counting what it was asked."""

    token = "/token"

    def __init__(self):
        self.asked, self.tokens, self.fails, self.now = [], 0, [], NOW

    async def __call__(self, wish):
        parts = urlsplit(wish.url)
        self.asked.append(f"{wish.method} {parts.path}")
        if parts.path.endswith(self.token):
            self.tokens += 1
            claims = base64.urlsafe_b64encode(json.dumps(self.claims()).encode()).rstrip(b"=").decode()
            return self.says({"access_token": f"x{self.tokens}.{claims}.x", "expires_in": 300})
        if self.fails:
            status, headers = self.fails.pop(0)
            return Answer(status=status, headers=headers, body=b"{}")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return await self.answer(parts.path, query, wish)

    def claims(self):
        return {}

    def says(self, value, *headers, status=200):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return Answer(status=status, headers=headers, body=body)


class KeycloakApi(Api):
    """A realm's admin REST API."""

    def __init__(self, page=500):
        super().__init__()
        self.page = page
        self.rows = {"events": [], "admin-events": []}
        self.config = {
            "eventsEnabled": True, "eventsExpiration": 604800, "adminEventsEnabled": True,
            "adminEventsDetailsEnabled": True, "enabledEventTypes": [], "eventsListeners": ["jboss-logging"],
        }  # fmt: skip
        self.rights = ["view-events"]
        self.skew = timedelta()

    def claims(self):
        return {"sub": "our-account", "resource_access": {"realm-management": {"roles": self.rights}}}

    async def answer(self, path, query, wish):
        feed = path.rpartition("/")[2]
        if path.endswith("/events/config"):
            if wish.method == "PUT":
                self.config = json.loads(wish.body)
                return self.says(b"", status=204)
            return self.says(self.config)
        if feed not in self.rows:
            return self.says({}, status=404)
        low, high = int(query["dateFrom"]), int(query.get("dateTo", 10**15))
        rows = sorted((row for row in self.rows[feed] if low <= row["time"] <= high), key=lambda row: row["time"])
        first, most = int(query["first"]), min(self.page, int(query["max"]))
        date = (self.now + self.skew).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return self.says(rows[first : first + most], ("Date", date))

    def sign_in(self, name, at=None, **more):
        time = int((at or self.now).timestamp() * 1000)
        row = {"id": name, "time": time, "type": "LOGIN", "clientId": "cli", "userId": "ana", **more}
        self.rows["events"].append(row)

    def delete(self, name, at=None, actor="admin"):
        time = int((at or self.now).timestamp() * 1000)
        row = {
            "id": name, "time": time, "operationType": "DELETE", "resourceType": "USER", "resourcePath": "users/ben",
            "authDetails": {"userId": actor, "clientId": "an-internal-id"},
        }  # fmt: skip
        self.rows["admin-events"].append(row)


class Contract(SourceContract):
    """What the contracts of all sources that ask have in common."""

    kind: ClassVar[str]
    api: ClassVar[type]
    settings: ClassVar[dict]
    of: ClassVar = None

    @pytest.fixture(autouse=True)
    def _built(self, built):
        self.provider = self.api()
        more = {} if self.of is None else {"of": self.of}
        self._source = built(self.kind, fetch=self.provider, **self.settings, **more)

    def source(self):
        return self._source

    def now(self):
        return self.provider.now

    def secrets(self):
        return [SECRET]


class TestKeycloak(Contract):
    kind, api, settings = "keycloak", KeycloakApi, {"client": CLIENT}

    async def happen(self):
        self.provider.now += timedelta(seconds=20)
        self.provider.sign_in("in")
        self.provider.delete("gone")
        return 2


class OktaApi(Api):
    """The System Log API: links to the next page, also at the end."""

    token = "/oauth2/v1/token"

    def __init__(self):
        super().__init__()
        self.rows = []
        self.limit = 1000
        self.forgotten = set()

    async def answer(self, path, query, wish):
        shown = dict(wish.headers)["Authorization"]
        if path != "/api/v1/logs" or not shown.startswith(("SSWS ", "Bearer ")):
            return self.says({}, status=403)
        if query.get("after") in self.forgotten:
            return self.says({}, status=400)
        since, until = query["since"], query.get("until", "9")
        rows = [row for row in self.rows if since <= row["published"] < until]
        start = int(query.get("after", 0))
        page = rows[start : start + self.limit]
        link = f"https://okta.example/api/v1/logs?since={since}&after={start + len(page)}"
        last = not page and "until" in query
        return self.says(page, *([] if last else [("Link", f'<{link}>; rel="next"')]))

    def happen(self, name, kind="user.lifecycle.deactivate", at=None):
        target = [{"id": "00u1", "type": "User"}]
        self.rows.append({"uuid": name, "published": iso(at or self.now), "eventType": kind, "target": target})


OKTA = Provider(preset="okta", issuer="https://okta.example/oauth2/default", audience="actas")


class TestOkta(Contract):
    kind, api, settings, of = "okta", OktaApi, {"token": SecretRef(env="S")}, OKTA

    async def happen(self):
        self.provider.now += timedelta(seconds=20)
        self.provider.happen("one")
        return 1


class Auth0Api(Api):
    """The tenant's log: by checkpoint, or by search."""

    token = "/oauth/token"

    def __init__(self):
        super().__init__()
        self.rows = []

    async def answer(self, _path, query, _wish):
        if "from" in query:
            names = [row["log_id"] for row in self.rows]
            start = names.index(query["from"]) + 1
            return self.says(self.rows[start : start + int(query["take"])])
        since = query["q"].removeprefix("date:[").partition(" ")[0]
        return self.says([row for row in self.rows if row["date"] >= since][: int(query["per_page"])])

    def happen(self, name, kind="sdu", at=None):
        self.rows.append({"log_id": name, "date": iso(at or self.now), "type": kind, "user_id": "auth0|ana"})


class TestAuth0(Contract):
    kind, api, settings = "auth0", Auth0Api, {"client": CLIENT}
    of = Provider(preset="auth0", issuer="https://tenant.example/", audience="actas")

    async def happen(self):
        self.provider.now += timedelta(seconds=20)
        for number in range(150):
            self.provider.happen(f"one{number:03}")
        return 150


class GraphApi(Api):
    """Delta queries and subscriptions."""

    def __init__(self):
        super().__init__()
        self.changes = {"users": [], "groups": [], "directoryRoles": []}
        self.log = []
        self.subscriptions = {}
        self.gone = set()

    async def answer(self, path, query, wish):
        parts = path.strip("/").split("/")
        if parts[1] == "subscriptions":
            return self.subscribed(parts, wish)
        if parts[1] == "auditLogs":
            return self.says({"value": self.log})
        resource, token = parts[1], query["$deltatoken"]
        changes, link = self.changes[resource], f"https://graph.microsoft.com/v1.0/{resource}/delta?$deltatoken="
        if token in self.gone:
            return self.says({}, status=410)
        if token == "latest":
            return self.says({"value": [], "@odata.deltaLink": f"{link}{len(changes)}"})
        start = int(token)
        page = changes[start : start + 2]
        kind = "@odata.nextLink" if start + 2 < len(changes) else "@odata.deltaLink"
        return self.says({"value": page, kind: f"{link}{start + len(page)}"})

    def subscribed(self, parts, wish):
        body = json.loads(wish.body)
        name = parts[2] if len(parts) > 2 else f"s{len(self.subscriptions)}"
        if wish.method == "PATCH" and name not in self.subscriptions:
            return self.says({}, status=404)
        self.subscriptions.setdefault(name, {}).update(body, id=name)
        return self.says(self.subscriptions[name], status=201)


ENTRA = Provider(preset="entra", tenant="72f988bf-86f1-41af-91ab-2d7cd011db47", audience="actas")


class TestEntra(Contract):
    kind, api, settings, of = "entra", GraphApi, {"client": CLIENT}, ENTRA

    async def happen(self):
        self.provider.changes["users"] += [{"id": f"u{number}", "accountEnabled": False} for number in range(5)]
        removed = {"id": "u1", "@removed": {"reason": "deleted"}}
        self.provider.changes["groups"].append({"id": "g1", "members@delta": [removed]})
        return 6


class TestEntraListed(TestEntra):
    settings: ClassVar = {"client": CLIENT, "logs": ("sign-ins",)}

    async def happen(self):
        self.provider.now += timedelta(seconds=20)
        self.provider.log = [
            {"id": f"s{number}", "createdDateTime": iso(self.provider.now), "userId": "u1"} for number in range(3)
        ]
        return 3


KEY_FILE = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


class GoogleApi(Api):
    """Reports, newest first, and the directory."""

    def __init__(self):
        super().__init__()
        self.rows = []
        self.people = {"ben@people.example": "1002"}
        self.deleted = {}

    async def answer(self, path, query, _wish):
        if "/directory/" in path:
            if path.endswith("/users"):
                found = self.deleted.get(query["query"].removeprefix("email='").removesuffix("'"))
                return self.says({"users": [{"id": found}] if found else []})
            found = self.people.get(path.rpartition("/")[2])
            return self.says({"id": found}) if found else self.says({}, status=404)
        application = path.rpartition("/")[2]
        rows = [
            row for row in self.rows
            if row["id"]["applicationName"] == application
            and query["startTime"] <= row["id"]["time"] <= query["endTime"]
        ]  # fmt: skip
        rows.sort(key=lambda row: row["id"]["time"], reverse=True)
        start = int(query.get("pageToken", 0))
        page = {"items": rows[start : start + 2]}
        return self.says(page if start + 2 >= len(rows) else page | {"nextPageToken": str(start + 2)})

    def happen(self, name, event="SUSPEND_USER", mail="ben@people.example", at=None):
        named = {"time": iso(at or self.now), "uniqueQualifier": name, "applicationName": "admin"}
        said = [{"name": event, "parameters": [{"name": "USER_EMAIL", "value": mail}]}]
        actor = {"profileId": "1001", "email": "ana@people.example"}
        self.rows.append({"id": named, "actor": actor, "events": said})


GOOGLE = EventClient(id="events@project.example", secret=SecretRef(env=KEY_FILE.decode()), admin="ana@people.example")


class TestGoogle(Contract):
    kind, api, settings = "google", GoogleApi, {"client": GOOGLE}
    of = Provider(preset="google", audience="actas")

    def secrets(self):
        return [KEY_FILE.decode()]

    async def happen(self):
        self.provider.now += timedelta(seconds=20)
        for number in range(5):
            self.provider.happen(f"q{number}")
        return 5


SIGNALS = "https://signals.example/corp"
KEY = jose.Key.generate("ES256", kid="ssf")


def token(jti="j1", *, key=KEY, header=None, **change):
    at = int(NOW.timestamp())
    claims = {
        "iss": SIGNALS, "aud": "us", "iat": at, "jti": jti,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "ana"},
        "events": {f"{CAEP}session-revoked": {"event_timestamp": at - 5}},
    }  # fmt: skip
    claims = {name: value for name, value in (claims | change).items() if value is not None}
    return jose.sign(claims, key, algorithm="ES256", header={"typ": "secevent+jwt"} if header is None else header)


class SsfApi(Api):
    """A transmitter: metadata, keys, a stream, and what waits in it."""

    def __init__(self):
        super().__init__()
        self.waiting, self.acknowledged, self.errors = {}, set(), {}
        self.streams, self.status, self.verified = [], "enabled", []
        self.base, self.critical = SIGNALS, []

    async def answer(self, path, _query, wish):
        match path:
            case "/.well-known/ssf-configuration/corp":
                return self.says({
                    "issuer": self.base, "jwks_uri": "https://signals.example/keys",
                    "configuration_endpoint": "https://signals.example/streams",
                    "status_endpoint": "https://signals.example/status",
                    "verification_endpoint": "https://signals.example/verify",
                    "critical_subject_members": self.critical,
                })  # fmt: skip
            case "/keys":
                return self.says({"keys": [KEY.to_json()]})
            case "/streams":
                return self.stream(wish)
            case "/status":
                if wish.method == "POST":
                    self.status = json.loads(wish.body)["status"]
                return self.says({"status": self.status})
            case "/verify":
                self.verified.append(json.loads(wish.body))
                return self.says(b"", status=204)
            case "/poll":
                return self.poll(json.loads(wish.body))
        return self.says({}, status=404)

    def stream(self, wish):
        if wish.method == "POST":
            asked = json.loads(wish.body)
            self.streams.append(asked | {"stream_id": "s1", "events_delivered": asked["events_requested"]})
            return self.says(self.streams[-1], status=201)
        return self.says(self.streams)

    def poll(self, asked):
        assert asked["returnImmediately"] is True  # without it RFC 8936 waits for something to come
        self.acknowledged.update(asked.get("ack", ()))
        self.errors |= asked.get("setErrs", {})
        left = {
            jti: one for jti, one in self.waiting.items() if jti not in self.acknowledged and jti not in self.errors
        }
        first = dict(list(left.items())[: asked["maxEvents"]])
        return self.says({"sets": first, "moreAvailable": len(left) > len(first)})


class TestSsf(Contract):
    kind, api = "ssf", SsfApi
    settings: ClassVar = {
        "transmitter": SIGNALS, "audience": "us", "delivery": "poll", "token": SecretRef(env="S"),
    }  # fmt: skip

    @pytest.fixture(autouse=True)
    def _stream(self, _built):
        delivery = {"method": "urn:ietf:rfc:8936", "endpoint_url": "https://signals.example/poll"}
        self.provider.streams = [{"stream_id": "s1", "delivery": delivery}]

    async def happen(self):
        self.provider.waiting |= {f"j{number}": token(f"j{number}") for number in range(3)}
        return 3


class TestSsfPushed(Contract):
    kind, api = "ssf", SsfApi
    settings: ClassVar = {"transmitter": SIGNALS, "audience": "us", "secret": SecretRef(env="S")}

    @pytest.fixture(autouse=True)
    def _pushes(self, pushed):
        self.pushed = pushed

    def delivery(self):
        return self.push(token())

    def push(self, body, **headers):
        headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt", **headers}
        return self.pushed(body.encode(), **headers)

    def forgeries(self):
        return {name: self.push(*change[:1], **change[1]) for name, (change, _) in FORGED.items()}


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


UNSIGNED = f"{part({'typ': 'secevent+jwt', 'alg': 'none'})}.{token().split('.')[1]}."
FORGED = {
    "unsigned, as in the examples of RFC 8935": ((UNSIGNED, {}), "invalid_request"),
    "by another key": ((token(key=jose.Key.generate("ES256", kid="ssf")), {}), "invalid_key"),
    "by a key that is not published": ((token(key=jose.Key.generate("ES256", kid="new")), {}), "invalid_key"),
    "of another issuer": ((token(iss="https://other.example"), {}), "invalid_issuer"),
    "for another audience": ((token(aud="them"), {}), "invalid_audience"),
    "with an end": ((token(exp=int(NOW.timestamp()) + 60), {}), "invalid_request"),
    "with a sub": ((token(sub="ana"), {}), "invalid_request"),
    "without its type": ((token(header={"typ": "JWT"}), {}), "invalid_request"),
    "without a name": ((token(jti=None), {}), "invalid_request"),
    "without a time": ((token(iat=None), {}), "invalid_request"),
    "without a subject": ((token(sub_id=None), {}), "invalid_request"),
    "without events": ((token(events={}), {}), "invalid_request"),
    "with an event that is none": ((token(events={"https://e.example": 1}), {}), "invalid_request"),
    "from long ago": ((token(iat=int(NOW.timestamp()) - 2 * 86400), {}), "invalid_request"),
    "of the future": ((token(iat=int(NOW.timestamp()) + 600), {}), "invalid_request"),
    "no token at all": (("{}", {}), "invalid_request"),
    "without the transmitter's secret": ((token(), {"Authorization": "another"}), "authentication_failed"),
    "as another media type": ((token(), {"Content_Type": "application/json"}), "invalid_request"),
}


@pytest.mark.parametrize(("change", "word"), FORGED.values(), ids=FORGED)
def test_a_transmitter_is_told_in_the_standards_words(built, pushed, receive, change, word, count):
    source = built("ssf", fetch=SsfApi(), **TestSsfPushed.settings)
    body, headers = change
    sent = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt", **headers}

    reply = receive(source, pushed(body.encode(), **sent))

    assert (reply.status, reply.events) == (400, ())
    assert json.loads(reply.body)["err"] == word
    assert {"content-type", "content-language"} <= dict(reply.headers).keys()  # RFC 8935, section 2.3
    count("SSF refusals", word)


def test_a_verification_shows_the_state_that_was_asked_for(built, pushed, receive):
    api = SsfApi()
    source = built("ssf", fetch=api, **TestSsfPushed.settings, token=SecretRef(env="S"))
    (missing,) = anyio.run(lambda: source.examine(now=NOW))
    done = anyio.run(lambda: source.mend(Secret("admin"), now=NOW))
    state = api.verified[0]["state"]
    headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}

    def verification(said):
        events = {f"{SSF}verification": said}
        return receive(
            source, pushed(token(events=events, sub_id={"format": "opaque", "id": "s1"}).encode(), **headers)
        )

    assert (missing.code, missing.can_mend) == ("stream-missing", True)
    assert [one.code for one in done] == ["stream-made", "verification-asked"]
    assert api.streams[0]["delivery"]["endpoint_url"] == "https://functions.example/events/told"
    assert (verification({"state": state}).status, verification({"state": state}).events) == (202, ())
    assert json.loads(verification({"state": "another"}).body)["err"] == "invalid_state"
    assert source.health().notes == (
        "the transmitter proved that the stream works", "tokens that were refused: 1, the last as invalid_state",
    )  # fmt: skip
    assert {one.severity for one in anyio.run(lambda: source.examine(now=NOW))} == {"fine"}


def test_a_stream_that_was_paused_is_told_and_enabled_again(built, pushed, receive):
    api = SsfApi()
    source = built("ssf", fetch=api, **TestSsfPushed.settings, token=SecretRef(env="S"))
    secret = Secret("admin")
    anyio.run(lambda: source.mend(secret, now=NOW))
    api.status = "paused"
    updated = token(events={f"{SSF}stream-updated": {"status": "paused"}}, sub_id={"format": "opaque", "id": "s1"})
    headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}
    receive(source, pushed(updated.encode(), **headers))

    found = anyio.run(lambda: source.examine(now=NOW))
    done = anyio.run(lambda: source.mend(secret, now=NOW))

    assert source.health().notes == ("the transmitter says that the stream is paused",)
    assert ("stream-not-enabled", "error") in {(one.code, one.severity) for one in found}
    assert "stream-enabled" in {one.code for one in done}
    assert api.status == "enabled"


def test_a_token_that_is_none_is_said_to_be_and_keeps_no_other_back(built):
    api = SsfApi()
    api.streams = [
        {"stream_id": "s1", "delivery": {"method": "urn:ietf:rfc:8936", "endpoint_url": "https://signals.example/poll"}}
    ]
    api.waiting = {
        "bad": token("bad", aud="them"), "good": token("good"), "mine": token("other"),
        "old": token("old", iat=int(NOW.timestamp()) - 30 * 86400),
    }  # fmt: skip
    source = built("ssf", fetch=api, **TestSsf.settings)

    first = anyio.run(lambda: source.poll(None, now=NOW))
    assert api.acknowledged == set()  # not before what it told is durable
    second = anyio.run(lambda: source.poll(first.cursor, now=NOW))

    assert [one.id for one in first.events] == ["good", "old"]
    assert (second.events, second.more) == ((), False)
    assert api.acknowledged == {"good", "old"}
    assert {jti: one["err"] for jti, one in api.errors.items()} == {
        "bad": "invalid_audience",
        "mine": "invalid_request",
    }


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        (f"{RISC}account-disabled", "user-disabled"),
        (f"{RISC}account-purged", "user-deleted"),
        ("https://e.example/x", "other"),
    ],
)
def test_a_pushed_event_of_each_profile_is_told(built, pushed, receive, uri, kind):
    source = built("ssf", fetch=SsfApi(), **TestSsfPushed.settings)
    headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}

    (event,) = receive(source, pushed(token(events={uri: {}}).encode(), **headers)).events

    assert (event.kind.value, event.subject) == (kind, "ana")


def test_metadata_of_another_issuer_is_not_believed(built, pushed, receive):
    api = SsfApi()
    api.base = "https://other.example"
    headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}

    with pytest.raises(ActasError) as refused:
        receive(built("ssf", fetch=api, **TestSsfPushed.settings), pushed(token().encode(), **headers))

    assert (refused.value.code, refused.value.status) == ("events.provider-unreadable", 503)


# Keycloak


def polled(source, cursor, now=NOW):
    batches = []
    for _ in range(50):
        batches.append(anyio.run(partial(source.poll, cursor, now=now)))
        cursor = batches[-1].cursor
        if not batches[-1].more:
            return [one for batch in batches for one in batch.events], cursor
    raise AssertionError("no end")


def test_a_source_that_begins_hears_of_the_day_before_only_what_ends_access(built):
    api = KeycloakApi()
    api.sign_in("old", NOW - timedelta(hours=2))
    api.delete("ended", NOW - timedelta(hours=2))
    api.delete("long-ago", NOW - timedelta(hours=25))

    events, cursor = polled(built("keycloak", client=CLIENT, fetch=api), None)
    api.sign_in("new", NOW + timedelta(seconds=1))
    later, _ = polled(built("keycloak", client=CLIENT, fetch=api), cursor, NOW + timedelta(seconds=2))

    assert [one.id for one in events] == ["ended"]
    assert {"new"} == {one.id for one in later if one.kind.value == "signed-in"}


@pytest.mark.parametrize("kind", ["keycloak", "okta", "auth0", "google"])
def test_since_when_everything_is_brought_is_read_from_the_first_cursor_and_from_every_later_one(built, kind):
    made = {
        "keycloak": (KeycloakApi, {"client": CLIENT}), "okta": (OktaApi, {"token": SecretRef(env="S"), "of": OKTA}),
        "auth0": (Auth0Api, {"client": CLIENT, "of": TestAuth0.of}),
        "google": (GoogleApi, {"client": GOOGLE, "of": TestGoogle.of}),
    }  # fmt: skip
    api, settings = made[kind]
    source = built(kind, fetch=api(), **settings)

    _, first = polled(source, None)
    _, later = polled(source, first, NOW + timedelta(hours=1))

    assert isinstance(source, Begins)
    assert source.began(first) == source.began(later) == NOW


def test_an_event_that_keycloak_wrote_down_late_is_found_within_the_overlap_and_not_beyond(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    api.now += timedelta(seconds=40)
    api.sign_in("a")
    _, cursor = polled(source, cursor, api.now)

    api.sign_in("late", api.now - timedelta(seconds=29))
    api.sign_in("too-late", api.now - timedelta(seconds=35))
    events, _ = polled(source, cursor, api.now)

    assert "late" in {one.id for one in events}
    assert "too-late" not in {one.id for one in events}


def test_events_of_a_clock_far_behind_a_proxys_are_not_passed_over(built):
    api = KeycloakApi()
    api.skew = timedelta(minutes=10)  # what stands in front of the provider writes another date than the provider
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    _, cursor = polled(source, cursor, NOW + timedelta(minutes=1))
    api.sign_in("slow-clock", NOW - timedelta(minutes=4))

    events, _ = polled(source, cursor, NOW + timedelta(minutes=1))

    assert "slow-clock" not in {one.id for one in events}  # of before we listened, and no end of access
    api.delete("slow-end", NOW - timedelta(minutes=4))
    events, _ = polled(source, cursor, NOW + timedelta(minutes=1))
    assert "slow-end" in {one.id for one in events}


def test_what_was_read_long_ago_is_not_read_again_and_again(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    for place in range(100):
        api.delete(f"e{place}")

    told = []
    for minutes in (0, 1, 6, 7):
        api.now = NOW + timedelta(minutes=minutes)
        events, cursor = polled(source, cursor, api.now)
        told.append(len(events))

    assert told == [100, 100, 100, 0]


@pytest.mark.parametrize("number", [499, 500, 501, 10_001])
def test_pages_are_read_to_their_end_however_many_there_are(built, number):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    for place in range(number):  # several of each millisecond
        api.sign_in(f"e{place}", NOW + timedelta(milliseconds=place // 3))

    events, _ = polled(source, cursor, NOW + timedelta(minutes=1))

    assert {one.id for one in events} == {f"e{place}" for place in range(number)}


def test_more_events_of_one_moment_than_are_read_at_once_still_go_on(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    for place in range(10_500):
        api.sign_in(f"e{place}")
    api.sign_in("after", NOW + timedelta(minutes=2))

    events, _ = polled(source, cursor, NOW + timedelta(minutes=2))

    assert len({one.id for one in events}) == 10_501


def test_one_token_is_used_as_long_as_it_is_good(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    for seconds in range(0, 240, 15):
        _, cursor = polled(source, cursor, NOW + timedelta(seconds=seconds))
    assert api.tokens == 1

    polled(source, cursor, NOW + timedelta(seconds=300))
    assert api.tokens == 2


def test_a_token_that_is_refused_is_got_anew_once(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    polled(source, None)
    api.fails = [(401, ())]
    polled(source, None)
    assert api.tokens == 2

    api.fails = [(401, ()), (401, ())]
    with pytest.raises(ActasError) as refused:
        polled(source, None)
    assert refused.value.code == "events.provider-refused"
    assert source.health().trouble == "events.provider-refused"


@pytest.mark.parametrize(
    ("status", "headers", "code", "later"),
    [
        (429, (("Retry-After", "7"),), "events.provider-busy", 7),
        (503, (), "events.provider-busy", 30),
        (500, (("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"),), "events.provider-busy", 30),
        (403, (), "events.provider-refused", None),
    ],
    ids=["429", "503", "500 with a date", "403"],
)
def test_a_provider_in_trouble_is_told_and_asked_again_later(built, status, headers, code, later):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    api.fails = [(status, headers)]

    with pytest.raises(ActasError) as wrong:
        polled(source, cursor)

    assert (wrong.value.code, getattr(wrong.value, "retry_after", None)) == (code, later)
    polled(source, cursor, NOW + timedelta(seconds=later or 0))
    assert source.health().trouble is None


def test_a_provider_is_not_asked_again_before_it_said(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    api.fails = [(429, (("Retry-After", "7"),))]
    seen = []

    for second in (0, 0.5, 6, 7):
        before = len(api.asked)
        try:
            polled(source, cursor, NOW + timedelta(seconds=second))
        except ActasError as wrong:
            seen.append((wrong.retry_after, len(api.asked) - before))
        else:
            seen.append((None, len(api.asked) > before))

    assert seen == [(7, 1), (7, 0), (1, 0), (None, True)]


def test_an_event_that_nobody_can_read_is_counted_and_keeps_no_other_back(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    api.sign_in(None, NOW + timedelta(seconds=1))
    api.sign_in("good", NOW + timedelta(seconds=2))

    events, _ = polled(source, cursor, NOW + timedelta(seconds=3))

    assert [one.id for one in events] == ["good"]
    assert source.health().notes == ("events that could not be read: 1",)


def test_a_clock_ahead_is_told_and_its_events_keep_their_times_up_to_what_is_believed(built):
    api = KeycloakApi()
    api.skew = timedelta(minutes=4)
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    api.sign_in("ahead", NOW + timedelta(minutes=4))
    api.sign_in("next-year", NOW + timedelta(days=365))

    events, _ = polled(source, cursor)

    assert {one.id: one.happened_at for one in events} == {"ahead": NOW + timedelta(minutes=4), "next-year": NOW}
    assert source.health().notes == ("the provider's clock is +240 s from ours",)


def test_what_our_own_client_did_bears_its_name(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    api.delete("ours", actor="our-account")
    api.delete("theirs")

    events, _ = polled(source, cursor)

    assert {one.id: one.client for one in events} == {"ours": "actas-events", "theirs": "an-internal-id"}


@pytest.mark.parametrize(("away", "missed"), [(timedelta(hours=1), False), (timedelta(hours=1, seconds=1), True)])
def test_being_away_for_longer_than_events_are_kept_is_told(built, away, missed):
    api = KeycloakApi()
    api.config["eventsExpiration"] = 3600
    _, cursor = polled(built("keycloak", client=CLIENT, fetch=api), None)

    batch = anyio.run(lambda: built("keycloak", client=CLIENT, fetch=api).poll(cursor, now=NOW + away))

    assert batch.missed is missed


@pytest.mark.parametrize("contract", [TestKeycloak, TestOkta, TestAuth0, TestEntra, TestGoogle], ids=lambda c: c.kind)
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "not kept"])
def test_what_was_asked_for_is_kept_as_it_came_only_where_the_settings_say_so(built, contract, keep):
    one = contract()
    one.provider = contract.api()
    more = {} if contract.of is None else {"of": contract.of}
    source = built(contract.kind, fetch=one.provider, keep_raw=keep, **contract.settings, **more)
    _, cursor = polled(source, None)
    anyio.run(one.happen)

    events, _ = polled(source, cursor, one.provider.now)

    assert events
    assert [event.raw is not None and isinstance(json.loads(event.raw), dict) for event in events] == [keep] * len(
        events
    )


@pytest.mark.parametrize("kind", ["keycloak", "okta", "auth0"])
def test_a_poll_that_takes_long_keeps_what_it_read_and_goes_on(built, kind):
    made = {
        "keycloak": (KeycloakApi, {"client": CLIENT}, 1500),
        "okta": (OktaApi, {"token": SecretRef(env="S"), "of": OKTA}, 2500),
        "auth0": (Auth0Api, {"client": CLIENT, "of": TestAuth0.of}, 250),
    }  # fmt: skip
    build, settings, number = made[kind]
    api, ticks = build(), [NOW]
    quick = api.answer

    async def slow(path, query, wish):
        ticks.append(ticks[-1] + timedelta(seconds=21))  # longer than one poll reads on
        return await quick(path, query, wish)

    source = built(kind, fetch=api, clock=lambda: ticks[-1], **settings)
    _, cursor = polled(source, None)
    happens = api.sign_in if kind == "keycloak" else api.happen
    for place in range(number):
        happens(f"e{place:04}", at=NOW + timedelta(minutes=1, seconds=place))
    api.answer = slow

    first = anyio.run(lambda: source.poll(cursor, now=NOW + timedelta(hours=1)))
    events, _ = polled(source, cursor, NOW + timedelta(hours=1))

    assert first.more is True
    assert 0 < len(first.events) < number
    assert len({one.id for one in events}) == number


def test_a_provider_too_slow_for_large_pages_is_asked_for_smaller_ones(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    _, cursor = polled(source, None)
    for place in range(600):
        api.sign_in(f"e{place}", NOW + timedelta(milliseconds=place))
    quick, sizes = api.answer, []

    async def slow(path, query, wish):
        sizes.append(int(query.get("max", 0)))
        if sizes[-1] > 150:
            raise Unreachable(host="sso.example", why="no answer within 5 s")
        return await quick(path, query, wish)

    api.answer = slow
    for _ in range(2):
        with pytest.raises(ActasError):
            polled(source, cursor, NOW + timedelta(seconds=2))
    events, _ = polled(source, cursor, NOW + timedelta(seconds=2))

    assert sizes[:3] == [500, 250, 125]
    assert len({one.id for one in events}) == 600


def test_a_cursor_that_is_none_begins_anew(built):
    api = KeycloakApi()
    api.delete("ended", NOW - timedelta(hours=2))

    for cursor in ("", "{", '{"events":1}', "null"):
        events, _ = polled(built("keycloak", client=CLIENT, fetch=api), cursor)
        assert [one.id for one in events] == ["ended"]


ADVICE = [
    ("user events are off", {"eventsEnabled": False}, "events-not-saved", "error"),
    ("admin events are off", {"adminEventsEnabled": False}, "admin-events-not-saved", "error"),
    ("details are off", {"adminEventsDetailsEnabled": False}, "admin-events-without-details", "error"),
    ("types are Keycloak's own choice", {"enabledEventTypes": []}, "event-types-not-saved", "warning"),
    ("a type is left out", {"enabledEventTypes": ["LOGOUT"]}, "event-types-not-saved", "error"),
    ("kept for an hour", {"eventsExpiration": 3600}, "retention-too-short", "warning"),
]


@pytest.mark.parametrize(("change", "code", "severity"), [one[1:] for one in ADVICE], ids=[one[0] for one in ADVICE])
def test_the_doctor_finds_what_keeps_events_from_us_and_mends_it(built, change, code, severity):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)
    api.config |= change

    found = anyio.run(lambda: source.examine(now=NOW))

    assert (code, severity) in {(one.code, one.severity) for one in found}
    assert all(one.hint.endswith(".") for one in found if one.severity != "fine")


def test_the_doctor_says_what_is_missing_or_too_much_of_our_rights(built):
    api = KeycloakApi()
    source = built("keycloak", client=CLIENT, fetch=api)

    fine = anyio.run(lambda: source.examine(now=NOW))
    api.rights = ["view-events", "manage-users"]
    many = anyio.run(lambda: built("keycloak", client=CLIENT, fetch=api).examine(now=NOW))
    api.fails = [(403, ())]
    none = anyio.run(lambda: source.examine(now=NOW))

    assert "rights" in {one.code for one in fine}
    assert "too-many-rights" in {one.code for one in many}
    assert [(one.code, one.can_mend) for one in none] == [("right-missing", True)]


# Okta, Entra, Google


def test_a_link_of_okta_to_another_place_is_not_followed(built):
    api = OktaApi()
    source = built("okta", token=SecretRef(env="S"), of=OKTA, fetch=api)

    async def elsewhere(_path, _query, _wish):
        return api.says([], ("Link", '<https://evil.example/api/v1/logs?since=x>; rel="next"'))

    api.answer = elsewhere
    with pytest.raises(ActasError) as refused:
        anyio.run(lambda: source.poll(None, now=NOW))

    assert refused.value.code == "events.provider-unreadable"


@pytest.mark.parametrize(
    "place", ["https://evil.example/x", "https://graph.microsoft.com.evil.example/x", "http://169.254.169.254/"]
)
def test_a_link_of_graph_to_another_place_is_not_followed(built, place):
    api = GraphApi()
    source = built("entra", client=CLIENT, of=ENTRA, fetch=api)
    _, cursor = polled(source, None)

    async def elsewhere(_path, _query, _wish):
        return api.says({"value": [], "@odata.nextLink": place})

    api.answer = elsewhere
    with pytest.raises(ActasError) as refused:
        polled(source, cursor)

    assert refused.value.code == "events.provider-unreadable"


@pytest.mark.parametrize(
    "inside", ["https://169.254.169.254/keys", "https://[fd00:ec2::254]/keys", "https://10.0.0.1/keys"]
)
def test_ssrf_by_a_transmitters_metadata_leads_nowhere_inside(built, pushed, receive, tmp_path, inside):
    api, real = SsfApi(), Fetcher(base=tmp_path)

    async def fetch(wish):
        if "ssf-configuration" in wish.url:
            return api.says({"issuer": SIGNALS, "jwks_uri": inside})
        return await real(wish)

    public = Provider(preset="oidc", issuer=ISSUER, audience="actas")
    headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}
    with pytest.raises(ActasError) as refused:
        receive(built("ssf", fetch=fetch, of=public, **TestSsfPushed.settings), pushed(token().encode(), **headers))

    assert (refused.value.code, refused.value.status) == ("identify.keys-unavailable", 503)
    assert inside not in str(refused.value)


def test_a_link_that_okta_forgot_is_replaced_by_the_time(built):
    api = OktaApi()
    source = built("okta", token=SecretRef(env="S"), of=OKTA, fetch=api)
    api.happen("one", at=NOW + timedelta(seconds=1))
    first, cursor = polled(source, None)
    api.forgotten = {"1"}
    api.happen("two", at=NOW + timedelta(seconds=2))

    events, _ = polled(source, cursor, NOW + timedelta(seconds=3))

    assert [one.id for one in first] == ["one"]
    assert {"two"} <= {one.id for one in events}


def test_okta_knows_a_service_app_by_its_key(built):
    api, key = OktaApi(), jose.Key.generate("RS256", kid="k")
    client = EventClient(id="0oa1", secret=SecretRef(env=json.dumps(key.to_json(private=True))))
    source = built("okta", client=client, of=OKTA, fetch=api)

    polled(source, None)

    assert api.asked[:2] == ["POST /oauth2/v1/token", "GET /api/v1/logs"]


def test_a_notification_of_graph_is_followed_up_at_once_and_else_every_while(built):
    api = GraphApi()
    source = built("entra", client=CLIENT, secret=SecretRef(env="S"), of=ENTRA, fetch=api)
    _, cursor = polled(source, None)
    asked = len(api.asked)

    polled(source, cursor, NOW + timedelta(seconds=14))
    assert len(api.asked) == asked
    source.ring()
    polled(source, cursor, NOW + timedelta(seconds=14))
    assert len(api.asked) > asked


def test_subscriptions_are_made_renewed_long_before_their_end_and_made_anew_when_they_are_gone(built):
    api = GraphApi()
    source = built("entra", client=CLIENT, secret=SecretRef(env="S"), of=ENTRA, fetch=api)
    _, cursor = polled(source, None)
    assert {one["resource"] for one in api.subscriptions.values()} == {"users", "groups"}
    assert {one["clientState"] for one in api.subscriptions.values()} == {SECRET}
    first = {one["expirationDateTime"] for one in api.subscriptions.values()}

    _, cursor = polled(source, cursor, NOW + timedelta(minutes=59))
    assert {one["expirationDateTime"] for one in api.subscriptions.values()} == first
    asked = len(api.asked)
    _, cursor = polled(source, cursor, NOW + timedelta(hours=1))  # renewing authorizes anew, whoever was told to
    assert sum(one.startswith("PATCH /v1.0/subscriptions/") for one in api.asked[asked:]) == 2
    assert not {one["expirationDateTime"] for one in api.subscriptions.values()} & first

    api.subscriptions = {}  # and shows that Graph removed them, though nobody was told
    _, cursor = polled(source, cursor, NOW + timedelta(hours=2))
    assert len(api.subscriptions) == 2

    api.subscriptions = {}
    source.graph.renew_soon()
    source.ring()
    polled(source, cursor, NOW + timedelta(hours=2, seconds=1))
    assert len(api.subscriptions) == 2


LIFE = [
    ("reauthorizationRequired", {"PATCH"}, 2),
    ("subscriptionRemoved", {"PATCH", "POST"}, 2),
    ("missed", {"PATCH"}, 2),
    ("something that there will be", {"PATCH"}, 2),
]


@pytest.mark.parametrize(("lifecycle", "verbs", "left"), LIFE, ids=[one[0] for one in LIFE])
def test_what_graph_says_of_a_subscription_is_acted_on_at_once(built, pushed, receive, lifecycle, verbs, left):
    """Renewing authorizes anew; one that is gone is made anew; the delta query brings what was missed."""
    api = GraphApi()
    source = built("entra", client=CLIENT, secret=SecretRef(env="S"), of=ENTRA, fetch=api)
    _, cursor = polled(source, None)
    api.changes["users"].append({"id": "u1", "accountEnabled": False})
    if lifecycle == "subscriptionRemoved":
        api.subscriptions = {}
    said = {"subscriptionId": "s0", "clientState": SECRET, "lifecycleEvent": lifecycle, "tenantId": "t"}
    asked = len(api.asked)

    idle, _ = polled(source, cursor, NOW + timedelta(seconds=1))
    forged = pushed({"value": [said | {"clientState": "another"}]})
    with pytest.raises(ActasError):
        receive(source, forged)
    still, _ = polled(source, cursor, NOW + timedelta(seconds=2))
    quiet = api.asked[asked:]
    reply = receive(source, pushed({"value": [said]}))
    events, _ = polled(source, cursor, NOW + timedelta(seconds=3))

    assert (idle, still, quiet) == ([], [], [])
    assert (reply.status, [one.subject for one in events]) == (202, ["u1"])
    used = {one.partition(" ")[0] for one in api.asked[asked:] if "/subscriptions" in one}
    assert (used, len(api.subscriptions)) == (verbs, left)


def test_a_change_that_nobody_can_read_is_counted_and_keeps_no_other_back(built):
    api = GraphApi()
    source = built("entra", client=CLIENT, of=ENTRA, fetch=api)
    _, cursor = polled(source, None)
    api.changes["users"] += [{"id": 7}, {"id": "u1", "lastPasswordChangeDateTime": "yesterday"}]
    api.changes["users"].append({"id": "u2", "accountEnabled": False})

    events, _ = polled(source, cursor)

    assert [one.subject for one in events] == ["u2"]
    assert source.health().notes == ("changes that could not be read: 2",)


def test_only_what_changed_is_asked_for(built):
    api, seen = GraphApi(), []

    async def fetch(wish):
        seen.append((urlsplit(wish.url).path, dict(wish.headers)))
        return await api(wish)

    polled(built("entra", client=CLIENT, of=ENTRA, fetch=fetch), None)

    assert {headers["Prefer"] for path, headers in seen if path.endswith("/delta")} == {"return=minimal"}


def test_a_checkpoint_that_auth0_does_not_know_any_more_is_gone_on_from_by_time(built):
    api = Auth0Api()
    source = built("auth0", client=CLIENT, of=TestAuth0.of, fetch=api)
    api.happen("one")
    _, cursor = polled(source, None)
    api.rows = []  # forgotten
    api.happen("two", at=NOW + timedelta(days=40))

    async def forgot(path, query, wish):
        known = "from" not in query or query["from"] in {row["log_id"] for row in api.rows}
        return await Auth0Api.answer(api, path, query, wish) if known else api.says({}, status=400)

    api.answer = forgot
    batch = anyio.run(lambda: source.poll(cursor, now=NOW + timedelta(days=40)))
    again = anyio.run(lambda: source.poll(batch.cursor, now=NOW + timedelta(days=40)))

    assert [one.id for one in batch.events] == ["two"]
    assert (batch.missed, again.missed, again.events) == (True, False, ())


def test_a_stream_that_was_made_anew_elsewhere_is_found(built):
    api = SsfApi()
    delivery = {"method": "urn:ietf:rfc:8936", "endpoint_url": "https://signals.example/old"}
    api.streams = [{"stream_id": "s1", "delivery": delivery}]
    source = built("ssf", fetch=api, **TestSsf.settings)
    with pytest.raises(ActasError):
        anyio.run(lambda: source.poll(None, now=NOW))
    api.streams[0]["delivery"]["endpoint_url"] = "https://signals.example/poll"
    api.waiting = {"j1": token("j1")}

    assert [one.id for one in anyio.run(lambda: source.poll(None, now=NOW)).events] == ["j1"]


def test_a_delta_link_that_is_too_old_is_said_to_have_missed_something(built):
    api = GraphApi()
    source = built("entra", client=CLIENT, of=ENTRA, fetch=api)
    _, cursor = polled(source, None)
    api.gone = {"0"}

    batch = anyio.run(lambda: source.poll(cursor, now=NOW + timedelta(days=30)))

    assert batch.missed is True


def test_somebody_whom_google_names_by_address_is_looked_up_also_when_they_are_deleted(built):
    api = GoogleApi()
    source = built("google", client=GOOGLE, of=TestGoogle.of, fetch=api)
    _, cursor = polled(source, None)
    at = NOW + timedelta(seconds=10)
    api.deleted = {"chidi@people.example": "1003"}
    api.happen("a", at=at)
    api.happen("b", "DELETE_USER", "chidi@people.example", at=at)
    api.happen("c", "SUSPEND_USER", "nobody@people.example", at=at)

    events, _ = polled(source, cursor, NOW + timedelta(seconds=20))

    assert sorted((one.kind.value, one.subject or "") for one in events) == [
        ("user-deleted", "1003"), ("user-disabled", ""), ("user-disabled", "1002"),
    ]  # fmt: skip


def test_a_report_of_google_that_comes_hours_late_is_found(built):
    api = GoogleApi()
    source = built("google", client=GOOGLE, of=TestGoogle.of, fetch=api)
    _, cursor = polled(source, None)
    for minutes in range(15, 105, 15):
        _, cursor = polled(source, cursor, NOW + timedelta(minutes=minutes))
    api.happen("late", at=NOW + timedelta(minutes=1))

    shallow, cursor = polled(source, cursor, NOW + timedelta(minutes=100))
    deep, _ = polled(source, cursor, NOW + timedelta(minutes=131))

    assert {one.id for one in shallow + deep} == {"admin." + iso(NOW + timedelta(minutes=1)) + ".late.0"}


# Whom signals speak of


def test_an_event_with_a_critical_member_that_nobody_here_processes_takes_nothing_away(built, pushed, receive):
    """SSF 1.0, section 7.1: such an event is discarded; what it may mean less than it seems is not acted on."""
    api = SsfApi()
    source = built("ssf", fetch=api, transmitter=SIGNALS, audience="us", secret=SecretRef(env="S"))
    subject = {
        "format": "complex", "user": {"format": "iss_sub", "iss": ISSUER, "sub": "ana"},
        "tenant": {"format": "opaque", "id": "t1"},
    }  # fmt: skip

    def heard(**more):
        headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}
        (event,) = receive(source, pushed(token(**more).encode(), **headers)).events
        return event.kind.value, event.subject

    plain = heard(sub_id=subject)
    api.critical = ["tenant", "user"]
    again = built("ssf", fetch=api, transmitter=SIGNALS, audience="us", secret=SecretRef(env="S"))
    source = again

    assert plain == ("session-revoked", "ana")
    assert heard(sub_id=subject) == ("other", "ana")
    assert heard(sub_id={name: one for name, one in subject.items() if name != "tenant"}) == plain


def test_who_is_named_by_an_address_is_handed_on_by_it(built, pushed, receive):
    source = built("ssf", fetch=SsfApi(), transmitter=SIGNALS, audience="us", secret=SecretRef(env="S"))
    one = token(sub_id={"format": "email", "email": "ana@people.example"})

    headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}
    (event,) = receive(source, pushed(one.encode(), **headers)).events

    assert (event.subject, event.session, event.named) == (None, None, ("email:ana@people.example",))
    assert "ana" not in repr(event)


def test_tokens_that_were_refused_are_told_of_in_the_sources_health(built, pushed, receive):
    source = built("ssf", fetch=SsfApi(), transmitter=SIGNALS, audience="us", secret=SecretRef(env="S"))
    headers = {"Authorization": SECRET, "Content_Type": "application/secevent+jwt"}

    before = source.health().notes
    assert receive(source, pushed(token(aud="others").encode(), **headers)).status == 400

    assert before == ()
    assert source.health().notes == ("tokens that were refused: 1, the last as invalid_audience",)


@pytest.mark.parametrize(
    ("event", "named"),
    [("SUSPEND_USER", ("email:nobody@people.example",)), ("REMOVE_GROUP_MEMBER", ()), ("UNASSIGN_ROLE", ())],
    ids=["a person whom the directory has not", "a group inside a group, perhaps", "a group with a role, perhaps"],
)
def test_an_address_that_googles_directory_does_not_know_is_of_nobody_or_of_a_group(built, event, named):
    api = GoogleApi()
    api.happen("q1", event, mail="nobody@people.example", at=NOW - timedelta(hours=1))
    source = built("google", fetch=api, client=GOOGLE, of=TestGoogle.of)

    (found,) = {one.id: one for one in polled(source, None)[0]}.values()

    assert (found.subject, found.named) == (None, named)


# What a provider, or whoever stands between, may do to an answer: a row for each way, a column for each source

ASKING = [TestKeycloak, TestOkta, TestAuth0, TestEntra, TestEntraListed, TestGoogle, TestSsf]


ABOUT = ("/token", "well-known", "/keys", "/streams", "/config", "/directory/v1/")


def hear(built, contract, bend=None):
    """Give a source that asked once, and whose provider's answers are bent by *bend* once after something happened."""
    one = contract()
    one.provider = api = contract.api()
    if contract is TestSsf:
        delivery = {"method": "urn:ietf:rfc:8936", "endpoint_url": "https://signals.example/poll"}
        api.streams = [{"stream_id": "s1", "delivery": delivery}]
    bent = [0]

    async def fetch(wish):
        answer = await api(wish)
        is_about = any(part in urlsplit(wish.url).path for part in ABOUT)
        if bend is None or bent or is_about:
            return answer
        changed = bend(answer)
        bent.extend([1] if changed is not answer else [])
        return changed

    more = {} if contract.of is None else {"of": contract.of}
    source = built(contract.kind, fetch=fetch, **contract.settings, **more)
    _, cursor = polled(source, None)
    anyio.run(one.happen)
    bent.clear()
    return source, cursor


def bodied(answer, body):
    return Answer(status=answer.status, headers=answer.headers, body=body)


def turned(value, turn):
    """Change each list of what happened, wherever a provider has it."""
    if isinstance(value, list):
        return turn(value)
    if isinstance(value, dict) and "sets" in value:
        return value | {"sets": dict(turn(list(value["sets"].items())))}
    return {name: turn(each) if name in ("value", "items") else each for name, each in value.items()}


def rows(answer, turn):
    value = json.loads(answer.body or b"null")
    changed = turned(value, turn) if isinstance(value, (list, dict)) else value
    return answer if changed == value else bodied(answer, json.dumps(changed).encode())


REFUSED = {
    "truncated": lambda answer: bodied(answer, answer.body[: len(answer.body) // 2]),
    "cut to nothing": lambda answer: bodied(answer, b""),
    "oversized": lambda answer: bodied(answer, b"[" + b" " * (8 * 1024 * 1024) + b"]"),
    "a page of somebody else's": lambda answer: bodied(answer, b"<html>Sign in to the guest network</html>"),
    "forged by another shape": lambda answer: bodied(answer, b'"everything is fine"'),
    "a redirection": lambda answer: Answer(status=302, headers=(("Location", "https://evil.example/"),), body=b""),
    "refused": lambda answer: Answer(status=403, headers=(), body=b"{}"),
    "throttled": lambda answer: Answer(status=429, headers=(("Retry-After", "3"),), body=b""),
}
ABSORBED = {
    "reordered": lambda answer: rows(answer, lambda listed: listed[::-1]),
    "repeated": lambda answer: rows(answer, lambda listed: listed + listed),
}


def heard(source, cursor, now=None):
    events, cursor = polled(source, cursor, now or NOW + timedelta(seconds=20))
    return {one.id: (one.kind, one.subject) for one in events}, cursor


@pytest.mark.parametrize("contract", ASKING, ids=lambda one: one.__name__)
@pytest.mark.parametrize("bend", REFUSED.values(), ids=REFUSED)
def test_an_answer_that_is_bent_is_told_and_loses_nothing(built, contract, bend, count):
    wanted, _ = heard(*hear(built, contract))
    source, cursor = hear(built, contract, bend)

    first = {}
    with suppress(ActasError):
        first, cursor = heard(source, cursor)
    troubled = source.health().trouble
    second, _ = heard(source, cursor, NOW + timedelta(seconds=40))

    assert wanted
    assert troubled is not None
    assert troubled.startswith("events.provider-")
    assert wanted.items() <= (first | second).items()
    assert source.health().trouble is None
    count("bent answers", contract.__name__)


@pytest.mark.parametrize("contract", ASKING, ids=lambda one: one.__name__)
@pytest.mark.parametrize("bend", ABSORBED.values(), ids=ABSORBED)
def test_an_answer_in_another_order_or_with_everything_twice_tells_the_same(built, contract, bend):
    wanted, _ = heard(*hear(built, contract))
    found, _ = heard(*hear(built, contract, bend))

    assert wanted
    assert found == wanted


@pytest.mark.parametrize("contract", [TestKeycloak, TestOkta, TestAuth0, TestEntraListed], ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    ("ahead", "told"),
    [(timedelta(minutes=5), timedelta(minutes=5)), (timedelta(minutes=5, seconds=1), timedelta()),
     (timedelta(days=400), timedelta())],
    ids=["as far as clocks differ", "further", "next year"],
)  # fmt: skip
def test_what_is_dated_ahead_is_brought_and_counts_as_of_now(built, contract, ahead, told):
    api = contract.api()
    more = {} if contract.of is None else {"of": contract.of}
    source = built(contract.kind, fetch=api, **contract.settings, **more)
    at = NOW + ahead
    match contract.__name__:
        case "TestKeycloak":
            api.sign_in("ahead", at)
        case "TestEntraListed":
            api.log = [{"id": "ahead", "createdDateTime": iso(at), "userId": "u1"}]
        case _:
            api.happen("ahead", at=at)

    events, _ = polled(source, None)

    assert {one.happened_at for one in events if "ahead" in one.id} == {NOW + told}
