"""Ten thousand people sign in at a real Keycloak, one after the other: how late is each heard, and does it grow?

    python bench/logins.py [--logins 10000] [--ways asked-and-told asked]

A real Keycloak on PostgreSQL, a whole gateway on SQLite, and direct grants by several people at once, as fast as
Keycloak answers. Each way is a run of its own: *asked*, where the gateway asks every second, and *asked-and-told*,
where Keycloak also posts each event by the extension keycloak-events, if that can be had here. Each sign-in runs a
local function. The lag of a sign-in is the time from Keycloak's own time of it until it is durable in the inbox, by
the database, of every single one; the lag of its function is the time from there until the delivery is settled.

The realm hashes passwords as cheaply as a realm can be set to (PBKDF2, one iteration): what is measured is not hashing.
The exit code is 1 where a sign-in was not heard or the lag rose. Results: bench/results/logins.json.
"""

import argparse
import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import anyio

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "real")]

import machine  # noqa: E402
import parts  # noqa: E402
from keycloak import telling  # noqa: E402
from keycloak.durable import DurableKeycloak  # noqa: E402
from kills.agree import begun  # noqa: E402
from kills.house import Houses, Killable, settings  # noqa: E402
from kills.ledger import Ledger  # noqa: E402

from actas.model import clock  # noqa: E402

PEOPLE = tuple(f"person-{number}" for number in range(20))
AT_ONCE = 6
TELL_EVERY = 20.0
TENTHS = 10
PATIENCE = 300.0
MAY_RISE_MS = 1000.0
"""How much the straight line through all lags may rise from the first sign-in to the last: the time between two
questions, which is what a lag differs by anyway."""
CODE = "def handler(event, context):\n    return None\n"


def make_people(keycloak: DurableKeycloak) -> None:
    telling.cheap_passwords(keycloak, ())
    for name in PEOPLE:
        person = {
            "username": name, "enabled": True, "email": f"{name}@people.example", "emailVerified": True,
            "firstName": "P", "lastName": "P",
            "credentials": [{"type": "password", "value": f"{name}-pw", "temporary": False}],
        }  # fmt: skip
        keycloak.admin("POST", "/users", person).raise_for_status()


def wanted(ledger: Ledger, keycloak: DurableKeycloak, *, told: bool) -> dict:
    """Give the settings of a gateway whose function does nothing, so that hearing is what is measured."""
    found = settings(ledger, keycloak.issuer, keycloak, webhooks=told)
    found["functions"]["record"] = {"python": "noted.py:handler", "schedule": {"at_once": 4, "waiting": 1000}}
    return found


async def sign_in(keycloak: DurableKeycloak, logins: int, tell) -> float:
    """Have everybody sign in, one after the other; give how long it took."""
    url = f"{keycloak.issuer}/protocol/openid-connect/token"
    left, dice, begun_at = iter(range(logins)), random.Random(1), time.monotonic()
    told_at = begun_at

    async def one_after_the_other(session: aiohttp.ClientSession) -> None:
        nonlocal told_at
        for number in left:
            name = dice.choice(PEOPLE)
            form = {"grant_type": "password", "client_id": "cli", "username": name, "password": f"{name}-pw"}
            async with session.post(url, data=form) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
            if time.monotonic() - told_at > TELL_EVERY:
                told_at = time.monotonic()
                tell(number, told_at - begun_at)

    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(timeout=timeout) as session, anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(one_after_the_other, session)
    return time.monotonic() - begun_at


def rows(gateway: Killable, query: str) -> list[tuple]:
    with sqlite3.connect(f"file:{gateway.folder}/.actas/state.db?mode=ro", uri=True, timeout=30) as connection:
        return connection.execute(query).fetchall()


HEARD = "select happened_us, heard_us from heard where source = 'corp-events' and kind = 'signed-in' and deliveries > 0"
OPEN = "select count(*) from outbox where queue = 'events' and state = 0"
SETTLED = "select put_us, settled_us from outbox where queue = 'events' and state = 1 order by sequence"


