"""Requests in flight are waited for by whoever wants to, each of them."""

import anyio
import pytest

from actas.http.flights import Flights

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_all_who_wait_hear_that_the_last_one_is_over():
    flights, heard = Flights(), []
    flights.now = 2

    async def wait(name):
        await flights.landed()
        heard.append(name)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for name in ("a change of settings", "the next change", "the end"):
                tasks.start_soon(wait, name)
            await anyio.wait_all_tasks_blocked()
            flights.land()
            await anyio.wait_all_tasks_blocked()
            assert heard == []
            flights.land()

    assert heard == ["a change of settings", "the next change", "the end"]


async def test_who_waits_again_waits_for_what_is_begun_since():
    flights = Flights()
    await flights.landed()
    flights.now = 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(flights.landed)
        await anyio.wait_all_tasks_blocked()
        flights.land()

    assert flights.now == 0
