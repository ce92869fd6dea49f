"""A real gateway on free ports, a real provider, and a real HTTP service behind it, heard octet by octet."""

import contextlib
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.lowlevel
import httpx
import pytest
import yaml

from actas.testing.idp import Idp
from actas.wiring.run import run

ECHO = """
import time

def handler(event, context):
    if isinstance(event, dict) and "sleep" in event:
        time.sleep(event["sleep"])
    return {"event": event}

def page(event, context):
    asked = event.get("queryStringParameters") or {}
    if "sleep" in asked:
        time.sleep(float(asked["sleep"]))
    headers = {"X-Own": "yes", "Connection": "close, x-own", "Keep-Alive": "timeout=1", "Content-Length": "999",
               "Transfer-Encoding": "chunked", "Trailer": "x", "Upgrade": "h2c", "Actas-Call-Id": "forged"}
    path = event["rawPath"]
    return {"statusCode": 201, "headers": headers, "body": path, "cookies": ["a=1; HttpOnly", "b=2"]}
"""
CALLERS = {"provider": "corp", "groups": ["finance", "security"]}
ADMIN = {"provider": "corp", "groups": ["security"]}


class Answer:
    """One answer as it stood on the wire."""

    def __init__(self, head: bytes, body: bytes, *, is_whole: bool) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
        self.body, self.is_whole = body, is_whole

    def __getitem__(self, name: str) -> str:
        found = [value for key, value in self.fields if key.lower() == name]
        assert len(found) == 1, (name, self.fields)
        return found[0]

    def __contains__(self, name: str) -> bool:
        return any(key.lower() == name for key, _ in self.fields)

    def json(self):
        return json.loads(self.body)