def run(keycloak: DurableKeycloak, way: str, logins: int, folder: Path) -> dict[str, object]:
    told = way == "asked-and-told"
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger())
        gateway = Killable(folder, wanted(ledger, keycloak, told=told))
        (folder / "noted.py").write_text(CODE)
        stack.enter_context(Houses([gateway]))
        wait(gateway.settled)
        if told:
            url = f"{gateway.url}/events/corp-events"
            stack.callback(telling.hook(keycloak, url, secret=telling.HOOK_SECRET))
        since, samples = begun(), []

        def tell(number: int, seconds: float) -> None:
            last = rows(gateway, f"{HEARD} order by sequence desc limit 200")
            late = statistics.median((heard - at) / 1000 for at, heard in last) if last else 0.0
            (waiting,) = rows(gateway, OPEN)[0]
            samples.append(
                {
                    "seconds": round(seconds),
                    "signed_in": number,
                    "lag_ms": round(late),
                    "waiting": waiting,
                    "load": round(os.getloadavg()[0], 1),
                }
            )
            print(f"{way}: {samples[-1]}", file=sys.stderr, flush=True)

        seconds = anyio.run(sign_in, keycloak, logins, tell)
        listed = telling.listed(keycloak, "LOGIN", since=since)
        ends = time.monotonic() + PATIENCE
        while len(found := rows(gateway, HEARD)) < len(listed) and time.monotonic() < ends:
            time.sleep(0.5)
        while rows(gateway, OPEN)[0][0] and time.monotonic() < ends:
            time.sleep(0.2)
        ran = rows(gateway, SETTLED)
    lags = [(heard - at) / 1000 for at, heard in sorted(found)]
    return {
        "date": clock.now().date().isoformat(),
        "load": round(os.getloadavg()[2], 1),
        "signed_in": logins,
        "listed_by_keycloak": len(listed),
        "heard": len(found),
        "functions_run": len(ran),
        "seconds": round(seconds, 1),
        "logins_per_s": round(logins / seconds, 1),
        "lag_ms": figures(lags),
        "function_lag_ms": figures([(done - put) / 1000 for put, done in ran]),
        "samples": samples,
    }


def figures(lags: list[float]) -> dict[str, object]:
    """Sum up lags in the order in which things happened: how late, and whether ever later."""
    if len(lags) < 2:
        return {}
    slope, _ = statistics.linear_regression(range(len(lags)), lags)
    size = -(-len(lags) // TENTHS)
    return {
        "p50": round(statistics.median(lags), 1),
        "p99": round(sorted(lags)[int(len(lags) * 0.99)], 1),
        "max": round(max(lags), 1),
        "rose_ms": round(slope * (len(lags) - 1), 1),
        "p50_of_each_tenth": [round(statistics.median(lags[at : at + size]), 1) for at in range(0, len(lags), size)],
    }


def kept() -> dict[str, dict]:
    """Give what an earlier run told of the other way."""
    path = machine.RESULTS / "logins.json"
    return json.loads(path.read_text())["ways"] if path.exists() else {}


def wait(there) -> None:
    ends = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > ends:
            raise SystemExit("the gateway does not begin to hear")
        time.sleep(0.2)


def amiss(ways: dict[str, dict]) -> list[str]:
    found = []
    for way, one in ways.items():
        if not one["listed_by_keycloak"] == one["heard"] == one["functions_run"] >= one["signed_in"]:
            found.append(f"{way}: not everything that Keycloak lists was heard and run")
        if one["lag_ms"]["rose_ms"] > MAY_RISE_MS:
            found.append(f"{way}: the lag rose by {one['lag_ms']['rose_ms']} ms")
    return found


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--logins", type=int, default=10_000)
    asked.add_argument("--ways", nargs="+", default=["asked-and-told", "asked"], choices=["asked-and-told", "asked"])
    asked.add_argument("--quiet", action="store_true", help="write no results")
    chosen = asked.parse_args()
    if why := parts.durable_keycloak():
        raise SystemExit(why)
    ways: dict[str, dict] = {}
    with DurableKeycloak() as keycloak, tempfile.TemporaryDirectory(prefix="actas-logins-") as name:
        Path(name).chmod(0o755)
        telling.switch_on(keycloak, webhooks=keycloak.has_webhooks)
        make_people(keycloak)
        for way in chosen.ways:
            if way == "asked-and-told" and not keycloak.has_webhooks:
                print("the extension keycloak-events cannot be had here", file=sys.stderr)
                continue
            ways[way] = run(keycloak, way, chosen.logins, Path(name) / way)
    ways = {**(kept() if len(chosen.ways) == 1 else {}), **ways}
    told = {
        **machine.told("granian", "sqlalchemy", "aiosqlite"),
        "people": len(PEOPLE),
        "at_once": AT_ONCE,
        "password_hashing": "PBKDF2-SHA256, 1 iteration",
        "may_rise_ms": MAY_RISE_MS,
        "ways": ways,
        "amiss": amiss(ways),
    }
    if not chosen.quiet:
        machine.keep("logins", told)
    for way, one in ways.items():
        print(way, {key: value for key, value in one.items() if key != "samples"})
    print("\n".join(told["amiss"]) or "everything was heard, and no later in the end than in the beginning")
    return 1 if told["amiss"] else 0


if __name__ == "__main__":
    sys.exit(main())
