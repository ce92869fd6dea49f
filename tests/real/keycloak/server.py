"""A real Keycloak: fetched from Maven Central once, built once, a fresh copy with its own data for each session.

Measured (26.7.3, Java 17, two cores): fetch 5 s, build 20 s, start with import 15 s, all done once; a start takes 9 s
of processor time.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Self

import httpx

VERSION = "26.7.3"
DIGEST = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
REALM = Path(__file__).parent / "realm.json"
JVM = [
    "-XX:TieredStopAtLevel=1",  # half the processor time of a start, which is most of what a test needs of it
    "-Xms64m",
    "-Xmx512m",
    "-XX:MetaspaceSize=96M",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
    "-Djava.security.egd=file:/dev/urandom",
    "-Duser.language=en",
    "-Duser.country=US",
    (
        "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
        "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory"
    ),
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    *[f"--add-opens=java.base/java.{one}=ALL-UNNAMED" for one in ("util", "util.concurrent", "security", "lang")],
]


def cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "actas" / f"keycloak-{VERSION}"


def archive() -> Path:
    return cache() / f"keycloak-quarkus-dist-{VERSION}.tar.gz"


def _fetch() -> Path:
    if not archive().exists():
        cache().mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [
                *("mvn", "-B", "-ntp", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"),
                f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz",
                f"-DoutputDirectory={cache()}",
                "-Dmdep.useBaseVersion=true",
            ],
            check=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )
    found = hashlib.sha256(archive().read_bytes()).hexdigest()
    assert found == DIGEST, f"{archive().name} has the digest {found}, not {DIGEST}"
    return archive()


def home() -> Path:
    """Give a built Keycloak that is only ever copied."""
    built = cache() / "built"
    if not (built / ".done").exists():
        shutil.rmtree(built, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=_fetch().parent) as folder, tarfile.open(archive()) as packed:
            packed.extractall(folder, filter="data")
            (unpacked,) = Path(folder).iterdir()
            subprocess.run(
                [unpacked / "bin" / "kc.sh", "build", "--db=dev-file", "--health-enabled=true"],
                check=True,
                timeout=300,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            (unpacked / ".done").touch()
            unpacked.rename(built)
    return built


def free_ports(number: int) -> list[int]:
    """Find ports that the system gives to nobody by itself: they are to be free again after a kill, too."""
    found: list[int] = []
    while len(found) < number:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found = [*(one for one in found if one != port), port]
    return found


class Keycloak:
    """One server with one realm, ``corp``; see realm.json for who is in it."""

    def __init__(self, realm: Path = REALM) -> None:
        self.port, self.management = free_ports(2)
        self.base = f"http://127.0.0.1:{self.port}"
        self.issuer = f"{self.base}/realms/corp"
        self._realm = realm
        self._folder = Path(tempfile.mkdtemp(prefix="actas-keycloak-"))
        self._home = self._folder / "home"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        subprocess.run(["cp", "-al", self._built(), self._home], check=True)
        shutil.rmtree(self._home / "data", ignore_errors=True)
        try:
            self._seed()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _built(self) -> Path:
        return home()

    def _seed(self) -> None:
        """Start from a realm that was imported once: making the tables takes most of the time of a first start."""
        content = self._built().name.encode() + self._realm.read_bytes()
        seeded = cache() / f"seeded-{hashlib.sha256(content).hexdigest()[:16]}"
        data = self._home / "data"
        if not seeded.exists():
            (data / "import").mkdir(parents=True)
            shutil.copy(self._realm, data / "import" / "corp-realm.json")
            self.start(patience=400)
            self.stop(patience=90)
            if self._process is None or self._process.returncode == -signal.SIGKILL:
                return  # what it was writing may be half written
            draft = Path(tempfile.mkdtemp(dir=cache())) / "data"
            shutil.copytree(data, draft)
            with contextlib.suppress(OSError):  # somebody else was faster
                draft.rename(seeded)
            shutil.rmtree(draft.parent)
            return
        shutil.copytree(seeded, data)

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, patience: float = 300) -> None:
        log = (self._folder / "log").open("ab")
        environment = {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin"}
        self._process = subprocess.Popen(
            self._command(),
            cwd=self._home,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        ends = time.monotonic() + patience
        while time.monotonic() < ends:
            assert self._process.poll() is None, (self._folder / "log").read_text()[-3000:]
            try:
                if httpx.get(f"{self.issuer}/.well-known/openid-configuration", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError((self._folder / "log").read_text()[-3000:])

    def stop(self, patience: float = 20) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _command(self) -> list[str]:
        return [
            "java",
            *JVM,
            f"-Dkc.home.dir={self._home}",
            f"-Djboss.server.config.dir={self._home}/conf",
            *("-cp", f"{self._home}/lib/quarkus-run.jar", "io.quarkus.bootstrap.runner.QuarkusEntryPoint"),
            *("start", "--optimized", "--cache=local", "--import-realm", "--http-enabled=true"),
            *("--http-host=127.0.0.1", f"--http-port={self.port}", f"--hostname={self.base}"),
            *("--http-management-host=127.0.0.1", f"--http-management-port={self.management}"),
        ]

    def token(self, *, realm: str = "corp", **form: str) -> dict[str, str]:
        """Ask the token endpoint; give its answer."""
        url = f"{self.base}/realms/{realm}/protocol/openid-connect/token"
        answer = httpx.post(url, data=form, timeout=20)
        assert answer.status_code == 200, answer.text
        found: dict[str, str] = answer.json()
        return found

    def password(self, person: str, *, client: str = "cli", scope: str = "openid") -> dict[str, str]:
        form = {"grant_type": "password", "client_id": client, "username": person, "password": f"{person}-pw"}
        return self.token(**form, scope=scope)

    def client(self, name: str) -> dict[str, str]:
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": f"{name}-secret"}
        return self.token(**form)

    def refresh(self, refresh_token: str, *, client: str = "cli") -> dict[str, str]:
        return self.token(grant_type="refresh_token", client_id=client, refresh_token=refresh_token)

    def admin(self, method: str, path: str, body: object = None, *, realm: str = "corp") -> httpx.Response:
        """Ask the admin REST API below ``/admin/realms/REALM``."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        token = self.token(realm="master", **form)["access_token"]
        url = f"{self.base}/admin/realms/{realm}{path}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        return httpx.request(method, url, headers=headers, content=content, timeout=20)

    def person(self, name: str) -> str:
        """Give somebody's id."""
        found = self.admin("GET", f"/users?exact=true&username={name}").json()
        return str(found[0]["id"])


FORM = re.compile(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"')
