"""The way out of a sandbox: from a function to the gateway's doors, which know whose call it is, and nowhere else."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import anyio
import pytest

from actas.invoke.local import process, relay, relay_connection
from actas.invoke.local.relay import MOST_CONNECTIONS
from actas.invoke.origins import of

pytestmark = pytest.mark.anyio

CALLER = r"""
import os, urllib.request

def ask(way, method, path, body=None, headers={}):
    asked = urllib.request.Request(os.environ[way] + path, body and body.encode(), headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=20) as found:
            return [found.status, dict(found.headers), found.read().decode()]
    except urllib.error.HTTPError as wrong:
        return [wrong.code, dict(wrong.headers), wrong.read().decode()]

def handler(event, context):
    return [ask(*one) for one in event]
"""
WIRE = r"""
import os, socket

def say(way, octets, patience=20):
    host, port = os.environ[way].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=patience) as wire:
        got = b""
        try:
            for piece in octets:
                wire.sendall(piece.encode("latin-1"))
            while piece := wire.recv(65536):
                got += piece
        except TimeoutError:
            got += b"[still open]"
        except ConnectionError:
            got += b"[cut]"
        return got.decode("latin-1")

def handler(event, context):
    return [say(*one) for one in event]
"""


class Door:
    """A door at the gateway's end: keeps what it hears, answers as the path says."""

    def __init__(self):
        self.heard, self.bodies = [], []
        self.go_on = anyio.Event()

    async def __call__(self, scope, receive, send):
        self.heard.append(scope)
        if scope["path"] == "/unread":
            return await self._whole(send, b"no")
        self.bodies.append(await self._read(receive))
        answer = getattr(self, scope["path"].removeprefix("/"), None)
        return await (answer(receive, send) if answer else self._whole(send, self.bodies[-1]))

    async def wait(self, _receive, send):
        await self.go_on.wait()
        await self._whole(send, b"waited")

    async def nothing(self, _receive, send):
        await self._whole(send, b"", 204)

    async def drip(self, _receive, send):
        await self._pieces(send, b"one", b"", b"two")

    async def big(self, _receive, send):
        await self._pieces(send, *[b"x" * 1_000_000] * 50)  # more than any socket holds

    async def cut(self, _receive, send):
        await self._pieces(send, b"half", ends=False)

    async def short(self, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": False})

    async def split(self, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1\r\nSet-Cookie: b=2")]})

    async def gone(self, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.go_on.set()

    @staticmethod
    async def _read(receive):
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return body
            body, more = body + message["body"], message["more_body"]
        return body

    @staticmethod
    async def _whole(send, body, status=200):
        head = [(b"Content-Type", b"text/plain"), (b"content-length", b"%d" % len(body)), (b"Connection", b"x")]
        await send({"type": "http.response.start", "status": status, "headers": head if status != 204 else []})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    @staticmethod
    async def _pieces(send, *pieces, ends=True):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if ends:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def inside(bench, door):
    """A bench whose functions reach a door of the test's."""
    shared = bench.open()
    shared.doors.public = shared.doors.control = door
    return bench


async def said(inside, *octets, way="ACTAS_ENDPOINT", **more):
    """Have a function say *octets* on a connection of its own; give what it reads until that is closed."""
    (got,) = await inside.value(inside.function(WIRE, seconds=30), [[way, octets, *more.values()]])
    return got


POST = "POST /a HTTP/1.1\r\nHost: x\r\n"
CLOSE = "Connection: close\r\n"


class TestOneRequest:
    async def test_a_function_reaches_both_doors_and_they_know_its_call(self, inside, door):
        function = inside.function(CALLER)

        got = await inside.value(
            function,
            [
                ["ACTAS_ENDPOINT", "POST", "/call/other?x=%20y", "hi", {"Actas-Role": "reader", "X-A": "1"}],
                ["AWS_ENDPOINT_URL_STS", "POST", "/", "Action=GetCallerIdentity"],
            ],
        )

        assert [(status, body) for status, _, body in got] == [(200, "hi"), (200, "Action=GetCallerIdentity")]
        first, second = door.heard
        assert (first["method"], first["raw_path"], first["path"]) == ("POST", b"/call/other", "/call/other")
        assert first["query_string"] == b"x=%20y"
        assert (b"actas-role", b"reader") in first["headers"]
        assert {(of(one).root, of(one).depth) for one in (first, second)} == {(inside.last.call.id, 1)}

    async def test_the_names_of_the_gateway_are_those_that_clients_look_for(self, inside):
        function = inside.function("import os\ndef handler(event, context):\n    return dict(os.environ)\n")

        found = await inside.value(function)

        assert found["AWS_ENDPOINT_URL_LAMBDA"] == found["ACTAS_ENDPOINT"] == "http://127.0.0.1:9002"
        assert found["AWS_ENDPOINT_URL_STS"] == found["ACTAS_STS_ENDPOINT"] == "http://127.0.0.1:9003"

    async def test_a_name_that_the_settings_give_stands(self, inside):
        function = inside.function(
            "import os\ndef handler(event, context):\n    return os.environ['AWS_ENDPOINT_URL_STS']\n",
            environment={"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
        )

        assert await inside.value(function) == "http://127.0.0.1:1"

    async def test_without_a_gateway_there_is_no_way_out(self, bench):
        function = bench.function("import os\ndef handler(event, context):\n    return dict(os.environ)\n")

        found = await bench.value(function)

        assert not [name for name in found if "ENDPOINT" in name]

    async def test_a_nested_call_hands_on_its_own_root(self, inside, door):
        function = inside.function(CALLER)
        made = {"session": True}
        await inside.value(function, [["ACTAS_ENDPOINT", "POST", "/a", "1"]], **made)
        nested = replace(
            inside.last.call, id="01NESTED", root="01ROOT", depth=3, payload=b'[["ACTAS_ENDPOINT","POST","/b","2"]]'
        )

        await function.invoke(replace(inside.last, call=nested))

        assert (of(door.heard[1]).root, of(door.heard[1]).depth) == ("01ROOT", 4)

    async def test_each_call_of_a_warm_process_is_its_own_root(self, inside, door):
        function = inside.function(CALLER)
        roots = []
        for _ in range(3):
            await inside.value(function, [["ACTAS_ENDPOINT", "POST", "/a", "1"]])
            roots.append(inside.last.call.id)

        assert [of(one).root for one in door.heard] == roots
        assert len(inside.shared.pool) == 1

    async def test_what_a_function_does_while_it_loads_belongs_to_the_call_that_it_is_loaded_for(self, inside, door):
        function = inside.function(CALLER + '\nask("ACTAS_ENDPOINT", "POST", "/loading", "1")\n')

        await inside.value(function, [])

        assert of(door.heard[0]).root == inside.last.call.id

    async def test_in_weak_isolation_the_same_works_over_the_machines_own_loopback(self, bench, door):
        weak = replace(bench.machine, namespaces=False, why="switched off by a test", filter=False, own_uid=False)
        shared = bench.open(machine=weak, isolation="weak")
        shared.doors.public = shared.doors.control = door

        got = await bench.value(bench.function(CALLER), [["ACTAS_ENDPOINT", "POST", "/a", "hi"]])

        assert got[0][2] == "hi"
        assert of(door.heard[0]).root == bench.last.call.id


class TestFraming:
    async def test_bodies_of_any_size_and_framing_arrive_whole(self, inside, door):
        big = "x" * 3_000_000
        function = inside.function(WIRE, seconds=30)

        got = await inside.value(
            function,
            [
                ["ACTAS_ENDPOINT", [f"{POST}{CLOSE}Content-Length: {len(big)}\r\n\r\n", big]],
                [
                    "ACTAS_ENDPOINT",
                    [f"{POST}{CLOSE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "2\r\nde\r\n0\r", "\n\r\n"],
                ],
                ["ACTAS_ENDPOINT", [f"{POST}{CLOSE}\r\n"]],
            ],
        )

        assert [len(one) for one in door.bodies] == [len(big), 5, 0]
        assert got[0].endswith("\r\n\r\n" + big)
        assert got[1].endswith("\r\n\r\nabcde")

    async def test_an_answer_of_unknown_length_comes_in_chunks(self, inside):
        got = await said(inside, f"GET /drip HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n")

        assert got.endswith("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        assert "transfer-encoding: chunked" in got

    async def test_fields_of_the_connection_are_the_relays_own(self, inside):
        got = await said(inside, f"{POST}{CLOSE}Content-Length: 1\r\n\r\na")

        assert got == "HTTP/1.1 200 \r\ncontent-type: text/plain\r\ncontent-length: 1\r\nconnection: close\r\n\r\na"

    async def test_two_requests_on_one_connection_are_answered_in_order(self, inside, door):
        got = await said(
            inside,
            f"{POST}Content-Length: 1\r\n\r\na{POST}Content-Length: 1\r\n\r\nb",
            f"GET /nothing HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n",
        )

        assert door.bodies == [b"a", b"b", b""]
        assert [one[-1] for one in got.split("HTTP/1.1 ")[1:3]] == ["a", "b"]
        assert got.endswith("HTTP/1.1 204 \r\nconnection: close\r\n\r\n")

    async def test_a_client_that_waits_for_a_word_gets_it(self, inside, door):
        code = WIRE.replace(
            "wire.sendall(piece", "got += wire.recv(65536) if piece == 'a' else b''; wire.sendall(piece"
        )
        head = f"{POST}{CLOSE}Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"

        (got,) = await inside.value(inside.function(code), [["ACTAS_ENDPOINT", [head, "a"]]])

        assert got.startswith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
        assert door.bodies == [b"a"]

    async def test_an_answer_to_head_has_no_body(self, inside):
        got = await said(inside, f"HEAD /a HTTP/1.1\r\nHost: x\r\n{CLOSE}Content-Length: 2\r\n\r\nhi")

        assert got.endswith("content-length: 2\r\nconnection: close\r\n\r\n")

    async def test_a_body_that_nobody_reads_does_not_hide_the_answer(self, inside):
        big = "x" * 1_000_000
        got = await said(inside, f"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: {len(big)}\r\n\r\n", big)

        assert got.startswith("HTTP/1.1 200 ")

    @pytest.mark.parametrize("path", ["/cut", "/short"])
    async def test_an_answer_that_breaks_off_is_not_taken_as_whole(self, inside, path):
        got = await said(inside, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")

        assert "half" in got or "[cut]" in got
        assert not got.endswith(("0\r\n\r\n", "[still open]"))

    async def test_a_field_with_a_line_break_is_not_sent_on(self, inside):
        got = await said(inside, "GET /split HTTP/1.1\r\nHost: x\r\n\r\n")

        assert "Set-Cookie" not in got

    async def test_a_door_hears_when_the_function_hangs_up(self, inside, door):
        code = WIRE.replace("while piece := wire.recv(65536):", "if piece := wire.recv(65536):")
        await inside.value(inside.function(code), [["ACTAS_ENDPOINT", ["GET /gone HTTP/1.1\r\nHost: x\r\n\r\n"]]])

        with anyio.fail_after(20):
            await door.go_on.wait()


HOSTILE = [
    ("two lengths", f"{POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
    ("a length beside a coding", f"{POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("another coding", f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("a coding behind a tab", f"{POST}Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n"),
    ("a length that is none", f"{POST}Content-Length: +1\r\n\r\na"),
    ("a length of a million digits", f"{POST}Content-Length: {'9' * 40}\r\n\r\na"),
    ("two hosts", f"{POST}Host: y\r\n\r\n"),
    ("no host", "POST /a HTTP/1.1\r\n\r\n"),
    ("a folded field", f"{POST}X-A: 1\r\n 2\r\n\r\n"),
    ("a blank before the colon", f"{POST}Content-Length : 1\r\n\r\na"),
    ("line breaks of one octet", "POST /a HTTP/1.1\nHost: x\r\n\r\n"),
    ("a zero octet", f"{POST}X-A: a\0b\r\n\r\n"),
    ("another place", "GET http://169.254.169.254/latest HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a tunnel", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("an older version", "GET /a HTTP/1.0\r\nHost: x\r\n\r\n"),
    ("a newer one", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("TLS", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
    ("a chunk with an extension", f"{POST}Transfer-Encoding: chunked\r\n\r\n1;a=b\r\na\r\n0\r\n\r\n"),
    ("a chunk longer than it says", f"{POST}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"),
    ("a chunk of minus one", f"{POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"),
    ("fields behind the last chunk", f"{POST}Transfer-Encoding: chunked\r\n\r\n0\r\nHost: y\r\n\r\n"),
    ("too many fields", POST + "X-A: 1\r\n" * 300 + "\r\n"),
    ("a head without end", POST + "X-A: " + "a" * 100_000),
]


@pytest.mark.parametrize("octets", [one[1] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
async def test_what_could_be_read_in_two_ways_never_gets_to_a_door(inside, door, octets):
    got = await said(inside, octets)

    assert not any(door.bodies)
    assert got.startswith(("HTTP/1.1 400 ", "HTTP/1.1 431 ", "[cut]")) or got == ""


class TestWhatItLeadsTo:
    @pytest.mark.parametrize("path", ["/metrics", "/admin/v1/status", "/healthz", "//", "/%2f", "/.", "/saml/corp/acs"])
    async def test_of_the_control_origin_a_function_reaches_sts_alone(self, inside, door, path):
        got = await said(inside, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n", way="ACTAS_STS_ENDPOINT")

        assert got.startswith("HTTP/1.1 404 ")
        assert door.heard == []

    async def test_sts_itself_is_reached(self, inside, door):
        got = await said(inside, f"GET /?Action=A HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n", way="ACTAS_STS_ENDPOINT")

        assert got.startswith("HTTP/1.1 200 ")
        assert door.heard[0]["query_string"] == b"Action=A"

    async def test_a_call_that_began_between_calls_is_refused(self, inside, door):
        """A thread that goes on until the process is stopped has nobody on whose behalf it could call."""
        thief = inside.function(
            WIRE
            + r"""
import http.client, json, threading
def handler(event, context):
    # answer our own call, and before we ask for the next one say something of our own
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request("POST", f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response", b'"early"')
    api.getresponse().read()
    print(say("ACTAS_ENDPOINT", ["GET /a HTTP/1.1\r\nHost: x\r\n\r\n"]).replace("\r\n", "|"))
"""
        )

        await inside.value(thief)
        with anyio.fail_after(20):
            while not inside.lines():  # noqa: ASYNC110 - another process prints it
                await anyio.sleep(0.01)

        assert door.heard == []
        assert inside.lines()[0].startswith("HTTP/1.1 409 ")
        assert '"code": "invoke.root-over"' in inside.lines()[0]


class TestBounds:
    async def test_ten_thousand_connections_are_some_dozen(self, inside, door):
        many = inside.function(
            r"""
import os, socket
def handler(event, context):
    host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
    held = []
    for _ in range(900):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex((host, int(port)))
        held.append(one)
    return len(held)
""",
            seconds=30,
        )

        assert await inside.value(many) == 900

        (one,) = inside.shared.pool._all
        assert one.relay.connections <= MOST_CONNECTIONS
        assert not one.ending

    async def test_who_waits_is_taken_when_another_goes(self, inside, door):
        code = r"""
import http.client, os, threading
def handler(event, context):
    place = os.environ["ACTAS_ENDPOINT"].removeprefix("http://")
    done = []
    def one():
        wire = http.client.HTTPConnection(place, timeout=20)
        wire.request("POST", "/a", b"hi", {"Connection": "close"})
        done.append(wire.getresponse().read() == b"hi")
    threads = [threading.Thread(target=one) for _ in range(event)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)
"""
        wanted = 2 * MOST_CONNECTIONS

        assert await inside.value(inside.function(code, seconds=30), wanted) == wanted

    async def test_who_asks_on_and_on_is_slowed_down(self, inside):
        await inside.value(inside.function(CALLER), [])
        (one,) = inside.shared.pool._all
        now = one.relay._loop.time()
        one.relay._loop = SimpleNamespace(time=lambda: now)
        try:
            waits = [one.relay.turn() for _ in range(relay._AT_ONCE + 2)]
            now += 60
            later = one.relay.turn()
        finally:
            one.relay._loop = asyncio.get_running_loop()

        assert waits[: relay._AT_ONCE] == [pytest.approx(0, abs=1e-6)] * relay._AT_ONCE
        assert waits[relay._AT_ONCE :] == [pytest.approx(count / relay.REQUESTS_A_SECOND) for count in (1, 2)]
        assert later == 0

    async def test_who_has_to_wait_is_answered_all_the_same(self, inside, door, monkeypatch):
        monkeypatch.setattr(relay.Relay, "turn", lambda _relay: 0.05)

        got = await inside.value(inside.function(CALLER), [["ACTAS_ENDPOINT", "POST", "/a", "1"]] * 2)

        assert [status for status, _, _ in got] == [200, 200]

    async def test_what_had_to_wait_until_its_call_was_over_gets_to_no_door(self, inside, door, monkeypatch):
        monkeypatch.setattr(relay.Relay, "turn", lambda _relay: 0.5)
        code = WIRE.replace("while piece := wire.recv(65536):", "while False:")

        await inside.value(inside.function(code), [["ACTAS_ENDPOINT", ["GET /a HTTP/1.1\r\nHost: x\r\n\r\n"]]])
        with anyio.fail_after(20):
            while inside.shared.doors._tasks:  # noqa: ASYNC110 - until its turn has come
                await anyio.sleep(0.01)

        assert door.heard == []

    async def test_who_sends_nothing_is_hung_up_on(self, inside, monkeypatch):
        monkeypatch.setattr(relay_connection, "HEAD_WITHIN", 0.2)

        assert await said(inside, "") in ("", "[cut]")

    async def test_who_sends_a_head_drop_by_drop_is_hung_up_on(self, inside, door, monkeypatch):
        monkeypatch.setattr(relay_connection, "HEAD_WITHIN", 0.5)
        code = WIRE.replace("wire.sendall(piece", "__import__('time').sleep(0.1); wire.sendall(piece")
        function = inside.function(code, seconds=30)

        (got,) = await inside.value(function, [["ACTAS_ENDPOINT", [*POST, *("X" * 100)]]])

        assert got in ("", "[cut]")
        assert door.heard == []

    async def test_an_idle_connection_is_closed(self, inside, monkeypatch):
        monkeypatch.setattr(relay_connection, "IDLE", 0.2)

        got = await said(inside, f"{POST}Content-Length: 1\r\n\r\na")

        assert got.startswith("HTTP/1.1 200 ")
        assert not got.endswith("[still open]")

    async def test_who_does_not_read_is_hung_up_on(self, inside, door, monkeypatch):
        monkeypatch.setattr(relay_connection, "STALLED", 0.3)
        code = r"""
import os, socket, time
def handler(event, context):
    host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.5)
        got = 0
        try:
            while piece := wire.recv(1 << 20):
                got += len(piece)
        except ConnectionError:
            pass
        return got
"""

        assert await inside.value(inside.function(code, seconds=30)) < 50_000_000

    async def test_who_opens_and_drops_connections_without_end_is_ended(self, inside, monkeypatch):
        monkeypatch.setattr(process, "_MOST_NONSENSE", 100)
        code = r"""
import os, socket, struct
def handler(event, context):
    host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
    while True:
        with socket.create_connection((host, int(port)), timeout=20) as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""

        error = await inside.error(inside.function(code, seconds=60))

        assert error["errorType"] == "Runtime.ExitError"

    async def test_a_process_that_ends_leaves_no_connection_and_no_listener(self, inside, door):
        code = r"""
import os, socket
held = []
def handler(event, context):
    host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
    held.append(socket.create_connection((host, int(port))))
    held[-1].sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
    os._exit(3)
"""
        function = inside.function(code)
        await inside.error(function)
        with anyio.fail_after(20):
            while len(inside.shared.pool):  # noqa: ASYNC110 - its end is another process's
                await anyio.sleep(0.01)
        door.go_on.set()

        await inside.shared.close()

        assert not inside.shared.doors._tasks

    async def test_what_is_being_answered_when_the_gateway_ends_is_given_up(self, inside, door):
        code = r"""
import os, socket
held = []
def handler(event, context):
    host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
    held.append(socket.create_connection((host, int(port))))
    held[-1].sendall(b"GET /gone HTTP/1.1\r\nHost: x\r\n\r\n")
    held[-1].recv(1)
"""
        await inside.value(inside.function(code))
        assert len(inside.shared.doors._tasks) == 1
        with anyio.fail_after(20):
            await inside.shared.close()

        assert not inside.shared.doors._tasks


async def test_a_connection_that_is_kept_open_serves_the_next_call(inside, door):
    """The process is stopped in between, and its connection with it."""
    code = r"""
import http.client, os
wire = http.client.HTTPConnection(os.environ["ACTAS_ENDPOINT"].removeprefix("http://"), timeout=20)
def handler(event, context):
    wire.request("POST", "/a", b"hi")
    return wire.getresponse().read().decode()
"""
    function = inside.function(code)

    assert [await inside.value(function) for _ in range(3)] == ["hi", "hi", "hi"]

    ports = {one["server"] for one in door.heard}
    (one,) = inside.shared.pool._all
    assert one.relay.connections == len(ports) == 1
    assert len({of(one).root for one in door.heard}) == 3


async def test_an_answer_that_comes_while_the_process_is_stopped_waits_or_is_given_up(inside, door, monkeypatch):
    """The function leaves a request behind and answers; nobody reads what comes for it until its next call."""
    monkeypatch.setattr(relay_connection, "STALLED", 0.3)
    code = r"""
import os, socket, threading
host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
left = socket.create_connection((host, int(port)))

def handler(event, context):
    if event == "leave":
        left.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        return left.recv(12).decode()
    got = 0
    try:
        while piece := left.recv(1 << 20):
            got += len(piece)
    except ConnectionError:
        pass
    return got
"""
    function = inside.function(code)

    assert await inside.value(function, "leave") == "HTTP/1.1 200"
    with anyio.fail_after(20):
        while inside.shared.doors._tasks:  # noqa: ASYNC110 - until it is given up
            await anyio.sleep(0.01)

    (one,) = inside.shared.pool._all
    assert one.relay.connections == 0
    assert 0 < await inside.value(function, "read") < 50_000_000


async def test_what_a_door_did_not_foresee_is_logged_without_what_it_says(bench, caplog):
    async def broken(_scope, _receive, _send):
        raise ValueError("what the caller sent")

    bench.open().doors.public = broken

    got = await said(bench, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n")

    assert got in ("", "[cut]")
    assert "ValueError" in caplog.text
    assert "what the caller sent" not in caplog.text


async def test_no_credentials_come_with_the_way_out(inside, door):
    function = inside.function(CALLER)

    await inside.call(function, [["ACTAS_ENDPOINT", "POST", "/a", "1"]], session=False)

    assert {name for name, _ in door.heard[0]["headers"]}.isdisjoint({b"authorization", b"cookie", b"actas-caller"})
