"""What travels in a browser: base64 in a form, deflated base64 in a signed query."""

from actas.saml.errors import DocumentTooLarge
from actas.saml.parsing import MOST_BYTES, unbase64

_MOST_TEXT = MOST_BYTES * 4 // 3 + 16 * 1024  # line breaks too


def decode_post(saml_response: str) -> bytes:
    """Decode the field SAMLResponse of a form (SAML bindings 3.5.4)."""
    if len(saml_response) > _MOST_TEXT:
        raise DocumentTooLarge(what="characters", limit=_MOST_TEXT)
    return unbase64(saml_response)
