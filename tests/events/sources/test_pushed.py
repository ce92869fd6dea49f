"""What is pushed: forged, replayed, truncated, oversized, reordered, repeated or dated wrongly, and its control."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

import pytest

from actas import jose
from actas.errors import ActasError
from actas.events.interface import Polls, Receives
from actas.settings.schema import SecretRef
from actas.settings.schema_event_sources import EventClient, EventFields, Signature
from actas.testing.contracts.source import SourceContract

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
SECRET = "correct-horse-battery-staple"
OF_TESTS = SecretRef(env="S")
ISSUER = "https://sso.example/realms/corp"
FIELDS = EventFields(id="id", type="type", at="at", subject="who", kinds={"left": "user-disabled"})
SIGNED = Signature(header="X-Signature", prefix="sha256=", timestamp="X-Time", signed="{timestamp}.{body}")
UTC_NOW = "2026-11-23T11:59:00.000Z"


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def sign(text, algorithm=hashlib.sha256):
    return hmac.new(SECRET.encode(), text, algorithm).hexdigest()


class Keycloak:
    """HMAC over the body, and no time in it."""

    settings: ClassVar = {"kind": "keycloak", "secret": OF_TESTS}
    status = 204

    @staticmethod
    def body(name="e1", at=NOW):
        return {
            "id": name, "uid": "u" + name, "time": int(at.timestamp() * 1000), "realmName": "corp",
            "type": "admin.USER-DELETE", "resourceType": "USER", "operationType": "DELETE", "resourcePath": "users/ana",
            "authDetails": {"userId": "ben"},
        }  # fmt: skip

    @staticmethod
    def headers(body, key):
        return {"X_Keycloak_Signature": sign(body)}

    forged: ClassVar = {"X_Keycloak_Signature": "0" * 64}


class KeycloakJwt(Keycloak):
    """A JWT of the realm that holds the body's hash."""

    settings: ClassVar = {"kind": "keycloak", "audience": "https://functions.example/events/told"}

    @staticmethod
    def headers(body, key):
        digest = hashlib.sha256(body).hexdigest()
        claims = {
            "iss": ISSUER, "aud": "https://functions.example/events/told", "iat": AT, "exp": AT + 300, "jti": "1",
            "request_body_sha256": digest,
        }  # fmt: skip
        return {"Authorization": f"Bearer {jose.sign(claims, key, algorithm='ES256')}"}

    forged: ClassVar = {"Authorization": "Bearer a.b.c"}


class Okta:
    """A secret in a header."""

    settings: ClassVar = {"kind": "okta", "secret": OF_TESTS}
    status = 204

    @staticmethod
    def body(name="e1", at=NOW):
        entry = {
            "uuid": name, "published": iso(at), "eventType": "user.lifecycle.deactivate",
            "actor": {"id": "ben", "type": "User"}, "outcome": {"result": "SUCCESS"},
            "target": [{"id": "ana", "type": "User"}],
        }  # fmt: skip
        return {"eventType": "com.okta.event_hook", "eventId": "h", "data": {"events": [entry]}}

    @staticmethod
    def headers(body, key):
        return {"Authorization": SECRET}

    forged: ClassVar = {"Authorization": "correct-horse-battery-stable"}


class Auth0:
    """A secret in a header."""

    settings: ClassVar = {"kind": "auth0", "secret": OF_TESTS}
    status = 204

    @staticmethod
    def body(name="e1", at=NOW):
        return [{"log_id": name, "data": {"date": iso(at), "type": "sdu", "user_id": "ana"}}]

    headers = Okta.headers
    forged = Okta.forged


class Webhook:
    """HMAC over the time and the body."""

    settings: ClassVar = {"kind": "webhook", "secret": OF_TESTS, "signature": SIGNED, "fields": FIELDS}
    status = 204

    @staticmethod
    def body(name="e1", at=NOW):
        return {"id": name, "type": "left", "at": iso(at), "who": "ana"}

    @staticmethod
    def headers(body, key):
        return {"X_Time": str(AT), "X_Signature": "sha256=" + sign(f"{AT}.".encode() + body)}

    forged: ClassVar = {"X_Time": str(AT), "X_Signature": "sha256=" + "0" * 64}


class WebhookPlain(Webhook):
    """A secret in a header of one's own."""

    settings: ClassVar = {"kind": "webhook", "secret": OF_TESTS, "header": "X-Api-Key", "fields": FIELDS}

    @staticmethod
    def headers(body, key):
        return {"X_Api_Key": SECRET}

    forged: ClassVar = {"X_Api_Key": "another"}


