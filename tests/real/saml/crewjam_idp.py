"""Go's crewjam/saml as a provider; tools/crewjam.sh builds it into the cache."""

import os
import subprocess
from pathlib import Path
from typing import Self

import httpx
from keys import made_key
from visitor import free_port


def program() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "actas" / "crewjam" / "idp"


class Crewjam:
    """One provider with ana and ben; it encrypts to whoever's metadata has a certificate for that."""

    fields = ("username", "password")

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.metadata = f"{self.base}/metadata"
        self.begins = f"{self.base}/begin?sp="

    def __enter__(self) -> Self:
        key, certificate = made_key("crewjam")
        (self.folder / "key.pem").write_text(key)
        (self.folder / "cert.pem").write_text(certificate)
        self._process = subprocess.Popen(
            [program(), str(self.port), self.folder / "key.pem", self.folder / "cert.pem"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        assert b"ready" in self._process.stdout.readline()
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def knows(self, house) -> None:
        """Tell it of a gateway, by the gateway's own metadata."""
        ours = httpx.get(house.doors.metadata, trust_env=False, timeout=30).content
        answer = httpx.put(f"{self.base}/knows", content=ours, trust_env=False, timeout=20)
        assert answer.status_code == 200, answer.text
