"""Kill a process that puts jobs and works on them, over and over, and see that what it acknowledged is worked on.

The child writes each key it was told is durable, and each key it worked on, to files with one write each; the parent
kills it with SIGKILL at a random instant. At the end everything acknowledged must have been worked on. One job in
fifty ends the process that works on it: it must be set apart, and nothing else.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import anyio

from actas import store
from actas.model import clock
from actas.store.outbox import Again, Done, Job, Outbox, Verdict

LEASE = timedelta(milliseconds=400)
POISON = 50
SLOW = 7


async def child(state: Path, url: str | None, life: int, poison: int) -> None:
    opened = await store.open(state, url=url)
    outbox = Outbox(opened, clock.now, lease=LEASE)
    acked, done = (os.open(state / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("acked", "done"))

    async def puts(lane: int) -> None:
        number = 0
        while True:
            is_poison = poison and lane == 0 and number == 3
            key = f"{life}-{lane}-{number}" + ("-poison" if is_poison else "")
            if await outbox.put(queue="kills", key=key, lane=None if is_poison else f"lane{lane}", body=key.encode()):
                os.write(acked, key.encode() + b"\n")
            number += 1
            await anyio.sleep(0.01)

    async def work(job: Job) -> Verdict:
        assert job.key is not None
        if job.key.endswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        if job.attempt == 1 and sum(job.body) % SLOW == 0:
            return Again(timedelta(milliseconds=10), "once more")
        os.write(done, job.key.encode() + b"\n")
        return Done()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: outbox.run("kills", work, at_once=16))
        if life >= 0:
            for lane in range(8):
                tasks.start_soon(puts, lane)
        else:
            while (now := await outbox.counts("kills")).waiting + now.running:  # noqa: ASYNC110 - the database tells nobody
                await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()


def start(state: Path, url: str | None, life: int, poison: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, __file__, "--child", str(life), "--state", str(state), "--poison", str(poison)]
    return subprocess.Popen([*command, "--url", url] if url else command)


def run(state: Path, url: str | None, kills: int, seed: int, poison: int) -> dict[str, object]:
    chance = random.Random(seed)
    begun = time.monotonic()
    for life in range(kills):
        process = start(state, url, life, poison if life % POISON == 0 else 0)
        wait_for(state / "acked", process)
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        process.wait()
    ends = 1
    while start(state, url, -1, poison).wait():  # poison ends it, a few times
        ends += 1
        if ends > 20:
            break
    acked, done = lines(state / "acked"), lines(state / "done")
    fine = {key for key in acked if not key.endswith("poison")}
    orders = [[key for key in done if key.split("-")[1] == str(lane)] for lane in range(8)]
    return {
        "kills": kills, "seed": seed, "database": "postgresql" if url else "sqlite",
        "acknowledged": len(acked), "worked_on": len(set(done)), "again": len(done) - len(set(done)),
        "lost": len(fine - set(done)), "poison": len(set(acked) - fine),
        "dead": asyncio.run(buried(state, url)), "out_of_order": sum(disorder(order) for order in orders),
        "seconds": round(time.monotonic() - begun, 1),
    }  # fmt: skip


def wait_for(acked: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait until this life has acknowledged something; killed before, it would show little."""
    before, until = acked.stat().st_size if acked.exists() else 0, time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        if acked.exists() and acked.stat().st_size > before:
            return
        time.sleep(0.01)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def disorder(keys: list[str]) -> int:
    """Count keys whose first time came after the first time of a later one of their lane."""
    first = list(dict.fromkeys(keys))
    places = [tuple(int(part) for part in key.split("-")[:3]) for key in first]
    return sum(one > other for one, other in itertools.pairwise(places))


async def buried(state: Path, url: str | None) -> list[str]:
    opened = await store.open(state, url=url)
    try:
        return sorted(one.why for one in await Outbox(opened, clock.now).dead("kills"))
    finally:
        await opened.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--url")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--poison", type=int, default=1)
    parser.add_argument("--child", type=int)
    asked = parser.parse_args()
    if asked.child is not None:
        anyio.run(child, asked.state, asked.url, asked.child, asked.poison)
        return 0
    found = run(asked.state, asked.url, asked.kills, asked.seed, asked.poison)
    print(json.dumps(found))
    return 1 if found["lost"] or found["out_of_order"] else 0


if __name__ == "__main__":
    sys.exit(main())
