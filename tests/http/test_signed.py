"""A signed request is believed by the session that signed it, and by nothing else; one changed byte is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import sigv4
from actas.assume.held import seal
from actas.http.signature_errors import (
    SignatureError,
    SignatureIncomplete,
    SignatureMissing,
    SignatureOutsideTime,
    SignatureRevocationsUnread,
    SignatureSessionEnded,
    SignatureSessionRevoked,
    SignatureUnknownKey,
    SignatureWrong,
)
from actas.http.signed import Signed
from actas.model.held import Held
from actas.secrets.sealing import Sealing
from actas.store.person_key import PersonKey
from actas.store.watermarks import NEVER, Watermarks

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
HOST = "127.0.0.1:8701"
SECRET = "a-secret-key-of-forty-characters-in-all!"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    made = Sealing(tmp_path_factory.mktemp("ring") / "sealing.json")
    made.rotate(NOW)
    return made


@pytest.fixture
def marks():
    made = Watermarks(PersonKey(bytes(32)), lambda: NOW)
    made.read_at = NOW
    return made


@pytest.fixture
def held(marks):
    whose = marks.of(provider="corp", subject="ana", session=None, issued_at=NOW, began=NOW)

    def make(**changes):
        return Held(
            **{
                "purpose": "work",
                "access_key_id": "ASIAQAAAAAAAGU7TLX7B",
                "secret_access_key": SECRET,
                "issued_at": NOW,
                "expires_at": NOW + timedelta(minutes=15),
                "provider": "corp",
                "issuer": "https://sso.example",
                "subject": "p-ana",
                "actors": (),
                "kind": "human",
                "authenticated_at": None,
                "mfa": None,
                "evidence_expires_at": NOW + timedelta(hours=1),
                "role": "reader",
                "role_arn": "arn:aws:iam::000000000000:role/reader",
                "rules": (),
                "facts": (),
                "functions": (),
                "marks": (*whose, marks.of_role("arn:aws:iam::000000000000:role/reader", NOW)),
                **changes,
            }
        )

    return make


@pytest.fixture
def token(ring):
    def make(held):
        key_id, key = ring.newest()
        return seal(held, key_id=key_id, key=key, nonce=bytes(12))

    return make


def scope_of(signed, method="POST"):
    target = signed.url.removeprefix(f"http://{HOST}").encode()
    path, _, query = target.partition(b"?")
    headers = [(name.lower().encode(), value.encode()) for name, value in signed.headers]
    return {"type": "http", "method": method, "raw_path": path, "query_string": query, "headers": headers}


def request(token, *, key="ASIAQAAAAAAAGU7TLX7B", secret=SECRET, service="sts", region="eu-west-1", at=NOW, **more):
    credentials = sigv4.Credentials(key, secret, token)
    method = more.pop("method", "POST")
    headers = [("Host", HOST)] if more.get("presign") else [("Host", HOST), ("Content-Type", "text/plain")]
    return scope_of(
        sigv4.sign(
            method, f"http://{HOST}/a/b?c=d", headers, more.pop("body", BODY), credentials, region=region,
            service=service, now=at, **more,
        ),
        method,
    )  # fmt: skip


@pytest.fixture
def believes(ring, marks):
    signed = Signed(ring, marks)

    async def ask(scope, body=BODY, service="sts", now=NOW):
        return await signed.held(scope, body, service=service, now=now)

    return ask


async def test_whoever_signs_with_a_session_is_known_by_it(believes, held, token):
    found = await believes(request(token(held())))

    assert found == held()


async def test_a_presigned_request_is_known_too(believes, held, token):
    found = await believes(request(token(held()), presign=True, method="GET", body=b""), body=b"")

    assert found == held()


async def test_the_region_that_a_client_is_set_to_does_not_matter(believes, held, token):
    for region in ("us-east-1", "eu-central-1", "mars"):
        assert await believes(request(token(held()), region=region))


async def test_one_changed_byte_of_anything_is_refused(believes, held, token):
    whole = request(token(held()))
    assert await believes(whole)
    refused = 0
    for place, (name, value) in enumerate(whole["headers"]):
        for at in range(0, len(value), 7 if name == b"x-amz-security-token" else 1):
            changed = bytes(octet ^ (1 if one == at else 0) for one, octet in enumerate(value))
            headers = [(name, changed) if one == place else other for one, other in enumerate(whole["headers"])]
            with pytest.raises(SignatureError):
                await believes({**whole, "headers": headers})
            refused += 1
    for field in ("raw_path", "query_string"):
        for at in range(1, len(whole[field])):
            changed = bytes(octet ^ (1 if one == at else 0) for one, octet in enumerate(whole[field]))
            with pytest.raises(SignatureError):
                await believes({**whole, field: changed})
            refused += 1
    for at in range(len(BODY)):
        with pytest.raises(SignatureError):
            await believes(whole, body=bytes(octet ^ (1 if one == at else 0) for one, octet in enumerate(BODY)))
        refused += 1
    assert refused > 200
    with pytest.raises(SignatureWrong):
        await believes({**whole, "method": "PUT"})


async def test_a_request_that_nobody_signed_is_told_so(believes):
    with pytest.raises(SignatureMissing):
        await believes({**request("none"), "headers": [(b"host", HOST.encode())]})


async def test_half_a_signature_is_none(believes, held, token):
    whole = request(token(held()))
    cut = [(name, value[:-10] if name == b"authorization" else value) for name, value in whole["headers"]]

    with pytest.raises(SignatureIncomplete):
        await believes({**whole, "headers": cut})


UNKNOWN = [
    ("no session token", lambda held, token: {"token": None}),
    ("a token that is none of ours", lambda held, token: {"token": "FwoGZXIvYXdzEBYaDH"}),
    ("another session's token", lambda held, token: {"token": token(held(access_key_id="ASIAQAAAAAAAGU7TLX7C"))}),
    ("another access key", lambda held, token: {"token": token(held()), "key": "ASIAQAAAAAAAGU7TLX7D"}),
    ("a session that never leaves the gateway", lambda held, token: {"token": token(held(purpose="invoke"))}),
]


@pytest.mark.parametrize("shown", [row[1] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
async def test_who_shows_no_session_of_ours_is_unknown(believes, held, token, shown):
    with pytest.raises(SignatureUnknownKey):
        await believes(request(**shown(held, token)))
    assert await believes(request(token(held())))


async def test_another_secret_is_not_the_sessions(believes, held, token):
    with pytest.raises(SignatureWrong):
        await believes(request(token(held()), secret="another-secret-key-of-forty-characters!"))


async def test_what_was_signed_for_another_service_is_refused(believes, held, token):
    with pytest.raises(SignatureWrong):
        await believes(request(token(held()), service="lambda"))
    assert await believes(request(token(held()), service="lambda"), service="lambda")


@pytest.mark.parametrize("away", [-301, 301])
async def test_a_signature_is_good_for_five_minutes_either_way(believes, held, token, away):
    late = held(expires_at=NOW + timedelta(hours=1))
    with pytest.raises(SignatureOutsideTime):
        await believes(request(token(late), at=NOW - timedelta(seconds=away)))
    assert await believes(request(token(late), at=NOW - timedelta(seconds=away - (1 if away > 0 else -1))))


async def test_a_session_is_good_until_its_end_and_not_at_it(believes, held, token, marks):
    marks.read_at = NOW + timedelta(minutes=1)
    ends = held(expires_at=NOW + timedelta(minutes=1)).expires_at
    signed = request(token(held(expires_at=ends)))

    assert await believes(signed, now=ends - timedelta(microseconds=1))
    with pytest.raises(SignatureSessionEnded):
        await believes(signed, now=ends)


def ends(marks, provider, whose, at):
    marks._take(marks.sequence + 1, provider, whose, int(at.timestamp() * 1_000_000))


REVOKED = [
    ("the provider", lambda marks: ("corp", None)),
    ("the subject", lambda marks: ("corp", marks._names.of("corp", "ana", None))),
    ("the role", lambda marks: ("*", marks._names.of_role("arn:aws:iam::000000000000:role/reader"))),
    ("everybody", lambda marks: ("*", None)),
]
OTHERS = [
    ("another provider", lambda marks: ("corp2", None)),
    ("another subject", lambda marks: ("corp", marks._names.of("corp", "ben", None))),
    ("another role", lambda marks: ("*", marks._names.of_role("arn:aws:iam::000000000000:role/writer"))),
]


@pytest.mark.parametrize("whose", [row[1] for row in REVOKED], ids=[row[0] for row in REVOKED])
async def test_a_revocation_ends_what_began_up_to_it(believes, held, token, marks, whose):
    ends(marks, *whose(marks), NOW - timedelta(microseconds=1))
    assert await believes(request(token(held())))

    ends(marks, *whose(marks), NOW)
    with pytest.raises(SignatureSessionRevoked):
        await believes(request(token(held())))


@pytest.mark.parametrize("whose", [row[1] for row in OTHERS], ids=[row[0] for row in OTHERS])
async def test_a_revocation_of_somebody_else_ends_nothing(believes, held, token, marks, whose):
    ends(marks, *whose(marks), NOW + timedelta(hours=1))

    assert await believes(request(token(held())))


async def test_a_session_that_nothing_could_end_is_refused(believes, held, token):
    with pytest.raises(SignatureSessionRevoked):
        await believes(request(token(held(marks=()))))


@pytest.mark.parametrize(("read_at", "good"), [(0, True), (5, True), (5.000001, False), (None, False)])
async def test_while_revocations_are_unread_no_session_counts(believes, held, token, marks, read_at, good):
    marks.read_at = NEVER if read_at is None else NOW - timedelta(seconds=read_at)

    if good:
        assert await believes(request(token(held())))
    else:
        with pytest.raises(SignatureRevocationsUnread):
            await believes(request(token(held())))


OCTETS = st.binary(max_size=60).map(lambda found: found.replace(b"\0", b"")).filter(bool)


@given(
    path=OCTETS.map(lambda rest: b"/" + rest),
    query=st.binary(max_size=60),
    headers=st.lists(
        st.tuples(st.sampled_from([b"host", b"authorization", b"x-amz-date", b"x-a"]), OCTETS), max_size=6
    ),
    shown=st.sampled_from([b"AWS4-HMAC-SHA256 Credential=", b""]),
)
async def test_whatever_comes_only_our_errors_go_out(ring, path, query, headers, shown):
    marks = Watermarks(PersonKey(bytes(32)), lambda: NOW)
    scope = {
        "method": "POST",
        "raw_path": path,
        "query_string": query,
        "headers": [(name, shown + value if name == b"authorization" else value) for name, value in headers],
    }

    with pytest.raises(SignatureError):
        await Signed(ring, marks).held(scope, b"", service="sts", now=NOW)
