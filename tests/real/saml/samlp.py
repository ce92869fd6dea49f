"""npm's samlp (Auth0's) as a provider: installed into the cache once, started on a free port, ended by id."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from keys import made_key
from visitor import free_port

VERSION, EXPRESS = "8", "4"
PROGRAM = Path(__file__).parent / "samlp_server.cjs"


def folder() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "actas" / f"samlp-{VERSION}"


def install() -> Path:
    """Give the folder that holds the package."""
    if not (folder() / ".done").exists():
        folder().mkdir(parents=True, exist_ok=True)
        packages = [f"samlp@{VERSION}", f"express@{EXPRESS}"]
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--silent", *packages]
        subprocess.run(command, cwd=folder(), check=True, timeout=300, stdin=subprocess.DEVNULL)
        (folder() / ".done").touch()
    return folder()


class Samlp:
    """One provider with ana and ben."""

    fields = ("username", "password")

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.metadata = f"{self.base}/metadata"

    def __enter__(self) -> Self:
        key, certificate = made_key("samlp")
        (self.folder / "key.pem").write_text(key)
        (self.folder / "cert.pem").write_text(certificate)
        program = shutil.copy(PROGRAM, install() / "samlp_server.cjs")  # modules are looked for beside the program
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["node", program, str(self.port), str(self.folder / "key.pem"), str(self.folder / "cert.pem")],
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

    def knows(self, house, *, algorithm: str | None = None, **how: object) -> None:
        """Tell it of a gateway, and how to sign or encrypt."""
        told = {"acs": house.doors.acs, "audience": house.doors.metadata, "how": how}
        if algorithm is not None:
            found = x509.load_der_x509_certificate(house.metadata().encryption_certificates[0])
            public = found.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            told |= {"encrypt": found.public_bytes(Encoding.PEM).decode(), "publicKey": public.decode()}
            told |= {"algorithm": algorithm}
        answer = httpx.put(f"{self.base}/knows", json=told, trust_env=False, timeout=20)
        assert answer.status_code == 200