class Cloud:
    """A CloudEvent, structured, with a secret in a header."""

    settings: ClassVar = {
        "kind": "cloudevents", "secret": OF_TESTS,
        "fields": EventFields(subject="data.who", kinds={"left": "user-disabled"}),
    }  # fmt: skip
    status = 204

    @staticmethod
    def body(name="e1", at=NOW):
        return {
            "specversion": "1.0", "id": name, "source": "/hr", "type": "left", "time": iso(at), "data": {"who": "ana"},
        }  # fmt: skip

    @staticmethod
    def headers(body, key):
        return {"Authorization": SECRET, "Content_Type": "application/cloudevents+json"}

    forged: ClassVar = {"Authorization": "another", "Content_Type": "application/cloudevents+json"}


KINDS = [Keycloak, KeycloakJwt, Okta, Auth0, Webhook, WebhookPlain, Cloud]


class Pushes(SourceContract):
    """The contract of a source that is pushed to by *sender*."""

    sender: ClassVar[type]

    @pytest.fixture(autouse=True)
    def _built(self, built, pushed, key):
        self._source, self.pushed, self.key = built(**self.sender.settings), pushed, key

    def source(self):
        return self._source

    def now(self):
        return NOW

    def secrets(self):
        return [SECRET]

    def delivery(self):
        return delivery(self.sender, self.pushed, self.key)

    def forgeries(self):
        body = self.delivery().body
        return {
            "another proof": delivery(self.sender, self.pushed, self.key, headers=self.sender.forged),
            "no proof": self.pushed(body),
        }


class TestKeycloak(Pushes):
    sender = Keycloak


class TestKeycloakJwt(Pushes):
    sender = KeycloakJwt


class TestOkta(Pushes):
    sender = Okta


class TestAuth0(Pushes):
    sender = Auth0


class TestWebhook(Pushes):
    sender = Webhook


class TestCloudevents(Pushes):
    sender = Cloud


class TestBackchannelLogout(SourceContract):
    @pytest.fixture(autouse=True)
    def _built(self, built, pushed, key):
        self._source, self.pushed, self.key = built("backchannel-logout", audience="portal"), pushed, key

    def source(self):
        return self._source

    def now(self):
        return NOW

    def secrets(self):
        return [logout(self.key).rpartition(".")[2]]

    def delivery(self):
        return self.pushed(form(logout(self.key)), **FORM)

    def forgeries(self):
        other = jose.Key.generate("ES256", kid="one")
        return {
            "another key": self.pushed(form(logout(other)), **FORM),
            "another client's": self.pushed(form(logout(self.key, aud="other")), **FORM),
            "an ID token": self.pushed(form(logout(self.key, nonce="n")), **FORM),
        }


@pytest.fixture(params=KINDS, ids=[f"{one.__name__}: {one.__doc__}" for one in KINDS])
def kind(request):
    return request.param


@pytest.fixture
def source(kind, built):
    return built(**kind.settings)


def delivery(kind, pushed, key, body=None, *, signed=None, at=NOW, headers=None):
    """Write a delivery whose proof is of *signed*, which is its body where nothing else is said."""
    body = json.dumps(kind.body() if body is None else body).encode() if not isinstance(body, bytes) else body
    return pushed(body, at=at, **(headers or kind.headers(signed or body, key)))


def test_a_delivery_that_proves_itself_is_told(kind, source, pushed, receive, key, count):
    reply = receive(source, delivery(kind, pushed, key))

    (event,) = reply.events
    assert reply.status == kind.status
    assert (event.subject, event.source, event.provider) == ("ana", "told", "corp")
    assert event.kind.value in ("user-disabled", "user-deleted")
    assert (event.happened_at, event.heard_at, event.raw) == (NOW, NOW, None)
    count("pushed", kind.settings["kind"])


def test_a_forged_delivery_is_refused(kind, source, pushed, receive, key):
    with pytest.raises(ActasError) as refused:
        receive(source, delivery(kind, pushed, key, headers=kind.forged))

    assert (refused.value.code, refused.value.status) == ("events.not-authentic", 401)
    assert SECRET not in str(refused.value)


def test_a_delivery_without_any_proof_is_refused(kind, source, pushed, receive):
    with pytest.raises(ActasError) as refused:
        receive(source, pushed(kind.body()))

    assert refused.value.status == 401


