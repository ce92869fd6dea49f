"""Many who ask at once are answered together, each with its own answer."""

import anyio
import pytest

from actas.audit import together
from actas.audit.together import Together

pytestmark = pytest.mark.anyio


class Store:
    """Answers in upper case, a batch at a time; fails as often as it is told to."""

    def __init__(self, fails=0):
        self.batches, self.fails = [], fails
        self.open = anyio.Event()

    async def work(self, asked):
        await self.open.wait()
        self.batches.append(tuple(asked))
        if len(self.batches) <= self.fails:
            raise OSError
        return {key: value.upper() for key, value in asked.items() if value}


async def answers(one, store, keys):
    found = {}

    async def ask(key):
        try:
            found[key] = await one.ask(key, key.decode())
        except OSError:
            found[key] = "failed"

    async with anyio.create_task_group() as tasks:
        for key in keys:
            tasks.start_soon(ask, key)
        await anyio.wait_all_tasks_blocked()
        store.open.set()
    return found


async def test_those_who_come_while_one_is_asked_for_are_asked_for_at_once():
    store = Store()

    found = await answers(Together(store.work), store, [b"a", b"b", b"c", b"d"])

    assert found == {b"a": "A", b"b": "B", b"c": "C", b"d": "D"}
    assert store.batches == [(b"a",), (b"b", b"c", b"d")]


async def test_no_more_are_asked_for_at_once_than_one_statement_takes(monkeypatch):
    monkeypatch.setattr(together, "MOST", 2)
    store = Store()

    found = await answers(Together(store.work), store, [b"a", b"b", b"c", b"d", b"e", b"f"])

    assert found == {key: key.decode().upper() for key in (b"a", b"b", b"c", b"d", b"e", b"f")}
    assert max(map(len, store.batches)) == 2


async def test_a_failure_is_one_callers_and_the_others_are_asked_for_again():
    store = Store(fails=1)

    found = await answers(Together(store.work), store, [b"a", b"b", b"c"])

    assert found == {b"a": "failed", b"b": "B", b"c": "C"}


async def test_when_everything_fails_everybody_is_told():
    store = Store(fails=9)

    found = await answers(Together(store.work), store, [b"a", b"b", b"c"])

    assert set(found.values()) == {"failed"}


async def test_what_has_no_answer_is_none():
    store = Store()
    store.open.set()

    assert await Together(store.work).ask(b"", "") is None


async def test_one_who_goes_away_leaves_nothing_and_keeps_nobody_waiting():
    store, found = Store(), []
    one = Together(store.work)

    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(0.01):
            await one.ask(b"gone", "gone")
        tasks.start_soon(one.ask, b"a", "a")
        await anyio.wait_all_tasks_blocked()
        store.open.set()
        found.append(await one.ask(b"b", "b"))

    assert found == ["B"]
    assert not any(b"gone" in batch for batch in store.batches)
