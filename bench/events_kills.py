"""Kill a whole gateway with -9 while events are pushed, over and over: what it acknowledged must have run its function.

    python bench/events_kills.py [--kills 20] [--seed 7]

The sender pushes signed webhooks all the time and repeats what was not acknowledged, as a provider would. At the end
every acknowledged event must be in the inbox, every delivery settled, and every idempotency key printed by the
function at least once. What is printed more often than once is counted; it has the same key. The gap detector's own
question, whether everything that was sent is known, is asked too. Results: bench/results/events_kills.json.
"""

import argparse
import asyncio
import json
import os
import random
import re
import secrets
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import bench_events as bench  # noqa: E402
import machine  # noqa: E402

from actas.events.inbox import finder  # noqa: E402
from actas.testing.idp import Idp  # noqa: E402

RESULTS = HERE / "results" / "events_kills.json"
CODE = """
def handler(event, context):
    print("key " + event["id"])
"""
SENDERS = 8


class Sender:
    """A provider that tells an event until it is acknowledged."""

    def __init__(self, one: bench.Serving) -> None:
        self.one, self.acknowledged, self.repeated, self.stop = one, [], 0, False

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await asyncio.gather(*(self._send(session, number) for number in range(SENDERS)))

    async def _send(self, session: aiohttp.ClientSession, number: int) -> None:
        while not self.stop:
            name = secrets.token_hex(16)
            body, headers = self.one.signed("in", f"person-{number}-{secrets.randbelow(20)}", name=name)
            while not await self._taken(session, body, headers):
                self.repeated += 1
                await asyncio.sleep(0.05)
            self.acknowledged.append(name)

    async def _taken(self, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]) -> bool:
        try:
            async with session.post(f"http://{self.one.public}/events/hr", data=body, headers=headers) as answer:
                return answer.status == 204
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


async def lives(one: bench.Serving, kills: int, seed: int) -> Sender:
    chance, sender = random.Random(seed), Sender(one)
    sending = asyncio.create_task(sender.run())
    for _ in range(kills):
        before = len(sender.acknowledged)
        while len(sender.acknowledged) < before + 20:
            await asyncio.sleep(0.05)
            if one.process.poll() is not None:
                raise SystemExit((one.folder / "log").read_text())
        await asyncio.sleep(chance.uniform(0, 0.4))
        one.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(one.process.wait)
        one.start()
    sender.stop = True
    await sending
    return sender


def keys(folder: Path) -> Counter[str]:
    files = [path for path in (folder / ".actas" / "logs").rglob("*") if path.is_file()]
    return Counter(
        found for path in files for found in re.findall(r"key ([0-9a-f]{32}-[0-9a-f]{12})", path.read_text())
    )


def known(folder: Path) -> set[bytes]:
    with sqlite3.connect(f"file:{folder}/.actas/state.db?mode=ro", uri=True, timeout=10) as connection:
        return {row[0] for row in connection.execute("select finder from heard")}


def dead(folder: Path) -> list[str]:
    with sqlite3.connect(f"file:{folder}/.actas/state.db?mode=ro", uri=True, timeout=10) as connection:
        return [row[0] for row in connection.execute("select why from outbox where queue = 'events' and state = 2")]


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--kills", type=int, default=int(os.environ.get("SOAK_KILLS", "20")))
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--quiet", action="store_true", help="write no results")
    chosen = asked.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name, Idp(shape="keycloak") as idp:
        folder = Path(name)
        folder.chmod(0o755)
        with bench.Serving(folder, idp, code=CODE) as one:
            sender = asyncio.run(lives(one, chosen.kills, chosen.seed))
            until = time.monotonic() + 120
            while one.open_deliveries() and time.monotonic() < until:
                time.sleep(0.2)
            left = one.open_deliveries()
            time.sleep(1)
            printed, heard, buried = keys(folder), known(folder), dead(folder)
    wanted = {name: finder("hr", name) for name in sender.acknowledged}
    ran = {key.partition("-")[0] for key in printed}
    lost = [name for name, found in wanted.items() if found not in heard]
    unrun = [name for name, found in wanted.items() if found.hex()[:32] not in ran]
    told = {
        **machine.told("sqlalchemy", "aiosqlite"),
        "kills": chosen.kills,
        "seed": chosen.seed,
        "acknowledged": len(wanted),
        "told_again_by_the_provider": sender.repeated,
        "lost": len(lost),
        "acknowledged_and_not_run": len(unrun),
        "run_more_than_once_with_the_same_key": sum(count > 1 for count in printed.values()),
        "deliveries_left": left,
        "dead_letters": len(buried),
        "seconds": round(time.monotonic() - begun, 1),
    }
    if not chosen.quiet:
        RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))
    return 1 if lost or unrun or left or buried else 0


if __name__ == "__main__":
    sys.exit(main())
