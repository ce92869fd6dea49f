"""What a session that comes of a session has of it, and what somebody who takes a role gets."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.assume.errors import (
    EvidenceTooShort,
    LastsTooLong,
    RevocationsUnread,
    SessionExpired,
    SessionNotOurs,
    SessionRevoked,
    SessionTooLarge,
)
from actas.assume.held import opened
from actas.assume.inherit import access_key_id, account_of
from actas.assume.key import rests
from actas.assume.taking import Taker
from actas.assume.use import usable
from actas.model.decision import Role
from actas.model.identity import Actor
from actas.model.wish import Wish
from actas.store.watermarks import EVERYBODY

pytestmark = pytest.mark.anyio
READER, WRITER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("reader", "writer"))
CALL = "01M84C8NMY5F7PP43C6AAK7H8X"


@pytest.fixture
def taker(ring, broker, marks):
    return Taker(ring, broker._pseudonyms, marks)


@pytest.fixture
def take(taker, grant, noon):
    async def make(granted=None, *, now=noon, **wish):
        asked = Wish(role_arn=READER, action="sts:AssumeRoleWithWebIdentity", **wish)
        return await taker.take(granted or grant(), asked, call=CALL, now=now)

    return make


def chained(grant, parent, role="writer"):
    taken = Role(name=role, arn=WRITER if role == "writer" else READER, session=timedelta(minutes=30))
    return replace(grant, role=taken, parent=parent, expires_at=parent.expires_at, facts=parent.facts)


async def test_a_session_that_is_taken_can_be_opened_and_says_by_which_call(take, ring, noon):
    took = await take(session_name="ana")
    held = opened(took.session.session_token.reveal(), ring.find, now=noon)

    assert held == took.held
    assert (held.purpose, held.root, held.name) == ("work", CALL, "ana")
    assert held.arn == "arn:aws:sts::111122223333:assumed-role/reader/ana"


async def test_a_session_that_is_taken_may_take_roles_and_a_functions_may_not(take, broker, grant, ring, noon):
    took = await take()
    work = (await broker.issue(grant(), now=noon)).work
    held = opened(work.session_token.reveal(), ring.find, now=noon)

    assert "sts:AssumeRole" not in took.held.policy
    assert "sts:AssumeRole*" in held.policy


async def test_a_session_of_a_session_is_the_same_persons_and_ends_no_later(take, broker, grant, ring, noon):
    parent = (await take(lasts=timedelta(minutes=15))).held
    later = noon + timedelta(minutes=10)
    child = (await broker.issue(chained(grant(), parent, "reader"), now=later)).work
    held = opened(child.session_token.reveal(), ring.find, now=later)

    assert (held.subject, held.facts, held.marks, held.rules) == (
        parent.subject, parent.facts, parent.marks, parent.rules,
    )  # fmt: skip
    assert held.expires_at == parent.expires_at
    assert held.access_key_id != parent.access_key_id
    assert "sts:AssumeRole*" in held.policy


async def test_a_chain_ends_with_every_role_on_it(take, grant, noon, marks):
    parent = (await take()).held
    child = (await take(chained(grant(), parent))).held

    assert set(parent.marks) < set(child.marks)
    assert set(child.marks) - set(parent.marks) == {marks.of_role(WRITER, noon)}


async def test_a_session_ends_with_whoever_acts_by_it(take, grant, but, noon, marks):
    agent = Actor(issuer="https://sso.example/realms/corp", subject="agent-7")
    stranger = Actor(issuer="https://other.example", subject="agent-8")
    alone, acted = (await take(grant())).held, (await take(grant(but(actors=(agent, stranger))))).held

    agents = marks.of(provider="corp", subject="agent-7", session=None, issued_at=noon, began=noon)
    assert {mark.whose for mark in acted.marks} - {mark.whose for mark in alone.marks} == {agents[1].whose}


async def test_what_was_passed_along_stays(take, grant):
    tags = (("team", "blue"), ("own", "x"))
    parent = (await take(tags=tags, transitive=("team",), source_identity="ana", narrowed=("one",))).held
    child = (await take(chained(grant(), parent), tags=(("more", "y"),), narrowed=("two", "three"))).held

    assert child.tags == (("team", "blue"), ("more", "y"))
    assert (child.transitive, child.source_identity) == (("team",), "ana")
    assert child.narrowed == (("one",), ("two", "three"))


async def test_a_tag_goes_on_though_its_key_is_written_in_another_case(take, grant):
    parent = (await take(tags=(("Team", "blue"), ("own", "x")), transitive=("team",))).held

    assert (await take(chained(grant(), parent))).held.tags == (("Team", "blue"),)


FIVE = timedelta(minutes=5)
LASTS = [
    ("nothing is asked", {}, timedelta(minutes=15)),
    ("less than the role allows", {"lasts": timedelta(minutes=10)}, timedelta(minutes=10)),
    ("what the provider allows", {"at_most": FIVE}, FIVE),
    ("more than the provider allows", {"lasts": timedelta(minutes=9), "at_most": FIVE}, FIVE),
]


@pytest.mark.parametrize(("wish", "wanted"), [row[1:] for row in LASTS], ids=[row[0] for row in LASTS])
async def test_a_session_lasts_as_asked_and_never_longer_than_it_may(take, noon, wish, wanted):
    assert (await take(**wish)).session.expires_at == noon + wanted


async def test_a_session_never_outlives_the_token_whatever_is_asked(take, grant, noon):
    took = await take(grant(session="1h"), lasts=timedelta(hours=1))

    assert took.session.expires_at == noon + timedelta(minutes=30)


async def test_more_than_the_role_allows_is_an_error(take):
    await take(lasts=timedelta(minutes=15))
    with pytest.raises(LastsTooLong):
        await take(lasts=timedelta(minutes=15, seconds=1))


async def test_more_than_an_hour_is_an_error_for_a_chain(take, grant):
    parent = (await take()).held
    await take(chained(grant(), parent), lasts=timedelta(minutes=30))
    with pytest.raises(LastsTooLong) as wrong:
        await take(chained(grant(), parent), lasts=timedelta(hours=1, seconds=1))
    assert wrong.value.is_chained


async def test_evidence_that_ends_at_once_gives_no_role(take, noon):
    with pytest.raises(EvidenceTooShort):
        await take(now=noon + timedelta(minutes=30))


async def test_what_sessions_rest_on_tells_apart_what_may_end_them(grant, but, noon, take):
    parent, other = (await take()).held, (await take()).held
    plain = grant()
    keys = [
        rests(plain),
        rests(grant(but(issued_at=noon - timedelta(seconds=1)))),
        rests(grant(but(provider_session="s-1"))),
        rests(grant(but(address="ana@people.example"))),
        rests(grant(but(address=""))),
        rests(chained(plain, parent, "reader")),
        rests(chained(plain, other, "reader")),
    ]

    assert len(set(keys)) == len(keys)
    assert rests(chained(plain, parent, "reader")) == rests(chained(plain, parent, "reader"))


async def test_a_session_that_its_token_cannot_carry_is_not_made(broker, grant, noon):
    granted = grant()
    many = tuple(f"arn:aws:lambda:us-east-1:000000000000:function:{sha256(bytes([n % 256, n // 256])).hexdigest()}"
                 for n in range(600))  # fmt: skip

    assert await broker.issue(replace(granted, fence=many[:100]), now=noon)
    with pytest.raises(SessionTooLarge):
        await broker.issue(replace(granted, fence=many), now=noon)


class Standing:
    """Marks of which everything is said by the test."""

    def __init__(self, *, over=False, read=True):
        self.over, self.read = over, read

    def ended(self, _marks):
        return self.over

    def fresh(self, _now):
        return self.read


async def test_a_session_is_used_while_it_lasts_and_nobody_revoked_it(take, noon):
    held = (await take()).held
    usable(held, Standing(), now=noon)
    for marks, now, wrong in (
        (Standing(over=True), noon, SessionRevoked),
        (Standing(read=False), noon, RevocationsUnread),
        (Standing(), held.expires_at, SessionExpired),
    ):
        with pytest.raises(wrong):
            usable(held, marks, now=now)
    with pytest.raises(SessionNotOurs):
        usable(msgspec.structs.replace(held, purpose="invoke"), Standing(), now=noon)


async def test_a_role_and_everybody_are_told_apart_from_every_provider(marks, noon):
    named = marks.of(provider="corp", subject="ana", session="s-1", issued_at=noon, began=noon)

    assert [mark.provider for mark in named] == ["corp"] * 4 + [EVERYBODY]
    assert len({mark.whose for mark in named[1:4]} | {marks.of_role(READER, noon).whose}) == 4


@given(number=st.integers(0, 10**12 - 1), random=st.binary(min_size=5, max_size=5))
async def test_an_access_key_id_tells_its_account(number, random):
    name = access_key_id(f"arn:aws:iam::{number:012}:role/reader", random)

    assert (len(name), name[:4]) == (20, "ASIA")
    assert account_of(name) == f"{number:012}"


@given(text=st.text(max_size=30))
async def test_what_is_no_access_key_id_tells_no_account(text):
    assert account_of(text) is None or text[:4] in ("ASIA", "AKIA")


async def test_an_access_key_id_of_aws_tells_its_account():
    assert account_of("ASIAQNZGKIQY56JQ7WML") == "029608264753"  # an example of the field, of no live key
    assert account_of("AROAQNZGKIQY56JQ7WML") is None
