"""What travels in a browser: base64 in a form, deflated base64 in a signed query."""

import base64
import zlib
from urllib.parse import quote_plus, urlsplit

from actas.saml.errors import AskedWrongly, DocumentTooLarge, MalformedDocument
from actas.saml.parsing import MOST_BYTES, unbase64
from actas.saml.signing import PrivateKey, algorithm_of, sign_bytes

_MOST_TEXT = MOST_BYTES * 4 // 3 + 16 * 1024  # line breaks too
_MOST_RELAY_STATE, _MOST_ECHOED = 80, 1024  # SAML bindings 3.4.3


def decode_post(saml_response: str) -> bytes:
    """Decode the field SAMLResponse of a form (SAML bindings 3.5.4)."""
    if len(saml_response) > _MOST_TEXT:
        raise DocumentTooLarge(what="characters", limit=_MOST_TEXT)
    xml = unbase64(saml_response)
    if len(xml) > MOST_BYTES:
        raise DocumentTooLarge(what="bytes", limit=MOST_BYTES)
    return xml


def encode_post(xml: bytes) -> str:
    """Encode a message for the field SAMLRequest or SAMLResponse of a form."""
    return base64.b64encode(xml).decode()


def decode_redirect(message: str) -> bytes:
    """Decode the parameter SAMLRequest or SAMLResponse of a query (SAML bindings 3.4.4.1).

    Its signature stands in the query, so what comes back is not signed; nothing may rest on it alone.
    """
    if len(message) > _MOST_TEXT:
        raise DocumentTooLarge(what="characters", limit=_MOST_TEXT)
    inflating = zlib.decompressobj(-15)
    try:
        xml = inflating.decompress(unbase64(message), MOST_BYTES + 1)  # never more, whatever it would become
    except zlib.error:
        raise MalformedDocument(part="message", why="is not deflated") from None
    if len(xml) > MOST_BYTES:
        raise DocumentTooLarge(what="bytes", limit=MOST_BYTES)
    if not inflating.eof or inflating.unused_data:
        raise MalformedDocument(part="message", why="is not deflated")
    return xml


def _check_relay_state(relay_state: str, most: int) -> None:
    try:
        size = len(relay_state.encode())
    except UnicodeEncodeError:
        raise AskedWrongly(argument="relay_state", why="is no text that UTF-8 can hold") from None
    if size > most:
        raise AskedWrongly(argument="relay_state", why=f"has more than {most} bytes")


def redirect_url(
    xml: bytes, destination: str, *, parameter: str, relay_state: str | None, key: PrivateKey | None
) -> bytes:
    """Write the address that carries *xml* to *destination*, signed where there is a key."""
    most = _MOST_RELAY_STATE if parameter == "SAMLRequest" else _MOST_ECHOED  # what we echo is not of our making
    if relay_state is not None:
        _check_relay_state(relay_state, most)
    deflating = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflating.compress(xml) + deflating.flush()
    query = f"{parameter}={quote_plus(base64.b64encode(packed))}"
    if relay_state is not None:
        query += f"&RelayState={quote_plus(relay_state)}"
    if key is not None:  # SAML bindings 3.4.4.1: the signature covers exactly these, in this order
        query += f"&SigAlg={quote_plus(algorithm_of(key))}"
        query += f"&Signature={quote_plus(base64.b64encode(sign_bytes(key, query.encode())))}"
    try:
        joint = "&" if urlsplit(destination).query else "?"
        return f"{destination}{joint}{query}".encode("ascii")
    except ValueError:
        raise AskedWrongly(argument="destination", why="is no address") from None
