"""What strangers may do to a delivery: a row for each way, a column for each source that is told, with its control."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import anyio
import pytest

from actas import jose
from actas.errors import ActasError
from actas.identify.flow import Answer
from actas.settings.schema import SecretRef
from actas.settings.schema_event_sources import EventClient, EventFields, Signature

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRET = "correct-horse-battery-staple"
OF_TESTS = SecretRef(env="S")
ISSUER = "https://sso.example/realms/corp"
MINUTES = timedelta(minutes=5)
KEY, OTHER = jose.Key.generate("ES256", kid="one"), jose.Key.generate("ES256", kid="one")
FIELDS = EventFields(id="id", type="type", at="at", subject="who", kinds={"left": "user-disabled"})
SIGNED = Signature(header="X-Signature", timestamp="X-Time", signed="{timestamp}.{body}")
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"


def seconds(at):
    return int(at.timestamp())


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def jws(claims, key, **header):
    return jose.sign(claims, key, algorithm="ES256", header=header)


def bearer(secret):
    return {"authorization": secret, "content-type": "application/json"}


@dataclass(frozen=True)
class Sender:
    """How a source is set up, and what sends to it: a body for a name and a time, and its proof by a secret or key."""

    settings: dict
    body: object
    proof: object
    by_key: bool = False


def keycloak(name, at, _key):
    return json.dumps({
        "id": name, "uid": name, "time": seconds(at) * 1000, "realmName": "corp", "type": "admin.USER-DELETE",
        "resourceType": "USER", "operationType": "DELETE", "resourcePath": "users/ana", "authDetails": {"userId": "b"},
    }).encode()  # fmt: skip


def okta(name, at, _key):
    entry = {
        "uuid": name, "published": iso(at), "eventType": "user.lifecycle.deactivate", "outcome": {"result": "SUCCESS"},
        "target": [{"id": "ana", "type": "User"}],
    }  # fmt: skip
    return json.dumps({"eventType": "com.okta.event_hook", "data": {"events": [entry]}}).encode()


def auth0(name, at, _key):
    return json.dumps({"log_id": name, "data": {"date": iso(at), "type": "sdu", "user_id": "ana"}}).encode()


def plain(name, at, _key):
    return json.dumps({"id": name, "type": "left", "at": iso(at), "who": "ana"}).encode()


def signed(name, at, key):
    return jose.sign(plain(name, at, key), key, algorithm="ES256").encode()


def cloud(name, at, _key=None):
    return {"specversion": "1.0", "id": name, "source": "/hr", "type": "left", "time": iso(at), "data": {"who": "ana"}}


def structured(name, at, _key):
    return json.dumps(cloud(name, at)).encode()


def batched(name, at, _key):
    return json.dumps([cloud(name, at)]).encode()


def logout(name, at, key):
    claims = {
        "iss": ISSUER, "aud": "portal", "iat": seconds(at), "exp": seconds(at) + 120, "jti": name, "sub": "ana",
        "events": {LOGOUT: {}},
    }  # fmt: skip
    return urlencode({"logout_token": jws(claims, key, typ="logout+jwt")}).encode()


def security(name, at, key):
    claims = {
        "iss": ISSUER, "aud": "us", "iat": seconds(at), "jti": name,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "ana"}, "events": {CAEP: {}},
    }  # fmt: skip
    return jws(claims, key, typ="secevent+jwt").encode()


def mac(text, secret):
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def by_realm(body, key):
    claims = {
        "iss": ISSUER, "aud": "https://functions.example/events/told", "iat": seconds(NOW), "exp": seconds(NOW) + 300,
        "jti": "1", "request_body_sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    return {"authorization": f"Bearer {jws(claims, key)}"}


def by_time(body, secret):
    stamp = str(seconds(NOW))
    return {"x-time": stamp, "x-signature": mac(stamp.encode() + b"." + body, secret)}


def of_type(media, **more):
    return lambda _body, secret: {"content-type": media, **({"authorization": secret} if more.get("secret") else {})}


CLOUD_FIELDS = EventFields(subject="data.who", kinds={"left": "user-disabled"})
CLOUD = {"kind": "cloudevents", "secret": OF_TESTS, "fields": CLOUD_FIELDS}
SENDERS = {
    "keycloak, by HMAC": Sender(
        {"kind": "keycloak", "secret": OF_TESTS}, keycloak, lambda body, by: {"x-keycloak-signature": mac(body, by)}
    ),
    "keycloak, by the realm": Sender(
        {"kind": "keycloak", "audience": "https://functions.example/events/told"}, keycloak, by_realm, by_key=True
    ),
    "okta": Sender({"kind": "okta", "secret": OF_TESTS}, okta, lambda _body, by: bearer(by)),
    "auth0": Sender({"kind": "auth0", "secret": OF_TESTS}, auth0, lambda _body, by: bearer(by)),
    "webhook, by HMAC and time": Sender(
        {"kind": "webhook", "secret": OF_TESTS, "signature": SIGNED, "fields": FIELDS}, plain, by_time
    ),
    "webhook, by a secret": Sender(
        {"kind": "webhook", "secret": OF_TESTS, "fields": FIELDS}, plain, lambda _body, by: bearer(by)
    ),
    "webhook, as a JWS": Sender({"kind": "webhook", "fields": FIELDS}, signed, lambda _body, _by: {}, by_key=True),
    "cloudevents, structured": Sender(CLOUD, structured, of_type("application/cloudevents+json", secret=True)),
    "cloudevents, batched": Sender(CLOUD, batched, of_type("application/cloudevents-batch+json", secret=True)),
    "cloudevents, binary": Sender(CLOUD, structured, None),
    "backchannel-logout": Sender(
        {"kind": "backchannel-logout", "audience": "portal"}, logout, of_type("application/x-www-form-urlencoded"),
        by_key=True,
    ),
    "ssf, by its signature": Sender(
        {"kind": "ssf", "audience": "us"}, security, of_type("application/secevent+jwt"), by_key=True
    ),
    "ssf, by its signature and a secret": Sender(
        {"kind": "ssf", "audience": "us", "secret": OF_TESTS}, security,
        of_type("application/secevent+jwt", secret=True),
    ),
}  # fmt: skip


def binary(name, at, secret):
    event = cloud(name, at)
    data = json.dumps(event.pop("data")).encode()
    headers = {f"ce-{attribute}": value for attribute, value in event.items()}
    return data, headers | {"authorization": secret, "content-type": "application/json"}


@pytest.fixture(params=SENDERS.values(), ids=SENDERS)
def sender(request):
    return request.param


async def metadata(wish):
    answers = {
        "https://sso.example/.well-known/ssf-configuration/realms/corp": {
            "issuer": ISSUER, "jwks_uri": "https://sso.example/keys",
        },
        "https://sso.example/keys": {"keys": [KEY.to_json()]},
    }  # fmt: skip
    return Answer(status=200, body=json.dumps(answers[wish.url]).encode())


@pytest.fixture
def source(sender, built, provider):
    """Build the source, whose provider's keys are those of this file."""
    keys = {"inline": {"keys": [KEY.to_json()]}}
    of = replace_keys(provider, keys)
    more = {"keys": of.keys} if sender.body is signed else {}
    return built(**sender.settings, **more, of=of, fetch=metadata)


