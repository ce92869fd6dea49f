"""Event streams as AWS writes them: botocore's reader and ours agree, however the octets are cut."""

import contextlib
import struct
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from actas.invoke.event_stream import LARGEST, NotAStream, Reader

# One PayloadChunk and one InvokeComplete, octet by octet as the format's specification lays them out.
EVENT = ((":message-type", "event"), (":event-type", "PayloadChunk"), (":content-type", "application/octet-stream"))


def header(name, value, kind=7):
    key = name.encode()
    text = value.encode() if isinstance(value, str) else value
    size = struct.pack(">H", len(text)) if kind in (6, 7) else b""
    return bytes((len(key),)) + key + bytes((kind,)) + size + text


def message(payload=b"hello", headers=EVENT, *, raw=None):
    head = raw if raw is not None else b"".join(header(name, value) for name, value in headers)
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return body + struct.pack(">I", crc32(body))


def read(*pieces):
    reader = Reader()
    return [one for piece in pieces for one in reader.feed(piece)]


def test_a_message_is_its_headers_and_its_payload():
    (found,) = read(message(b"\x00\xff"))

    assert (found.headers, found.payload) == (dict(EVENT), b"\x00\xff")


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.lists(st.integers(1, 50), max_size=12))
def test_it_reads_what_botocore_reads_however_it_is_cut(payloads, cuts):
    octets = b"".join(message(payload) for payload in payloads)
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(octets[at : at + cut])
        at += cut
    pieces.append(octets[at:])
    theirs = EventStreamBuffer()
    theirs.add_data(octets)

    assert [(one.headers, one.payload) for one in read(*pieces)] == [(one.headers, one.payload) for one in theirs]


VALUES = [(0, b""), (1, b""), (2, b"\1"), (3, b"\0\1"), (4, b"\0" * 4), (5, b"\0" * 8), (6, b"xyz"), (8, b"\0" * 8),
          (9, b"\0" * 16)]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_header_of_another_type_is_stepped_over(kind, value):
    (found,) = read(message(raw=header("odd", value, kind) + header(":event-type", "PayloadChunk")))

    assert found.headers == {"odd": "", ":event-type": "PayloadChunk"}


WHOLE = message()
WRONG = [
    ("one octet of the lengths changed", bytes((WHOLE[0] ^ 1,)) + WHOLE[1:]),
    ("one octet of the payload changed", WHOLE[:-5] + bytes((WHOLE[-5] ^ 1,)) + WHOLE[-4:]),
    ("one octet of the last checksum changed", WHOLE[:-1] + bytes((WHOLE[-1] ^ 1,))),
    ("a header of a type that is none", message(raw=header("odd", b"", 10))),
    ("a header longer than the headers", message(raw=b"\xff:a")),
    ("a value longer than the headers", message(raw=b"\x01a\x07\xff\xff")),
    ("a header twice", message(headers=(*EVENT, EVENT[0]))),
    ("a name that is no text", message(raw=header("a", "b").replace(b"a", b"\xff", 1))),
    ("no stream", b"HTTP/1.1 200 OK\r\n\r\n"),
]


@pytest.mark.parametrize("octets", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_no_stream_is_refused_by_name(octets):
    with pytest.raises(NotAStream):
        read(octets)


def prelude(size, head):
    start = struct.pack(">II", size, head)
    return start + struct.pack(">I", crc32(start))


LENGTHS = [(15, 0, False), (16, 0, True), (LARGEST, 0, True), (LARGEST + 1, 0, False), (20, 4, True), (20, 5, False)]


@pytest.mark.parametrize(("size", "head", "holds"), LENGTHS)
def test_a_length_is_one_that_a_message_can_have(size, head, holds):
    if holds:
        assert read(prelude(size, head)) == []
    else:
        with pytest.raises(NotAStream, match="length"):
            read(prelude(size, head))


@given(st.binary(max_size=64))
def test_whatever_comes_only_that_error_goes_out(octets):
    with contextlib.suppress(NotAStream):
        read(octets)


def test_a_stream_that_ends_says_where():
    reader = Reader()
    list(reader.feed(WHOLE[:-1]))
    with pytest.raises(NotAStream, match="within a message"):
        reader.end()
    list(reader.feed(WHOLE[-1:]))
    with pytest.raises(NotAStream, match="before it says so"):
        reader.end()
