"""Turn what a function returned into the HTTP answer that AWS's front doors would give.

A malformed return value is no error here: it becomes the answer that AWS gives its client for it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from actas.apigateway import media
from actas.apigateway.errors import UnknownVersion
from actas.apigateway.exchange import HttpAnswer, Pairs
from actas.apigateway.malformed import Malformed, base64_bytes, body_text, boolean, header_text, objects, status, whole

VERSIONS: Final = ("1.0", "2.0", "function-url", "alb")
_JSON: Final = (("Content-Type", "application/json"),)
_REST_MALFORMED: Final = HttpAnswer(
    status=502,
    headers=(*_JSON, ("x-amzn-ErrorType", "InternalServerErrorException")),
    body=b'{"message": "Internal server error"}',
)
_HTTP_MALFORMED: Final = HttpAnswer(status=500, headers=_JSON, body=b'{"message":"Internal Server Error"}')
_URL_MALFORMED: Final = HttpAnswer(status=502, headers=_JSON, body=b"Internal Server Error")
_ALB_MALFORMED: Final = HttpAnswer(
    status=502,
    headers=(("Content-Type", "text/html"),),
    body=b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n",
    reason="Bad Gateway",
)
_MALFORMED: Final = dict(zip(VERSIONS, (_REST_MALFORMED, _HTTP_MALFORMED, _URL_MALFORMED, _ALB_MALFORMED), strict=True))
# REST APIs refuse any other member: "Malformed Lambda proxy response".
_REST_MEMBERS: Final = frozenset({"isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"})
# API Gateway developer guide, "Important notes": what a REST API sends back under another name.
_REMAPPED: Final = frozenset(
    (
        *("authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "max-forwards"),
        *("proxy-authenticate", "server", "trailer", "upgrade", "user-agent", "www-authenticate", "x-amzn-requestid"),
    )
)
# RFC 9110, section 7.6.1: for one connection only. The length is the server's to say.
_FRAMING: Final = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)
_REASON: Final = re.compile(r"(\d{3}) ([\x20-\x7e]{1,128})")
_BODILESS: Final = frozenset({204, 304})  # RFC 9110, sections 15.3.5 and 15.4.5


def answer(
    payload: bytes,
    *,
    version: str = "1.0",
    binary_media_types: Sequence[str] = (),
    accept: str | None = None,
    function_error: str | None = None,
) -> HttpAnswer:
    """Make the answer for *payload*, the bytes as the function returned them.

    ``binary_media_types`` and ``accept`` (the request's header) decide in 1.0 whether a base64 body is decoded.
    ``function_error`` is Lambda's ``X-Amz-Function-Error``: the function failed, whatever the payload looks like.
    Raises `UnknownVersion` only.
    """
    if version not in VERSIONS:
        raise UnknownVersion(known=VERSIONS)
    if function_error is not None:
        return _MALFORMED[version]
    try:
        if version == "1.0":
            binary = media.is_binary(media.media_type(accept or ""), binary_media_types)
            return _bare(_rest(whole(_decoded(payload)), binary=binary))
        if version == "alb":
            return _bare(_load_balancer(whole(_decoded(payload))))
        return _bare(_version_2(payload, version))
    except Malformed:
        return _MALFORMED[version]


def _decoded(payload: bytes) -> Any:
    """Read JSON; no depth of nesting and no number is an exception of another kind."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed from None


def _rest(returned: Mapping[str, Any], *, binary: bool) -> HttpAnswer:
    """Read a REST API's format: every member is optional, an unknown one is an error."""
    if not returned.keys() <= _REST_MEMBERS:
        raise Malformed
    code = status(returned.get("statusCode"), absent=200)
    text = body_text(returned.get("body"))
    encoded = boolean(returned.get("isBase64Encoded"))
    body = base64_bytes(text) if encoded and binary else text.encode()
    headers = tuple(_remapped(_merged(returned)))
    if not _names(headers) & {"content-type"}:
        headers += _JSON
    return HttpAnswer(status=code, headers=headers, body=body)


def _version_2(payload: bytes, version: str) -> HttpAnswer:
    """Read payload 2.0: with a status code it is a whole answer, without one the value itself is the body."""
    try:
        returned = _decoded(payload)
    except Malformed:  # seen of HTTP APIs: what is no JSON goes out as it is
        return HttpAnswer(status=200, headers=_JSON, body=payload)
    if not (isinstance(returned, dict) and "statusCode" in returned):
        # HTTP APIs take a string out of its quotes; a function URL leaves them (Lambda developer guide, urls).
        plain = isinstance(returned, str) and version == "2.0"
        return HttpAnswer(status=200, headers=_JSON, body=returned.encode() if plain else payload)
    code = status(returned["statusCode"])
    text = body_text(returned.get("body"))
    body = base64_bytes(text) if boolean(returned.get("isBase64Encoded")) else text.encode()
    headers = tuple(_kept(_single(returned.get("headers"))))
    if not _names(headers) & {"content-type"}:
        fallback = "text/plain; charset=utf-8" if version == "2.0" else "application/json"
        headers += (("Content-Type", fallback),)
    return HttpAnswer(status=code, headers=headers + tuple(_cookies(returned.get("cookies"))), body=body)


def _load_balancer(returned: Mapping[str, Any]) -> HttpAnswer:
    """Read a load balancer's format: the status code must be there, its description may be."""
    code = status(returned.get("statusCode"))
    text = body_text(returned.get("body"))
    body = base64_bytes(text) if boolean(returned.get("isBase64Encoded")) else text.encode()
    headers = tuple(_kept(_merged(returned)))
    if not _names(headers) & {"content-type"}:
        headers += (("Content-Type", "application/octet-stream"),)
    described = _REASON.fullmatch(str(returned.get("statusDescription") or ""))
    reason = described[2] if described and int(described[1]) == code else None
    return HttpAnswer(status=code, headers=headers, body=body, reason=reason)


def _bare(made: HttpAnswer) -> HttpAnswer:
    """Take the body off an answer that has none by its status."""
    if made.status in _BODILESS and made.body:
        return HttpAnswer(status=made.status, headers=made.headers, body=b"", reason=made.reason)
    return made


def _merged(returned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the multi-value headers, then those single ones that are not among them already."""
    several = [
        header_text(name, value)
        for name, values in objects(returned.get("multiValueHeaders")).items()
        if values is not None
        for value in _listed(values)
    ]
    yield from several
    said = {(name.lower(), value) for name, value in several}
    for name, value in _single(returned.get("headers")):
        if (name.lower(), value) not in said:
            yield name, value


def _single(headers: Any) -> Iterator[tuple[str, str]]:
    """Give the headers that have one value; null says nothing."""
    for name, value in objects(headers).items():
        if value is not None:
            yield header_text(name, value)


def _cookies(cookies: Any) -> Iterator[tuple[str, str]]:
    """Make each cookie a header of its own."""
    for cookie in _listed([] if cookies is None else cookies):
        yield header_text("Set-Cookie", cookie)


def _listed(values: Any) -> list[Any]:
    """See that it is a list."""
    if not isinstance(values, list):
        raise Malformed
    return values


def _remapped(headers: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Rename what a REST API renames, drop what would break the framing."""
    for name, value in headers:
        if name.lower() in _REMAPPED:
            yield f"x-amzn-Remapped-{name}", value
        elif name.lower() not in _FRAMING:
            yield name, value


def _kept(headers: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Drop what would break the framing."""
    return ((name, value) for name, value in headers if name.lower() not in _FRAMING)


def _names(headers: Pairs) -> set[str]:
    """Give the names in lower case."""
    return {name.lower() for name, _ in headers}
