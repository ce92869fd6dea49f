"""A small provider on a real loopback socket, and tokens in the shapes that presets expect."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import msgspec
import pytest

from actas import jose
from actas.identify.verifier import Identify
from actas.model.evidence import BearerToken
from actas.model.secret import Secret
from actas.settings.schema import Provider

NOW = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Clock:
    """A clock that tests turn."""

    def __init__(self, at=NOW):
        self.at = at

    def __call__(self):
        return self.at

    def turn(self, **span):
        self.at += timedelta(**span)
        return self.at


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that hung up is what some tests are about


@cache
def first_key():
    return jose.Key.generate("RS256", kid="first")


class House:
    """An issuer: publishes discovery and keys over HTTP, signs what it is told, misbehaves when asked to."""

    def __init__(self, path="/realms/corp"):
        self.key = first_key()
        self.keys = [self.key]
        self.path = path
        self.requests = []
        self.answers = {}
        self.gate = None
        self.down = False
        self._server = Quiet(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.issuer = self.origin + path
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self):
        if self.gate is not None:
            self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, ending):
        return sum(one[1].endswith(ending) for one in self.requests)

    def rotate(self, kid):
        self.key = jose.Key.generate("ES256", kid=kid)
        self.keys = [*self.keys, self.key]

    def sign(self, claims, *, key=None, algorithm=None, header=None):
        key = key or self.key
        algorithm = algorithm or ("RS256" if key.kty == "RSA" else "ES256")
        return jose.sign(claims, key, algorithm=algorithm, header={"typ": "JWT"} if header is None else header)

    def claims(self, **more):
        """Keycloak's shape (protocols.md, 1.1); None takes a claim out."""
        at = int(NOW.timestamp())
        whole = {
            "iss": self.issuer,
            "aud": ["actas", "account"],
            "sub": "7f0c3f0e-6d0e-4d2a-8a53-6a3f7f1f2c11",
            "typ": "Bearer",
            "azp": "portal",
            "sid": "f2b1c9d6",
            "jti": "onrtac:0b4e3c1e",
            "iat": at,
            "exp": at + 300,
            "scope": "openid reports.read",
            "realm_access": {"roles": ["invoker"]},
            "groups": ["/finance/analysts"],
        } | more
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, **more):
        return self.sign(self.claims(**more))

    def published(self):
        return {"keys": [key.to_json() for key in self.keys]}

    def _answer(self, path):
        if path in self.answers:
            return self.answers[path]
        if path == f"{self.path.rstrip('/')}/.well-known/openid-configuration":
            return 200, {}, {"issuer": self.issuer, "jwks_uri": f"{self.origin}/certs"}
        if path == "/certs":
            return 200, {}, self.published()
        return 404, {}, {}

    def _handler(self):
        house = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                house.requests.append((self.command, self.path, dict(self.headers), body))
                if house.gate is not None:
                    house.gate.wait(10)
                if house.down:
                    self.close_connection = True
                    return
                answer = house._answer(self.path)
                status, headers, content = answer(house, body) if callable(answer) else answer
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET  # noqa: N815 - the server looks for this name

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def until():
    async def wait(condition):
        with anyio.fail_after(5):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in a server's thread
                await anyio.sleep(0.01)

    return wait


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.close()


@pytest.fixture
def settings(house):
    def make(**more):
        whole = {"preset": "keycloak", "issuer": house.issuer, "audience": "actas", "private": True} | more
        plain = {key: value for key, value in whole.items() if value is not None}
        return provider(**plain)

    return make


def provider(**keys):
    """Read a provider as the settings file would have it."""
    from actas.settings.values import Scalar

    def scalar(kind, value):
        if issubclass(kind, Scalar):
            return kind.read(value)
        return value

    return msgspec.convert(keys, Provider, dec_hook=scalar)


@pytest.fixture
def make_provider():
    return provider


@pytest.fixture
def identify(settings, tmp_path, clock):
    def make(providers=None, **more):
        return Identify(providers or {"corp": settings()}, base_dir=tmp_path, clock=clock, **more)

    return make


@pytest.fixture
def shown():
    return lambda token: BearerToken(shown=Secret(token))
