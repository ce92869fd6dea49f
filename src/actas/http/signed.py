"""Evidence of a signed request: the session whose credentials signed it, found without a database.

A session token is sealed by a key of the ring, and holds the secret key that the request must be signed by; the
access key id stands in it too. So a request is believed when its signature holds by that secret, when the access key
is the token's own, and when the session may still be used. Signed for which region does not matter: there is one
gateway, and clients are set to whatever region they like. Signed for which service does.
"""

from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas import sigv4
from actas.assume.errors import AssumeError, RevocationsUnread, SessionExpired, SessionRevoked
from actas.assume.opening import Opening
from actas.assume.use import Marks, usable
from actas.http.signature_errors import (
    SignatureError,
    SignatureIncomplete,
    SignatureMissing,
    SignatureOutsideTime,
    SignatureRevocationsUnread,
    SignatureSessionEnded,
    SignatureSessionRevoked,
    SignatureUnknownKey,
    SignatureWrong,
)
from actas.model.held import Held

KEYS: Final = 1024
"""Signing keys that are kept, derived: one for each session, day, region and service that signed lately."""


class Opens(Protocol):
    """The part of the sealing ring that opens."""

    def find(self, key_id: str, now: datetime) -> AESGCM | None:
        """Find a key by its id."""
        ...


class Caught(Marks, Protocol):
    """What ends sessions before their time, and may be waited for."""

    async def caught_up(self, now: datetime) -> None:
        """Return when it was read lately, or is not about to be."""
        ...


class Signed:
    """Finds who signed a request."""

    def __init__(self, ring: Opens, marks: Caught) -> None:
        """Take the ring that seals sessions, and what ends them before their time."""
        self._opening, self._marks = Opening(ring.find), marks
        self._keys = sigv4.SigningKeys(KEYS)

    def glance(self, scope: Any, *, now: datetime) -> None:
        """Raise where no session of ours is shown at all: asked before a large body is read, and nothing is believed.

        A stranger who only writes that they sign must not have us hold megabytes for it.
        """
        shown = [value for name, value in scope["headers"] if name == b"x-amz-security-token"]
        parts = (part.partition(b"=") for part in scope["query_string"].split(b"&"))
        shown += [unquote_to_bytes(value) for name, _, value in parts if name == b"X-Amz-Security-Token"]
        if len(shown) != 1:
            raise SignatureUnknownKey
        try:
            self._opening.open(shown[0].decode("latin-1"), now=now)
        except SessionExpired as over:
            raise SignatureSessionEnded(why=str(over)) from over
        except AssumeError as wrong:
            raise SignatureUnknownKey from wrong

    async def held(self, scope: Any, body: bytes, *, service: str, now: datetime) -> Held:
        """Give the session that signed the request of an ASGI *scope*, or raise a `SignatureError`.

        *body* is the whole body as it came. Nothing of the request is believed before this returns.
        """
        asked = _Asked(self._opening, now)
        query = scope["query_string"]
        target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        try:
            sigv4.verify(
                scope["method"],
                _text(target),
                [(_text(name), _text(value)) for name, value in scope["headers"]],
                body,
                find_secret=asked.find_secret,
                now=now,
                region=sigv4.ANY,
                service=service,
                keys=self._keys,
            )
        except sigv4.SigV4Error as wrong:
            raise _told(wrong, asked.wrong, is_presigned=b"X-Amz-Signature=" in query) from wrong
        assert asked.held is not None
        await self._marks.caught_up(now)
        try:
            usable(asked.held, self._marks, now=now)
        except AssumeError as wrong:
            raise _ended(wrong) from wrong
        return asked.held


class _Asked:
    """What a verifier asks for while it looks at one request."""

    def __init__(self, opening: Opening, now: datetime) -> None:
        self.held: Held | None = None
        self.wrong: AssumeError | None = None
        self._opening, self._now = opening, now

    def find_secret(self, access_key_id: str, session_token: str | None) -> str | None:
        """Open the token; its key must be the one that the request names."""
        if session_token is None:  # every key of ours is temporary
            return None
        try:
            held = self._opening.open(session_token, now=self._now)
        except AssumeError as wrong:
            self.wrong = wrong
            return None
        if held.access_key_id != access_key_id:
            return None
        self.held = held
        return held.secret_access_key


def _told(wrong: sigv4.SigV4Error, behind: AssumeError | None, *, is_presigned: bool) -> SignatureError:
    """Say in our words why a signature does not hold."""
    match wrong:
        case sigv4.MissingSignature():
            return SignatureMissing()
        case sigv4.OutsideTime():
            return SignatureOutsideTime(why=str(wrong), is_presigned=is_presigned)
        case sigv4.UnknownAccessKey():
            if isinstance(behind, SessionExpired):
                return SignatureSessionEnded(why=str(behind))
            return SignatureUnknownKey()
        case sigv4.BadSignature() | sigv4.WrongScope() | sigv4.BodyMismatch() | sigv4.UnsignedHeader():
            return SignatureWrong(why=str(wrong))
        case _:
            return SignatureIncomplete(why=str(wrong))


def _ended(wrong: AssumeError) -> SignatureError:
    match wrong:
        case SessionRevoked():
            return SignatureSessionRevoked()
        case RevocationsUnread():
            return SignatureRevocationsUnread()
        case SessionExpired():
            return SignatureSessionEnded(why=str(wrong))
        case _:
            return SignatureUnknownKey()


def _text(octets: bytes) -> str:
    """Read octets of the wire as the library of signatures does."""
    return octets.decode("utf-8", "surrogateescape")
