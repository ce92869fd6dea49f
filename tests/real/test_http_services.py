"""A real gateway process in front of a real HTTP service: what arrives there, and what comes back, octet by octet."""

import contextlib
import json
import socket
import socketserver
import threading
from urllib.parse import urlsplit

import httpx
import pytest
from gateway import Gateway

from actas.lambda_ import verify
from actas.testing.idp import Idp


class _Service(socketserver.ThreadingTCPServer):
    """Keeps each request's head, and answers as its path says."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Connection)
        self.heads, self.bodies = [], []
        self.first_piece, self.go_on = threading.Event(), threading.Event()

    def fields(self):
        lines = self.heads[-1].split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}


class _Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self._head():
            self.server.heads.append(head)
            if "/streamed" in head:
                self._stream()
            elif "/slow-upload" in head:
                self._piece()
                self.server.first_piece.set()
                self.server.bodies.append(self._body(head))
                self._say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
            elif "/cut" in head:
                self._say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                return
            else:
                self.server.bodies.append(self._body(head))
                self._say(b"HTTP/1.1 201 Made\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nhi")

    def _head(self):
        lines = b""
        while not lines.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return ""
            lines += line
        return lines.decode("latin-1")

    def _piece(self):
        size = int(self.rfile.readline(), 16)
        piece = self.rfile.read(size)
        self.rfile.readline()
        return piece

    def _body(self, head):
        if "transfer-encoding: chunked" in head.lower():
            return b"".join(iter(self._piece, b""))
        length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
        return self.rfile.read(int(length or 0))

    def _stream(self):
        self._say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        self.server.go_on.wait(10)
        self._say(b"3\r\ntwo\r\n0\r\n\r\n")

    def _say(self, octets):
        self.wfile.write(octets)
        self.wfile.flush()


@pytest.fixture(scope="module")
def service():
    with _Service() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def idp():
    with Idp(shape="oidc") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(service, idp, tmp_path_factory):
    routes = ["ANY /orders/{id}", "GET /streamed", "POST /slow-upload", "GET /cut"]
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings = {
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {
                "orders": {
                    "http": f"http://127.0.0.1:{service.server_address[1]}",
                    "private": True,
                    "timeout": "10s",
                    "routes": routes,
                },
                "gone": {
                    "http": f"http://127.0.0.1:{nobody.getsockname()[1]}",
                    "private": True,
                    "routes": ["GET /gone"],
                },
            },
            "rules": [
                {
                    "id": "all",
                    "who": {"provider": "corp"},
                    "may": [*(f"orders:{route}" for route in routes), "gone:GET /gone"],
                }
            ],
        }
        with Gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
            yield running


@pytest.fixture
def headers(idp):
    return {"Authorization": f"Bearer {idp.token(person='ana', audience='actas')}"}


def raw(gateway, octets):
    """Send octets, and read until the gateway closes."""
    where = urlsplit(gateway.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(octets)
        answer = b""
        with contextlib.suppress(TimeoutError):
            while piece := connection.recv(65_536):
                answer += piece
        return answer


def test_a_request_arrives_with_its_caller_and_without_its_token(gateway, service, headers):
    sent = headers | {"X_Forwarded_User": "root", "ACTAS_CALLER": "forged", "Cookie": "a=1", "X-One": "1"}

    answer = httpx.post(f"{gateway.url}/orders/caf%c3%a9?a=%2F&b=1", headers=sent, content=b'{"x": 1}')

    assert (answer.status_code, answer.content) == (201, b"hi")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert service.heads[-1].startswith("POST /orders/caf%C3%A9?a=%2F&b=1 HTTP/1.1\r\n")
    assert service.bodies[-1] == b'{"x": 1}'
    assert not {"authorization", "cookie", "x_forwarded_user", "actas_caller"} & service.fields().keys()
    assert service.fields()["x-one"] == "1"
    assert answer.headers["actas-call-id"] == service.fields()["actas-call-id"]


def test_the_envelope_that_arrives_says_who_called(gateway, service, headers):
    httpx.post(f"{gateway.url}/orders/7", headers=headers, content=b'{"x": 1}').raise_for_status()

    keys = httpx.get(f"{gateway.control}/.well-known/actas/jwks.json").content
    envelope = service.fields()["actas-caller"]
    claims = json.loads(_payload(envelope))
    who = verify(envelope, audience=claims["aud"], event=b'{"x": 1}', keys=keys, issuer=claims["iss"])

    assert claims["aud"].endswith(":orders/$default/ANY/orders/{id}")
    assert who.subject == claims["sub"]


def _payload(token):
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(token.split(".")[1] + "==")


@pytest.mark.parametrize("path", ["/orders/a%2Fb", "/orders/..%2f7", "/x/../orders/7", "//orders/7", "/orders/7;x=1"])
def test_a_path_that_could_be_read_in_two_ways_never_arrives(gateway, service, headers, path):
    before = len(service.heads)
    request = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {headers['Authorization']}\r\n\r\n"
    )

    answer = raw(gateway, request.encode())

    assert answer.split(b" ")[1] in (b"400", b"404")
    assert len(service.heads) == before


def test_an_answer_streams_to_the_caller(gateway, service, headers):
    with httpx.stream("GET", f"{gateway.url}/streamed", headers=headers) as answer:
        pieces = answer.iter_raw()

        first = next(pieces)
        service.go_on.set()

        assert (first, b"".join(pieces)) == (b"one", b"two")


def test_a_body_streams_to_the_service(gateway, service, headers):
    def slowly():
        yield b"x" * 70_000
        assert service.first_piece.wait(10)
        yield b"last"

    answer = httpx.post(f"{gateway.url}/slow-upload", headers=headers, content=slowly())

    assert answer.content == b"done"
    assert service.bodies[-1].endswith(b"last")


def test_a_service_that_is_not_there_is_a_502(gateway, headers):
    answer = httpx.get(f"{gateway.url}/gone", headers=headers)

    assert answer.status_code == 502
    assert b"127.0.0.1" not in answer.content


def test_half_an_answer_never_looks_whole(gateway, headers):
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{gateway.url}/cut", headers=headers)


def test_each_call_has_its_end_in_the_trail(gateway, headers):
    httpx.get(f"{gateway.url}/orders/7", headers=headers)
    name = httpx.get(f"{gateway.url}/gone", headers=headers).headers["actas-call-id"]

    assert any(name in json.dumps(record) for record in gateway.records())