def replace_keys(provider, keys):
    import msgspec

    from actas.settings.schema import KeySource

    return msgspec.structs.replace(provider, keys=KeySource(**keys))


@pytest.fixture
def write(sender, pushed):
    """Write a delivery; with *forged* by somebody who knows neither the secret nor the key."""

    def delivery(name="e1", at=NOW, *, forged=False, body=None):
        key, secret = (OTHER, "correct-horse-battery-stable") if forged else (KEY, SECRET)
        if sender.proof is None:
            made, headers = binary(name, at, secret)
        else:
            made = sender.body(name, at, key)
            headers = sender.proof(made, key if sender.by_key else secret)
        request = pushed(made if body is None else body)
        return replace(request, headers=tuple(headers.items()))

    return delivery


def told(source, request):
    """Give what a delivery told; None where it was refused, as a fault of its sender."""
    refusals = []
    try:
        reply = anyio.run(lambda: source.receive(request, now=NOW))
    except ActasError as refused:
        refusals.append(refused)
    if refusals:
        assert 400 <= refusals[0].status < 500
        assert not any(one in str(refusals[0]) for one in (SECRET, "ana"))
        return None
    assert reply.status < 500
    return reply.events if reply.status < 300 else None


def test_the_control_of_all_that_follows(source, write, count, sender):
    (event,) = told(source, write())

    assert (event.subject, event.happened_at) == ("ana", NOW)
    count("hostile deliveries", sender.settings["kind"])


def test_a_forged_delivery_tells_nothing(source, write):
    assert told(source, write(forged=True)) is None


def test_a_delivery_that_is_replayed_is_the_same_event_and_no_other(source, write):
    first, again = told(source, write()), told(source, write())

    assert [one.id for one in first] == [one.id for one in again]
    assert told(source, write("e2"))[0].id != first[0].id


@pytest.mark.parametrize("part", [0, 0.3, 0.6, 0.95], ids=["to nothing", "early", "late", "at its end"])
def test_a_truncated_delivery_tells_nothing(source, write, part, sender):
    whole = write().body
    found = told(source, write(body=whole[: int(len(whole) * part)]))

    # A CloudEvent in binary mode is its header fields, with or without data: without, it names nobody.
    assert (found is None) or (sender.proof is None and part == 0 and found[0].subject is None)


def test_an_oversized_delivery_tells_nothing(source, write):
    padding = b" " * (1024 * 1024)

    assert told(source, write(body=write().body + padding)) is None


