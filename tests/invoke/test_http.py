"""The HTTP backend against real servers on loopback, down to the octets."""

import asyncio
import contextlib
import socket
import ssl
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from actas.invoke import proxy_errors
from actas.invoke.backends.http import HttpBackend
from actas.invoke.local.errors import TooManyCalls
from actas.model import clock
from actas.model.call import Route
from actas.model.facts import Known
from actas.model.paths import PathRefused
from actas.model.secret import Secret
from actas.model.session import Bearer
from actas.settings.schema import Function, Schedule
from actas.settings.values import Span
from actas.testing.contracts.backend import SECRET, BackendContract, delivery

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(params=[True, False], ids=["on uvloop", "on asyncio"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


class Upstream:
    """A server that keeps what it heard, octet by octet, and answers as its script says."""

    def __init__(self, script, context=None):
        self.script, self.context = script, context
        self.heads = []
        self.bodies = []
        self.gone = asyncio.Event()
        self.connections = 0
        self.tasks = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
                    if await self.script(self, reader, writer) == "close":
                        break
        finally:
            self.gone.set()
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def read_body(self, reader):
        head = self.heads[-1].lower()
        body = b""
        if "transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        elif "content-length: " in head:
            body = await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        self.bodies.append(body)
        return body

    def fields(self):
        return [tuple(line.split(": ", 1)) for line in self.heads[-1].split("\r\n")[1:] if line]


def says(octets, then=None):
    async def script(upstream, reader, writer):
        await upstream.read_body(reader)
        writer.write(octets)
        await writer.drain()
        return then

    return script


@contextlib.asynccontextmanager
async def proxied(script, *, seconds=5.0, context=None, scheme="http", host="127.0.0.1", **more):
    """Make an upstream and the backend in front of it."""
    async with Upstream(script, context) as upstream:
        settings = Function(
            http=f"{scheme}://{host}:{upstream.port}",
            **{"private": True, "timeout": Span(timedelta(seconds=seconds)), **more},
        )
        backend = HttpBackend("orders", settings)
        try:
            yield upstream, backend
        finally:
            await backend.close()


def asking(method="GET", path="/orders/7", query="", headers=(), payload=b"", body=None, address=None):
    made = delivery(payload)
    route = Route(
        template=f"{method} /orders/{{id}}",
        method=method,
        path=path,
        raw_path=path,
        query=query,
        headers=tuple(headers),
    )
    call = replace(made.call, route=route, body=body)
    if address is not None:
        call = replace(call, address=Known(ip_address(address)))
    return replace(made, call=call, envelope=lambda event, _now: f"signed({event.decode()})")


async def whole(answer):
    return b"".join([piece async for piece in answer.body])


async def pieces(*parts):
    for part in parts:
        yield part


async def test_the_request_goes_on_and_the_answer_comes_back():
    script = says(
        b"HTTP/1.1 201 Made\r\nSet-Cookie: a=1\r\nX-B: caf\xe9\r\nset-cookie: b=2\r\nActas-Call-Id: forged\r\n"
        b"Content-Length: 4\r\nKeep-Alive: timeout=5\r\n\r\nmade"
    )
    async with proxied(script) as (upstream, backend):
        headers = [("Host", "gateway.example"), ("X-One", "1"), ("Accept", "text/plain"), ("x-one", "2")]

        answer = await backend.invoke(
            asking("POST", query="a=%2F&b='c'", headers=headers, payload=b"hi", address="192.0.2.7")
        )

        assert (answer.status, await whole(answer)) == (201, b"made")
        assert answer.headers == (
            ("Set-Cookie", "a=1"),
            ("X-B", "caf\xe9"),
            ("set-cookie", "b=2"),
            ("Content-Length", "4"),
        )
        assert upstream.heads[-1].split("\r\n")[0] == "POST /orders/7?a=%2F&b='c' HTTP/1.1"
        assert upstream.bodies == [b"hi"]
        assert sorted(upstream.fields()) == [
            ("Accept", "text/plain"),
            ("Actas-Call-Id", f"{1:026d}"),
            ("Actas-Caller", "signed(hi)"),
            ("Content-Length", "2"),
            ("Host", f"127.0.0.1:{upstream.port}"),
            ("X-Forwarded-For", "192.0.2.7"),
            ("X-One", "1"),
            ("X-One", "2"),
        ]


async def test_identity_headers_of_the_caller_never_arrive():
    headers = [("X_Forwarded_User", "root"), ("ACTAS_CALLER", "forged"), ("Authorization", "Bearer x"), ("Cookie", "a")]
    async with proxied(says(OK)) as (upstream, backend):
        await whole(await backend.invoke(asking(headers=headers)))

        assert sorted(name for name, _ in upstream.fields()) == ["Actas-Call-Id", "Actas-Caller", "Host"]


async def test_the_callers_token_is_passed_on_only_where_that_is_said():
    made = asking(headers=[("Authorization", "Basic forged")])
    async with proxied(says(OK), pass_token=True) as (upstream, backend):
        await whole(await backend.invoke(made))

        assert [value for name, value in upstream.fields() if name == "Authorization"] == [
            f"Bearer {made.token.reveal()}"
        ]


async def test_the_roles_token_for_another_cloud_is_sent_only_where_that_is_said():
    made = asking(headers=[("Authorization", "Basic forged")])
    bearer = Bearer(cloud="google", token=Secret("ya29.role"), expires_at=clock.now())
    made = replace(made, sessions=replace(made.sessions, work=replace(made.sessions.work, bearer=bearer)))
    for settings, wanted in (({"pass_bearer": True}, ["Bearer ya29.role"]), ({}, [])):
        async with proxied(says(OK), **settings) as (upstream, backend):
            await whole(await backend.invoke(made))

            assert [value for name, value in upstream.fields() if name == "Authorization"] == wanted


@pytest.mark.parametrize("path", ["/a%2Fb", "/a/../b", "//a", "/caf%c3%a9"])
async def test_path_normalisation_differences_a_path_that_is_not_canonical_is_never_sent(path):
    async with proxied(says(OK)) as (upstream, backend):
        with pytest.raises(PathRefused):
            await backend.invoke(asking(path=path))

        assert upstream.connections == 0


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET /x", ""])
async def test_a_method_that_is_not_handed_on(method):
    async with proxied(says(OK)) as (upstream, backend):
        with pytest.raises(proxy_errors.NotProxied):
            await backend.invoke(asking(method))

        assert upstream.connections == 0


async def test_a_call_without_a_route_is_a_post_of_its_event():
    async with proxied(says(OK)) as (upstream, backend):
        await whole(await backend.invoke(delivery(b'{"a": 1}')))

        assert upstream.heads[-1].startswith("POST / HTTP/1.1\r\n")
        assert ("Content-Type", "application/json") in upstream.fields()
        assert upstream.bodies == [b'{"a": 1}']


async def test_a_post_without_a_body_says_so():
    async with proxied(says(OK)) as (upstream, backend):
        await whole(await backend.invoke(asking("POST")))

        assert ("Content-Length", "0") in upstream.fields()


async def test_a_body_of_unknown_length_goes_on_piece_by_piece():
    async with proxied(says(OK)) as (upstream, backend):
        await whole(await backend.invoke(asking("PUT", body=pieces(b"one", b"two"))))

        assert upstream.bodies == [b"onetwo"]
        assert ("Transfer-Encoding", "chunked") in upstream.fields()


async def test_a_request_that_turns_out_to_have_no_body_has_none():
    async with proxied(says(OK)) as (upstream, backend):
        await whole(await backend.invoke(asking(body=pieces())))

        names = {name.lower() for name, _ in upstream.fields()}
        assert not names & {"transfer-encoding", "content-length"}


async def test_a_post_that_turns_out_to_have_no_body_says_so():
    async with proxied(says(OK)) as (upstream, backend):
        await whole(await backend.invoke(asking("POST", body=pieces())))

        assert ("Content-Length", "0") in upstream.fields()


async def test_a_body_of_known_length_keeps_it():
    async with proxied(says(OK)) as (upstream, backend):
        made = asking("PUT", body=pieces(b"one", b"two"), headers=[("content-length", "6")])
        await whole(await backend.invoke(made))

        assert upstream.bodies == [b"onetwo"]
        assert ("Content-Length", "6") in upstream.fields()


@pytest.mark.parametrize("said", [5, 7])
async def test_a_body_that_is_not_as_long_as_was_said_never_looks_whole(said):
    async with proxied(says(OK)) as (upstream, backend):
        made = asking("PUT", body=pieces(b"one", b"two"), headers=[("content-length", str(said))])

        with pytest.raises(proxy_errors.BodyNotWhole):
            await whole(await backend.invoke(made))

        with anyio.fail_after(5):
            await upstream.gone.wait()
        assert upstream.bodies in ([], [b"onetw"])


async def test_streaming_reaches_the_backend_before_it_is_whole():
    heard = asyncio.Event()

    async def echo_first(upstream, reader, writer):
        size = int(await reader.readline(), 16)
        first = await reader.readexactly(size)
        heard.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n" + first)
        await writer.drain()
        return "close"

    async def slowly():
        yield b"one"
        await heard.wait()
        yield b"two"

    async with proxied(echo_first) as (_, backend):
        assert await whole(await backend.invoke(asking("POST", body=slowly()))) == b"one"


async def test_streaming_reaches_the_caller_before_it_is_whole():
    go_on = asyncio.Event()

    async def slowly(upstream, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    async with proxied(slowly) as (_, backend):
        answer = await backend.invoke(asking())

        first = await anext(answer.body)
        go_on.set()

        assert (first, await whole(answer)) == (b"one", b"two")
        assert not any(name.lower() == "transfer-encoding" for name, _ in answer.headers)


async def test_a_caller_who_hangs_up_ends_the_request_upstream():
    async def never(upstream, reader, writer):
        await reader.read()
        return "close"

    async with proxied(never, seconds=30) as (upstream, backend):
        with anyio.move_on_after(0.2):
            await backend.invoke(asking())

        with anyio.fail_after(5):
            await upstream.gone.wait()


async def test_an_answer_that_nobody_reads_on_is_closed_and_its_place_is_free():
    async def endless(upstream, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with proxied(endless, schedule=Schedule(at_once=1, waiting=0)) as (upstream, backend):
        for _ in range(3):
            answer = await backend.invoke(asking())
            await anext(answer.body)
            await answer.body.aclose()
            await answer.body.aclose()

        assert upstream.connections == 3


async def test_more_calls_than_may_run_and_wait_are_turned_away():
    async with proxied(says(OK), schedule=Schedule(at_once=1, waiting=0)) as (_, backend):
        answer = await backend.invoke(asking())

        with pytest.raises(TooManyCalls):
            await backend.invoke(asking())

        await whole(answer)
        assert (await backend.invoke(asking())).status == 200


async def test_a_connection_is_used_again():
    async with proxied(says(OK)) as (upstream, backend):
        for _ in range(3):
            assert await whole(await backend.invoke(asking())) == b"hi"

        assert upstream.connections == 1


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204),
        (b"HTTP/1.0 200 OK\r\n\r\n", 200),
    ],
)
async def test_the_backends_own_answers_are_answers(octets, status):
    async with proxied(says(octets, "close")) as (_, backend):
        answer = await backend.invoke(asking())

        assert (answer.status, await whole(answer)) == (status, b"")


async def test_compressed_bodies_come_through_as_they_are():
    octets = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    async with proxied(says(octets)) as (_, backend):
        answer = await backend.invoke(asking())

        assert await whole(answer) == b"abc"
        assert ("Content-Encoding", "gzip") in answer.headers


async def test_an_environments_proxy_is_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with proxied(says(OK)) as (_, backend):
        assert await whole(await backend.invoke(asking())) == b"hi"


MALFORMED = [
    ("what is not HTTP", b"NOT HTTP AT ALL\r\n\r\n"),
    ("HTTP/0.9", b"hello"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"),
    ("a length and chunks", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a length that is none", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
    ("a space before a colon", b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n"),
    ("a field that is too large", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"),
    ("too many fields", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n"),
    ("another protocol", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
]


@pytest.mark.parametrize("octets", [case[1] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
async def test_an_answer_that_is_not_http_is_told_apart(octets):
    async with proxied(says(octets, "close")) as (_, backend):
        with pytest.raises(proxy_errors.UpstreamMalformed) as wrong:
            await whole(await backend.invoke(asking()))

        assert wrong.value.status == 502


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_backend_that_refuses_connections_is_told_apart():
    backend = HttpBackend("orders", Function(http=f"http://127.0.0.1:{free_port()}", private=True))

    with pytest.raises(proxy_errors.UpstreamUnreachable, match="refuses connections"):
        await backend.invoke(asking())

    await backend.close()


async def test_a_backend_whose_name_is_not_known_is_told_apart():
    backend = HttpBackend("orders", Function(http="http://orders.invalid", private=True))

    with pytest.raises(proxy_errors.UpstreamUnreachable, match="name is not known"):
        await backend.invoke(asking())

    await backend.close()


async def test_a_backend_that_resets_the_connection_is_told_apart():
    async def reset(upstream, reader, writer):
        writer.transport.abort()
        return "close"

    async with proxied(reset) as (_, backend):
        with pytest.raises(proxy_errors.UpstreamHungUp, match="before its answer"):
            await backend.invoke(asking("POST", payload=b"x"))


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
)
async def test_an_answer_that_is_cut_short_is_told_apart(octets):
    async with proxied(says(octets, "close")) as (_, backend):
        answer = await backend.invoke(asking())

        with pytest.raises(proxy_errors.UpstreamHungUp, match="within its answer"):
            await whole(answer)


async def test_a_backend_that_does_not_answer_in_time_is_told_apart():
    async def sleeps(upstream, reader, writer):
        await reader.read()
        return "close"

    async with proxied(sleeps, seconds=0.2) as (_, backend):
        with pytest.raises(proxy_errors.UpstreamTimedOut, match="did not answer within") as late:
            await backend.invoke(asking())

        assert late.value.status == 504


async def test_an_answer_that_is_not_whole_in_time_is_told_apart():
    async def stalls(upstream, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        await reader.read()
        return "close"

    async with proxied(stalls, seconds=0.3) as (_, backend):
        answer = await backend.invoke(asking())

        with pytest.raises(proxy_errors.UpstreamTimedOut, match="finish its answer"):
            await whole(answer)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_private_address_is_asked_only_where_that_is_said(host):
    async with proxied(says(OK), private=False, host=host) as (upstream, backend):
        with pytest.raises(proxy_errors.UpstreamAddressRefused, match="private"):
            await backend.invoke(asking())

        assert upstream.connections == 0


async def test_a_metadata_service_is_never_asked():
    backend = HttpBackend("orders", Function(http="http://169.254.169.254", private=True))

    with pytest.raises(proxy_errors.UpstreamAddressRefused, match="metadata"):
        await backend.invoke(asking())

    await backend.close()


async def test_a_certificate_that_nobody_signed_is_told_apart(tmp_path):
    async with proxied(says(OK), context=self_signed(tmp_path), scheme="https") as (upstream, backend):
        with pytest.raises(proxy_errors.UpstreamUntrusted):
            await backend.invoke(asking())

        assert upstream.heads == []


def self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "orders.example")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class TestHttp(BackendContract):
    @pytest.fixture(autouse=True)
    async def _with_servers(self):
        async with contextlib.AsyncExitStack() as self.servers:
            yield

    async def backend(self, does):
        async def echoes(upstream, reader, writer):
            body = await upstream.read_body(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        async def sleeps(upstream, reader, writer):
            await reader.read()
            return "close"

        scripts = {
            "echoes": echoes,
            "fails": says(b"HTTP/1.1 500 Oh\r\nContent-Length: %d\r\n\r\n" % len(SECRET) + SECRET.encode()),
            "sleeps": sleeps,
            "tells": says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"),
        }
        port = free_port()
        if does in scripts:
            port = (await self.servers.enter_async_context(Upstream(scripts[does]))).port
        return HttpBackend(
            "subject",
            Function(http=f"http://127.0.0.1:{port}", private=True, timeout=Span(timedelta(seconds=0.5))),
        )
