"""Sessions are shared only by calls that rest on the same things (design.md, 8.3)."""

from datetime import timedelta

import anyio
import pytest

from actas.assume.cache import NEXT_TRY, SPARE, SessionCache
from actas.assume.errors import BrokerRefused, TooManySessions
from actas.assume.key import name, rests
from actas.model.evidence import BearerToken
from actas.model.facts import Known
from actas.model.identity import Actor, Kind
from actas.model.secret import Secret

pytestmark = pytest.mark.anyio


class Counting:
    """A broker that counts, and may be slow or fail."""

    def __init__(self, broker, *, slow=0.0, fails=0, error=None, shape="counting", shows_evidence=False):
        self.broker, self.slow, self.fails, self.made = broker, slow, fails, 0
        self.error = error or TooManySessions(live=0, allowed=0, whose="on purpose")
        self.shape, self.shows_evidence = shape, shows_evidence

    async def issue(self, grant, *, now, evidence=None):
        self.made += 1
        await anyio.sleep(self.slow)
        if self.made <= self.fails:
            raise self.error.again()
        return await self.broker.issue(grant, now=now)


@pytest.fixture
def cache():
    return SessionCache(most=4, most_per_subject=2)


async def test_equal_grants_share_a_session(cache, broker, grant, noon):
    counting = Counting(broker)
    one = await cache.take(grant(), counting, now=noon)
    other = await cache.take(grant(), counting, now=noon + timedelta(minutes=1))

    assert one.sessions is other.sessions
    assert counting.made == 1


OTHERS = [
    ("another person", lambda but, noon: but(subject="ben")),
    ("the same subject elsewhere", lambda but, noon: but(issuer="https://other.example")),
    ("another provider", lambda but, noon: but(provider="corp2")),
    ("an actor", lambda but, noon: but(actors=(Actor(issuer="https://sso.example", subject="agent"),))),
    ("another second factor", lambda but, noon: but(mfa=Known(value=False))),
    ("another kind", lambda but, noon: but(kind=Known(Kind.SERVICE))),
    ("another sign-in", lambda but, noon: but(authenticated_at=Known(noon))),
    ("a shorter token", lambda but, noon: but(expires_at=noon + timedelta(minutes=1))),
]


@pytest.mark.parametrize("other", [row[1] for row in OTHERS], ids=[row[0] for row in OTHERS])
async def test_credential_cache_mix_a_change_of_anything_never_hits(cache, broker, grant, but, noon, other):
    rules = ({"id": "may", "who": {"groups": ["finance"]}, "may": ["report"], "as": "reader"},)
    one = await cache.take(grant(rules=rules), broker, now=noon)
    two = await cache.take(grant(other(but, noon), rules=rules), broker, now=noon)

    assert one.sessions.id != two.sessions.id
    assert two.sessions.work.expires_at <= grant(other(but, noon), rules=rules).expires_at


async def test_a_short_token_never_gets_a_long_session(cache, broker, grant, but, noon):
    await cache.take(grant(but(expires_at=noon + timedelta(hours=1))), broker, now=noon)
    short = await cache.take(grant(but(expires_at=noon + timedelta(minutes=1))), broker, now=noon)

    assert short.sessions.work.expires_at == noon + timedelta(minutes=1)


async def test_two_rules_sharing_a_role_never_lend_each_other_rights(cache, broker, grant, but, noon, ring):
    both = but(groups=Known(frozenset({"finance", "board"})))
    report = await cache.take(grant(both), broker, now=noon)
    billing = await cache.take(grant(both, function="billing"), broker, now=noon)

    assert report.sessions.id != billing.sessions.id
    assert grant(both).fence != grant(both, function="billing").fence


async def test_an_edited_rule_never_hits(cache, broker, grant, noon):
    edited = (
        {"id": "may", "who": {"provider": "corp", "groups": ["finance", "x"]}, "may": ["report"], "as": "reader"},
    )
    one = await cache.take(grant(), broker, now=noon)
    two = await cache.take(grant(rules=edited), broker, now=noon)

    assert one.sessions.id != two.sessions.id


async def test_a_session_about_to_end_is_not_handed_out_again(cache, broker, grant, noon):
    counting = Counting(broker)
    await cache.take(grant(session="5m"), counting, now=noon)
    end = noon + timedelta(minutes=5)

    await cache.take(grant(session="5m"), counting, now=end - SPARE)
    assert counting.made == 1
    await cache.take(grant(session="5m"), counting, now=end - SPARE + timedelta(microseconds=1))
    assert counting.made == 2


async def test_one_making_at_a_time_for_equal_grants(cache, broker, grant, noon):
    counting = Counting(broker, slow=0.02)
    found = []

    async def take():
        found.append(await cache.take(grant(), counting, now=noon))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(take)

    assert counting.made == 1
    assert len({one.sessions.id for one in found}) == 1