def test_a_proof_that_comes_twice_is_none(kind, source, pushed, receive, key):
    request = delivery(kind, pushed, key)
    twice = type(request)(
        method="POST", query="", headers=request.headers + request.headers, body=request.body, received_at=NOW
    )

    with pytest.raises(ActasError) as refused:
        receive(source, twice)

    assert refused.value.status == 401


@pytest.mark.parametrize("kind", [Keycloak, KeycloakJwt, Webhook], ids=lambda one: one.__name__)
def test_a_body_that_was_changed_under_its_signature_is_refused(kind, source, pushed, receive, key):
    good = json.dumps(kind.body()).encode()

    with pytest.raises(ActasError) as refused:
        receive(source, delivery(kind, pushed, key, good.replace(b"ana", b"bob"), signed=good))

    assert refused.value.status == 401


def test_the_same_delivery_again_is_the_same_event(kind, source, pushed, receive, key):
    first, again = (receive(source, delivery(kind, pushed, key)) for _ in range(2))

    assert first == again  # the inbox takes it once, by its id


def test_deliveries_in_another_order_keep_their_own_times(kind, source, pushed, receive, key):
    later, earlier = (
        receive(source, delivery(kind, pushed, key, kind.body(name, at))).events[0]
        for name, at in (("e2", NOW), ("e1", NOW - timedelta(minutes=3)))
    )

    assert earlier.happened_at < later.happened_at
    assert earlier.id != later.id


@pytest.mark.parametrize("keep", [1, 30])
def test_a_truncated_delivery_is_refused(kind, source, pushed, receive, key, keep):
    body = json.dumps(kind.body()).encode()[:-keep]

    with pytest.raises(ActasError) as refused:
        receive(source, delivery(kind, pushed, key, body))

    assert (refused.value.code, refused.value.status) == ("events.malformed-delivery", 400)


def test_an_oversized_delivery_is_refused(kind, source, pushed, receive, key):
    body = json.dumps(kind.body()).encode() + b" " * (1024 * 1024)

    with pytest.raises(ActasError) as refused:
        receive(source, delivery(kind, pushed, key, body))

    assert (refused.value.code, refused.value.status) == ("events.delivery-too-large", 413)


def test_a_delivery_with_a_member_twice_is_refused(kind, source, pushed, receive, key):
    body = json.dumps(kind.body()).encode().replace(b'"ana"', b'"ana", "x": 1, "x": 2')
    if kind is Keycloak or kind is KeycloakJwt:
        body = json.dumps(kind.body()).encode().replace(b'"id"', b'"id": "e0", "id"', 1)

    with pytest.raises(ActasError) as refused:
        receive(source, delivery(kind, pushed, key, body))

    assert refused.value.code == "events.malformed-delivery"


@pytest.mark.parametrize(
    ("ago", "code"),
    [
        (timedelta(hours=24), None),
        (timedelta(hours=24, seconds=1), "events.delivery-too-old"),
        (timedelta(minutes=-5), None),
        (timedelta(minutes=-5, seconds=-1), "events.delivery-from-the-future"),
    ],
    ids=["a day old", "older", "five minutes ahead", "more ahead"],
)
def test_a_delivery_is_taken_from_a_day_ago_to_what_clocks_may_differ(kind, source, pushed, receive, key, ago, code):
    request = delivery(kind, pushed, key, kind.body(at=NOW - ago))

    if code is None:
        assert receive(source, request).events[0].happened_at == NOW - ago
    else:
        with pytest.raises(ActasError) as refused:
            receive(source, request)
        assert refused.value.code == code


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
def test_another_method_is_told_which_are_taken(kind, source, pushed, receive, key, method):
    request = delivery(kind, pushed, key)
    reply = receive(source, type(request)(
        method=method, query="", headers=request.headers, body=request.body, received_at=NOW,
    ))  # fmt: skip

    assert (reply.status, reply.events) == (405, ())
    assert "POST" in dict(reply.headers)["allow"]


def test_what_came_is_kept_only_where_the_settings_say_so(kind, built, pushed, receive, key):
    request = delivery(kind, pushed, key)

    assert receive(built(**kind.settings, keep_raw=True), request).events[0].raw == request.body
    assert receive(built(**kind.settings), request).events[0].raw is None


def test_a_source_without_a_client_is_told_and_does_not_ask(source):
    assert isinstance(source, Receives)
    assert not isinstance(source, Polls)


