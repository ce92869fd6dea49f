"""Whose jobs wait, and whose are set apart, is told by how their keys begin; on both databases alike."""

from contextlib import asynccontextmanager

import anyio
import pytest

from actas import store
from actas.model import clock
from actas.store import outbox_shares
from actas.store.outbox import Dead, Done, Outbox

pytestmark = pytest.mark.anyio
ANA, BEN = "a" * outbox_shares.LETTERS, "b" * outbox_shares.LETTERS
QUEUES = ("functions", "destinations")


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request, tmp_path):
    url = None if request.param == "sqlite" else request.getfixturevalue("fresh_postgresql")

    @asynccontextmanager
    async def run():
        one = await store.open(tmp_path, url=url)
        try:
            yield Outbox(one, clock.now)
        finally:
            await one.close()

    return run


async def bury(outbox, *, least):
    """Set apart what says so, and be done with the rest."""

    async def work(job):
        return Dead("as asked") if b"dead" in job.body else Done()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for queue in QUEUES:
                tasks.start_soon(lambda queue=queue: outbox.run(queue, work, at_once=1))
            while sum([(await outbox.counts(queue)).dead for queue in QUEUES]) < least:  # noqa: ASYNC110
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()


async def test_what_waits_is_counted_by_whom_it_is_of_with_its_bytes(opened):
    async with opened() as outbox:
        for whose, queue, body in (
            (ANA, "functions", b"12"), (ANA, "destinations", b"345"), (BEN, "functions", b""), (BEN, "others", b"9"),
        ):  # fmt: skip
            await outbox.put(queue=queue, body=body, key=f"{whose}:{queue}")
        await outbox.put(queue="functions", body=b"1234")
        async with outbox.store.read() as connection:
            waiting = await outbox_shares.open_(connection, QUEUES)
            dead = await outbox_shares.dead(connection, QUEUES)

    assert waiting == {ANA: (2, 5), BEN: (1, 0), "": (1, 4)}
    assert dead == {}


KEPT = [
    ("all that fit", {"whose": None, "most": 4, "most_bytes": 20}, [1, 2, 3, 4]),
    ("the latest of all", {"whose": None, "most": 3, "most_bytes": 20}, [2, 3, 4]),
    ("the latest that have so many bytes", {"whose": None, "most": 4, "most_bytes": 19}, [2, 3, 4]),
    ("the latest of somebody's", {"whose": ANA, "most": 1, "most_bytes": 20}, [2, 3, 4]),
    ("none of somebody's", {"whose": ANA, "most": 0, "most_bytes": 20}, [3, 4]),
    ("none of who has none", {"whose": "c" * outbox_shares.LETTERS, "most": 0, "most_bytes": 0}, [1, 2, 3, 4]),
]


@pytest.mark.parametrize(("asked", "kept"), [case[1:] for case in KEPT], ids=[case[0] for case in KEPT])
async def test_of_what_is_set_apart_the_oldest_goes_first_and_what_waits_stays(opened, asked, kept):
    async with opened() as outbox:
        for number, whose in ((1, ANA), (2, ANA), (3, BEN), (4, BEN)):
            await outbox.put(queue=QUEUES[number % 2], body=b"dead%d" % number, key=f"{whose}:{number}")
            await bury(outbox, least=number)
        await outbox.put(queue="functions", body=b"waits", key=f"{ANA}:5")
        async with outbox.store.write() as connection:
            gone = await outbox_shares.forget(connection, QUEUES, **asked)
        left = sorted([int(one.key.rpartition(":")[2]) for queue in QUEUES for one in await outbox.dead(queue)])
        waiting = (await outbox.counts("functions")).waiting

    assert (left, gone, waiting) == (kept, 4 - len(kept), 1)
