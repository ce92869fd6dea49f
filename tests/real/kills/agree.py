"""After everything that was killed: the provider's own list and ours are the same, and each effect was had once."""

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import anyio
from keycloak.server import Keycloak
from keycloak.telling import CLIENT, listed
from kills.house import PATIENCE, Houses
from kills.ledger import Ledger

from actas.events.desk import SETTLES
from actas.events.jobs import QUEUE
from actas.model import clock

TYPES = ("LOGIN", "LOGIN_ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was there in the end."""

    listed: int
    """Sign-ins that the provider lists, asked without anything of ours."""
    acknowledged: int
    """Events that the sender was told are taken."""
    lost: int
    """Of both: not heard."""
    without_effect: int
    twice: int
    """Effects that were had more than once."""
    unknown: int
    """Effects of what no provider lists."""
    told_again: int
    """Deliveries that came again, with the key that the function knew."""
    missing_by_audit: int | None
    """What `actas events audit` says is missing; None where no provider can be asked."""
    compared_by_audit: int
    trouble: str | None
    left: int
    dead: int

    def problems(self) -> list[str]:
        """Say what may not be."""
        wrong = [name for name in ("lost", "without_effect", "twice", "unknown", "left", "dead") if getattr(self, name)]
        wrong += ["missing_by_audit"] if self.missing_by_audit else []
        wrong += [f"trouble: {self.trouble}"] if self.trouble else []
        return [f"{name}: {getattr(self, name, '')}" for name in wrong]

    def data(self) -> dict[str, object]:
        return asdict(self)


def agree(
    houses: Houses, ledger: Ledger, *, since: datetime, keycloak: Keycloak | None = None, acknowledged: list[str] = ()
) -> Found:
    """Wait until nothing is under way, then compare."""
    wanted = _wanted(keycloak, since, acknowledged)
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        missing = [name for source, names in wanted.items() for name in names if not ledger.effects(source)[name]]
        if not missing and all(one.settled() for one in houses.all):
            break
        time.sleep(0.5)
    heard, dead, left = houses.all[0].at_the_desk(_desk)
    effects = {source: ledger.effects(source) for source in wanted}
    compared = _compared(houses, since) if keycloak is not None else None
    return Found(
        listed=len(wanted.get("corp-events", ())),
        acknowledged=len(wanted["sender"]),
        lost=sum(not heard[source, name] for source, names in wanted.items() for name in names),
        without_effect=sum(not effects[source][name] for source, names in wanted.items() for name in names),
        twice=sum(count > 1 for one in effects.values() for count in one.values()),
        unknown=sum(name not in wanted[source] for source in wanted for name in effects[source] if source != "sender"),
        told_again=ledger.told - ledger.count,
        missing_by_audit=None if compared is None else compared.missing,
        compared_by_audit=0 if compared is None else compared.listed,
        trouble=None if compared is None else compared.trouble,
        left=left,
        dead=dead,
    )


def _wanted(keycloak: Keycloak | None, since: datetime, acknowledged: list[str]) -> dict[str, set[str]]:
    wanted = {"sender": set(acknowledged)}
    if keycloak is not None:
        rows = listed(keycloak, *TYPES, since=since)
        wanted["corp-events"] = {name for name, row in rows.items() if row.get("clientId") != CLIENT}
    return wanted


async def _desk(opened) -> tuple[Counter[tuple[str, str]], int, int]:
    heard: Counter[tuple[str, str]] = Counter()
    after = 0
    while found := await opened.latest(after=after, most=1000):
        after = found[-1].sequence
        for one in found:
            event = (await opened.event(one.sequence))[1]
            heard[event.source, event.id] += 1
    ends = time.monotonic() + 30
    left = 1
    while left and time.monotonic() < ends:  # the database tells nobody
        counts = await opened._outbox.counts(QUEUE)
        left = counts.waiting + counts.running
        await anyio.sleep(0.2)
    return heard, len(await opened.dead()), left


def _compared(houses: Houses, since: datetime):
    """Ask the gap detector, as `actas events audit` does, but for what just happened too."""
    now = clock.now()

    async def asked(opened):
        (found,) = await opened.compare(since, now=now + SETTLES, only="corp-events")
        return found

    return houses.all[0].at_the_desk(asked)


def audited(houses: Houses, since: datetime) -> list[dict]:
    """Run the command itself; it looks at nothing younger than a minute and a half."""
    one = houses.all[0]
    told = subprocess.run(
        [sys.executable, "-m", "actas", "events", "audit", "--json", "--source", "corp-events",
         "--since", since.isoformat(), "--settings", one.file],
        cwd=one.folder, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    return [{"exit_code": told.returncode, **json.loads(line)} for line in told.stdout.splitlines()] or [
        {"exit_code": told.returncode, "says": told.stderr[-2000:]}
    ]


def begun() -> datetime:
    """Give the moment from which on everything counts: the next whole second is sure to be after what was before."""
    return clock.now() - timedelta(milliseconds=1)
