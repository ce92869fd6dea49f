"""Whether a delivery is the provider's: a secret in a header, or a signature over the body. Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime
from typing import Final

from actas.events.interface import Pushed
from actas.events.sources.asking.fit import timely
from actas.events.sources.errors import MalformedDelivery, NotAuthentic
from actas.events.sources.reading import strict
from actas.model.secret import Secret
from actas.settings.schema_event_sources import Signature

_HASHES: Final = {"hmac-sha256": hashlib.sha256, "hmac-sha512": hashlib.sha512, "hmac-sha1": hashlib.sha1}
_HEX: Final = re.compile(r"[0-9a-fA-F]{2,128}")
_SECONDS: Final = re.compile(r"[0-9]{1,14}")
_MOST: Final = 8
"""How many signatures one header may hold, for secrets that roll over."""


def shows(pushed: Pushed, header: str, secret: Secret) -> None:
    """See that *header* is the secret, letter by letter and in constant time."""
    shown = pushed.header(header)
    if shown is None:
        raise NotAuthentic(why=f"it has no single {header} header")
    if not secret.matches(shown):
        raise NotAuthentic(why=f"its {header} header is another one")


def is_signed(pushed: Pushed, how: Signature, secret: Secret, *, now: datetime) -> None:
    """See that the body is signed as *how* says, and, where a time is signed with it, that it is of now."""
    stamp = None if how.timestamp is None else _time(pushed, how, now)
    shown = pushed.header(how.header.lower())
    if shown is None:
        raise NotAuthentic(why=f"it has no single {how.header} header")
    wanted = hmac.new(
        secret.reveal().encode(), _signed(how.signed, stamp, pushed.body), _HASHES[how.algorithm]
    ).digest()
    candidates = [_decoded(one.strip(), how) for one in shown.split(",")[:_MOST]]
    if not any(one is not None and hmac.compare_digest(one, wanted) for one in candidates):
        raise NotAuthentic(why="its signature does not hold")


def _time(pushed: Pushed, how: Signature, now: datetime) -> str:
    said = pushed.header((how.timestamp or "").lower())
    if said is None or not _SECONDS.fullmatch(said):
        raise NotAuthentic(why=f"it has no single {how.timestamp} header with a number of seconds")
    try:
        at = strict.moment(int(said), per_second=1000 if len(said) > 11 else 1)
    except MalformedDelivery as wrong:
        raise NotAuthentic(why="its time of signing is none") from wrong
    timely(at, now=now, oldest=how.tolerance.time)
    return said


def _signed(form: str, stamp: str | None, body: bytes) -> bytes:
    """Put together what is signed: ``{body}``, ``{timestamp}.{body}``."""
    before, _, after = form.partition("{body}")
    fill = stamp or ""
    return before.replace("{timestamp}", fill).encode() + body + after.replace("{timestamp}", fill).encode()


def _decoded(text: str, how: Signature) -> bytes | None:
    if not text.startswith(how.prefix):
        return None
    bare = text[len(how.prefix) :]
    if how.encoding == "hex":
        return bytes.fromhex(bare) if _HEX.fullmatch(bare) and len(bare) % 2 == 0 else None
    try:
        return base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        return None


def is_of_body(said: object, body: bytes) -> bool:
    """Tell whether *said* is the SHA-256 of *body* in hexadecimal."""
    return isinstance(said, str) and hmac.compare_digest(
        said.encode("utf-8", "surrogatepass"), hashlib.sha256(body).hexdigest().encode()
    )
