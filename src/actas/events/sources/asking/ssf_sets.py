"""Security Event Tokens: verified, and what they tell; what is wrong is one of RFC 8935's words."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from actas import jose
from actas.events.normal import IdentityEvent
from actas.events.sources.asking.frame import Frame
from actas.events.sources.asking.keys import issuers
from actas.events.sources.asking.ssf_stream import Stream
from actas.events.sources.errors import (
    DeliveryFromTheFuture,
    DeliveryTooOld,
    MalformedDelivery,
    NotAuthentic,
    SourceError,
)
from actas.events.sources.reading import sets as reading
from actas.jose import Claims
from actas.settings.schema import many

_TYPES: Final = ("secevent+jwt",)
_EVER: Final = timedelta(days=3650)
"""How old a token may be that we asked for: whatever its transmitter kept for us."""
_TOLD: Final = {
    "invalid_request": "The token cannot be read or is not what the specification says.",
    "invalid_key": "The token is not signed by a key of its issuer.",
    "invalid_issuer": "The token is of another issuer.",
    "invalid_audience": "The token is for another audience.",
    "authentication_failed": "The transmitter did not prove who it is.",
    "invalid_state": "The verification has another state than the one that was asked for.",
}


class Refused(SourceError):
    """A token is not taken, and its transmitter is told in one of the standard's words."""

    code = "events.set-refused"
    hint = "Compare the transmitter's issuer, keys and audience with the source's settings."

    def __init__(self, *, err: str) -> None:
        """Take the word of RFC 8935, section 2.4."""
        self.err = err
        super().__init__(f"the security event token is refused: {err}")

    def told(self) -> dict[str, str]:
        """Give what the transmitter is told: the word, and a sentence that says no more."""
        return {"err": self.err, "description": _TOLD[self.err]}


class Sets:
    """Reads the tokens of one stream."""

    def __init__(self, frame: Frame, stream: Stream) -> None:
        self._frame, self._stream = frame, stream
        self._audience = many(frame.settings.audience)
        self._issuers = _issuers(frame, stream.issuer)
        self._said: tuple[str, ...] = ()
        self.trouble: str | None = None
        """What the transmitter said that keeps events from us."""
        self._refused, self._last = 0, ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what the transmitter said of the stream, and what it sent that was not taken."""
        refused = (f"tokens that were refused: {self._refused}, the last as {self._last}",) if self._refused else ()
        return (*self._said, *refused)

    async def read(
        self, token: str, *, now: datetime, pushed: bool, jti: str | None = None
    ) -> tuple[IdentityEvent, ...]:
        """Verify *token* and give its events; *jti* is what it was listed under."""
        try:
            return await self._read(token, now=now, pushed=pushed, jti=jti)
        except Refused as refused:
            self._refused, self._last = self._refused + 1, refused.err
            raise

    async def _read(self, token: str, *, now: datetime, pushed: bool, jti: str | None) -> tuple[IdentityEvent, ...]:
        claims = await self._claims(token, now, self._frame.settings.oldest.time if pushed else _EVER)
        if jti is not None and claims.get("jti") != jti:
            raise Refused(err="invalid_request")
        try:
            self._of_the_stream(reading.events(claims))
            told = reading.told(claims, issuers=self._issuers, critical=self._stream.critical)
            fit = self._frame.fit
            return (
                fit.pushed(told, now=now, raw=token.encode())
                if pushed
                else fit.asked(told, now=now, raw=token.encode())
            )
        except (MalformedDelivery, DeliveryTooOld, DeliveryFromTheFuture) as wrong:
            raise Refused(err="invalid_request") from wrong

    async def _claims(self, token: str, now: datetime, oldest: timedelta) -> Claims:
        """Check what RFC 8417 and SSF 1.0, section 4.1, ask of every token."""
        keys = await self._stream.keys(now=now)
        try:
            if jose.peek_issuer(token) != self._stream.issuer:
                raise Refused(err="invalid_issuer")
            claims = await keys.claims(
                token, audience=self._audience, now=now, typ=_TYPES, require_exp=False,
                max_age=oldest,
            )  # fmt: skip
        except jose.JoseError as wrong:
            raise Refused(err="invalid_request") from wrong
        except NotAuthentic as wrong:
            raise Refused(err=_word(wrong.__cause__)) from wrong
        # SSF 1.0, sections 4.1.2 and 4.1.7: neither belongs here, so that no token of another kind passes as one.
        if "exp" in claims or "sub" in claims or claims.issued_at is None:
            raise Refused(err="invalid_request")
        return claims

    def _of_the_stream(self, events: Mapping[str, Mapping[str, Any]]) -> None:
        """Take note of what the stream says of itself."""
        verified = events.get(reading.VERIFICATION)
        if verified is not None:
            state, wanted = verified.get("state"), self._stream.state()
            # One without a state is sent by the transmitter of itself (section 8.1.4.2).
            if state is not None and wanted is not None and not hmac.compare_digest(_bytes(state), wanted.encode()):
                raise Refused(err="invalid_state")
            self._said, self.trouble = ("the transmitter proved that the stream works",), None
        updated = events.get(reading.STREAM_UPDATED)
        if updated is not None:
            status = updated.get("status")
            known = status if status in ("enabled", "paused", "disabled") else "in another state"
            self._said = (f"the transmitter says that the stream is {known}",)
            self.trouble = None if status == "enabled" else "stream-not-enabled"


def _issuers(frame: Frame, transmitter: str) -> frozenset[str]:
    """Give the issuers whose subjects are the provider's: those of its tokens, and the transmitter's own beside them.

    A transmitter at the same place as the provider is the provider: Okta's names people by the organisation, and its
    tokens are an authorization server's. Anywhere else it has people of its own.
    """
    found = {one.iss for one in issuers(frame.settings.provider, frame.provider)}
    places = {urlsplit(one)[:2] for one in found}
    return frozenset(found | {transmitter} if not found or urlsplit(transmitter)[:2] in places else found)


def _word(wrong: BaseException | None) -> str:
    match wrong:
        case jose.WrongIssuer():
            return "invalid_issuer"
        case jose.WrongAudience():
            return "invalid_audience"
        case jose.BadSignature() | jose.UnknownKey() | jose.AmbiguousKey() | jose.AlgorithmRefused():
            return "invalid_key"
        case _:
            return "invalid_request"


def _bytes(value: object) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b""
