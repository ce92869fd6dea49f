"""The runtime API against peers that a hostile function could be; over real sockets."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.invoke.local.runtime_api import LARGEST_ANSWER, Connection

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


def post(path, body, *headers):
    head = b"".join(b"\r\n" + header for header in headers)
    return b"POST /2018-06-01/runtime/" + path + b" HTTP/1.1\r\nHost: x" + head + b"\r\n\r\n" + body


def sized(path, body):
    return post(path, body, b"Content-Length: %d" % len(body))


class Heard:
    """A process that only listens: whatever a connection tells is noted."""

    def __init__(self, most=4):
        self.said, self.connections, self.most = [], [], most

    def asked_next(self, connection):
        self.said.append("next")

    def answered(self, call, body, headers):
        self.said.append(("answered", call, body, headers.get("lambda-runtime-function-error-type")))
        return 202

    def failed(self, call, body):
        self.said.append(("failed", call, body))
        return 202

    def failed_to_start(self, body):
        self.said.append(("failed to start", body))
        return 202

    def answered_too_much(self):
        self.said.append("too much")

    def admits(self, connection):
        self.connections.append(connection)
        return len(self.connections) <= self.most

    def may_be_large(self, connection):
        return connection is self.connections[0]

    def misbehaved(self):
        self.said.append("nonsense")

    def lost(self, connection):
        self.said.append("lost")


async def talk(heard, *pieces, pause=0.0):
    """Send the pieces one by one; give what came back until the other side hangs up or is silent."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(heard), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        back = b""
        while True:
            try:
                piece = await asyncio.wait_for(reader.read(65536), 0.15)
            except TimeoutError:
                break
            if not piece:
                back += b"<closed>"
                break
            back += piece
        writer.close()
    return back


def status(back):
    return back.split(b" ")[1] if back.startswith(b"HTTP/1.1 ") else back


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        (NEXT, "next"),
        (sized(b"invocation/abc/response", b'{"a":1}'), ("answered", "abc", b'{"a":1}', None)),
        (sized(b"invocation/abc/error", b"{}"), ("failed", "abc", b"{}")),
        (sized(b"init/error", b"{}"), ("failed to start", b"{}")),
        (
            post(b"invocation/abc/response", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
            ("answered", "abc", b"abcde", None),
        ),
        (
            post(
                b"invocation/abc/response",
                b"2\r\n[1\r\n0\r\nLambda-Runtime-Function-Error-Type: X\r\n\r\n",
                b"Transfer-Encoding: chunked",
            ),
            ("answered", "abc", b"[1", "X"),
        ),
    ],
    ids=["next", "response", "error", "init error", "chunks", "a stream that failed"],
)
@pytest.mark.parametrize("cut", [1, 7, 10**6], ids=["byte by byte", "by sevens", "at once"])
async def test_each_request_is_heard_however_it_is_cut(sent, heard, cut):
    listening = Heard()

    await talk(listening, *(sent[at : at + cut] for at in range(0, len(sent), cut)))

    assert listening.said[0] == heard


@pytest.mark.anyio
async def test_two_requests_in_one_piece_are_two():
    listening = Heard()

    await talk(listening, sized(b"invocation/a/response", b"1") + NEXT)

    assert listening.said[:2] == [("answered", "a", b"1", None), "next"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /2018-06-01/runtime/invocation/next HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"GET /2018-06-01/runtime/../../x HTTP/1.1\r\n\r\n", b"400"),
        (b"hello\r\n\r\n", b"400"),
        (b"GET / HTTP/1.0\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (post(b"init/error", b"", b"Content-Length: -1"), b"400"),
        (post(b"init/error", b"", b"Content-Length: +1"), b"400"),
        (post(b"init/error", b"", b"Content-Length: " + b"1" * 40), b"400"),
        (post(b"init/error", b"x", b"Content-Length: 1", b"Content-Length: 1"), b"400"),
        (post(b"init/error", b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding: chunked"), b"400"),
        (post(b"init/error", b"0\r\n\r\n", b"Transfer-Encoding: gzip"), b"400"),
        (post(b"init/error", b"zz\r\n\r\n\r\n", b"Transfer-Encoding: chunked"), b"400"),
        (post(b"init/error", b"-1\r\n\r\n\r\n", b"Transfer-Encoding: chunked"), b"400"),
        (post(b"invocation/a/response", b"", b"Content-Length: %d" % (LARGEST_ANSWER + 1)), b"413"),
    ],
    ids=range(15),
)
async def test_what_is_out_of_order_is_refused(sent, answer):
    listening = Heard()

    back = await talk(listening, sent)

    assert status(back) == answer
    assert [said for said in listening.said if said not in {"lost", "too much", "nonsense"}] == []
    assert {"too much", "nonsense"} & set(listening.said)


@pytest.mark.anyio
async def test_a_head_without_end_is_cut_off():
    listening = Heard()

    try:
        back = await talk(listening, *([b"x" * 65536] * 40))
    except ConnectionError:
        back = b"400"

    assert b"400" in back
    assert "nonsense" in listening.said


@pytest.mark.anyio
async def test_more_connections_than_allowed_are_hung_up_on():
    listening = Heard(most=0)

    try:
        back = await talk(listening, NEXT)
    except ConnectionError:
        back = b"<closed>"

    assert back == b"<closed>"
    assert "next" not in listening.said


def parse(*pieces):
    """Feed pieces to a connection without a socket."""
    listening, written = Heard(), []

    class Wire(asyncio.Transport):
        def write(self, data):
            written.append(bytes(data))

        def abort(self):
            connection.connection_lost(None)

        close = abort

    connection = Connection(listening)
    connection.connection_made(Wire())
    for piece in pieces:
        connection.data_received(piece)
    return listening.said


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([NEXT, b"\r\n", b"\r\n\r\n", b"Content-Length: 3"]), max_size=8)
)
def test_whatever_comes_nothing_breaks(pieces):
    parse(*pieces)


@given(st.binary(max_size=300), st.integers(1, 9), st.data())
def test_a_chunked_body_is_the_bytes_that_were_cut(body, size, data):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    whole = post(b"invocation/a/response", framed, b"Transfer-Encoding: chunked")
    at = data.draw(st.integers(0, len(whole)))

    assert parse(whole[:at], whole[at:])[0] == ("answered", "a", body, None)


def test_chunks_without_end_are_too_much():
    said = parse(post(b"invocation/a/response", b"1\r\nx\r\n" * 100_001, b"Transfer-Encoding: chunked"))

    assert said[0] == "too much"


class Deaf(asyncio.Transport):
    """A transport that takes what it is given, and closes when it likes."""

    def write(self, data):
        pass

    def close(self):
        pass


@pytest.mark.parametrize("after", [b"3\r\nx", b"zz\r\n"], ids=["a chunk that is not whole", "what is no chunk"])
def test_the_bytes_of_a_chunk_are_held_once_also_where_what_follows_is_refused(after):
    connection = Connection(Heard())
    connection.connection_made(Deaf())
    sent = post(b"invocation/a/response", b"5\r\nabcde\r\n" + after, b"Transfer-Encoding: chunked")

    connection.data_received(sent)

    assert connection.held == 5 + len(after)
