"""A request's head, read strictly: tables, and whatever there is."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.http import heads
from actas.http.errors import HeadTooLarge, HttpError, MalformedAuthorization, MalformedRequest, TargetTooLong
from actas.settings.schema import Limits
from actas.settings.values import Size

HOST = (b"host", b"gateway.example")
TRACE = "0af7651916cd43dd8448eb211c80319c"


def scope(*headers, path=b"/", query=b"", host=HOST, version="1.1"):
    found = [host, *headers] if host else list(headers)
    return {
        "raw_path": path,
        "query_string": query,
        "headers": found,
        "http_version": version,
        "server": ("a.example", 1),
    }


def read(*headers, **more):
    return heads.read_head(scope(*headers, **more), Limits())


HOSTS = [
    ("a name", b"gateway.example", True),
    ("a name and a port", b"gateway.example:8700", True),
    ("an IPv4 address", b"192.0.2.7:8700", True),
    ("an IPv6 address", b"[2001:db8::7]:8700", True),
    ("nothing", b"", False),
    ("two names", b"a.example,b.example", False),
    ("a space", b"a.example b.example", False),
    ("a slash", b"a.example/x", False),
    ("user information", b"ana@a.example", False),
    ("a port of letters", b"a.example:x", False),
    ("two ports", b"a.example:1:2", False),
    ("an address without its bracket", b"[2001:db8::7", False),
    ("a line break", b"a.example\n", False),
    ("other than ASCII", "é.example".encode(), False),
]


@pytest.mark.parametrize(("host", "taken"), [one[1:] for one in HOSTS], ids=[one[0] for one in HOSTS])
def test_a_host_is_one_plain_host(host, taken):
    if taken:
        assert read(host=(b"host", host)) == heads.Head()
    else:
        with pytest.raises(MalformedRequest, match="no single plain host"):
            read(host=(b"host", host))


def test_a_request_of_http_2_has_its_host_elsewhere():
    assert read(host=None, version="2") == heads.Head()
    with pytest.raises(MalformedRequest):
        read(host=None)


AUTHORIZATIONS = [
    ("a bearer token", b"Bearer abc.def-_~+/==", "abc.def-_~+/=="),
    ("in small letters", b"bearer abc", "abc"),
    ("in capitals", b"BEARER abc", "abc"),
    ("after two spaces, which RFC 9110 allows", b"Bearer  abc", "abc"),
    ("basic", b"Basic YW5hOnB3", None),
    ("negotiate, alone", b"Negotiate", None),
    ("a scheme that begins like ours", b"Bearerish abc", None),
    ("a digest with parameters", b'Digest username="ana", realm="x"', None),
    ("AWS's signature", b"AWS4-HMAC-SHA256 Credential=x/y, Signature=z", None),
    ("DPoP", b"DPoP abc", None),
    ("no token", b"Bearer", MalformedAuthorization),
    ("an empty token", b"Bearer ", MalformedAuthorization),
    ("two tokens", b"Bearer abc def", MalformedAuthorization),
    ("a tab", b"Bearer\tabc", MalformedAuthorization),
    ("a comma", b"Bearer abc, Bearer def", MalformedAuthorization),
    ("padding in the middle", b"Bearer ab=c", MalformedAuthorization),
    ("quotes", b'Bearer "abc"', MalformedAuthorization),
    ("a line break at the end", b"Bearer abc\n", MalformedAuthorization),
    ("other than ASCII", b"Bearer ab\xc3\xa9", MalformedAuthorization),
    ("nothing", b"", MalformedAuthorization),
    ("a NUL", b"Basic \x00", MalformedAuthorization),
]


@pytest.mark.parametrize(
    ("shown", "wanted"), [one[1:] for one in AUTHORIZATIONS], ids=[one[0] for one in AUTHORIZATIONS]
)
def test_an_authorization_is_a_bearer_token_or_of_another_scheme_or_malformed(shown, wanted):
    head = read((b"authorization", shown))

    if wanted is MalformedAuthorization:
        with pytest.raises(MalformedAuthorization):
            heads.bearer(head)
    elif wanted is None:
        assert heads.bearer(head) is None
    else:
        assert heads.bearer(head).reveal() == wanted


def test_no_authorization_is_no_token():
    assert heads.bearer(read()) is None


@pytest.mark.parametrize("query", [b"access_token=abc", b"a=b&access_token="])
def test_a_token_in_two_places_is_refused(query):
    head = read((b"authorization", b"Bearer abc"))

    with pytest.raises(MalformedAuthorization, match="two places"):
        heads.bearer(head, query)
    assert heads.bearer(head, b"my_access_token=abc").reveal() == "abc"
    assert heads.bearer(read(), query) is None


SINGLE = [
    b"host",
    b"content-length",
    b"content-type",
    b"transfer-encoding",
    b"actas-role",
    b"traceparent",
    b"authorization",
]


@pytest.mark.parametrize("name", SINGLE)
def test_what_is_read_stands_once(name):
    value = {b"content-length": b"1", b"host": b"a.example"}.get(name, b"x")
    host = None if name == b"host" else HOST

    assert read((name, value), host=host)
    with pytest.raises(MalformedRequest, match=f"two {name.decode()} fields"):
        read((name, value), (b"x-between", b"y"), (name, value), host=host)


def test_what_is_not_read_may_stand_twice():
    assert read((b"accept", b"a/b"), (b"accept", b"c/d")) == heads.Head()


LENGTHS = [
    (b"0", 0),
    (b"12", 12),
    (b"007", 7),
    (b"9" * 15, 10**15 - 1),
    *((one, None) for one in (b"", b"-1", b"+1", b"1 ", b"0x1", b"1,1", b"9" * 16, b"1\n", b"\xd9\xa1")),
]


@pytest.mark.parametrize(("said", "length"), LENGTHS)
def test_a_length_is_a_number(said, length):
    if length is None:
        with pytest.raises(MalformedRequest):
            read((b"content-length", said))
    else:
        assert read((b"content-length", said)).content_length == length


def test_a_length_beside_a_transfer_coding_is_refused_where_the_server_shows_both():
    with pytest.raises(MalformedRequest, match="beside"):
        read((b"content-length", b"1"), (b"transfer-encoding", b"chunked"))
    assert read((b"transfer-encoding", b"chunked")).content_length is None


TRACES = [
    ("as the standard writes it", f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
    ("of a later version", f"01-{TRACE}-b7ad6b7169203331-01", TRACE),
    ("of a later version with more parts", f"01-{TRACE}-b7ad6b7169203331-01-more", TRACE),
    ("with more parts than its version has", f"00-{TRACE}-b7ad6b7169203331-01-more", None),
    ("of a later version with more, not apart", f"01-{TRACE}-b7ad6b7169203331-01more", None),
    ("of no version", f"ff-{TRACE}-b7ad6b7169203331-01", None),
    ("of zeros", f"00-{'0' * 32}-b7ad6b7169203331-01", None),
    ("of a parent of zeros", f"00-{TRACE}-{'0' * 16}-01", None),
    ("in capitals", f"00-{TRACE.upper()}-b7ad6b7169203331-01", None),
    ("a digit short", f"00-{TRACE[:-1]}-b7ad6b7169203331-01", None),
    ("with a line break", f"00-{TRACE}-b7ad6b7169203331-01\n", None),
    ("empty", "", None),
]


@pytest.mark.parametrize(("said", "trace"), [one[1:] for one in TRACES], ids=[one[0] for one in TRACES])
def test_a_trace_parent_that_says_nothing_harms_nobody(said, trace):
    assert read((b"traceparent", said.encode())).trace == trace


def test_a_limit_is_the_last_that_may_be():
    limits = Limits(header_count=3, headers=Size(40), target=Size(10))
    used = sum(map(len, HOST)) + 1

    assert heads.read_head(scope((b"a", b"b" * (40 - used)), path=b"/12345", query=b"6789"), limits)
    with pytest.raises(HeadTooLarge, match="40 bytes"):
        heads.read_head(scope((b"a", b"b" * (41 - used))), limits)
    with pytest.raises(TargetTooLong):
        heads.read_head(scope(path=b"/12345", query=b"67890"), limits)
    assert heads.read_head(scope((b"a", b""), (b"b", b"")), limits)
    with pytest.raises(HeadTooLarge, match="3 header fields"):
        heads.read_head(scope((b"a", b""), (b"b", b""), (b"c", b"")), limits)


NAMES = st.sampled_from([*SINGLE, b"x", b"accept"])
VALUES = st.one_of(
    st.binary(max_size=60),
    st.text(string.printable, max_size=60).map(str.encode),
    st.sampled_from([b"a.example", b"Bearer abc", b"12", b"chunked", f"00-{TRACE}-b7ad6b7169203331-01".encode()]),
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.binary(max_size=30), st.binary(max_size=30))
def test_whatever_comes_is_read_or_refused_and_never_repeated(headers, path, query):
    try:
        head = heads.read_head({**scope(path=path, query=query), "headers": headers}, Limits())
        shown = heads.bearer(head, query)
    except HttpError as refused:
        said = str(refused)
    else:
        said = f"{shown}"
        assert [name for name, _ in headers].count(b"host") == 1

    assert all(value.decode("latin-1") not in said for _, value in headers if len(value) > 24)
