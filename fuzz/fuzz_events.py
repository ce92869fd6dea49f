"""Feed anything to the sources of identity events: only an ActasError may come out, and what comes in is well-formed.

    python fuzz/fuzz_events.py -max_total_time=180 [CORPUS]

The first byte chooses the source, the second what the rest is: a delivery that proves itself, with or without header
fields of its own in its first lines, a delivery as it is, or what the provider's API answers. Whatever is taken
becomes events that the normal form takes. Without a corpus folder, good deliveries and answers of each source are the
seeds.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import atheris
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

with atheris.instrument_imports(include=["actas"]):
    from actas import jose
    from actas.errors import ActasError
    from actas.events.interface import Making, Pushed
    from actas.events.normal import IdentityEvent
    from actas.events.sources import SOURCES, make
    from actas.identify.flow import Answer, Wish
    from actas.model.secret import Secret
    from actas.settings.schema import KeySource, Provider, SecretRef
    from actas.settings.schema_event_sources import EventClient, EventFields, Signature
    from actas.settings.schema_events import EventSource

    for file in SOURCES.values():
        import_module(f"actas.events.sources.{file}")

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
SECRET = "correct-horse-battery-staple"
ISSUER = "https://k.example/realms/a"
KEY = jose.Key.generate("ES256", kid="one")
REFERENCE = SecretRef(env="S")
CLIENT = EventClient(id="c", secret=REFERENCE, admin="a@people.example", token_url="https://k.example/token")
PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
LOOP = asyncio.Runner()
ANSWER = Answer(status=200, body=b"")


async def fetch(wish: Wish) -> Answer:
    """Give a token where one is asked for, else whatever the fuzzer has the provider say."""
    if "token" in wish.url:
        return Answer(status=200, body=b'{"access_token":"x.e30.x","expires_in":300}')
    if "ssf-configuration" in wish.url:
        about = {
            "issuer": ISSUER,
            "jwks_uri": "https://k.example/keys",
            "configuration_endpoint": "https://k.example/s",
        }
        return Answer(status=200, body=json.dumps(about).encode())
    if wish.url == "https://k.example/keys":
        return Answer(status=200, body=json.dumps({"keys": [KEY.to_json()]}).encode())
    return ANSWER


def source(kind: str, **more: object) -> object:
    """Make one source of *kind*."""
    provider = Provider(
        preset="keycloak", issuer=ISSUER, audience="a", tenant="t", keys=KeySource(inline={"keys": [KEY.to_json()]})
    )
    making = Making(
        name="told", folder=Path(), secret=lambda one: Secret(PEM if one.env == "G" else SECRET), clock=lambda: NOW,
        fetch=fetch,
        public_url="https://f.example",
    )  # fmt: skip
    return make(EventSource(kind=kind, provider="corp", **more), provider, making)


FIELDS = EventFields(id="id", type="type", at="at", subject="who", kinds={"left": "user-disabled"}, events="list")
HOW = Signature(header="X-S", prefix="sha256=", timestamp="X-T", signed="{timestamp}.{body}")
TOLD = {
    "keycloak": {"secret": REFERENCE, "audience": "a"},
    "okta": {"secret": REFERENCE},
    "entra": {"secret": REFERENCE, "client": CLIENT},
    "auth0": {"secret": REFERENCE},
    "ssf": {"secret": REFERENCE, "audience": "a"},
    "backchannel-logout": {"audience": "a"},
    "webhook": {"secret": REFERENCE, "signature": HOW, "fields": FIELDS},
    "cloudevents": {"secret": REFERENCE},
}
ASKED = {
    "keycloak": {"client": CLIENT},
    "okta": {"token": REFERENCE},
    "entra": {"client": CLIENT, "logs": ("sign-ins", "audits")},
    "auth0": {"client": CLIENT},
    "ssf": {"token": REFERENCE, "audience": "a", "delivery": "poll"},
    "google": {"client": EventClient(id="c", secret=SecretRef(env="G"), admin="a@people.example")},
}
PUSHED = {kind: source(kind, **more) for kind, more in TOLD.items()}
GOOGLE = source("google", **ASKED["google"])
"""One for all runs: reading its key takes a quarter of a second."""
assert {*TOLD, *ASKED} == SOURCES.keys()


def keeps_the_secret(said: str) -> None:
    """See that an error can be logged."""
    said.encode()
    assert SECRET not in said


def mac(data: bytes) -> str:
    """Sign *data* as webhooks do."""
    return hmac.new(SECRET.encode(), data, hashlib.sha256).hexdigest()


def token(body: bytes, typ: str) -> bytes:
    """Put what *body* says over the claims of a good token."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    whole = {"iss": ISSUER, "aud": "a", "iat": AT, "jti": "j"}
    if isinstance(found, dict):
        whole |= found
    try:
        return jose.sign(whole, KEY, algorithm="ES256", header={"typ": typ}).encode()
    except jose.JoseError:
        return body


