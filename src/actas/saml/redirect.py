"""Read a query of the Redirect binding, whose signature covers the octets as they arrived (SAML bindings 3.4.4.1).

One grammar: the message, then RelayState, SigAlg and Signature, each once and in this order. So what was signed is the
beginning of the query, to the octet; nothing is decoded, sorted or put together again before it is verified.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from actas.saml.algorithms import OLD_SIGNATURES, SIGNATURES, holds
from actas.saml.bindings import decode_redirect
from actas.saml.certificates import PublicKey
from actas.saml.errors import AlgorithmRefused, BadSignature, DocumentTooLarge, MalformedDocument, NotSigned
from actas.saml.parsing import unbase64

_MOST_QUERY, _MOST_RELAY_STATE = 64 * 1024, 1024
_VALUE = rb"(?:[A-Za-z0-9._~!$'()*,;:@/?=-]|%[0-9A-Fa-f]{2})"  # no "+": some read it as a space and some do not
_QUERY = re.compile(
    rb"(?P<signed>(?P<name>SAMLRequest|SAMLResponse)=(?P<message>" + _VALUE + rb"+)"
    rb"(?:&RelayState=(?P<state>(?:" + _VALUE + rb"|\+)*))?"
    rb"(?:&SigAlg=(?P<algorithm>" + _VALUE + rb"+)(?=&Signature=))?)"
    rb"(?:&Signature=(?P<signature>" + _VALUE + rb"+))?"
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectMessage:
    """What a query carried. Nothing of it is believed until its signature was verified."""

    xml: bytes = field(repr=False)
    is_response: bool
    relay_state: str | None = field(repr=False)
    algorithm: str | None
    signature: bytes | None = field(repr=False)
    signed: bytes = field(repr=False)
    """The octets of the query that the signature covers."""


def read_redirect(query: bytes) -> RedirectMessage:
    """Take the raw *query* apart; verify nothing."""
    if len(query) > _MOST_QUERY:
        raise DocumentTooLarge(what="bytes in the query", limit=_MOST_QUERY)
    found = _QUERY.fullmatch(query)
    if found is None or (found["signature"] is None) != (found["algorithm"] is None):
        raise MalformedDocument(
            part="query",
            why="is not SAMLRequest or SAMLResponse, RelayState, SigAlg, Signature, once and in this order",
        )
    algorithm, signature = found["algorithm"], found["signature"]
    return RedirectMessage(
        xml=decode_redirect(_base64(found["message"])),
        is_response=found["name"] == b"SAMLResponse",
        relay_state=None if found["state"] is None else _relay_state(found["state"]),
        algorithm=None if algorithm is None else unquote_to_bytes(algorithm).decode("latin-1"),
        signature=None if signature is None else unbase64(_base64(signature)),
        signed=found["signed"],
    )


def check_query(message: RedirectMessage, keys: Sequence[PublicKey], *, allow_sha1: bool, what: str) -> None:
    """Raise unless the query was signed with one of *keys*."""
    if message.signature is None:
        raise NotSigned(what=what)
    allowed = (OLD_SIGNATURES if allow_sha1 else SIGNATURES).get(message.algorithm or "")
    if allowed is None:
        raise AlgorithmRefused(use="signature", found=message.algorithm)
    if not any(holds(key, *allowed, message.signature, message.signed) for key in keys):
        raise BadSignature(what=what, tried=len(keys))


def _base64(value: bytes) -> str:
    text = unquote_to_bytes(value)
    if not _BASE64.fullmatch(text):  # SAML bindings 3.4.4.1: without line feeds
        raise MalformedDocument(part="base64", why="is not base64")
    return text.decode("ascii")


def _relay_state(value: bytes) -> str:
    text = unquote_to_bytes(value.replace(b"+", b" "))
    if len(text) > _MOST_RELAY_STATE:  # SAML bindings 3.4.3 says 80, which providers do not keep
        raise DocumentTooLarge(what="bytes in the relay state", limit=_MOST_RELAY_STATE)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedDocument(part="relay state", why="is not UTF-8") from None