def test_deliveries_in_another_order_have_their_own_times_and_names(source, write):
    (late,), (early,) = told(source, write("e2", NOW)), told(source, write("e1", NOW - timedelta(seconds=90)))

    assert early.happened_at == NOW - timedelta(seconds=90) < late.happened_at
    assert early.id != late.id


@pytest.mark.parametrize(
    ("ahead", "taken"),
    [(timedelta(seconds=55), True), (MINUTES + timedelta(seconds=1), False), (timedelta(days=400), False)],
    ids=["within what clocks differ by", "ahead of that", "of next year"],
)
def test_a_delivery_of_the_future_tells_nothing(source, write, ahead, taken):
    found = told(source, write(at=NOW + ahead))

    assert (found is not None) is taken


@pytest.mark.parametrize(
    ("ago", "taken"),
    [(timedelta(seconds=90), True), (timedelta(hours=24, seconds=1), False)],
    ids=["a moment ago", "of the day before yesterday"],
)
def test_a_delivery_of_long_ago_tells_nothing(source, write, ago, taken):
    found = told(source, write(at=NOW - ago))

    assert (found is not None) is taken


@pytest.mark.parametrize("body", [b"\x00" * 64, b"\xff\xfe\xfd", b"{" * 5000, b"[" * 5000, b"null", b"-", b"a.b.c"])
def test_a_body_that_is_nothing_tells_nothing(source, write, body, sender):
    found = told(source, write(body=body))

    assert (found is None) or (sender.proof is None and body == b"null" and found[0].subject is None)


def test_a_batch_that_names_an_event_twice_tells_one_id(built, pushed):
    source = built(**CLOUD)
    body = json.dumps([cloud("e1", NOW), cloud("e1", NOW), cloud("e2", NOW)]).encode()
    request = replace(
        pushed(body), headers=(("authorization", SECRET), ("content-type", "application/cloudevents-batch+json"))
    )

    assert len({one.id for one in told(source, request)}) == 2


# Change notifications tell nothing themselves: they ring


def ring(state=SECRET, **more):
    return {
        "value": [{"subscriptionId": "s", "clientState": state, "changeType": "updated", "resource": "users/1"}]
    } | more


RINGS = [
    ("as Graph sends it", json.dumps(ring()).encode(), True),
    ("replayed", json.dumps(ring()).encode(), True),
    ("forged", json.dumps(ring("another")).encode(), False),
    ("without its state", json.dumps({"value": [{"subscriptionId": "s"}]}).encode(), False),
    ("with no state", b'{"value": [{"subscriptionId": "s", "clientState": null}]}', False),
    ("truncated", json.dumps(ring()).encode()[:-9], False),
    ("oversized", json.dumps(ring()).encode() + b" " * (1024 * 1024), False),
    ("with a member twice", b'{"value": [], "value": []}', False),
    ("of nothing", b'{"value": []}', False),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rings"), [one[1:] for one in RINGS], ids=[one[0] for one in RINGS])
def test_a_change_notification(built, pushed, body, rings):
    source = built("entra", secret=OF_TESTS, client=EventClient(id="c", secret=OF_TESTS))

    found = told(source, pushed(body))

    assert (found == ()) is rings
    assert source._rung is rings


# Cross-JWT confusion: what one kind of source takes, no other does


@pytest.mark.parametrize(("settings", "body", "media"), [
    ({"kind": "ssf", "audience": "portal"}, logout, "application/secevent+jwt"),
    ({"kind": "backchannel-logout", "audience": "us"}, security, "application/x-www-form-urlencoded"),
], ids=["a logout token at a stream", "a security event at a client's logout"])  # fmt: skip
def test_a_token_of_another_kind_is_none(built, provider, pushed, settings, body, media):
    source = built(**settings, of=replace_keys(provider, {"inline": {"keys": [KEY.to_json()]}}), fetch=metadata)
    token = body("e1", NOW, KEY).decode()
    token = token.removeprefix("logout_token=") if body is logout else urlencode({"logout_token": token})

    assert told(source, replace(pushed(token.encode()), headers=(("content-type", media),))) is None


def test_a_secret_of_the_publics_is_no_key(built, provider, pushed):
    """Algorithm confusion (protocols.md, 10.1): a public key taken for the secret of an HMAC."""
    source = built(
        "ssf", audience="us", of=replace_keys(provider, {"inline": {"keys": [KEY.to_json()]}}), fetch=metadata
    )
    head, claims, _ = security("e1", NOW, KEY).decode().split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one","typ":"secevent+jwt"}').rstrip(b"=").decode()
    public = json.dumps(KEY.to_json()).encode()
    shown = base64.urlsafe_b64encode(hmac.digest(public, f"{head}.{claims}".encode(), "sha256")).rstrip(b"=").decode()
    request = replace(
        pushed(f"{head}.{claims}.{shown}".encode()), headers=(("content-type", "application/secevent+jwt"),)
    )

    assert told(source, request) is None