def proved(kind: str, body: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Give *body* the proof that its source asks for."""
    match kind:
        case "keycloak":
            return (("x-keycloak-signature", mac(body)),), body
        case "webhook":
            return (("x-t", str(AT)), ("x-s", "sha256=" + mac(f"{AT}.".encode() + body))), body
        case "ssf":
            headers = (("authorization", SECRET), ("content-type", "application/secevent+jwt"))
            return headers, token(body, "secevent+jwt")
        case "backchannel-logout":
            headers = (("content-type", "application/x-www-form-urlencoded"),)
            return headers, b"logout_token=" + token(body, "logout+jwt")
        case _:
            return (("authorization", SECRET), ("content-type", "application/cloudevents+json")), body


def receive(
    kind: str, headers: tuple[tuple[str, str], ...], body: bytes, method: str = "POST", query: str = ""
) -> None:
    """Push to the source of *kind*."""
    request = Pushed(method=method, query=query, headers=headers, body=body, received_at=NOW)
    try:
        reply = LOOP.run(PUSHED[kind].receive(request, now=NOW))
    except ActasError as refused:
        keeps_the_secret(str(refused))
        return
    assert 200 <= reply.status < 600
    assert SECRET.encode() not in reply.body
    assert all(isinstance(one, IdentityEvent) for one in reply.events)
    assert reply.status < 400 or not reply.events


def as_it_is(kind: str, data: bytes, *, proves: bool = False) -> None:
    """Take the first lines for header fields, and the first of them for a method and a query; perhaps with a proof."""
    head, _, body = data.partition(b"\n\n")
    lines = head.decode("latin-1").split("\n")
    method, _, query = lines[0].partition(" ")
    pairs = tuple((name.lower(), value) for name, _, value in (line.partition(":") for line in lines[1:20]))
    if proves:
        shown, body = proved(kind, body)
        pairs = (*pairs, *(one for one in shown if one[0] not in dict(pairs)))
    receive(kind, pairs, body, method, query)


def ask(kind: str, data: bytes) -> None:
    """Have the provider answer *data* whatever it is asked."""
    global ANSWER  # noqa: PLW0603 - what a provider says is the world
    first = data[:1]
    status = {b"4": 401, b"5": 503, b"9": 429, b"3": 404, b"g": 410}.get(first, 200)
    ANSWER = Answer(status=status, headers=(("Link", '<https://k.example/api/v1/logs?x>; rel="next"'),), body=data[1:])
    made = GOOGLE if kind == "google" else source(kind, **ASKED[kind])

    async def run() -> None:
        cursor = None
        for _ in range(2):
            batch = await made.poll(cursor, now=NOW)
            cursor = batch.cursor
            assert all(isinstance(one, IdentityEvent) for one in batch.events)

    async def look() -> None:
        await made.examine(now=NOW)

    async def again() -> None:
        await made.poll(data[1:].decode("utf-8", "replace"), now=NOW)

    for one in (run, look, again):
        try:
            LOOP.run(one())
        except ActasError as refused:
            keeps_the_secret(str(refused))
    made.health()


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name that libFuzzer calls
    """Take *data* for one of the four."""
    if len(data) < 2:
        return
    kinds = sorted(TOLD)
    kind = kinds[data[0] % len(kinds)]
    match data[1] % 4:
        case 0:
            receive(kind, *proved(kind, data[2:]))
        case 1:
            as_it_is(kind, data[2:])
        case 3:
            as_it_is(kind, data[2:], proves=True)
        case _:
            asked = sorted(ASKED)
            ask(asked[data[0] % len(asked)], data[2:])


SUBJECTS = [
    {"format": "email", "email": "ana@people.example"}, {"format": "opaque", "id": "ana"},
    {"format": "phone_number", "phone_number": "+12065550100"}, {"format": "did", "url": "did:example:1"},
    {"format": "account", "uri": "acct:ana@people.example"}, {"format": "uri", "uri": "urn:x:1"},
    {"format": "aliases", "identifiers": [{"format": "iss_sub", "iss": ISSUER, "sub": "ana"}]},
    {"format": "jwt_id", "iss": ISSUER, "jti": "1"}, {"format": "ip-addresses", "ip-addresses": ["192.0.2.1"]},
    {"subject_type": "id_token_claims", "iss": ISSUER, "sub": "ana"},
]  # fmt: skip
LOGGED = [
    {"id": "s", "createdDateTime": "2026-11-23T08:59:00.1234567Z", "userId": "u", "status": {"errorCode": 50126},
     "riskState": "atRisk", "isInteractive": False},
    {"id": "a", "activityDateTime": "2026-11-23T08:59:00Z", "activityDisplayName": "Remove app role assignment from x",
     "result": "success", "initiatedBy": {"user": {"id": "b"}}, "targetResources": [{"id": "u", "type": "User"}]},
]  # fmt: skip


def seeds() -> list[bytes]:
    """Give good inputs of each kind."""
    at, ms = "2026-11-23T08:59:00.000Z", AT * 1000
    entry = {"uuid": "e", "published": at, "eventType": "user.session.start", "target": [{"id": "u", "type": "User"}]}
    admin = {
        "id": "e", "uid": "u", "time": ms, "type": "admin.USER-UPDATE", "resourceType": "USER",
        "operationType": "UPDATE", "resourcePath": "users/ana", "authDetails": {"userId": "b"},
        "representation": '{"enabled":false}',
    }  # fmt: skip
    subject = {"format": "complex", "user": {"format": "iss_sub", "iss": ISSUER, "sub": "ana"}}
    event = {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": AT}}
    logout = {"sub": "ana", "exp": AT + 60, "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}
    good = {
        "keycloak": admin,
        "okta": {"eventType": "com.okta.event_hook", "data": {"events": [entry]}},
        "entra": {"value": [{"subscriptionId": "s", "clientState": SECRET, "changeType": "updated"}]},
        "auth0": [{"log_id": "l", "data": {"date": at, "type": "s", "user_id": "ana"}}],
        "ssf": {"sub_id": subject, "events": event},
        "backchannel-logout": logout,
        "webhook": {"list": [{"id": "1", "type": "left", "at": at, "who": "ana"}]},
        "cloudevents": {"specversion": "1.0", "id": "1", "source": "/x", "type": "left", "time": at, "subject": "ana"},
    }
    kinds, asked = sorted(TOLD), sorted(ASKED)
    found = [bytes([kinds.index(kind), 0]) + json.dumps(body).encode() for kind, body in good.items()]
    found += [bytes([number, 1]) + b"GET validationToken=x\nx-okta-verification-challenge:c\n\n" for number in range(8)]
    found += [
        bytes([kinds.index("ssf"), 0]) + json.dumps({"sub_id": one, "events": event}).encode() for one in SUBJECTS
    ]
    binary = b"ce-specversion:1.0\nce-id:1\nce-source:/x\nce-type:%22left%22\nce-time:2026-11-23T08:59:00Z"
    found.append(
        bytes([kinds.index("cloudevents"), 3]) + b"POST \ncontent-type:application/json\n" + binary + b"\n\n{}"
    )
    answers = {
        "keycloak": [{"id": "e", "time": ms, "type": "LOGIN", "userId": "ana"}],
        "okta": [entry],
        "entra": {"value": [{"id": "u", "accountEnabled": False}], "@odata.deltaLink": "https://graph.microsoft.com/x"},
        "auth0": [{"log_id": "l", "date": at, "type": "s", "user_id": "ana"}],
        "ssf": [{"stream_id": "s", "delivery": {"method": "urn:ietf:rfc:8936", "endpoint_url": "https://k.example/p"}}],
        "google": {
            "items": [{
                "id": {"time": at, "uniqueQualifier": "1", "applicationName": "admin"}, "actor": {"profileId": "1"},
                "events": [{"name": "SUSPEND_USER", "parameters": [{"name": "USER_EMAIL", "value": "b@k.example"}]}],
            }],
        },
    }  # fmt: skip
    found += [bytes([asked.index("entra"), 2]) + b"2" + json.dumps({"value": [one]}).encode() for one in LOGGED]
    return found + [bytes([asked.index(kind), 2]) + b"2" + json.dumps(body).encode() for kind, body in answers.items()]


def main() -> None:
    """Hand over to libFuzzer; make a corpus of the seeds where none is given."""
    if not any(not argument.startswith("-") for argument in sys.argv[1:]):
        folder = Path(tempfile.mkdtemp(prefix="actas-fuzz-"))
        for number, seed in enumerate(seeds()):
            (folder / str(number)).write_bytes(seed)
        sys.argv.append(str(folder))
    atheris.Setup(sys.argv, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