def test_a_source_with_both_asks_and_is_told(built):
    client = EventClient(id="c", secret=OF_TESTS)

    for kind in ("keycloak", "okta", "auth0"):
        both = built(kind, secret=OF_TESTS, client=client)
        assert isinstance(both, Receives)
        assert isinstance(both, Polls)
        asked = built(kind, client=client)
        assert isinstance(asked, Polls)
        assert not isinstance(asked, Receives)


# A signed time


@pytest.mark.parametrize(
    ("signed_at", "code"),
    [
        (AT - 300, None),
        (AT - 301, "events.delivery-too-old"),
        (AT + 300, None),
        (AT + 301, "events.delivery-from-the-future"),
        ("", "events.not-authentic"),
        ("-1", "events.not-authentic"),
        ("١٢", "events.not-authentic"),
        ("1e9", "events.not-authentic"),
    ],
    ids=str,
)
def test_a_signed_time_bounds_how_long_a_delivery_can_be_sent_again(built, pushed, receive, signed_at, code):
    body = json.dumps(Webhook.body()).encode()
    signature = "sha256=" + sign(f"{signed_at}.".encode() + body)
    request = pushed(body, X_Time=str(signed_at), X_Signature=signature)
    source = built(**Webhook.settings)

    if code is None:
        assert receive(source, request).events
    else:
        with pytest.raises(ActasError) as refused:
            receive(source, request)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        (Signature(header="X-S"), lambda body: sign(body).upper()),
        (Signature(header="X-S", algorithm="hmac-sha512"), lambda body: sign(body, hashlib.sha512)),
        (Signature(header="X-S", algorithm="hmac-sha1"), lambda body: sign(body, hashlib.sha1)),
        (
            Signature(header="X-S", encoding="base64"),
            lambda body: base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode(),
        ),
        (Signature(header="X-S", prefix="v1="), lambda body: f"v1={'0' * 64}, v1={sign(body)}"),
    ],
    ids=["capital hex", "SHA-512", "SHA-1", "base64", "one of two secrets that roll over"],
)
def test_signatures_of_each_form_are_taken(built, pushed, receive, how, shown):
    body = json.dumps(Webhook.body()).encode()
    source = built("webhook", secret=OF_TESTS, signature=how, fields=FIELDS)

    assert receive(source, pushed(body, X_S=shown(body))).events
    with pytest.raises(ActasError):
        receive(source, pushed(body + b" ", X_S=shown(body)))


@pytest.mark.parametrize("shown", ["", "é", "sha256=", "sha256=0", "sha256=zz", "sha256=" + "0" * 129, "," * 9])
def test_a_signature_that_is_none_is_refused_and_breaks_nothing(built, pushed, receive, shown):
    body = json.dumps(Webhook.body()).encode()

    with pytest.raises(ActasError) as refused:
        receive(built(**Webhook.settings), pushed(body, X_Time=str(AT), X_Signature=shown))

    assert refused.value.code == "events.not-authentic"


# A body that is a JWS


def test_a_webhook_whose_body_is_a_jws_is_taken_and_one_by_another_key_is_not(built, pushed, receive, key, provider):
    source = built("webhook", keys=provider.keys, fields=FIELDS)
    good = jose.sign(json.dumps(Webhook.body()).encode(), key, algorithm="ES256")
    other = jose.sign(json.dumps(Webhook.body()).encode(), jose.Key.generate("ES256", kid="one"), algorithm="ES256")

    assert receive(source, pushed(good.encode())).events[0].subject == "ana"
    for bad in (other.encode(), good[:-8].encode(), b"{}", "é".encode()):
        with pytest.raises(ActasError) as refused:
            receive(source, pushed(bad))
        assert refused.value.status in (400, 401)


# Keycloak's token over the body


