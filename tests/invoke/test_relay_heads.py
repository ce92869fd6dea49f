"""How a function's requests are read: whatever way their octets arrive, once, whole, and in one way."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.invoke.local.relay_heads import LARGEST_HEAD, Body, Unreadable, is_field, read_head

HEAD = b"POST /a%20b/c?d=%20e HTTP/1.1\r\nHost: x\r\n"


def test_a_head_is_taken_apart():
    head = read_head(HEAD + b"X-A:\t1 \r\nx-a: 2\r\nX-Empty:\r\nContent-Length: 12\r\nExpect: 100-Continue")

    assert (head.method, head.raw_path, head.path, head.query) == ("POST", b"/a%20b/c", "/a b/c", b"d=%20e")
    assert head.headers[1:4] == [(b"x-a", b"1"), (b"x-a", b"2"), (b"x-empty", b"")]
    assert (head.length, head.keeps_alive, head.waits_for_word) == (12, True, True)


LENGTHS = [
    ("no length is no body", b"", 0),
    ("nothing", b"Content-Length: 0", 0),
    ("zeros in front are a number's", b"Content-Length: 007", 7),
    ("chunks", b"Transfer-Encoding: chunked", None),
    ("chunks in capitals", b"Transfer-Encoding: CHUNKED", None),
]


@pytest.mark.parametrize(("field", "length"), [one[1:] for one in LENGTHS], ids=[one[0] for one in LENGTHS])
def test_how_long_a_body_is(field, length):
    assert read_head((HEAD + field).removesuffix(b"\r\n")).length == length


@pytest.mark.parametrize("value", [b"close", b"Close", b"keep-alive, close"])
def test_a_client_that_says_so_wants_one_answer_only(value):
    assert not read_head(HEAD + b"Connection: " + value).keeps_alive
    assert read_head(HEAD + b"Connection: keep-alive").keeps_alive


REFUSED = [
    ("nothing at all", b""),
    ("no version", b"GET /\r\nHost: x"),
    ("a blank too many", b"GET  / HTTP/1.1\r\nHost: x"),
    ("a fragment", b"GET /#a HTTP/1.1\r\nHost: x"),
    ("a target of another octet", b"GET /\xe4 HTTP/1.1\r\nHost: x"),
    ("the whole server", b"OPTIONS * HTTP/1.1\r\nHost: x"),
    ("a field without a name", HEAD + b": 1"),
    ("a field without a colon", HEAD + b"X-A"),
    ("a bare line break", HEAD + b"X-A: 1\nX-B: 2"),
    ("a bare return", HEAD + b"X-A: 1\rX-B: 2"),
    ("an empty line in it", b"GET / HTTP/1.1\r\n\r\nHost: x"),
    ("a length with a sign", HEAD + b"Content-Length: -1"),
    ("two lengths in one field", HEAD + b"Content-Length: 1, 1"),
    ("an empty length", HEAD + b"Content-Length:"),
    ("an empty coding", HEAD + b"Transfer-Encoding:"),
    ("a coding twice", HEAD + b"Transfer-Encoding: chunked, chunked"),
]


@pytest.mark.parametrize("octets", [one[1] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_is_no_head_is_refused(octets):
    with pytest.raises(Unreadable):
        read_head(octets)


@pytest.mark.parametrize("filling", [b" ", b"\t", b"a ", b"a", b": "], ids=repr)
def test_a_head_that_is_refused_at_its_very_end_takes_no_longer_than_one_that_is_read(filling):
    """A reader that tries every split of the blanks again would be here for minutes, and the gateway with it."""
    octets = HEAD + b"X-A:" + filling * (LARGEST_HEAD // len(filling))

    assert read_head(octets).headers[-1][0] == b"x-a"
    with pytest.raises(Unreadable):
        read_head(octets + b"\0")


@given(st.binary(max_size=200))
def test_whatever_octets_come_they_are_read_or_refused(octets):
    for text in (octets, HEAD + octets):
        try:
            head = read_head(text)
        except Unreadable:
            continue
        assert head.raw_path.startswith(b"/")
        assert all(is_field(name, value) for name, value in head.headers)
        assert b"\r" not in head.raw_path + head.query


def cut(octets, cuts):
    places = sorted({min(place, len(octets)) for place in cuts})
    return [octets[start:end] for start, end in zip([0, *places], [*places, len(octets)], strict=True)]


def read(body, pieces):
    buffer, found = bytearray(), b""
    for piece in pieces:
        buffer += piece
        found += body.feed(buffer)
    return found, bytes(buffer)


CUTS = st.lists(st.integers(0, 400), max_size=12)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=6), CUTS, st.binary(max_size=10))
def test_chunks_are_put_together_however_they_arrive(chunks, cuts, behind):
    octets = b"".join(b"%X\r\n%b\r\n" % (len(one), one) for one in chunks) + b"0\r\n\r\n"
    body = Body(None)

    found, left = read(body, cut(octets + behind, cuts))

    assert (found, left, body.is_whole) == (b"".join(chunks), behind, True)


@given(st.binary(max_size=100), CUTS, st.binary(max_size=10))
def test_a_body_ends_where_it_said_it_would(content, cuts, behind):
    body = Body(len(content))

    found, left = read(body, cut(content + behind, cuts))

    assert (found, left, body.is_whole) == (content, behind, True)


@given(st.binary(max_size=60), CUTS)
def test_whatever_chunks_come_they_are_read_or_refused_and_little_is_held(octets, cuts):
    body, buffer = Body(None), bytearray()
    try:
        for piece in cut(octets, cuts):
            buffer += piece
            body.feed(buffer)
            assert body.is_whole or len(buffer) < 16
    except Unreadable:
        return


def test_a_body_has_so_many_chunks_and_no_more():
    most = b"1\r\na\r\n" * 9_999
    body = Body(None)

    assert body.feed(bytearray(most + b"0\r\n\r\n")) == b"a" * 9_999
    assert body.is_whole
    with pytest.raises(Unreadable):
        Body(None).feed(bytearray(most + b"1\r\na\r\n0\r\n\r\n"))


BROKEN = [
    ("no size", b"\r\n\r\n"),
    ("a size that is none", b"g\r\n"),
    ("a size without end", b"0" * 12),
    ("an extension", b"1;a\r\nb\r\n"),
    ("nothing behind a chunk", b"1\r\nab\r\n"),
    ("a field behind the last", b"0\r\nA: b\r\n\r\n"),
    ("line breaks of one octet", b"1\na\n0\n\n" * 2),
]


@pytest.mark.parametrize("octets", [one[1] for one in BROKEN], ids=[one[0] for one in BROKEN])
def test_broken_chunks_are_refused(octets):
    with pytest.raises(Unreadable):
        read(Body(None), [octets])


FIELDS = [
    ("a field", b"x-a", b"1", True),
    ("an empty value", b"x-a", b"", True),
    ("octets beyond ASCII", b"x-a", b"\xe4", True),
    ("a line break in the value", b"x-a", b"1\r\nx-b: 2", False),
    ("a bare line feed", b"x-a", b"1\n2", False),
    ("a line break in the name", b"x-a\r\nx-b", b"1", False),
    ("a colon in the name", b"x-a: x", b"1", False),
    ("a zero octet", b"x-a", b"\0", False),
    ("no name", b"", b"1", False),
]


@pytest.mark.parametrize(("name", "value", "is_one"), [one[1:] for one in FIELDS], ids=[one[0] for one in FIELDS])
def test_what_can_stand_in_an_answers_head(name, value, is_one):
    assert is_field(name, value) is is_one


LINES = st.sampled_from(
    (
        b"GET / HTTP/1.1",
        b"POST /a?b HTTP/1.1",
        b"Host: x",
        b"host: y",
        b"Content-Length: 3",
        b"Content-Length: 03",
        b"content-length:3 ",
        b"Content-Length: 3, 3",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding:\x0bchunked",
        b"Connection: close",
        b" folded: yes",
        b"X-A: \xe4\tb",
        b"X-A : b",
        b"X-A: b\rX-B: c",
        b"X-A: b\nContent-Length: 5",
        b"X-A:",
    )
)


@given(st.lists(LINES, min_size=1, max_size=6), st.binary(max_size=3))
def test_what_we_accept_another_reader_reads_alike(lines, noise):
    octets = b"\r\n".join(lines) + noise
    try:
        head = read_head(octets)
    except Unreadable:
        return
    other = h11.Connection(h11.SERVER)
    other.receive_data(octets + b"\r\n\r\n")

    found = other.next_event()

    assert isinstance(found, h11.Request)
    target = head.raw_path + (b"?" + head.query if head.query else b"")
    assert (found.method.decode(), found.target.removesuffix(b"?")) == (head.method, target)
    seen = [(name, value.lower()) for name, value in found.headers]
    assert [name for name, _ in seen] == [name for name, _ in head.headers]
    lengths = [int(value) for name, value in seen if name == b"content-length"]
    assert lengths == ([head.length] if any(name == b"content-length" for name, _ in head.headers) else [])
    assert (head.length is None) == ((b"transfer-encoding", b"chunked") in seen)
