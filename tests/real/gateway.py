"""A real gateway: ``actas serve`` as a process of its own, with settings that a test writes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx
import yaml

ECHO = """
import os
from actas.lambda_ import caller

def handler(event, context):
    who = caller(event, context)
    return {
        "event": event,
        "subject": who.subject,
        "groups": sorted(getattr(who.groups, "value", ())),
        "role": who.role,
        "key": os.environ.get("AWS_ACCESS_KEY_ID"),
    }
"""


class Gateway:
    """Settings in, a running gateway out."""

    def __init__(self, folder: Path, settings: dict) -> None:
        self.folder = folder
        folder.chmod(0o755)  # functions run as another user and must be able to read their code
        self.file = folder / "actas.yaml"
        (folder / "echo.py").write_text(ECHO)
        self.write(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self.control = ""

    def write(self, settings: dict) -> None:
        gateway = {"listen": "127.0.0.1:0", "control_listen": "127.0.0.1:0", **settings.get("gateway", {})}
        draft = self.file.with_suffix(".new")
        draft.write_text(yaml.safe_dump({**settings, "gateway": gateway}, sort_keys=False))
        draft.rename(self.file)

    def __enter__(self) -> Self:
        log = (self.folder / "gateway.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "actas", "serve", str(self.file)],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        place = self.folder / ".actas" / "up.json"
        ends = time.monotonic() + 30
        while not place.exists() or not place.read_text():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < ends, self.log()
            time.sleep(0.02)
        found = json.loads(place.read_text())
        self.url, self.control = found["public_url"], found["control_url"]
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()

    def call(self, function: str, token: str, event: object = None, **headers: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/call/{function}",
            content=json.dumps({} if event is None else event).encode(),
            headers={"Authorization": f"Bearer {token}", **headers},
            timeout=30,
        )

    def records(self) -> list[dict]:
        """Give the records of the trail, as they stand on the disk."""
        lines = [
            line
            for file in sorted((self.folder / ".actas" / "audit").glob("*.jsonl"))
            for line in file.read_text().splitlines()
        ]
        return [json.loads(line)["record"] for line in lines]