@pytest.mark.parametrize(
    "change",
    [
        {"request_body_sha256": "0" * 64}, {"request_body_sha256": 1}, {"request_body_sha256": None},
        {"iss": "https://sso.example/realms/other"}, {"aud": "https://other.example"}, {"exp": AT - 61},
    ],
    ids=str,
)  # fmt: skip
def test_a_realms_token_that_is_not_for_this_delivery_is_refused(built, pushed, receive, key, change):
    body = json.dumps(Keycloak.body()).encode()
    audience = "https://functions.example/events/told"
    claims = {
        "iss": ISSUER, "aud": audience, "iat": AT - 300, "exp": AT + 10,
        "request_body_sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    source = built(**KeycloakJwt.settings)

    def shown(said):
        return {"Authorization": "Bearer " + jose.sign(said, key, algorithm="ES256")}

    assert receive(source, pushed(body, **shown(claims))).events
    with pytest.raises(ActasError) as refused:
        receive(source, pushed(body, **shown(claims | change)))
    assert refused.value.code == "events.not-authentic"


def test_a_webhook_of_another_realm_is_answered_and_tells_nothing(built, pushed, receive, key):
    body = json.dumps(Keycloak.body() | {"realmName": "other"}).encode()

    reply = receive(built(**Keycloak.settings), pushed(body, **Keycloak.headers(body, key)))

    assert (reply.status, reply.events) == (204, ())


# Okta's challenge


def test_oktas_challenge_is_answered_once_and_only_as_json(built, pushed, receive):
    source = built(**Okta.settings)

    reply = receive(source, pushed(b"", method="GET", X_Okta_Verification_Challenge="abc<script>"))

    assert (reply.status, json.loads(reply.body)) == (200, {"verification": "abc<script>"})
    assert dict(reply.headers)["content-type"] == "application/json"
    for challenge in ({}, {"X_Okta_Verification_Challenge": "x" * 513}):
        with pytest.raises(ActasError):
            receive(source, pushed(b"", method="GET", **challenge))


# Graph's validation and clientState


def entra(built):
    return built("entra", secret=OF_TESTS, client=EventClient(id="c", secret=OF_TESTS))


def test_graphs_validation_token_comes_back_as_plain_text(built, pushed, receive):
    reply = receive(entra(built), pushed(b"", query="validationToken=Validation%3A+Testing+%3Cb%3E"))

    assert (reply.status, reply.body) == (200, b"Validation: Testing <b>")
    assert dict(reply.headers) == {
        "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff",
    }  # fmt: skip
    for query in ("validationToken=a&validationToken=b", "validationToken=" + "x" * 4097, "validationToken=a%00b", "x"):
        with pytest.raises(ActasError):
            receive(entra(built), pushed(b"", query=query))


def notification(state=SECRET, **more):
    return {"subscriptionId": "s", "clientState": state, "changeType": "updated", "resource": "users/1", **more}


def test_a_graph_notification_rings_and_one_with_another_state_does_not(built, pushed, receive):
    source = entra(built)
    anyway = {"value": [notification(), notification("another")]}

    source.poll  # noqa: B018 - it asks as well
    with pytest.raises(ActasError) as refused:
        receive(source, pushed(anyway))
    assert refused.value.code == "events.not-authentic"
    assert source._rung is False

    reply = receive(source, pushed({"value": [notification(), notification(changeType="deleted")]}))
    assert (reply.status, reply.events) == (202, ())
    assert source._rung is True


@pytest.mark.parametrize("body", [{"value": []}, {"value": [notification()] * 1001}, {}, b"", b"["], ids=len)
def test_a_graph_delivery_of_another_form_is_refused(built, pushed, receive, body):
    with pytest.raises(ActasError) as refused:
        receive(entra(built), pushed(body))
    assert refused.value.code == "events.malformed-delivery"


# Back-channel logout


def logout(key, *, header=None, without=(), **change):
    claims = {
        "iss": ISSUER, "aud": "portal", "iat": AT - 10, "exp": AT + 60, "jti": "j1", "sub": "ana", "sid": "s1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }  # fmt: skip
    claims = {name: value for name, value in (claims | change).items() if name not in without}
    return jose.sign(claims, key, algorithm="ES256", header=header or {})


def form(token):
    return urlencode({"logout_token": token}).encode()


FORM = {"Content_Type": "application/x-www-form-urlencoded"}
LOGOUTS = [
    ("as the specification has it", {}, ("ana", "s1")),
    ("by its own type", {"header": {"typ": "logout+jwt"}}, ("ana", "s1")),
    ("of a subject alone", {"without": ("sid",)}, ("ana", None)),
    ("of a session alone", {"without": ("sub",)}, (None, "s1")),
    ("without an end, and young", {"without": ("exp",)}, ("ana", "s1")),
    ("for several clients", {"aud": ["other", "portal"]}, ("ana", "s1")),
]
NO_LOGOUTS = [
    ("with a nonce", {"nonce": "n"}),
    ("of nobody", {"without": ("sub", "sid")}),
    ("without the event", {"without": ("events",)}),
    ("with another event", {"events": {"https://e.example": {}}}),
    ("with an event that is no object", {"events": {"http://schemas.openid.net/event/backchannel-logout": 1}}),
    ("of another issuer", {"iss": "https://sso.example/realms/other"}),
    ("for another client", {"aud": "other"}),
    ("that ended", {"exp": AT - 61}),
    ("without a time", {"without": ("iat",)}),
    ("without an end, and old", {"without": ("exp",), "iat": AT - 181}),
    ("of the future", {"iat": AT + 61}),
    ("without a name", {"without": ("jti",)}),
    ("with the type of an access token", {"header": {"typ": "at+jwt"}}),
]


@pytest.mark.parametrize(("change", "wanted"), [one[1:] for one in LOGOUTS], ids=[one[0] for one in LOGOUTS])
def test_a_logout_token_is_taken(built, pushed, receive, key, change, wanted, count):
    reply = receive(built("backchannel-logout", audience="portal"), pushed(form(logout(key, **change)), **FORM))

    (event,) = reply.events
    assert (reply.status, dict(reply.headers)) == (200, {"cache-control": "no-store"})
    assert (event.id, event.kind.value, (event.subject, event.session)) == ("j1", "session-revoked", wanted)
    count("logout tokens", "taken")


@pytest.mark.parametrize("change", [one[1] for one in NO_LOGOUTS], ids=[one[0] for one in NO_LOGOUTS])
def test_a_token_that_is_no_logout_token_is_refused_without_a_reason(built, pushed, receive, key, change, count):
    reply = receive(built("backchannel-logout", audience="portal"), pushed(form(logout(key, **change)), **FORM))

    assert (reply.status, reply.events, reply.body) == (400, (), b'{"error":"invalid_request"}')
    count("logout tokens", "refused")


def test_a_logout_token_signed_by_another_key_or_by_none_is_refused(built, pushed, receive, key):
    source = built("backchannel-logout", audience="portal")
    other = logout(jose.Key.generate("ES256", kid="one"))
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    unsigned = f"{header}.{logout(key).split('.')[1]}."

    for token in (other, unsigned, "a.b.c", ""):
        assert receive(source, pushed(form(token), **FORM)).status == 400
    assert receive(source, pushed(form(logout(key)), **FORM)).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM), (b"logout_token=a&logout_token=b", FORM), (b"other=a", FORM), ("logout_token=é".encode(), FORM),
        (b"logout_token=a.b.c", {"Content_Type": "application/json"}), (b"logout_token=" + b"a" * 70_000, FORM),
    ],
    ids=["nothing", "two", "another", "no ASCII", "another media type", "too long"],
)  # fmt: skip
def test_a_form_that_is_none_is_refused(built, pushed, receive, body, kind):
    assert receive(built("backchannel-logout", audience="portal"), pushed(body, **kind)).status == 400


