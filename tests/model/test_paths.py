"""One path, one reading: each trap of a gateway's path is refused, its harmless neighbour is taken."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.model.paths import MAX_PATH, MAX_SEGMENTS, PathRefused, canonical_path

REFUSED = [
    ("an encoded slash", b"/a%2Fb", "encoded-slash"),
    ("an encoded slash in lower case", b"/a%2fb", "encoded-slash"),
    ("an encoded backslash", b"/a%5Cb", "backslash"),
    ("a backslash as it is", b"/a\\b", "backslash"),
    ("a backslash and dots", b"/a/..\\b", "backslash"),
    ("an encoded NUL", b"/a%00", "control-character"),
    ("a NUL as it is", b"/a\x00", "control-character"),
    ("an encoded line break", b"/a%0d%0aX:1", "control-character"),
    ("an encoded delete", b"/a%7f", "control-character"),
    ("an encoded control of Latin-1", b"/a%c2%85", "control-character"),
    ("encoded dots", b"/%2e%2e/admin", "encoded-dot"),
    ("encoded dots in upper case", b"/%2E%2E/admin", "encoded-dot"),
    ("one encoded dot of two", b"/.%2e/admin", "encoded-dot"),
    ("an encoded dot in a name", b"/a%2etxt", "encoded-dot"),
    ("a double slash inside", b"/a//b", "empty-segment"),
    ("a double slash in front", b"//evil.example/a", "empty-segment"),
    ("a double slash at the end", b"/a//", "empty-segment"),
    ("two slashes alone", b"//", "empty-segment"),
    ("a double slash beside an escape", b"/%41//b", "empty-segment"),
    ("dots up", b"/a/../b", "dot-segment"),
    ("dots up at the end", b"/a/..", "dot-segment"),
    ("dots up in front of a slash at the end", b"/a/../", "dot-segment"),
    ("a dot that stays", b"/a/./b", "dot-segment"),
    ("a dot alone", b"/.", "dot-segment"),
    ("three dots", b"/a/...", "dot-segment"),
    ("dots and an encoded space", b"/a/..%20/b", "dot-segment"),
    ("a path parameter", b"/a;jsessionid=1/b", "path-parameter"),
    ("a path parameter behind dots", b"/a/..;/b", "path-parameter"),
    ("an encoded semicolon", b"/a%3Bx", "path-parameter"),
    ("bytes that are not UTF-8", b"/a%ff", "not-utf-8"),
    ("raw bytes that are not UTF-8", b"/a\xff", "not-utf-8"),
    ("an overlong slash", b"/a%c0%afb", "not-utf-8"),
    ("an overlong dot", b"/%c0%ae%c0%ae/b", "not-utf-8"),
    ("half a surrogate pair", b"/a%ed%a0%80", "not-utf-8"),
    ("a doubly encoded slash", b"/a%252Fb", "double-encoding"),
    ("a doubly encoded dot", b"/%252e%252e/b", "double-encoding"),
    ("a double encoding spelt out", b"/%25%32%66", "double-encoding"),
    ("the other server's escape, encoded", b"/%25u002f", "double-encoding"),
    ("the other server's escape", b"/%u002f", "bad-escape"),
    ("an escape cut short", b"/a%2", "bad-escape"),
    ("a per cent sign alone", b"/100%", "bad-escape"),
    ("an escape that is not hexadecimal", b"/%zz", "bad-escape"),
    ("an escape with a sign", b"/%+1", "bad-escape"),
    ("a question mark", b"/a?b", "malformed"),
    ("a fragment", b"/a#b", "malformed"),
    ("a space", b"/a b", "malformed"),
    ("nothing", b"", "not-absolute"),
    ("an asterisk", b"*", "not-absolute"),
    ("an absolute form", b"http://evil.example/a", "not-absolute"),
    ("a relative path", b"a/b", "not-absolute"),
    ("a byte too many", b"/" + b"a" * MAX_PATH, "too-long"),
    ("a segment too many", b"/a" * (MAX_SEGMENTS + 1), "too-deep"),
    ("a segment too many, encoded", b"/%41" * (MAX_SEGMENTS + 1), "too-deep"),
]


@pytest.mark.parametrize(("raw", "reason"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_a_path_that_two_servers_could_read_in_two_ways_is_refused(raw, reason):
    with pytest.raises(PathRefused) as refused:
        canonical_path(raw)

    assert refused.value.reason == reason
    assert refused.value.status == 400


TAKEN = [
    ("the root", b"/", "/", ()),
    ("a plain path", b"/orders/7", "/orders/7", ("orders", "7")),
    ("a slash at the end stays, and adds no segment", b"/orders/", "/orders/", ("orders",)),
    ("a slash at the end behind an escape", b"/%41/", "/A/", ("A",)),
    ("dots inside a name", b"/a.b/..c/d..", "/a.b/..c/d..", ("a.b", "..c", "d..")),
    ("an escape that needs none is written plainly", b"/%41%7e", "/A~", ("A~",)),
    ("a space once encoded", b"/a%20b", "/a%20b", ("a b",)),
    ("escapes are written in upper case", b"/caf%c3%a9", "/caf%C3%A9", ("café",)),
    ("raw UTF-8 is encoded", "/café".encode(), "/caf%C3%A9", ("café",)),
    ("a plus is never a space", b"/a+b", "/a%2Bb", ("a+b",)),
    ("an encoded plus is the same plus", b"/a%2Bb", "/a%2Bb", ("a+b",)),
    ("an encoded per cent sign alone", b"/100%25", "/100%25", ("100%",)),
    ("an encoded per cent sign in front of no hexadecimal", b"/100%25x", "/100%25x", ("100%x",)),
    ("an encoded question mark is data", b"/a%3Fb", "/a%3Fb", ("a?b",)),
    ("an encoded hash is data", b"/a%23b", "/a%23b", ("a#b",)),
    ("delimiters that a segment may hold", b"/a:b@c,d=e&f", "/a:b@c,d=e&f", ("a:b@c,d=e&f",)),
    ("an encoded at sign is written plainly", b"/a%40b", "/a@b", ("a@b",)),
    ("braces are encoded", b"/{id}", "/%7Bid%7D", ("{id}",)),
    ("as many bytes as are read", b"/" + b"a" * (MAX_PATH - 1), "/" + "a" * (MAX_PATH - 1), ("a" * (MAX_PATH - 1),)),
    ("as many segments as are read", b"/a" * MAX_SEGMENTS, "/a" * MAX_SEGMENTS, ("a",) * MAX_SEGMENTS),
]


@pytest.mark.parametrize(("raw", "path", "segments"), [c[1:] for c in TAKEN], ids=[c[0] for c in TAKEN])
def test_a_path_has_one_spelling(raw, path, segments):
    canonical = canonical_path(raw)

    assert (canonical.path, canonical.segments) == (path, segments)


@given(st.one_of(st.binary(max_size=40), st.text("/.%25eEfF;\\aé+ 0", max_size=30).map(str.encode)).map(b"/".__add__))
def test_what_is_sent_reads_as_what_was_decided(raw):
    try:
        canonical = canonical_path(raw)
    except PathRefused:
        return

    assert canonical_path(canonical.path.encode("ascii")) == canonical
    assert tuple(unquote(canonical.path).strip("/").split("/") if canonical.segments else ()) == canonical.segments
    assert not {"", ".", ".."} & set(canonical.segments)


@given(st.lists(st.text(min_size=1).filter(str.isprintable), min_size=1, max_size=4))
def test_one_list_of_segments_has_one_spelling(segments):
    spelt = "/" + "/".join("".join(f"%{octet:02x}" for octet in segment.encode()) for segment in segments)
    try:
        canonical = canonical_path(spelt.encode())
    except PathRefused:
        return

    assert canonical.segments == tuple(segments)