async def test_a_making_that_fails_fails_for_its_caller_and_leaves_room(cache, broker, grant, noon):
    counting = Counting(broker, fails=1)
    with pytest.raises(TooManySessions):
        await cache.take(grant(), counting, now=noon)

    assert (await cache.take(grant(), counting, now=noon)).sessions.work
    assert len(cache) == 1


async def test_a_making_that_fails_fails_for_all_who_wait_for_it_at_once(cache, broker, grant, noon):
    counting, refused = Counting(broker, slow=0.05, fails=1), []

    async def ask():
        try:
            await cache.take(grant(), counting, now=noon)
        except TooManySessions as wrong:
            refused.append(wrong)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)

    assert (counting.made, len(refused), len(set(map(id, refused)))) == (1, 5, 5)
    assert await cache.take(grant(), counting, now=noon)


async def test_the_oldest_idle_session_of_a_subject_goes_first(cache, broker, grant, but, noon):
    def later(minutes):
        return grant(but(expires_at=noon + timedelta(minutes=minutes)))

    grants = [later(minutes) for minutes in (10, 11, 12)]
    for one in grants:
        await cache.take(one, broker, now=noon)

    assert len(cache) == 2
    assert cache.known(grants[0], broker, now=noon) is None
    assert cache.known(grants[2], broker, now=noon) is not None


async def test_at_the_cap_with_every_session_in_use_the_caller_is_turned_away(cache, broker, grant, but, noon):
    def later(minutes):
        return grant(but(expires_at=noon + timedelta(minutes=minutes)))

    with await cache.take(later(10), broker, now=noon), await cache.take(later(11), broker, now=noon):
        with pytest.raises(TooManySessions) as refused:
            await cache.take(later(12), broker, now=noon)
        assert refused.value.status == 429

    assert await cache.take(later(12), broker, now=noon)


async def test_the_cap_in_all_counts_everybody(cache, broker, grant, but, noon):
    for number in range(6):
        await cache.take(grant(but(subject=f"person-{number}")), broker, now=noon)

    assert len(cache) == 4


async def test_sessions_of_a_subject_can_be_ended(cache, broker, grant, but, noon):
    mine, theirs = grant(), grant(but(subject="ben"))
    for one in (mine, theirs):
        await cache.take(one, broker, now=noon)

    assert cache.end(provider="corp", subject="ana-7f0c") == 1
    assert cache.known(mine, broker, now=noon) is None
    assert cache.known(theirs, broker, now=noon) is not None
    assert cache.end(provider="corp") == 1


async def test_what_has_ended_is_swept_away(cache, broker, grant, noon):
    await cache.take(grant(session="5m"), broker, now=noon)
    cache.sweep(now=noon + timedelta(minutes=5))

    assert len(cache) == 0


async def test_a_name_tells_nothing_and_differs_where_anything_does(grant, but):
    names = {name(rests(grant(but(subject=f"person-{number}")))) for number in range(100)}

    assert len(names) == 100
    assert all(len(one) == 32 and "person" not in one for one in names)


async def test_a_full_cache_looks_for_what_has_ended_once_a_second_and_not_for_each_call(
    cache, broker, grant, but, noon, monkeypatch
):
    swept, sweep = [], cache.sweep
    monkeypatch.setattr(cache, "sweep", lambda *, now: (swept.append(now), sweep(now=now)))

    for number in range(20):
        await cache.take(grant(but(subject=f"person-{number}")), broker, now=noon)
    await cache.take(grant(but(subject="ben")), broker, now=noon + timedelta(seconds=1))

    assert len(cache) == 4
    assert swept == [noon, noon + timedelta(seconds=1)]


async def test_sessions_in_use_that_have_ended_keep_nobody_out(cache, broker, grant, but, noon):
    def later(minutes):
        return grant(but(expires_at=noon + timedelta(minutes=minutes)))

    with await cache.take(later(10), broker, now=noon), await cache.take(later(11), broker, now=noon):
        with pytest.raises(TooManySessions):
            await cache.take(later(30), broker, now=noon)

        assert await cache.take(later(30), broker, now=noon + timedelta(minutes=12))


async def test_brokers_of_another_shape_never_share_a_session(cache, broker, grant, noon):
    one, other = Counting(broker, shape="one"), Counting(broker, shape="other")
    first = await cache.take(grant(), one, now=noon)
    second = await cache.take(grant(), other, now=noon)

    assert (one.made, other.made) == (1, 1)
    assert first.sessions is not second.sessions
    assert (await cache.take(grant(), Counting(broker, shape="one"), now=noon)).sessions is first.sessions


def shown(text):
    return BearerToken(shown=Secret(text))


