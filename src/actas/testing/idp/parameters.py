"""Read the parameters of an OAuth request: each at most once, short, and nothing but text."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from actas.testing.errors import OAuthRefused

MAX_BYTES = 32 * 1024
MAX_FIELDS = 64


def read(encoded: bytes) -> Mapping[str, str]:
    """Read a query or a form; refuse a parameter that comes twice (RFC 6749, sections 3.1 and 3.2)."""
    if len(encoded) > MAX_BYTES:
        raise OAuthRefused(error="invalid_request", why=f"the parameters are longer than {MAX_BYTES} bytes")
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as wrong:
        raise OAuthRefused(error="invalid_request", why="the parameters cannot be read") from wrong
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OAuthRefused(error="invalid_request", why="a parameter comes twice")
    return {name: value for name, value in found.items() if value}  # section 3.1: empty is as if left out


def need(parameters: Mapping[str, str], name: str) -> str:
    """Give the parameter *name*, which must be there."""
    if name not in parameters:
        raise OAuthRefused(error="invalid_request", why=f"{name} is missing")
    return parameters[name]
