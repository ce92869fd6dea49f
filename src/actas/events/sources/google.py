"""Google Workspace: asked by the Reports API of the Admin SDK.

In the settings::

    events:
      sources:
        google-events:
          kind: google
          provider: google
          client:
            id: events@project.iam.gserviceaccount.com
            secret: {file: events-key.json}
            admin: reader@example.com

The service account needs domain-wide delegation for the scopes admin.reports.audit.readonly and
admin.directory.user.readonly. Reports come late, some by hours, a few by days: every half hour the last six hours are
read again, and twice a day the last three days.
Administrators' doings name people by address; the directory is asked for the identifier that tokens carry.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from actas.events.interface import Advice, Batch, Health, Listed, Making
from actas.events.sources.asking import windows
from actas.events.sources.asking.fit import name_of
from actas.events.sources.asking.frame import Frame, Trouble
from actas.events.sources.asking.google import Reports
from actas.events.sources.errors import ProviderRefused, SourceIncomplete
from actas.events.sources.reading import strict
from actas.events.sources.reading.google import APPLICATIONS
from actas.events.sources.reading.told import Told
from actas.settings.schema import Provider
from actas.settings.schema_event_sources import EventClient
from actas.settings.schema_events import EventSource

_KEPT: Final = timedelta(days=180)


class GoogleAsked:
    """Asks the Reports API."""

    def __init__(self, frame: Frame, client: EventClient) -> None:
        self.name, self.provider = frame.name, frame.fit.provider
        self.every = frame.settings.every.time
        self._frame, self._reports = frame, Reports(frame, client)
        self._windows = windows.Windows("the report", frame.settings.overlap.time)
        self._trouble = Trouble()

    def health(self) -> Health:
        """Tell how it does."""
        notes = (f"activities that could not be read: {self._reports.unreadable}",) if self._reports.unreadable else ()
        return Health(trouble=self._trouble.code, reaches_back=_KEPT, notes=notes)

    async def close(self) -> None:
        """Hold nothing."""

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask for what is new in each report, and now and then for what came late."""
        with self._trouble:
            return await self._poll(_read_cursor(cursor, now), now)

    async def _poll(self, cursor: windows.Cursor, now: datetime) -> Batch:
        async def read(begin: datetime, end: datetime) -> tuple[list[Told], bool]:
            told: list[Told] = []
            spent, whole = self._frame.spent(), True
            for application in APPLICATIONS:
                found, all_of_it = await self._reports.between(application, begin, end, now=now, spent=spent)
                told, whole = told + found, whole and all_of_it
            return told, whole

        found = await self._windows.ask(cursor, read, now=now)
        named = [await self._reports.named(one, now=now) for one in found.told]
        return Batch(
            events=self._frame.fit.asked(named, now=now),
            cursor=msgspec.json.encode(found.cursor).decode(),
            more=found.more,
            missed=strict.instant(cursor.to) < now - _KEPT,
        )

    def began(self, cursor: str) -> datetime | None:
        """Tell since when everything is brought."""
        return strict.instant(_read_cursor(cursor, self._frame.making.clock()).since)

    async def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """Give everything that the reports have between the two."""
        for application in APPLICATIONS:
            read = partial(self._reports.between, application, now=until)
            async for one in windows.everything(read, "the report", since, until):
                yield Listed(id=name_of(one), happened_at=one.at, kind=one.kind)

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """See whether the reports and the directory can be read."""
        found = []
        for what, code, scope, look in (
            ("the reports", "reports-readable", "admin.reports.audit.readonly", self._look_at_reports),
            ("the directory", "directory-readable", "admin.directory.user.readonly", self._reports.look_at_directory),
        ):
            try:
                await look(now)
            except ProviderRefused as wrong:
                message = f"{what} may not be read (status {wrong.found})"
                hint = (
                    "Under Security > API controls > Domain-wide delegation, give the service account's client id the "
                    f"scope https://www.googleapis.com/auth/{scope}; its admin needs the right to read it too."
                )
                found.append(Advice(code="right-missing", severity="error", message=message, hint=hint))
            else:
                found.append(Advice(code=code, severity="fine", message=f"{what} can be read", hint=""))
        return tuple(found)

    async def _look_at_reports(self, now: datetime) -> None:
        await self._reports.between("login", now - timedelta(minutes=1), now, now=now)


def _read_cursor(text: str | None, now: datetime) -> windows.Cursor:
    try:
        return windows.start(now) if text is None else msgspec.json.decode(text, type=windows.Cursor)
    except msgspec.DecodeError:
        return windows.start(now)


def source(settings: EventSource, provider: Provider, making: Making) -> GoogleAsked:
    """Make the source that *settings* describe."""
    if settings.client is None or settings.client.admin is None:
        raise SourceIncomplete(source=making.name, why="has no client with an admin to ask with")
    return GoogleAsked(Frame.of(settings, provider, making), settings.client)
