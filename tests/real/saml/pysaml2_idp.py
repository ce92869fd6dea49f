"""pysaml2 as a provider; tools/pysaml2.sh puts it, and Debian's xmlsec1 that it calls, into the cache.

Measured (7.5.5, xmlsec1 1.2.37): start 0.8 s; each signature is a process of xmlsec1.
"""

import os
import subprocess
from pathlib import Path
from typing import Self

import httpx
from keys import made_key
from visitor import free_port

SERVER = Path(__file__).parent / "pysaml2_server.py"


def cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "actas" / "pysaml2"


class Pysaml2:
    """One provider with ana and ben."""

    fields = ("username", "password")

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.metadata = f"{self.base}/metadata"
        self.begins = f"{self.base}/begin?sp="
        self.leaves = f"{self.base}/leave"

    def __enter__(self) -> Self:
        key, certificate = made_key("pysaml2")
        (self.folder / "key.pem").write_text(key)
        (self.folder / "cert.pem").write_text(certificate)
        root = cache() / "root"
        (libraries,) = (one.parent for one in root.glob("usr/lib/*/libxmlsec1.so.1"))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [cache() / "venv/bin/python", SERVER, str(self.port), self.folder, root / "usr/bin/xmlsec1"],
                env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        assert b"ready" in self._process.stdout.readline(), (self.folder / "log").read_text()
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def knows(self, house, **how: object) -> None:
        """Tell it of a gateway by the gateway's own metadata, and how to answer it."""
        ours = httpx.get(house.doors.metadata, trust_env=False, timeout=30).text
        told = {"metadata": ours, "how": how}
        told |= {"entity": house.doors.metadata, "acs": house.doors.acs, "slo": house.doors.logout}
        answer = httpx.put(f"{self.base}/knows", json=told, trust_env=False, timeout=20)
        assert answer.status_code == 200, (self.folder / "log").read_text()