class Wire:
    """A connection whose octets the test writes itself."""

    def __init__(self, place: str, patience: float = 30) -> None:
        host, port = place.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=patience)
        self._file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._file.close()
        self.socket.close()

    def say(self, *octets: bytes) -> "Wire":
        with contextlib.suppress(ConnectionError):  # the other side may have closed after it said why
            self.socket.sendall(b"".join(octets))
        return self

    def head(self) -> bytes:
        lines = b""
        while not lines.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                return b""
            lines += line
        return lines[:-4]

    def piece(self) -> bytes | None:
        """Give one chunk; nothing at the end, None where the connection ends before."""
        size = self._file.readline()
        if not size:
            return None
        return self._file.read(int(size, 16) + 2)[:-2]

    def answer(self, *, to_head: bool = False) -> Answer | None:
        """Read one answer; None where the connection ends instead."""
        try:
            head = self.head()
        except ConnectionError:
            return None
        if not head:
            return None
        made = Answer(head, b"", is_whole=True)
        if to_head or made.status in (204, 304):
            return made
        if "content-length" in made:
            made.body = self._file.read(int(made["content-length"]))
            made.is_whole = len(made.body) == int(made["content-length"])
            return made
        pieces = iter(self.piece, None)
        for one in pieces:
            if not one:
                return made
            made.body += one
        made.is_whole = False
        return made

    def is_closed(self) -> bool:
        """Wait until the other side closes; False where it says something instead."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True


class Service(socketserver.ThreadingTCPServer):
    """An HTTP service of ours. It keeps what it hears and answers as the path says."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Heard)
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.go_on, self.got_piece, self.was_cut = threading.Event(), threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reset(self) -> None:
        self.heads, self.bodies = [], []
        for one in (self.go_on, self.got_piece, self.was_cut):
            one.clear()

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the last request, names in lower case."""
        lines = self.heads[-1].split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def target(self) -> str:
        return self.heads[-1].split(" ")[1]

    def handle_error(self, request, client_address) -> None:
        """Say nothing where somebody hung up."""


class _Heard(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while head := self._head():
            self.server.heads.append(head)
            path = head.split(" ")[1]
            if "/endless" in path:
                return self._endless()
            if "/drip" in path:
                self._drip()
            elif "/duplex" in path:
                self._duplex()
            elif "/cut" in path:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
                return None
            elif "/wait" in path:
                self._body(head)
                self.server.got_piece.set()
                self.server.go_on.wait(20)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nwaited")
            elif "/hops" in path:
                self._body(head)
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\n"
                    b"Proxy-Authenticate: Basic\r\nActas-Caller: forged\r\nActas-Call-Id: forged\r\n"
                    b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\nhi"
                )
            else:
                self.server.bodies.append(self._body(head))
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n")
                if not head.startswith("HEAD"):
                    self.wfile.write(b"hi")
        return None

    def _head(self) -> str:
        lines = b""
        while not lines.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return ""
            lines += line
        return lines[:-4].decode("latin-1")

    def _body(self, head: str) -> bytes:
        fields = {one.split(": ", 1)[0].lower(): one.split(": ", 1)[1] for one in head.split("\r\n")[1:]}
        if fields.get("transfer-encoding") == "chunked":
            return b"".join(iter(self._piece, b""))
        return self.rfile.read(int(fields.get("content-length", "0")))

    def _piece(self) -> bytes:
        size = int(self.rfile.readline(), 16)
        return self.rfile.read(size + 2)[:-2]

    def _say_piece(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._say_piece(b"first")
        self.server.go_on.wait(20)
        self._say_piece(b"second")
        self.wfile.write(b"0\r\n\r\n")

    def _duplex(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in iter(self._piece, b""):
            self._say_piece(piece.upper())
        self.wfile.write(b"0\r\n\r\n")

    def _endless(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                self._say_piece(b"x" * 65_536)
        self.server.was_cut.set()


class Running:
    """A gateway in a thread of this process, with the settings of a test."""

    def __init__(self, folder: Path, settings: dict) -> None:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        self.folder, self.settings = folder, settings
        self.file = folder / "actas.yaml"
        (folder / "echo.py").write_text(ECHO)
        self.write(settings)
        self.public = self.control = ""
        self.parts = self.ready = None
        self.broken: list = []
        self._is_ready = threading.Event()
        self._wrong: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="gateway")

    def write(self, settings: dict) -> None:
        draft = self.file.with_suffix(".new")
        draft.write_text(yaml.safe_dump(settings, sort_keys=False))
        draft.rename(self.file)

    def _run(self) -> None:
        try:
            anyio.run(self._main, backend_options={"use_uvloop": True})
        except BaseException as wrong:  # noqa: BLE001 - told to the test
            self._wrong = wrong
        finally:
            self._is_ready.set()

    async def _main(self) -> None:
        self._stop, self._token = anyio.Event(), anyio.lowlevel.current_token()
        await run(self.file, on_ready=self._ready, on_broken=self.broken.append, stop=self._stop)

    async def _ready(self, running) -> None:
        self.public, self.control, self.parts = running.public, running.control, running.parts
        self.ready = running.ready
        # On a machine that is busy with other tests, opening the state may take longer than revocations may be unread.
        await self.parts.marks.read(await self.parts.audit.store())
        self._is_ready.set()

    def __enter__(self):
        self._thread.start()
        assert self._is_ready.wait(60)
        if self._wrong is not None:
            raise self._wrong
        return self

    def tell_to_stop(self) -> None:
        anyio.from_thread.run_sync(self._stop.set, token=self._token)

    def ended(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self._wrong is not None:
            raise self._wrong

    def __exit__(self, *_error) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError, anyio.RunFinishedError):
                self.tell_to_stop()
        self.ended()

    def wire(self, **more) -> Wire:
        return Wire(self.public, **more)

    def control_wire(self) -> Wire:
        return Wire(self.control)

    def ask(self, method: str, path: str, token: str | None = None, *, control: bool = False, **more) -> httpx.Response:
        headers = {**more.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        place = self.control if control else self.public
        return httpx.request(method, f"http://{place}{path}", headers=headers, timeout=30, trust_env=False, **more)

    def call(self, function: str, token: str | None, event: object = None, **headers: str) -> httpx.Response:
        return self.ask("POST", f"/call/{function}", token, content=json.dumps(event or {}), headers=headers)

    def records(self) -> list[dict]:
        """Give the records of the trail, as they stand on the disk."""
        folder = self.folder / ".actas" / "audit"
        lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
        return [json.loads(line)["record"] for line in lines]

    def trail(self, call: str, *, whole: bool = True) -> list[dict]:
        """Wait for the end of *call*, and give its records."""
        ends = time.monotonic() + 20
        while True:
            found = [one for one in self.records() if one.get("call") == call]
            if not whole or any("took_us" in one for one in found):
                return found
            assert time.monotonic() < ends, found
            time.sleep(0.02)


def waits_for(holds, seconds: float = 20):
    """Wait until *holds* gives something true, and give that."""
    ends = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < ends, "it does not come to hold"
        time.sleep(0.02)
    return found


@pytest.fixture(name="waits_for")
def _waits_for():
    return waits_for


@pytest.fixture(name="wire")
def _wire():
    return Wire


@pytest.fixture(scope="session")
def idp():
    with Idp(algorithm="ES256", lifetime=timedelta(hours=1)) as running:
        yield running


@pytest.fixture(scope="session")
def tokens(idp):
    """A token of each person, made once."""
    lasts = timedelta(hours=1)  # as long as a run may take on a busy machine
    return {name: idp.token(person=name, lifetime=lasts) for name in ("ana", "ben", "chidi", "dalia")}


@pytest.fixture(scope="session")
def shared_service():
    with Service() as serving:
        thread = threading.Thread(target=partial(serving.serve_forever, 0.05))
        thread.start()
        yield serving
        serving.go_on.set()
        serving.shutdown()
        thread.join()


@pytest.fixture
def service(shared_service):
    shared_service.reset()
    yield shared_service
    shared_service.go_on.set()


@pytest.fixture(scope="session")
def settings(idp, shared_service):
    """Make settings; keyword arguments are merged into the sections of their names."""

    def make(*, local: bool = False, **more) -> dict:
        web = {
            "http": shared_service.url,
            "private": True,
            "timeout": "20s",
            "routes": ["GET /orders/{id}", "GET /orders/new", "POST /orders", "ANY /web/{rest+}", "GET /{any+}"],
        }
        functions = {"web": web}
        if local:
            functions["echo"] = {"python": "echo.py:handler", "timeout": "10s"}
            functions["page"] = {"python": "echo.py:page", "timeout": "10s", "routes": ["GET /page", "GET /pages/{id}"]}
        names = list(functions)
        made = {
            "gateway": {
                "listen": "127.0.0.1:0",
                "control_listen": "127.0.0.1:0",
                "limits": {"rate": {"network": 0, "subject": 0}, **more.pop("limits", {})},
                **more.pop("gateway", {}),
            },
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {**functions, **more.pop("functions", {})},
            "roles": {"reader": {"arn": "arn:aws:iam::000000000000:role/reader"}},
            "rules": [
                {"id": "callers", "who": CALLERS, "may": [*names], "as": "reader"},
                {"id": "admins", "who": ADMIN, "may": "admin:*"},
                *more.pop("rules", []),
            ],
        }
        return {**made, **more}

    return make


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """Start gateways as tests ask for them; each ends with its block."""

    def start(settings: dict) -> Running:
        return Running(tmp_path_factory.mktemp("gateway"), settings)

    return start


@pytest.fixture(scope="session")
def gateway(running, settings):
    """One gateway for all tests that leave it as it was: an HTTP service behind it, and no limits on rates."""
    with running(settings(limits={"body": "256KB", "request_time": "2s"})) as one:
        yield one


@pytest.fixture(scope="session")
def local(running, settings):
    """One gateway with functions that run here."""
    with running(settings(local=True)) as one:
        yield one


class Process:
    """A gateway as a process of its own, to be ended by signals."""

    def __init__(self, folder: Path, settings: dict, token: str) -> None:
        self.folder, self.token, self.file = folder, token, folder / "actas.yaml"
        folder.chmod(0o755)
        (folder / "echo.py").write_text(ECHO)
        (folder / "actas.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))

    def __enter__(self):
        with (self.folder / "gateway.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "actas", "serve", "actas.yaml"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONWARNINGS": "default"},
            )
        place = self.folder / ".actas" / "up.json"
        ends = time.monotonic() + 60
        while not (place.exists() and place.read_text()):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < ends, self.log()
            time.sleep(0.02)
        found = json.loads(place.read_text())
        self.public = found["public_url"].removeprefix("http://")
        self.control = found["control_url"].removeprefix("http://")
        while not self._takes_calls():  # as long as on a busy machine the state is being opened
            assert time.monotonic() < ends, self.log()
            time.sleep(0.1)
        return self

    def _takes_calls(self) -> bool:
        head = f"POST /call/none HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        time.sleep(0.3)
        with Wire(self.public) as wire:
            return wire.say(head.encode()).answer().status == 403

    def __exit__(self, *_error) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(10)

    ask, call, write, records, trail = Running.ask, Running.call, Running.write, Running.records, Running.trail

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()


@pytest.fixture
def process(tmp_path, tokens):
    def start(settings: dict, folder: Path = tmp_path) -> Process:
        return Process(folder, settings, tokens["ana"])

    return start
