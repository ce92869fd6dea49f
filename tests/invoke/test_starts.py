"""Of many calls for a new process some start one, and the others take the first that is free."""

import asyncio
from types import SimpleNamespace

import pytest

from actas.invoke.local.job import Key
from actas.invoke.local.starts import Starts

pytestmark = pytest.mark.anyio
NEW, OTHER = Key(function="f", version="1", session="a"), Key(function="f", version="1", session="b")


@pytest.fixture
def anyio_backend():
    return "asyncio"


def job():
    return SimpleNamespace(done=asyncio.get_running_loop().create_future())


@pytest.fixture
def woken():
    return []


async def test_so_many_start_at_once_and_another_key_may_too(woken):
    starts = Starts(woken.append, at_once=2)

    starts.begin(NEW, job())
    assert not starts.are_many(NEW)
    starts.begin(NEW, job())

    assert starts.are_many(NEW)
    assert not starts.are_many(OTHER)


async def test_a_start_is_over_with_its_first_call_and_the_next_one_is_told(woken):
    starts, one = Starts(woken.append, at_once=1), job()
    starts.begin(NEW, one)

    one.done.set_result(None)
    await asyncio.sleep(0)

    assert woken == [NEW]
    assert not starts.are_many(NEW)


async def test_a_start_whose_call_was_given_up_is_over_too(woken):
    starts, one = Starts(woken.append, at_once=1), job()
    starts.begin(NEW, one)

    one.done.cancel()
    await asyncio.sleep(0)

    assert woken == [NEW]


async def test_a_start_whose_call_takes_long_is_over_soon_and_once(woken):
    over = asyncio.Event()
    starts, one = Starts(lambda key: (woken.append(key), over.set()), at_once=1, soon=0.01), job()
    starts.begin(NEW, one)

    await over.wait()
    one.done.set_result(None)
    await asyncio.sleep(0.02)

    assert woken == [NEW]
    assert not starts.are_many(NEW)


async def test_a_start_that_could_not_be_is_taken_back_and_nobody_told(woken):
    starts, one = Starts(woken.append, at_once=1, soon=0.01), job()

    starts.begin(NEW, one)()
    assert not starts.are_many(NEW)
    one.done.set_result(None)
    await asyncio.sleep(0.02)

    assert woken == []