async def test_what_the_caller_showed_counts_where_it_is_passed_on_and_nowhere_else(cache, broker, grant, noon):
    passes, keeps = Counting(broker, shows_evidence=True), Counting(broker, shape="keeps")
    for counting in (passes, keeps):
        for text in ("one", "other", "one"):
            await cache.take(grant(), counting, now=noon, evidence=shown(text))

    assert (passes.made, keeps.made) == (2, 1)


NO = BrokerRefused(broker="aws", found="AccessDenied")


async def test_a_no_is_told_again_for_some_seconds_and_not_for_longer(cache, broker, grant, noon):
    counting = Counting(broker, fails=2, error=NO)
    for seconds in (0, 4.9):
        with pytest.raises(BrokerRefused):
            await cache.take(grant(), counting, now=noon + timedelta(seconds=seconds))
    assert counting.made == 1

    with pytest.raises(BrokerRefused):
        await cache.take(grant(), counting, now=noon + timedelta(seconds=5))
    assert await cache.take(grant(), counting, now=noon + timedelta(seconds=10))
    assert counting.made == 3


async def test_a_no_to_one_is_not_told_to_another(cache, broker, grant, but, noon):
    counting = Counting(broker, fails=1, error=NO)
    with pytest.raises(BrokerRefused):
        await cache.take(grant(), counting, now=noon)

    assert await cache.take(grant(but(subject="ben")), counting, now=noon)


async def test_what_is_no_answer_of_the_partys_is_not_remembered(cache, broker, grant, noon):
    counting = Counting(broker, fails=1)
    with pytest.raises(TooManySessions):
        await cache.take(grant(), counting, now=noon)

    assert await cache.take(grant(), counting, now=noon)


async def test_refusals_are_bounded(cache, broker, grant, but, noon, monkeypatch):
    monkeypatch.setattr("actas.assume.cache.MOST_REFUSALS", 3)
    counting = Counting(broker, fails=100, error=NO)
    for number in range(5):
        with pytest.raises(BrokerRefused):
            await cache.take(grant(but(subject=f"p{number}")), counting, now=noon)
    assert len(cache._refused) == 3

    cache.sweep(now=noon + timedelta(seconds=5))
    assert len(cache._refused) == 0


@pytest.fixture
async def running(cache):
    async with anyio.create_task_group() as tasks:
        await tasks.start(cache.run)
        yield cache
        tasks.cancel_scope.cancel()


async def settled(cache):
    while cache._renewing:  # noqa: ASYNC110 - nothing tells when it is over
        await anyio.sleep(0.001)


async def test_a_session_about_to_end_is_made_anew_beside_who_uses_it(running, broker, grant, noon):
    counting = Counting(broker, slow=0.01)
    first = await running.take(grant(session="10m"), counting, now=noon)
    early = noon + timedelta(minutes=8) - timedelta(microseconds=1)
    assert (await running.take(grant(session="10m"), counting, now=early)).sessions is first.sessions
    assert counting.made == 1

    due = noon + timedelta(minutes=8)
    for _ in range(3):  # nobody waits, and one making is enough
        assert (await running.take(grant(session="10m"), counting, now=due)).sessions is first.sessions
    await settled(running)
    renewed = await running.take(grant(session="10m"), counting, now=due)

    assert counting.made == 2
    assert renewed.sessions.work.expires_at == due + timedelta(minutes=10)
    assert len(running) == 1


async def test_a_session_that_ends_with_the_evidence_is_not_made_anew(running, broker, grant, but, noon):
    counting, person = Counting(broker), but(expires_at=noon + timedelta(minutes=10))
    await running.take(grant(person), counting, now=noon)
    await running.take(grant(person), counting, now=noon + timedelta(minutes=9))
    await settled(running)

    assert counting.made == 1


async def test_a_renewal_that_fails_leaves_what_is_there_and_is_tried_later(running, broker, grant, noon):
    counting = Counting(broker)
    first = await running.take(grant(session="10m"), counting, now=noon)
    counting.fails, counting.error = 2, NO
    due = noon + timedelta(minutes=8)
    await running.take(grant(session="10m"), counting, now=due)
    await settled(running)

    again = await running.take(grant(session="10m"), counting, now=due + NEXT_TRY - timedelta(microseconds=1))
    assert again.sessions is first.sessions
    await settled(running)
    assert counting.made == 2
    await running.take(grant(session="10m"), counting, now=due + NEXT_TRY)
    await settled(running)
    assert counting.made == 3


async def test_a_renewal_never_brings_back_what_was_ended(running, broker, grant, noon):
    counting = Counting(broker, slow=0.02)
    await running.take(grant(session="10m"), counting, now=noon)
    await running.take(grant(session="10m"), counting, now=noon + timedelta(minutes=9))
    running.end(provider="corp")
    await settled(running)

    assert counting.made == 2
    assert len(running) == 0
