"""Gateways that can be killed: one on its own file, or several on one PostgreSQL, at addresses that stay the same."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import anyio
import httpx
from gateway import Gateway
from keycloak.server import Keycloak, free_ports
from keycloak.telling import CLIENT, CLIENT_SECRET, HOOK_SECRET
from kills.ledger import FUNCTION, Ledger
from kills.traffic import SENDER_SECRET

from actas.wiring.event_desk import desk
from actas.wiring.load import load

PATIENCE = 240
"""Seconds that a start or a settling may take on a machine that others use; it takes a few where nobody does."""


class Killable(Gateway):
    """A gateway in a folder of its own, started again at the same address after each kill."""

    def __init__(self, folder: Path, settings: dict, *, host: str = "127.0.0.1", within: tuple[str, ...] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for one in (folder, *folder.parents[:3]):
            one.chmod(one.stat().st_mode | 0o055)
        (folder / "record.py").write_text(FUNCTION)
        secrets = {"keycloak": CLIENT_SECRET, "hook": HOOK_SECRET, "sender": SENDER_SECRET}
        for name, text in secrets.items():
            secret(folder / name, text)
        self.host, self.ports, self.kills = host, free_ports(2), 0
        self._within = within
        super().__init__(folder, settings)

    def write(self, settings: dict) -> None:
        public, control = (f"{self.host}:{port}" for port in self.ports)
        here = {
            "listen": public, "control_listen": control,
            "public_url": f"http://{public}", "control_url": f"http://{control}",
        }  # fmt: skip
        super().write({**settings, "gateway": {**settings.get("gateway", {}), **here}})

    def start(self) -> None:
        """Start it, and wait until it serves."""
        up = self.folder / ".actas" / "up.json"
        up.unlink(missing_ok=True)
        with (self.folder / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._within, sys.executable, "-m", "actas", "serve", str(self.file)],
                cwd=self.folder,
                env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + PATIENCE
        while not up.exists() or not up.read_text():
            assert self._process.poll() is None, self.log()[-5000:]
            assert time.monotonic() < ends, self.log()[-5000:]
            time.sleep(0.05)
        found = json.loads(up.read_text())
        self.url, self.control = found["public_url"], found["control_url"]

    def kill(self) -> None:
        """End it with -9."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        self.kills += 1

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def state(self) -> dict | None:
        """Give what it says of events; None where it says nothing."""
        ended = self._process.poll()
        assert ended is None, f"the gateway ended with {ended}\n{self.log()[-3000:]}"
        try:
            return httpx.get(f"{self.control}/readyz", timeout=20, trust_env=False).json()["events"]
        except (httpx.HTTPError, KeyError, ValueError):
            return None

    def settled(self) -> bool:
        """Tell whether its sources are in no trouble and nothing waits to be delivered."""
        told = self.state()
        if not told or told["deliveries"] is None or any(one["trouble"] for one in told["sources"]):
            return False
        return not any(told["deliveries"][name] for name in ("waiting", "running", "again"))

    def at_work(self) -> list[int]:
        """Give the processes of functions that are not stopped: each is the second process of its sandbox.

        One that has not computed yet is the one that is kept ready, and works on nothing.
        """
        found = []
        for pid in family(self._process.pid):
            try:
                state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                inside = next(
                    line.split()[2:] for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                    if line.startswith("NSpid:")
                )  # fmt: skip
            except OSError:  # it has ended
                continue
            if inside == ["2"] and state in "RSD" and sum(map(int, numbers[10:12])):
                found.append(pid)
        return found

    def kill_function(self, dice: random.Random) -> bool:
        """End the process of a function that is at work with -9; tell whether there was one."""
        if not (found := self.at_work()):
            return False
        try:
            os.kill(dice.choice(found), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def at_the_desk(self, work):
        """Ask what `actas events` asks."""
        loaded = load(self.file, weak=True)

        async def run():
            async with desk(loaded, self.folder / ".actas") as (opened, broken):
                assert broken == {}
                return await work(opened)

        return anyio.run(run)


def secret(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def family(pid: int) -> list[int]:
    """Give every process below *pid*."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended
                continue
    found, look = [], [pid]
    while look:
        below = [one for one, parent in parents.items() if parent == look[0]]
        found += below
        look = [*look[1:], *below]
    return found


def settings(ledger: Ledger, issuer: str, keycloak: Keycloak | None = None, *, webhooks: bool = False) -> dict:
    """Give settings by which each sign-in, and each event of the sender, has one effect at the ledger."""
    told = {
        "kind": "webhook", "provider": "corp", "secret": {"file": "sender"}, "signature": {"header": "X-Sig"},
        "fields": {"subject": "who", "kinds": {"in": "signed-in"}},
    }  # fmt: skip
    sources: dict[str, dict] = {"sender": told}
    if keycloak is not None:
        sources["corp-events"] = {
            "kind": "keycloak", "provider": "corp", "every": "1s", "own_clients": [CLIENT],
            "client": {"id": CLIENT, "secret": {"file": "keycloak"}},
            **({"secret": {"file": "hook"}} if webhooks else {}),
        }  # fmt: skip
    no_limit = {"network": 0, "subject": 0, "issuer": 0}
    return {
        "gateway": {"limits": {"rate": no_limit}, "grace": "5s"},
        "providers": {"corp": {"preset": "keycloak", "issuer": issuer, "audience": "actas", "private": True}},
        "functions": {
            "record": {"python": "record.py:handler", "timeout": "30s", "schedule": {"at_once": 4, "waiting": 1000}},
            "ledger": {"http": ledger.url, "private": True, "timeout": "20s"},
        },
        "roles": {"recorder": {"arn": "arn:aws:iam::111122223333:role/recorder"}},
        "events": {"sources": sources, "at_once": 8, "backlog": 100_000, "attempts": 50},
        "on": [
            {
                "event": ["signed-in", "sign-in-failed"], "where": {"source": name}, "run": "record", "as": "recorder",
                "payload": ["id", "source"],
            }
            for name in sources
        ],
        "rules": [
            {
                "id": f"{name}-records", "who": {"provider": name, "kind": "service"},
                "may": ["record", "ledger"], "as": "recorder",
            }
            for name in sources
        ],
    }  # fmt: skip


class Houses:
    """One gateway, or several that share a database and its keys."""

    def __init__(self, gateways: list[Killable], *, database: str | None = None) -> None:
        self.all = gateways
        if database is not None:
            for one in gateways:
                secret(one.folder / "db", database)
                one.write(_with_database(one))

    def __enter__(self) -> Self:
        try:
            for one in self.all:
                keys = self.all[0].folder / ".actas" / "keys"
                if one is not self.all[0]:
                    (one.folder / ".actas").mkdir(mode=0o700)
                    shutil.copytree(keys, one.folder / ".actas" / "keys")
                one.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self.all:
            one.stop()

    def log(self) -> str:
        return "\n".join(
            f"-- gateway {number}, ended with {one._process.poll()}, says {one.state()}\n{one.log()[-4000:]}"
            for number, one in enumerate(self.all)
        )


def _with_database(gateway: Killable) -> dict:
    import yaml

    found = yaml.safe_load(gateway.file.read_text())
    found["gateway"]["database"] = {"file": "db"}
    return found
