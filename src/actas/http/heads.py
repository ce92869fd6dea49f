"""A request's head, read strictly: what two servers could read in two ways is refused. Pure.

Granian hands on what it parsed; what it lets pass and must not be (two Hosts, no Host, a length beside a transfer
coding, two Authorizations) is refused here, on every path.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from actas.http.errors import HeadTooLarge, MalformedAuthorization, MalformedRequest, TargetTooLong
from actas.model.secret import Secret
from actas.settings.schema import Limits

Pairs = list[tuple[bytes, bytes]]

_SINGLE = frozenset(
    {b"authorization", b"host", b"content-length", b"content-type", b"transfer-encoding", b"actas-role", b"traceparent"}
)
_IN_TOKENS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"  # RFC 6750, section 2.1
"""What a token is made of, but the ``=`` at its end; deleting these is twice as fast as an expression over 1 KB."""
_OTHER_SCHEME = re.compile(rb"(?![Bb][Ee][Aa][Rr][Ee][Rr](?: |\Z))[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?: [\t\x20-\x7e]*)?")
_IN_QUERY = re.compile(rb"(?:\A|&)access_token=")  # RFC 6750, section 2.3
_LENGTH = 15
"""Digits of a content-length at most."""
_HOST = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+;=%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")  # RFC 3986, section 3.2
_TRACE = re.compile(  # W3C Trace Context, section 3.2: ff is no version, and an id of zeros alone is none
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)


@dataclass(slots=True)
class Head:
    """What the doors look at; not frozen, because one is made for every request."""

    authorization: bytes | None = None
    content_length: int | None = None
    role: str | None = None
    trace: str | None = None


def read_head(scope: Any, limits: Limits) -> Head:
    """Read the head of an ASGI *scope*, or raise an `HttpError`."""
    headers: Pairs = scope["headers"]
    if len(headers) > limits.header_count:
        raise HeadTooLarge(what="header fields", allowed=limits.header_count)
    if len(scope["raw_path"]) + len(scope["query_string"]) > limits.target.bytes:
        raise TargetTooLong(allowed=limits.target.bytes)
    size = 0
    single: dict[bytes, bytes] = {}
    for name, value in headers:
        size += len(name) + len(value)
        if name in _SINGLE:
            if name in single:
                wrong = MalformedAuthorization if name == b"authorization" else MalformedRequest
                raise wrong(why=f"it has two {name.decode()} fields")
            single[name] = value
    if size > limits.headers.bytes:
        raise HeadTooLarge(what="bytes of header fields", allowed=limits.headers.bytes)
    return _checked(single, scope)


def _checked(single: dict[bytes, bytes], scope: Any) -> Head:
    if not _is_host(single.get(b"host") or _authority(scope)):
        raise MalformedRequest(why="it has no single plain host")
    length = single.get(b"content-length")
    if length is not None:
        if b"transfer-encoding" in single:  # RFC 9112, section 6.1: a sign of smuggling
            raise MalformedRequest(why="it has a content-length beside a transfer-encoding")
        if not length.isdigit() or len(length) > _LENGTH:  # of bytes: ASCII digits, and one at least
            raise MalformedRequest(why="its content-length is no number")
    role, trace = single.get(b"actas-role"), single.get(b"traceparent")
    return Head(  # by position: names cost a third of it, for every request
        single.get(b"authorization"),
        None if length is None else int(length),
        None if role is None else role.decode("latin-1"),
        None if trace is None else _trace(trace),
    )


@lru_cache(maxsize=256)  # the same few hosts come again and again
def _is_host(text: bytes) -> bool:
    return _HOST.fullmatch(text) is not None


def _authority(scope: Any) -> bytes:
    """HTTP/2 has ``:authority`` where HTTP/1.1 has Host; Granian gives it as the server."""
    server = scope.get("server")
    return str(server[0]).encode() if scope.get("http_version") == "2" and server else b""


def _trace(shown: bytes) -> str | None:
    """Give the trace id; None for a field that says nothing, which starts a trace of its own."""
    found = _TRACE.fullmatch(shown)
    if found is None or (found[1] == b"00" and found[3] is not None):  # only later versions may have more parts
        return None
    return found[2].decode()


def bearer(head: Head, query: bytes = b"") -> Secret | None:
    """Give the bearer token; None where there is no Authorization, or one of another scheme (RFC 6750, section 3.1)."""
    if head.authorization is None:
        return None
    scheme, token = head.authorization[:7], head.authorization[7:].lstrip(b" ")
    bare = token.rstrip(b"=")
    if scheme.lower() != b"bearer " or not bare or bare.translate(None, _IN_TOKENS):
        if _OTHER_SCHEME.fullmatch(head.authorization):
            return None
        raise MalformedAuthorization(why="its Authorization is no bearer token")
    if query and _IN_QUERY.search(query):
        raise MalformedAuthorization(why="it shows a token in two places")
    return Secret(token.decode("ascii"))
