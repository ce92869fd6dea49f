"""Feed anything at all to the way out of a sandbox: what gets to a door is one request, read as `h11` reads it.

    python fuzz/fuzz_relay.py -max_total_time=180 [CORPUS]

A function is the peer and may send what it likes. Without a corpus folder, one good request of each kind is the seed;
the first byte says where the input is cut in two.
"""

import sys
import tempfile
from pathlib import Path

import atheris
import h11

with atheris.instrument_imports(include=["actas"]):
    from actas.invoke.local.relay_heads import Body, Head, Unreadable, is_field, read_head

LARGEST_HELD = 16
"""Bytes of framing that may wait for the rest of their line."""


def request(octets: bytes, cut: int) -> tuple[Head, bytes, bool] | None:
    """Read one request that comes in two pieces, as a connection does; None where its head is not there yet."""
    buffer = bytearray(octets)
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = read_head(bytes(buffer[:end]))
    rest, buffer = bytes(buffer[end + 4 :]), bytearray()
    body, found = Body(head.length), b""
    for piece in (rest[:cut], rest[cut:]):
        buffer += piece
        found += body.feed(buffer)
        if not body.is_whole and len(buffer) > LARGEST_HELD:
            raise AssertionError(len(buffer))
    return head, found, body.is_whole


def compare(octets: bytes, head: Head, found: bytes, *, is_whole: bool) -> None:
    """Have another reader read the same, and see that it comes to the same."""
    other = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    other.receive_data(octets)
    event = other.next_event()
    if not isinstance(event, h11.Request) or event.method.decode() != head.method:
        raise AssertionError(event)
    if [name for name, _ in event.headers] != [name for name, _ in head.headers]:
        raise AssertionError(event.headers)
    read, ended = b"", False
    while isinstance(event := other.next_event(), h11.Data):
        read += bytes(event.data)
    ended = isinstance(event, h11.EndOfMessage)
    if (read, ended) != (found, is_whole):
        raise AssertionError((read, ended, found, is_whole))


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name that libFuzzer calls
    """Read *data* as a function's request."""
    cut, octets = data[:1], data[1:]
    try:
        read = request(octets, cut[0] if cut else 0)
    except Unreadable:
        return
    if read is not None:
        head, found, is_whole = read
        if not all(is_field(name, value) for name, value in head.headers):
            raise AssertionError(head.headers)
        compare(octets, head, found, is_whole=is_whole)


def seeds() -> list[bytes]:
    """Make one good request of each kind."""
    host = b"Host: 127.0.0.1:9002\r\n"
    return [
        b"\x00GET / HTTP/1.1\r\n" + host + b"\r\n",
        b"\x01POST /call/other?x=%20 HTTP/1.1\r\n" + host + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"\x04POST /a HTTP/1.1\r\n"
        + host
        + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        b"\x00PUT /a HTTP/1.1\r\n" + host + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        b"\x00POST /a HTTP/1.1\r\n" + host + b"Content-Length: 1\r\n\r\n!POST /b HTTP/1.1\r\n" + host + b"\r\n",
    ]


def main() -> None:
    """Run with libFuzzer's own arguments."""
    arguments = sys.argv
    if all(one.startswith("-") for one in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="fuzz-relay-"))
        for number, seed in enumerate(seeds()):
            (folder / str(number)).write_bytes(seed)
        arguments = [*arguments, str(folder)]
    atheris.Setup(arguments, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
