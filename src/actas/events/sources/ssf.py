"""Shared Signals (SSF 1.0) with CAEP and RISC events: pushed to us (RFC 8935), or asked for (RFC 8936).

In the settings::

    events:
      sources:
        signals:
          kind: ssf
          provider: corp
          transmitter: https://signals.example.com      # its issuer; the provider's where it is left out
          audience: https://functions.example.com
          delivery: push                                # or poll
          secret: {env: SSF_PUSH_SECRET}                # push: what the Authorization header of each is
          token: {env: SSF_TOKEN}                       # for the stream's own API; needed to poll

Every token is verified by the transmitter's keys, whoever pushes it: unsigned ones, which RFC 8935 shows, are refused.
A token that comes again is answered as the first time and counts once, by its ``jti``. ``actas events doctor`` shows
the stream, and with ``--fix`` and a token of yours makes it.
"""

from datetime import datetime
from typing import Any

import msgspec

from actas.errors import ActasError
from actas.events.interface import Advice, Batch, Health, Making, Pushed, Reply
from actas.events.normal import IdentityEvent
from actas.events.sources.asking import proof
from actas.events.sources.asking.frame import Frame, Trouble
from actas.events.sources.asking.ssf_mend import Mending
from actas.events.sources.asking.ssf_sets import Refused, Sets
from actas.events.sources.asking.ssf_stream import Stream
from actas.events.sources.errors import MalformedDelivery, SourceIncomplete
from actas.events.sources.reading.subjects import subject_of
from actas.model.secret import Secret
from actas.settings.schema import Provider, many
from actas.settings.schema_events import EventSource

_MOST = 100
"""Tokens of one question."""
_PUSHED = "application/secevent+jwt"
_LARGEST = 256 * 1024


class _Cursor(msgspec.Struct, frozen=True):
    """What is durable here, and is said to be so with the next question."""

    ack: tuple[str, ...] = ()
    errors: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)


class SsfPushed:
    """Takes what is pushed."""

    def __init__(self, frame: Frame, stream: Stream, sets: Sets) -> None:
        self.name, self.provider = frame.name, frame.fit.provider
        self._frame, self._stream, self._sets = frame, stream, sets

    def health(self) -> Health:
        """Tell how it does: a transmitter keeps what it could not deliver for a while of its own choice."""
        return Health(trouble=self._sets.trouble, notes=self._sets.notes)

    async def close(self) -> None:
        """Hold nothing."""

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Take one token; what is wrong with it is answered as RFC 8935, section 2.3, says."""
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "POST"),))
        try:
            events = await self._taken(pushed, now)
        except Refused as refused:
            headers = (("content-type", "application/json"), ("content-language", "en"), ("cache-control", "no-store"))
            return Reply(status=400, headers=headers, body=msgspec.json.encode(refused.told()))
        return Reply(status=202, events=events)

    async def _taken(self, pushed: Pushed, now: datetime) -> tuple[IdentityEvent, ...]:
        settings = self._frame.settings
        if settings.secret is not None:
            try:
                proof.shows(pushed, settings.header.lower(), self._frame.secret(settings.secret, "secret"))
            except ActasError as wrong:
                raise Refused(err="authentication_failed") from wrong
        media = (pushed.header("content-type") or "").partition(";")[0].strip().lower()
        if media != _PUSHED or len(pushed.body) > _LARGEST or not pushed.body.isascii():
            raise Refused(err="invalid_request")
        return await self._sets.read(pushed.body.decode("ascii").strip(), now=now, pushed=True)

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Look at the stream."""
        return await self._stream.examine(now=now)

    async def mend(self, administrator: Secret, *, now: datetime) -> tuple[Advice, ...]:
        """Make the stream, or put it right, and have it send an event that proves it."""
        return await Mending(self._frame, self._stream, administrator).mend(now=now)


class SsfAsked:
    """Asks for what there is."""

    def __init__(self, frame: Frame, stream: Stream, sets: Sets) -> None:
        self.name, self.provider, self.every = frame.name, frame.fit.provider, frame.settings.every.time
        self._frame, self._stream, self._sets = frame, stream, sets
        self._trouble = Trouble()

    def health(self) -> Health:
        """Tell how it does: what was not acknowledged comes again."""
        return Health(trouble=self._trouble.code or self._sets.trouble, notes=self._sets.notes)

    async def close(self) -> None:
        """Hold nothing."""

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Acknowledge what is durable here, and ask for more."""
        with self._trouble:
            return await self._poll(_read_cursor(cursor), now)

    async def _poll(self, cursor: _Cursor, now: datetime) -> Batch:
        asked: dict[str, Any] = {"maxEvents": _MOST, "returnImmediately": True}
        if cursor.ack:
            asked["ack"] = cursor.ack
        if cursor.errors:
            asked["setErrs"] = cursor.errors
        answer = await self._stream.ask_for(asked, now=now)
        events: list[IdentityEvent] = []
        errors: dict[str, dict[str, str]] = {}
        for jti, token in list(answer.sets.items())[:_MOST]:
            try:
                events += await self._sets.read(token, now=now, pushed=False, jti=jti)
            except Refused as refused:  # said with the next question; it must not keep the others from us
                errors[jti] = refused.told()
        ack = tuple(jti for jti in list(answer.sets)[:_MOST] if jti not in errors)
        after = msgspec.json.encode(_Cursor(ack=ack, errors=errors)).decode()
        return Batch(events=tuple(events), cursor=after, more=answer.more)

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Look at the stream."""
        return await self._stream.examine(now=now)

    async def mend(self, administrator: Secret, *, now: datetime) -> tuple[Advice, ...]:
        """Make the stream, or put it right, and have it send an event that proves it."""
        return await Mending(self._frame, self._stream, administrator).mend(now=now)


def _read_cursor(text: str | None) -> _Cursor:
    try:
        return _Cursor() if text is None else msgspec.json.decode(text, type=_Cursor)
    except msgspec.DecodeError:
        return _Cursor()


def source(settings: EventSource, provider: Provider, making: Making) -> SsfPushed | SsfAsked:
    """Make the source that *settings* describe."""
    frame = Frame.of(settings, provider, making)
    for subject in settings.subjects:
        try:
            subject_of(subject, ())
        except MalformedDelivery as wrong:
            raise SourceIncomplete(source=making.name, why="has a subject to add that is none") from wrong
    issuer = settings.transmitter or provider.issuer
    if issuer is None:
        raise SourceIncomplete(source=making.name, why="has no transmitter")
    if not many(settings.audience):
        raise SourceIncomplete(source=making.name, why="has no audience")
    stream = Stream(frame, issuer)
    sets = Sets(frame, stream)
    if settings.delivery == "push":
        return SsfPushed(frame, stream, sets)
    if settings.token is None and settings.client is None:
        raise SourceIncomplete(source=making.name, why="has neither a token nor a client to ask with")
    return SsfAsked(frame, stream, sets)
