"""What the standards say of deliveries, sentence by sentence: RFC 8417, 8935 and 8936, SSF 1.0, CloudEvents 1.0."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import anyio
import pytest

from actas import jose
from actas.errors import ActasError
from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import cloudevents
from actas.identify.flow import Answer
from actas.model.secret import Secret
from actas.settings.schema import KeySource, Provider, SecretRef

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
SIGNALS = "https://signals.example"
ISSUER = "https://sso.example/realms/corp"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
KEY = jose.Key.generate("ES256", kid="k")
OF_TESTS = SecretRef(env="S")
OF = Provider(preset="keycloak", issuer=ISSUER, audience="actas", private=True)


def security(jti="j1", *, header=None, without=(), **change):
    claims = {
        "iss": SIGNALS, "aud": "us", "iat": AT, "jti": jti,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "ana"}, "events": {f"{CAEP}session-revoked": {}},
    }  # fmt: skip
    claims = {name: value for name, value in (claims | change).items() if name not in without}
    return jose.sign(claims, KEY, algorithm="ES256", header={"typ": "secevent+jwt"} | (header or {}))


class Transmitter:
    """A transmitter of SSF 1.0: metadata, keys, one stream, its status, and what waits in it."""

    def __init__(self, **metadata):
        self.metadata, self.asked, self.waiting = metadata, [], {}
        self.stream = {
            "stream_id": "s1", "delivery": {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{SIGNALS}/poll"},
        }  # fmt: skip

    async def __call__(self, wish):
        path = urlsplit(wish.url).path
        body = None if wish.body is None else json.loads(wish.body)
        self.asked.append((wish.method, path, body, dict(wish.headers)))
        match path, wish.method:
            case "/.well-known/ssf-configuration", _:
                said = {
                    "spec_version": "1_0", "issuer": SIGNALS, "jwks_uri": f"{SIGNALS}/keys",
                    "configuration_endpoint": f"{SIGNALS}/streams", "status_endpoint": f"{SIGNALS}/status",
                    "verification_endpoint": f"{SIGNALS}/verify",
                } | self.metadata  # fmt: skip
            case "/keys", _:
                said = {"keys": [KEY.to_json()]}
            case "/streams", "POST" if self.stream is not None:
                return Answer(status=409, headers=(), body=b"{}")
            case "/streams", "POST":
                self.stream = said = {"stream_id": "s1", **body}
            case "/streams", "PATCH":
                self.stream |= {"events_delivered": body["events_requested"], **body}
                said = self.stream
            case "/streams", _:
                said = [self.stream] if self.stream else []
            case "/status", _:
                said = {"stream_id": "s1", "status": "enabled"}
            case "/poll", _:
                said = {"sets": self.waiting}
            case _:
                return Answer(status=204, headers=(), body=b"")
        return Answer(status=200, headers=(), body=json.dumps(said).encode())


@pytest.fixture
def transmitter():
    return Transmitter()


@pytest.fixture
def push(built, pushed, transmitter):
    source = built("ssf", transmitter=SIGNALS, audience="us", of=OF, fetch=transmitter)

    def send(token, **headers):
        said = {"content-type": "application/secevent+jwt", "accept": "application/json", **headers}
        request = replace(pushed(token.encode()), headers=tuple(said.items()))
        reply = anyio.run(lambda: source.receive(request, now=NOW))
        return reply, (json.loads(reply.body) if reply.body else None)

    return send


def test_a_token_that_is_taken_is_answered_202_and_nothing_else(push):
    """RFC 8935, section 2.2: 202, with an empty body."""
    reply, _ = push(security())

    assert (reply.status, reply.body, len(reply.events)) == (202, b"", 1)


def test_a_token_that_comes_again_is_answered_as_the_first_time(push):
    """RFC 8935, section 2: the recipient acknowledges it as if it were the first."""
    assert push(security())[0] == push(security())[0]


TAKEN = [
    ("its type written in full (RFC 7515, section 4.1.9)", security(header={"typ": "application/secevent+jwt"})),
    ("its type in other letters", security(header={"typ": "SecEvent+JWT"})),
    ("several audiences", security(aud=["them", "us"])),
    ("a transaction and a time of event (RFC 8417, section 2.2)", security(txn="t1", toe=AT - 3)),
    ("an event that nobody here knows", security(events={"https://e.example/new": {}})),
    ("two events", security(events={f"{CAEP}session-revoked": {}, f"{CAEP}credential-change": {}})),
    ("a line break after it", security() + "\n"),
]
REFUSED = [
    ("no audience", security(without=("aud",)), "invalid_request"),
    ("an audience that only begins alike", security(aud="us2"), "invalid_audience"),
    ("an issuer with a slash more", security(iss=SIGNALS + "/"), "invalid_issuer"),
    ("no issuer", security(without=("iss",)), "invalid_issuer"),
    ("an end, also one to come (SSF 1.0, section 4.1.7)", security(exp=AT + 60), "invalid_request"),
    ("a subject of tokens (section 4.1.2)", security(sub="ana"), "invalid_request"),
    ("no jti (RFC 8417, section 2.2)", security(without=("jti",)), "invalid_request"),
    ("a jti that is no text", security(jti=7), "invalid_request"),
    ("no iat", security(without=("iat",)), "invalid_request"),
    ("an iat that is a text", security(iat=str(AT)), "invalid_request"),
    ("no events", security(without=("events",)), "invalid_request"),
    ("events in a list", security(events=[{}]), "invalid_request"),
    ("an event that is null", security(events={f"{CAEP}session-revoked": None}), "invalid_request"),
    ("no subject (SSF 1.0, section 4.1.4)", security(without=("sub_id",)), "invalid_request"),
    ("the type of an access token", security(header={"typ": "at+jwt"}), "invalid_request"),
    ("the type of a logout token", security(header={"typ": "logout+jwt"}), "invalid_request"),
    ("five parts, as if it were encrypted", security() + ".x.y", "invalid_request"),
    ("a signature cut short", security()[:-4], "invalid_key"),
]


@pytest.mark.parametrize("token", [one[1] for one in TAKEN], ids=[one[0] for one in TAKEN])
def test_a_token_is_taken_with(push, token):
    assert push(token)[0].status == 202


@pytest.mark.parametrize(("token", "word"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_a_token_is_refused_with(push, token, word):
    """RFC 8935, section 2.3: 400, JSON, and the language of its description."""
    reply, said = push(token)

    assert (reply.status, reply.events) == (400, ())
    assert said.keys() == {"err", "description"}
    assert said["err"] in ({word, "invalid_request"} if word == "invalid_key" else {word})
    assert dict(reply.headers)["content-language"] == "en"
    assert "ana" not in said["description"]


@pytest.mark.parametrize("media", ["application/jwt", "text/plain", "", "application/secevent+jwt-x"])
def test_a_token_of_another_media_type_is_refused(push, media):
    assert push(security(), **{"content-type": media})[0].status == 400
    assert push(security(), **{"content-type": "Application/SecEvent+JWT; charset=utf-8"})[0].status == 202


def polling(built, transmitter):
    return built("ssf", transmitter=SIGNALS, audience="us", delivery="poll", token=OF_TESTS, of=OF, fetch=transmitter)


def polls(transmitter):
    return [(body, headers) for _, path, body, headers in transmitter.asked if path == "/poll"]


def test_what_is_polled_is_acknowledged_with_the_next_question_and_refusals_are_said_in_a_language(built, transmitter):
    """RFC 8936, sections 2.2 and 2.4."""
    source = polling(built, transmitter)
    transmitter.waiting = {"j1": security("j1"), "j2": security("j2", aud="them"), "j3": security("other")}

    first = anyio.run(partial(source.poll, None, now=NOW))
    transmitter.waiting = {}
    anyio.run(partial(source.poll, first.cursor, now=NOW))

    (begin, _), (after, headers) = polls(transmitter)
    assert (begin["maxEvents"], begin["returnImmediately"], begin.keys()) == (
        100,
        True,
        {"maxEvents", "returnImmediately"},
    )
    assert after["ack"] == ["j1"]
    assert {name: one["err"] for name, one in after["setErrs"].items()} == {
        "j2": "invalid_audience", "j3": "invalid_request",
    }  # fmt: skip
    assert (headers["Content-Type"], headers["Content-Language"]) == ("application/json", "en")


def test_a_token_that_was_acknowledged_and_comes_again_is_acknowledged_again(built, transmitter):
    """RFC 8936, section 2.4: whoever gets it again acknowledges it again."""
    source, cursor = polling(built, transmitter), None
    transmitter.waiting = {"j1": security("j1")}
    for _ in range(3):
        cursor = anyio.run(partial(source.poll, cursor, now=NOW)).cursor

    assert [body.get("ack") for body, _ in polls(transmitter)] == [None, ["j1"], ["j1"]]


@pytest.mark.parametrize("said", [{}, {"sets": []}, {"sets": {"j": 1}}, {"sets": None}, [], "x"], ids=str)
def test_an_answer_without_sets_is_none(built, transmitter, said):
    """RFC 8936, section 2.3: sets is always there, and an object."""

    async def odd(wish):
        answer = await transmitter(wish)
        return Answer(status=200, headers=(), body=json.dumps(said).encode()) if wish.url.endswith("/poll") else answer

    source = polling(built, odd)
    with pytest.raises(ActasError) as wrong:
        anyio.run(partial(source.poll, None, now=NOW))
    assert wrong.value.code == "events.provider-unreadable"


# Whose subjects are ours

OKTA = Provider(preset="okta", issuer="https://org.example/oauth2/default", audience="actas")
ENTRA = Provider(preset="entra", tenant="72f988bf-86f1-41af-91ab-2d7cd011db47", audience="actas")
OURS = [
    ("of the tokens' issuer", OF, SIGNALS, ISSUER, True),
    ("of a transmitter that is somebody else", OF, SIGNALS, SIGNALS, False),
    ("of a transmitter that is the provider itself", OKTA, "https://org.example", "https://org.example", True),
    ("of the tokens' issuer at that provider", OKTA, "https://org.example", "https://org.example/oauth2/default", True),
    ("of an issuer that is made of the tenant", ENTRA, SIGNALS,
     "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", True),
    ("of another tenant", ENTRA, SIGNALS,
     "https://login.microsoftonline.com/00000000-86f1-41af-91ab-2d7cd011db47/v2.0", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "transmitter", "issuer", "ours"), [case[1:] for case in OURS], ids=[case[0] for case in OURS]
)
def test_a_subject_is_ours(built, pushed, provider, transmitter, issuer, ours):
    keys = KeySource(inline={"keys": [KEY.to_json()]})
    source = built("ssf", transmitter=transmitter, audience="us", keys=keys, of=provider)
    token = security(iss=transmitter, sub_id={"format": "iss_sub", "iss": issuer, "sub": "ana"})
    request = replace(pushed(token.encode()), headers=(("content-type", "application/secevent+jwt"),))

    (event,) = anyio.run(lambda: source.receive(request, now=NOW)).events

    assert (event.subject == "ana") is ours
    assert (event.named == (f"iss_sub:{issuer} ana",)) is not ours


# Managing a stream: SSF 1.0, section 8


def codes(source):
    return {one.code: one for one in anyio.run(partial(source.examine, now=NOW))}


def test_a_stream_that_could_deliver_more_is_changed(built, transmitter):
    transmitter.stream |= {"events_supported": [f"{CAEP}session-revoked"], "events_delivered": []}
    source = polling(built, transmitter)

    before = codes(source)["stream-delivers-less"]
    done = anyio.run(partial(source.mend, Secret("administrator"), now=NOW))

    changed = [(body, headers) for method, _, body, headers in transmitter.asked if method == "PATCH"]
    assert (before.severity, before.can_mend) == ("warning", True)
    assert [one.code for one in done] == ["stream-changed", "verification-asked"]
    assert changed[0][0]["stream_id"] == "s1"
    assert f"{CAEP}session-revoked" in changed[0][0]["events_requested"]
    assert changed[0][1]["Authorization"] == "Bearer administrator"
    assert "stream-delivers-less" not in codes(source)


def test_a_stream_that_cannot_deliver_more_is_left_alone(built, transmitter):
    transmitter.stream |= {
        "events_supported": [f"{CAEP}session-revoked"],
        "events_delivered": [f"{CAEP}session-revoked"],
    }
    source = polling(built, transmitter)

    anyio.run(partial(source.mend, Secret("administrator"), now=NOW))

    assert not codes(source)["stream-delivers-less"].can_mend
    assert "PATCH" not in {method for method, *_ in transmitter.asked}


ABOUT = [
    (
        "it delivers in another way",
        {"delivery_methods_supported": ["urn:ietf:rfc:8935"]},
        "delivery-not-supported",
        "error",
    ),
    ("it speaks of added subjects alone", {"default_subjects": "NONE"}, "subjects-to-be-added", "warning"),
]


ELSEWHERE = {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://others.example/events"}
THERE = [
    ("none", None, "stream-made", "POST"),
    ("ours, by its name", {"delivery": ELSEWHERE, "description": "told"}, "stream-changed", "PATCH"),
    ("ours, by its address",
     {"delivery": ELSEWHERE | {"endpoint_url": "https://functions.example/events/old"}}, "stream-changed", "PATCH"),
    ("somebody else's", {"delivery": ELSEWHERE, "description": "theirs"}, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("there", "code", "method"), [one[1:] for one in THERE], ids=[one[0] for one in THERE])
def test_a_stream_is_made_or_ours_is_changed_and_nobody_elses(built, transmitter, there, code, method):
    """SSF 1.0, section 8.1.1.1: 409 where a receiver may have one stream and there is one."""
    transmitter.stream = None if there is None else {"stream_id": "s1", **there}
    source = polling(built, transmitter)

    if code is None:
        with pytest.raises(ActasError) as wrong:
            anyio.run(partial(source.mend, Secret("administrator"), now=NOW))
        assert (wrong.value.code, wrong.value.found) == ("events.provider-refused", 409)
        assert transmitter.stream["delivery"] == ELSEWHERE
        return
    done = anyio.run(partial(source.mend, Secret("administrator"), now=NOW))
    assert done[0].code == code
    last = [body for verb, path, body, _ in transmitter.asked if path == "/streams" and verb == method][-1]
    assert last["delivery"] == {"method": "urn:ietf:rfc:8936"}
    assert last.get("stream_id") == (None if there is None else "s1")


def test_subjects_are_added_where_the_transmitter_speaks_of_nobody_else(built):
    """SSF 1.0, section 8.1.3.2."""
    transmitter = Transmitter(default_subjects="NONE", add_subject_endpoint=f"{SIGNALS}/add")
    subject = {"format": "complex", "tenant": {"format": "opaque", "id": "4711"}}
    more = {"transmitter": SIGNALS, "audience": "us", "delivery": "poll", "token": OF_TESTS, "of": OF}
    source = built("ssf", fetch=transmitter, subjects=(subject,), **more)

    assert codes(source)["subjects-to-be-added"].can_mend
    assert not codes(built("ssf", fetch=transmitter, **more))["subjects-to-be-added"].can_mend
    done = anyio.run(partial(source.mend, Secret("administrator"), now=NOW))

    assert "subjects-added" in {one.code for one in done}
    assert [body for _, path, body, _ in transmitter.asked if path == "/add"] == [
        {"stream_id": "s1", "subject": subject, "verified": True}
    ]


def test_a_subject_to_add_that_is_none_is_told_before_anything_is_asked(built, transmitter):
    with pytest.raises(ActasError) as wrong:
        built("ssf", transmitter=SIGNALS, audience="us", of=OF, fetch=transmitter, subjects=({"format": "email"},))
    assert wrong.value.code == "events.source-incomplete"
    assert transmitter.asked == []


@pytest.mark.parametrize(("metadata", "code", "severity"), [one[1:] for one in ABOUT], ids=[one[0] for one in ABOUT])
def test_a_transmitter_that_says_that(built, metadata, code, severity):
    assert codes(polling(built, Transmitter(**metadata)))[code].severity == severity
    assert code not in codes(polling(built, Transmitter()))


def test_a_stream_that_pauses_when_nobody_asks_is_told_of_where_it_pushes(built, transmitter):
    transmitter.stream = {
        "stream_id": "s1", "inactivity_timeout": 3600,
        "delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://functions.example/events/told"},
    }  # fmt: skip
    source = built("ssf", transmitter=SIGNALS, audience="us", token=OF_TESTS, of=OF, fetch=transmitter)

    assert codes(source)["stream-pauses"].severity == "warning"


@pytest.mark.parametrize(("status", "trouble"), [
    ("paused", "stream-not-enabled"), ("disabled", "stream-not-enabled"), ("enabled", None),
])  # fmt: skip
def test_what_the_transmitter_says_of_its_stream_is_in_the_sources_health(built, pushed, transmitter, status, trouble):
    source = built("ssf", transmitter=SIGNALS, audience="us", of=OF, fetch=transmitter)
    token = security(sub_id={"format": "opaque", "id": "s1"}, events={f"{SSF}stream-updated": {"status": status}})
    headers = (("content-type", "application/secevent+jwt"),)

    reply = anyio.run(lambda: source.receive(replace(pushed(token.encode()), headers=headers), now=NOW))

    assert (reply.status, reply.events) == (202, ())
    assert source.health().trouble == trouble


# CloudEvents 1.0.2, HTTP Protocol Binding, section 3, and JSON Event Format, section 3

BINARY = {
    "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/hr", "ce-type": "left", "ce-time": "2026-11-23T12:00:00Z",
}  # fmt: skip


def one(headers, body=b""):
    (found,) = cloudevents.events(headers, body)
    return found


DECODED = [
    ("as it is", "ana", "ana"),
    ("out of its quotes", '"ana"', "ana"),
    ("out of its quotes, with a quoted pair", r'"a\"na\\"', 'a"na\\'),
    ("out of percent-encoding", "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \u20ac \U0001f600"),
    ("out of its quotes and percent-encoding", '"%22ana%22"', '"ana"'),
    ("once, and no more", "%2541", "%41"),
    ("with a quote that does not end", '"ana', '"ana'),
]


@pytest.mark.parametrize(("written", "wanted"), [case[1:] for case in DECODED], ids=[case[0] for case in DECODED])
def test_an_attribute_in_a_header_field_is_read(written, wanted):
    """Section 3.1.3.2: unescaped from double quotes first, then a single round of percent-decoding."""
    assert one(BINARY | {"ce-subject": written})["subject"] == wanted


@pytest.mark.parametrize("written", ["%ff", "%c3%28", "%ED%A0%80"], ids=["no UTF-8", "half of it", "half a character"])
def test_an_attribute_that_is_no_utf_8_is_refused(written):
    with pytest.raises(MalformedDelivery):
        one(BINARY | {"ce-subject": written})


@pytest.mark.parametrize("missing", ["ce-id", "ce-source", "ce-type"])
def test_an_event_without_what_it_needs_is_refused(missing):
    with pytest.raises(MalformedDelivery):
        one({name: value for name, value in BINARY.items() if name != missing})
    with pytest.raises(MalformedDelivery):
        one(BINARY | {missing: ""})


@pytest.mark.parametrize("version", ["0.3", "1.0.2", "2.0", "1"])
def test_an_event_of_another_version_is_refused(version):
    with pytest.raises(MalformedDelivery):
        one(BINARY | {"ce-specversion": version})


STRUCTURED = {"content-type": "application/cloudevents+json; charset=UTF-8"}
EVENT = {"specversion": "1.0", "id": "e1", "source": "/hr", "type": "left", "time": "2026-11-23T12:00:00Z"}


def encoded(text):
    return base64.b64encode(text).decode()


DATA = [
    ("as JSON", {"data": {"who": "ana"}}, {"who": "ana"}),
    ("as JSON in Base64", {"data_base64": encoded(b'{"who": "ana"}'), "datacontenttype": "application/json"},
     {"who": "ana"}),
    ("as JSON in Base64 of a type of its own",
     {"data_base64": encoded(b'{"who": "ana"}'), "datacontenttype": "application/hr+json; v=1"}, {"who": "ana"}),
    ("as text", {"data": "ana", "datacontenttype": "text/plain"}, "ana"),
    ("as octets, which nobody here reads", {"data_base64": encoded(b"\xff"), "datacontenttype": "image/png"}, None),
    ("not at all", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("more", "data"), [case[1:] for case in DATA], ids=[case[0] for case in DATA])
def test_the_data_of_a_structured_event_come(more, data):
    assert one(STRUCTURED, json.dumps(EVENT | more).encode()).get("data") == data


@pytest.mark.parametrize(
    "more",
    [
        {"data": 1, "data_base64": "eA=="}, {"data_base64": "?"}, {"data_base64": 7},
        {"data_base64": encoded(b"{"), "datacontenttype": "application/json"}, {"Capital": "x"}, {"with-hyphen": "x"},
    ],
    ids=["twice", "no Base64", "a number", "no JSON", "a name with capitals", "a name with a hyphen"],
)  # fmt: skip
def test_a_structured_event_of_another_form_is_refused(more):
    with pytest.raises(MalformedDelivery):
        one(STRUCTURED, json.dumps(EVENT | more).encode())
    assert one(STRUCTURED, json.dumps(EVENT).encode())["id"] == "e1"


def test_a_batch_holds_any_number_of_events_also_none():
    """JSON Event Format, section 4: an empty batch is one."""
    batch = {"content-type": "application/cloudevents-batch+json"}

    assert cloudevents.events(batch, b"[]") == ()
    assert [each["id"] for each in cloudevents.events(batch, json.dumps([EVENT, EVENT | {"id": "e2"}]).encode())] == [
        "e1", "e2",
    ]  # fmt: skip
    for bad in (EVENT, [EVENT, 1], [EVENT] * 1001):
        with pytest.raises(MalformedDelivery):
            cloudevents.events(batch, json.dumps(bad).encode())
