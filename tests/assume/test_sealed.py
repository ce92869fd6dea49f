"""Sessions are sealed: whoever holds the ring opens them, nobody reads or changes them."""

import base64
import json
from datetime import timedelta
from hashlib import sha512

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actas import iam
from actas.assume.errors import AssumeError, EvidenceTooShort, SessionExpired, SessionNotOurs
from actas.assume.held import is_short, opened, seal
from actas.model.session import NO_ROLE
from actas.secrets.sealing import EVERY, KEEP, Sealing
from actas.testing.contracts.broker import BrokerContract

pytestmark = pytest.mark.anyio
ROUTE = "arn:aws:execute-api:us-east-1:000000000000:x/y/GET/z"


class TestLocal(BrokerContract):
    """local"""

    @pytest.fixture(autouse=True)
    def _parts(self, broker, grant, noon):
        self.made, self.granted, self.now = broker, grant, noon

    def broker(self):
        return self.made

    def grant(self, **more):
        return self.granted(**more)


async def test_a_session_is_opened_by_any_replica_with_the_ring(broker, grant, ring, noon, tmp_path):
    sessions = await broker.issue(grant(), now=noon)
    replica = Sealing(tmp_path / "keys" / "sealing.json")

    held = opened(sessions.work.session_token.reveal(), replica.find, now=noon)

    assert (held.purpose, held.role, held.provider) == ("work", "reader", "corp")
    assert held.secret_access_key == sessions.work.secret_access_key.reveal()
    assert [rule.id for rule in held.rules] == ["may"]


async def test_what_is_short_fits_into_a_token_even_where_nothing_repeats_itself(broker, grant, ring, noon):
    sessions = await broker.issue(grant(), now=noon)
    held = opened(sessions.work.session_token.reveal(), ring.find, now=noon)
    noise = base64.b85encode(b"".join(sha512(bytes([n])).digest() for n in range(200))).decode()
    lengths = [n for n in range(0, len(noise), 50) if is_short(msgspec.structs.replace(held, policy=noise[:n]))]
    key_id, key = ring.newest()

    token = seal(msgspec.structs.replace(held, policy=noise[: lengths[-1]]), key_id=key_id, key=key, nonce=bytes(12))

    assert lengths[-1] > 8000
    assert len(token) <= 16 * 1024
    assert not is_short(msgspec.structs.replace(held, policy=noise))


async def test_a_session_holds_no_name_of_the_caller(broker, grant, ring, noon):
    sessions = await broker.issue(grant(), now=noon)
    held = opened(sessions.work.session_token.reveal(), ring.find, now=noon)

    assert held.subject.startswith("p-")
    assert "ana-7f0c" not in str(held.facts)


async def test_an_invoke_session_is_for_one_function_and_a_work_session_is_fenced(broker, grant, ring, noon):
    sessions = await broker.issue(grant(), now=noon)
    report = "arn:aws:lambda:us-east-1:000000000000:function:report:$LATEST"

    invoke = opened(sessions.invoke.session_token.reveal(), ring.find, now=noon)
    work = opened(sessions.work.session_token.reveal(), ring.find, now=noon)

    assert invoke.functions == work.functions == (report,)
    for action, resource, invoked, worked in [
        ("lambda:InvokeFunction", report, "Allowed", "Allowed"),
        ("lambda:InvokeFunction", report.replace("report", "billing"), "ImplicitlyDenied", "ExplicitlyDenied"),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/other", "ImplicitlyDenied", "ExplicitlyDenied"),
        ("execute-api:Invoke", ROUTE, "ImplicitlyDenied", "ExplicitlyDenied"),
        ("s3:GetObject", "arn:aws:s3:::reports/2026", "ImplicitlyDenied", "Allowed"),
    ]:  # fmt: skip
        for held, wanted in ((invoke, invoked), (work, worked)):
            request = iam.Request(
                principal="arn:aws:sts::000000000000:assumed-role/reader/ana", action=action, resource=resource
            )
            policy = iam.Policy.parse(held.policy, kind=iam.Kind.SESSION)
            everything = iam.Policy.parse(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            )
            found = iam.evaluate(request, iam.PolicySet(identity=(everything,), session=(policy,)))

            assert found.effect == wanted, (action, resource, held.purpose)


