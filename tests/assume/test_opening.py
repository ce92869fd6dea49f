"""Sessions that were opened lately are found again, and never longer than they could be opened anew."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actas.assume.errors import AssumeError, SessionExpired, SessionNotOurs
from actas.assume.held import opened
from actas.assume.opening import Opening

pytestmark = pytest.mark.anyio


class Keys:
    """A ring that can lose its keys, and counts how often it is asked."""

    def __init__(self, ring):
        self.ring, self.gone, self.asked = ring, False, 0

    def find(self, key_id, now):
        self.asked += 1
        return None if self.gone else self.ring.find(key_id, now)


@pytest.fixture
def keys(ring):
    return Keys(ring)


@pytest.fixture
async def token(broker, grant, noon):
    return (await broker.issue(grant(), now=noon)).work.session_token.reveal()


async def test_a_session_that_was_opened_is_the_same_the_next_time(keys, token, noon):
    opening = Opening(keys.find)

    first, second = opening.open(token, now=noon), opening.open(token, now=noon)

    assert first == opened(token, keys.find, now=noon)
    assert second is first


async def test_a_session_that_was_opened_ends_when_it_ends(keys, token, noon):
    opening = Opening(keys.find)
    ends = opening.open(token, now=noon).expires_at

    assert opening.open(token, now=ends - timedelta(microseconds=1))
    with pytest.raises(SessionExpired):
        opening.open(token, now=ends)


async def test_a_session_goes_with_the_key_that_sealed_it(keys, token, noon):
    opening = Opening(keys.find)
    opening.open(token, now=noon)

    keys.gone = True
    with pytest.raises(SessionNotOurs):
        opening.open(token, now=noon)
    keys.gone = False
    assert opening.open(token, now=noon)


@pytest.mark.parametrize("place", [-1, 8, 40], ids=["the end", "the key id", "the middle"])
async def test_a_token_that_differs_in_one_character_is_another_one(keys, token, noon, place):
    opening = Opening(keys.find)
    opening.open(token, now=noon)
    letters = list(token)
    letters[place] = "A" if letters[place] != "A" else "B"

    with pytest.raises(SessionNotOurs):
        opening.open("".join(letters), now=noon)


@pytest.mark.parametrize("shown", ["", "actas1.", "actas1.AAAA", "\udcff", "é", "actas1." + "A" * 20_000], ids=range(6))
async def test_what_does_not_open_is_not_remembered(keys, shown, noon):
    opening = Opening(keys.find)

    for _ in range(2):
        with pytest.raises(SessionNotOurs):
            opening.open(shown, now=noon)

    assert len(opening) == 0


async def test_so_many_are_remembered_and_no_more(keys, broker, grant, noon):
    opening = Opening(keys.find, size=4)
    for _ in range(10):
        opening.open((await broker.issue(grant(), now=noon)).work.session_token.reveal(), now=noon)

    assert 2 <= len(opening) <= 4


async def test_the_ones_shown_lately_stay(keys, broker, grant, token, noon):
    opening = Opening(keys.find, size=4)
    first = opening.open(token, now=noon)
    for _ in range(10):
        opening.open((await broker.issue(grant(), now=noon)).work.session_token.reveal(), now=noon)
        assert opening.open(token, now=noon) is first


@pytest.fixture
async def tokens(broker, grant, noon):
    lives = [timedelta(minutes=one) for one in (5, 15)]
    made = [await broker.issue(grant(session=f"{one.seconds // 60}m"), now=noon) for one in lives]
    return [one.work.session_token.reveal() for one in made]


STEPS = st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 20), st.booleans(), st.booleans()), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
async def test_what_is_remembered_never_changes_an_answer(keys, tokens, noon, steps):
    opening = Opening(keys.find, size=2)
    for which, minutes, gone, is_cut in steps:
        keys.gone = gone
        shown, now = tokens[which][: -1 if is_cut else None], noon + timedelta(minutes=minutes)

        answers = []
        for one in (opening.open, lambda text, *, now: opened(text, keys.find, now=now)):
            try:
                answers.append(one(shown, now=now))
            except AssumeError as wrong:
                answers.append((wrong.code, str(wrong)))

        assert answers[0] == answers[1]
