"""Kill with -9, over and over, whatever has to do with events, while people sign in; then compare what is left.

    python bench/events_kills.py [--kills 50] [--seed 7] [--only gateway function postgresql keycloak]

Two gateways on one PostgreSQL hear a real Keycloak, which they ask and which tells them, and a sender of signed
webhooks that repeats what was not acknowledged. Each event runs a local function, which tells a ledger; the ledger
deduplicates by idempotency key. The victims are the gateways, the function's process while it works on an event, the
PostgreSQL with all its processes, and Keycloak, drawn by the seed. In the end the provider's own list and ours must be
the same, by `actas events audit` too, and each event must have had its effect once.

A part that is not on this machine is no victim; without PostgreSQL there is one gateway, on SQLite. Results:
bench/results/events_kills.json.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "real")]

import machine  # noqa: E402
import parts  # noqa: E402
import postgresql  # noqa: E402
from keycloak import telling  # noqa: E402
from keycloak.durable import DurableKeycloak  # noqa: E402
from kills.agree import agree, audited, begun  # noqa: E402
from kills.house import PATIENCE, Houses, Killable, settings  # noqa: E402
from kills.ledger import Ledger  # noqa: E402
from kills.traffic import PEOPLE, Sender, SignIns  # noqa: E402

from actas.events.desk import SETTLES  # noqa: E402
from actas.model import clock  # noqa: E402
from actas.testing.idp import Idp  # noqa: E402

RESULTS = HERE / "results" / "events_kills.json"
VICTIMS = ("gateway", "function", "postgresql", "keycloak")
WEIGHTS = {"gateway": 4, "function": 4, "postgresql": 4, "keycloak": 2}
"""A Keycloak takes as long to start again as ten functions."""
BETWEEN = 4
"""Effects that must have been had between two kills: only what works can be interrupted."""


class Soak:
    """Everything that may be killed."""

    def __init__(self, stack: ExitStack, folder: Path, chosen: argparse.Namespace) -> None:
        self.dice, self.killed = random.Random(chosen.seed), Counter()
        self.keycloak = self.postgresql = None
        if "keycloak" in chosen.only and parts.durable_keycloak() is None:
            self.keycloak = stack.enter_context(DurableKeycloak())
            telling.switch_on(self.keycloak, webhooks=self.keycloak.has_webhooks)
            telling.cheap_passwords(self.keycloak, PEOPLE)
        if "postgresql" in chosen.only and postgresql.absent() is None:
            self.postgresql = stack.enter_context(postgresql.PostgreSQL())
        self.ledger = stack.enter_context(Ledger())
        issuer = self.keycloak.issuer if self.keycloak else stack.enter_context(Idp(shape="keycloak")).issuer
        webhooks = self.webhooks = self.keycloak is not None and self.keycloak.has_webhooks
        made = settings(self.ledger, issuer, self.keycloak, webhooks=webhooks)
        count = 2 if self.postgresql else 1
        self.gateways = [Killable(folder / f"gateway-{number}", made) for number in range(count)]
        self.houses = stack.enter_context(Houses(self.gateways, database=self.postgresql and self.postgresql.url))
        self.until(lambda: all(one.settled() for one in self.gateways))
        if webhooks:
            url = f"{self.gateways[0].url}/events/corp-events"
            stack.callback(telling.hook(self.keycloak, url, secret=telling.HOOK_SECRET))
        self.sender = Sender(lambda: [one.url for one in self.gateways], seed=chosen.seed)
        self.people = SignIns(self.keycloak, seed=chosen.seed) if self.keycloak else None
        there = {"gateway": True, "function": True, "postgresql": self.postgresql, "keycloak": self.keycloak}
        self.victims = [name for name in VICTIMS if name in chosen.only and there[name]]

    def until(self, there) -> None:
        ends = time.monotonic() + PATIENCE
        while not there():
            if time.monotonic() > ends:
                raise SystemExit(f"it does not go on\n{self.houses.log()}")
            time.sleep(0.1)

    def order(self, kills: int) -> list[str]:
        """Draw who is killed when: each victim at least once, where there are kills enough."""
        weights = [WEIGHTS[name] for name in self.victims]
        drawn = [*self.victims, *self.dice.choices(self.victims, weights, k=kills)][:kills]
        self.dice.shuffle(drawn)
        return drawn

    def kill(self, victim: str) -> None:
        """Kill one, at a moment that nobody chose, and start it again."""
        wanted = self.ledger.count + BETWEEN
        self.until(lambda: self.ledger.count >= wanted)
        time.sleep(self.dice.uniform(0, 0.4))
        match victim:
            case "gateway":
                one = self.dice.choice(self.gateways)
                one.kill()
                one.start()
            case "function":
                self.until(lambda: self.dice.choice(self.gateways).kill_function(self.dice))
            case "postgresql":
                self.postgresql.kill()
                time.sleep(self.dice.uniform(0, 2))
                self.postgresql.start()
            case "keycloak":
                self.keycloak.kill()
                self.keycloak.start()
        self.killed[victim] += 1

    def run(self, kills: int) -> None:
        begun_at = time.monotonic()
        for number, victim in enumerate(self.order(kills), 1):
            self.kill(victim)
            told = f"{number}/{kills} {victim:<10} {time.monotonic() - begun_at:5.0f} s"
            people = self.people.answered if self.people else 0
            print(
                f"{told}  sign-ins {people}, acknowledged {len(self.sender.acknowledged)}, effects {self.ledger.count}",
                file=sys.stderr,
                flush=True,
            )


def soak(folder: Path, chosen: argparse.Namespace) -> tuple[dict[str, object], list[str]]:
    with ExitStack() as stack:
        made = Soak(stack, folder, chosen)
        since = begun()
        with ExitStack() as traffic:
            traffic.enter_context(made.sender)
            if made.people:
                traffic.enter_context(made.people)
            made.run(chosen.kills)
        over = clock.now()
        found = agree(
            made.houses, made.ledger, since=since, keycloak=made.keycloak, acknowledged=made.sender.acknowledged
        )
        audit = []
        if made.keycloak and not chosen.quiet:
            wait = (over + SETTLES - clock.now()).total_seconds() + 5
            print(f"the command looks at nothing younger than {SETTLES}: {wait:.0f} s", file=sys.stderr, flush=True)
            time.sleep(max(0, wait))
            audit = audited(made.houses, since)
        wrong = found.problems() + [f"audit: {one}" for one in audit if one["exit_code"] == 1]
        told = {
            "victims": made.victims,
            "kills_of": {name: made.killed[name] for name in made.victims},
            "gateways": len(made.gateways),
            "database": "postgresql" if made.postgresql else "sqlite",
            "keycloak": "absent" if made.keycloak is None else "asked and told" if made.webhooks else "asked",
            "sign_ins_answered": made.people.answered if made.people else 0,
            "signed_in": made.people.signed_in if made.people else 0,
            "nobody_there_for_people": made.people.failed if made.people else 0,
            "told_again_by_the_sender": made.sender.failed,
            **found.data(),
            "audit_command": audit,
        }
        if wrong:
            print(made.houses.log(), file=sys.stderr)
        return told, wrong


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=int(os.environ.get("SOAK_KILLS", "50")))
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--only", nargs="+", choices=VICTIMS, default=list(VICTIMS))
    asked.add_argument("--quiet", action="store_true", help="write no results")
    chosen = asked.parse_args()
    begun_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="actas-kills-") as name:
        Path(name).chmod(0o755)
        found, wrong = soak(Path(name), chosen)
    told = {
        **machine.told("sqlalchemy", "aiosqlite", "asyncpg"),
        "kills": chosen.kills,
        "seed": chosen.seed,
        **found,
        "load": round(os.getloadavg()[2], 1),
        "amiss": wrong,
        "seconds": round(time.monotonic() - begun_at, 1),
    }
    if not chosen.quiet:
        RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