async def test_a_role_without_a_session_needs_none(broker, grant, noon):
    assert await broker.issue(grant(function="hello"), now=noon) is NO_ROLE


LIVES = [
    ("the role's session", {"session": "5m"}, timedelta(minutes=5)),
    ("the evidence", {"session": "1h"}, timedelta(minutes=30)),
]


@pytest.mark.parametrize(("more", "lives"), [row[1:] for row in LIVES], ids=[row[0] for row in LIVES])
async def test_a_session_ends_with_whatever_ends_first(broker, grant, noon, more, lives):
    sessions = await broker.issue(grant(**more), now=noon)

    assert sessions.work.expires_at == noon + lives


async def test_no_session_lasts_longer_than_an_hour(broker, grant, but, noon):
    sessions = await broker.issue(grant(but(expires_at=noon + timedelta(days=1)), session="12h"), now=noon)

    assert sessions.work.expires_at == noon + timedelta(hours=1)


async def test_evidence_that_ends_at_once_gets_no_session(broker, grant, but, noon):
    with pytest.raises(EvidenceTooShort):
        await broker.issue(grant(but(expires_at=noon)), now=noon)

    assert await broker.issue(grant(but(expires_at=noon + timedelta(seconds=1))), now=noon)


async def test_a_session_is_good_until_its_end_and_not_at_it(broker, grant, ring, noon):
    token = (await broker.issue(grant(session="5m"), now=noon)).work.session_token.reveal()
    end = noon + timedelta(minutes=5)

    assert opened(token, ring.find, now=end - timedelta(microseconds=1))
    with pytest.raises(SessionExpired):
        opened(token, ring.find, now=end)


async def test_a_session_outlives_the_rotation_of_its_key_until_it_has_ended(broker, grant, ring, noon):
    token = (await broker.issue(grant(), now=noon)).work.session_token.reveal()
    before = ring.newest()[0]

    ring.rotate(noon + EVERY)

    assert ring.newest()[0] != before
    assert opened(token, ring.find, now=noon + timedelta(minutes=1))
    ring.rotate(noon + EVERY + KEEP)
    with pytest.raises(SessionNotOurs):
        opened(token, ring.find, now=noon + timedelta(minutes=1))


async def test_a_session_of_another_ring_is_not_ours(broker, grant, noon, tmp_path):
    token = (await broker.issue(grant(), now=noon)).work.session_token.reveal()
    other = Sealing(tmp_path / "other" / "sealing.json")
    other.rotate(noon)

    with pytest.raises(SessionNotOurs):
        opened(token, other.find, now=noon)


async def test_one_changed_byte_anywhere_is_noticed(broker, grant, ring, noon):
    token = (await broker.issue(grant(), now=noon)).work.session_token.reveal()
    raw = base64.urlsafe_b64decode(token[7:] + "=" * (-len(token[7:]) % 4))

    for place in range(len(raw)):
        changed = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(raw))
        with pytest.raises(SessionNotOurs):
            opened("actas1." + base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), ring.find, now=noon)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(), st.text(alphabet="ABCabc019-_=", max_size=200).map(lambda rest: f"actas1.{rest}")))
def test_whatever_text_comes_only_our_errors_go_out(ring, noon, text):
    with pytest.raises(AssumeError):
        opened(text, ring.find, now=noon)


async def test_the_trailing_bits_of_a_token_have_one_spelling(broker, grant, ring, noon):
    token = (await broker.issue(grant(), now=noon)).work.session_token.reveal()

    for changed in (token + "=", token + "\n", " " + token, token.replace("actas1", "actas2")):
        with pytest.raises(SessionNotOurs):
            opened(changed, ring.find, now=noon)


def test_the_ring_is_its_owners_alone(tmp_path, ring, noon):
    file = tmp_path / "keys" / "sealing.json"

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o640)
    with pytest.raises(Exception, match="0600"):
        Sealing(file).rotate(noon)


def test_a_ring_that_is_none_is_said_to_be_none(tmp_path, noon):
    file = tmp_path / "keys" / "sealing.json"
    for content in (b"", b"{}", b"[1]", json.dumps({"kind": "signing", "keys": []}).encode(), b"\xff"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(Exception, match="key ring"):
            Sealing(file).rotate(noon)
