"""A real gateway as a process of its own, and the command beside it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from actas import cli
from actas.testing.idp import Idp

FUNCTIONS = """
def hello(event, context):
    print("greeting", event.get("name"))
    return {"hello": event.get("name", "you")}

def slow(event, context):
    import time
    time.sleep(40)

def broken(event, context):
    raise KeyError("month")
"""


def settings(issuer):
    everybody = {"who": {"provider": "corp"}}
    return {
        "gateway": {
            "listen": "127.0.0.1:0",
            "control_listen": "127.0.0.1:0",
            "isolation": "weak",
            "state": "kept",
            "grace": "1s",
        },
        "providers": {"corp": {"preset": "oidc", "issuer": issuer, "audience": "actas", "private": True}},
        "functions": {
            name: {"python": f"functions.py:{of}", "timeout": "45s" if of == "slow" else "10s"}
            for name, of in {"hello": "hello", "broken": "broken", "slow": "slow", "payroll": "hello"}.items()
        },
        "roles": {"staff": {"arn": "arn:aws:iam::000000000000:role/staff"}},
        "rules": [
            {"id": "everybody", **everybody, "may": ["hello", "broken", "slow"], "as": "staff"},
            {"id": "finance", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["payroll"], "as": "staff"},
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A gateway that runs: its folder, its state, its provider."""

    folder: Path
    state: Path
    idp: Idp
    url: str


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    folder.chmod(0o755)
    (folder / "functions.py").write_text(FUNCTIONS)
    with Idp(shape="oidc") as idp:
        (folder / "actas.yaml").write_text(yaml.safe_dump(settings(idp.issuer), sort_keys=False))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                # `actas serve` refuses weak isolation; a machine of the tests may have nothing better
                [sys.executable, "-c", SERVE, "actas.yaml"],
                cwd=folder,
                env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        place = folder / "kept" / "up.json"
        ends = time.monotonic() + 30
        while not place.exists() or not place.read_text():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < ends
            time.sleep(0.02)
        _demo(folder / "kept", idp)
        url = json.loads(place.read_text())["public_url"]
        _until_it_takes_calls(url, idp)
        yield Bench(folder=folder, state=folder / "kept", idp=idp, url=url)
        process.send_signal(signal.SIGTERM)
        process.wait(30)


SERVE = """
import sys, anyio
from pathlib import Path
from actas.cli.serving import serve_until_told
anyio.run(lambda: serve_until_told(Path(sys.argv[1]), weak=True), backend_options={"use_uvloop": True})
"""


def _until_it_takes_calls(url, idp):
    """Wait out a busy machine on which the gateway opens its database later than it needs it."""
    ends = time.monotonic() + 60
    headers = {"Authorization": f"Bearer {idp.token(person='ana', audience='actas')}"}
    while httpx.post(f"{url}/call/hello", content=b"{}", headers=headers, timeout=30, trust_env=False).is_server_error:
        assert time.monotonic() < ends
        time.sleep(0.1)


def _demo(state, idp):
    """Let the people of the testing provider be named by --as, as ``actas up`` does."""
    from actas.cli.login_demo import Demo, DemoPerson, write_demo

    people = {name: DemoPerson(password=person.password.reveal()) for name, person in idp.people.items()}
    write_demo(state, Demo(issuer=idp.issuer, client_id="cli", people=people))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def actas(capsys, monkeypatch):
    """Run the command in this process."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)

    def run(*arguments, folder=None):
        if folder is not None:
            monkeypatch.chdir(folder)
        capsys.readouterr()
        code = cli.run([str(one) for one in arguments])
        found = capsys.readouterr()
        return Said(code=code, out=found.out, err=found.err)

    return run


@pytest.fixture
def at_bench(actas, bench):
    """Run the command in the folder of the gateway."""
    return lambda *arguments: actas(*arguments, folder=bench.folder)
