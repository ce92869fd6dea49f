"""Make an SSF stream, put it right and have it prove itself, in an administrator's name (SSF 1.0, section 8.1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from actas.events.interface import Advice
from actas.events.sources.asking.client import check, read
from actas.events.sources.asking.frame import Frame
from actas.events.sources.asking.ssf_stream import PUSH, WANTED, Configuration, Metadata, Stream, shaped
from actas.events.sources.errors import ProviderRefused, ProviderUnreadable
from actas.model.secret import Secret


class Mending:
    """Puts one stream right; everything that it does may be done again."""

    def __init__(self, frame: Frame, stream: Stream, administrator: Secret) -> None:
        self._frame, self._stream, self._administrator = frame, stream, administrator

    async def mend(self, *, now: datetime) -> tuple[Advice, ...]:
        """Make or change the stream, add subjects, enable it, and have it send a verification."""
        stream, metadata = self._stream, await self._stream.about(now)
        if metadata.configuration is None:
            raise ProviderUnreadable(what="the transmitter's metadata", why="names no place for streams")
        done = []
        found = await stream.configured(self._administrator, now)
        if found is None:
            found, one = await self._made(metadata.configuration, now)
            done.append(one)
        elif stream.delivers(found).can_mend:
            await self._changed(metadata.configuration, {"stream_id": found.id, "events_requested": WANTED})
            done.append(_done("stream-changed", "all events were asked for"))
        if self._frame.settings.subjects and metadata.adding is not None:
            for subject in self._frame.settings.subjects:  # section 8.1.3.2; one that is there already is no error
                said = {"stream_id": found.id, "subject": subject, "verified": True}
                await self._ask("the adding of a subject", metadata.adding, said)
            done.append(_done("subjects-added", f"{len(self._frame.settings.subjects)} subjects were added"))
        if metadata.status is not None:
            status = await stream.status(found, self._administrator, now)
            if status.severity == "error":
                await self._ask("enabling the stream", metadata.status, {"stream_id": found.id, "status": "enabled"})
                done.append(_done("stream-enabled", "the stream was enabled"))
        return (*done, *await self._verified(metadata, found))

    async def _made(self, url: str, now: datetime) -> tuple[Configuration, Advice]:
        what = "the making of the stream"
        answer = await self._once("POST", url, self._wanted())
        if answer.status != 409:
            check(what, answer)
            made: Configuration = shaped(what, read(what, answer), Configuration)
            return made, _done("stream-made", "the stream was made")
        # Section 8.1.1.1: each receiver has one stream, and there is one; ours goes on as we want it.
        base, name = f"{self._frame.making.public_url}/", self._frame.name
        for one in await self._stream.streams(self._administrator, now):
            if one.description == name or (one.delivery.endpoint or "").startswith(base):
                changed = await self._changed(url, self._wanted() | {"stream_id": one.id})
                return changed, _done("stream-changed", "the stream that was there was changed")
        raise ProviderRefused(what=what, status=409)

    async def _changed(self, url: str, body: Mapping[str, Any]) -> Configuration:
        what = "the change of the stream"  # section 8.1.1.3
        answer = await self._once("PATCH", url, body)
        check(what, answer)
        found: Configuration = shaped(what, read(what, answer), Configuration)
        return found

    async def _verified(self, metadata: Metadata, found: Configuration) -> tuple[Advice, ...]:
        if metadata.verification is None:
            return ()
        state = self._stream.state()
        await self._ask(
            "the verification", metadata.verification, {"stream_id": found.id} | ({"state": state} if state else {})
        )
        return (_done("verification-asked", "the transmitter was asked for an event that proves the stream"),)

    def _wanted(self) -> dict[str, Any]:
        making, settings = self._frame.making, self._frame.settings
        delivery: dict[str, str] = {"method": self._stream.method}
        if self._stream.method == PUSH:
            delivery["endpoint_url"] = f"{making.public_url}/events/{making.name}"
            if settings.secret is not None:
                delivery["authorization_header"] = self._frame.secret(settings.secret, "secret").reveal()
        return {"delivery": delivery, "events_requested": WANTED, "description": making.name}

    async def _ask(self, what: str, url: str, body: Mapping[str, Any]) -> None:
        check(what, await self._once("POST", url, body))

    async def _once(self, method: str, url: str, body: Mapping[str, Any]) -> Any:
        content = msgspec.json.encode(body)
        return await self._stream.api.once(url, self._administrator, method=method, body=content)


def _done(code: str, message: str) -> Advice:
    return Advice(code=code, severity="fine", message=message, hint="")