# CloudEvents' handshake


def test_the_handshake_of_cloudevents_is_answered_and_proves_nothing(built, pushed, receive):
    source = built(**Cloud.settings)

    reply = receive(source, pushed(b"", method="OPTIONS", WebHook_Request_Origin="bus.example"))

    assert (reply.status, dict(reply.headers)["webhook-allowed-origin"]) == (200, "bus.example")
    assert reply.events == ()
    with pytest.raises(ActasError):
        receive(source, pushed(b"", method="OPTIONS"))


def test_cloudevents_of_two_senders_with_one_id_are_two(built, pushed, receive, key):
    source = built(**Cloud.settings)
    first, second = (
        receive(source, delivery(Cloud, pushed, key, Cloud.body() | {"source": name})).events[0].id
        for name in ("/hr", "/it")
    )

    assert first != second


# protocols.md, section 10.3: the rows of this room, each a test by its name


@pytest.mark.parametrize("shown", ["é", "\udcff", "correct-horse-battery-staplé", "", " " + SECRET, SECRET + " "])
def test_webhook_forgery_with_a_secret_in_strange_letters_is_refused_and_breaks_nothing(built, pushed, receive, shown):
    source = built(**Okta.settings)

    with pytest.raises(ActasError) as refused:
        receive(source, pushed(Okta.body(), Authorization=shown))

    assert refused.value.code == "events.not-authentic"


@pytest.mark.parametrize("typ", ["at+jwt", "secevent+jwt", "dpop+jwt", "logout+jwt"])
def test_cross_jwt_confusion_is_none_because_each_kind_of_token_has_its_own_checks(built, pushed, receive, key, typ):
    access = jose.sign(
        {"iss": ISSUER, "aud": "portal", "iat": AT, "exp": AT + 60, "jti": "j", "sub": "ana"},
        key,
        algorithm="ES256",
        header={"typ": typ},
    )

    assert receive(built("backchannel-logout", audience="portal"), pushed(form(access), **FORM)).status == 400
