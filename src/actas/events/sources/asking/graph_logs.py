"""Entra's logs, asked for at Microsoft Graph: sign-ins and what was done in the directory, by time, with paging."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from actas.errors import ActasError
from actas.events.interface import Advice, Listed
from actas.events.sources.asking import windows
from actas.events.sources.asking.fit import name_of
from actas.events.sources.asking.frame import Frame, Trouble
from actas.events.sources.asking.graph import Graph
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable
from actas.events.sources.reading import entra_logs as reading
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Told

KEPT: Final = timedelta(days=30)
_PAGE: Final = 1000
_MOST_PAGES: Final = 100
_GRANT: Final = (
    "Under App registrations > the app > API permissions > Microsoft Graph > Application permissions, add "
    "AuditLog.Read.All, and Grant admin consent."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One of the logs."""

    what: str
    path: str
    by: str
    """By which its entries are found and sorted."""
    read: Callable[[Any], tuple[Told, ...]]


LOGS: Final[Mapping[str, Log]] = {
    "sign-ins": Log(what="the sign-in log", path="auditLogs/signIns", by="createdDateTime", read=reading.sign_in),
    "audits": Log(what="the audit log", path="auditLogs/directoryAudits", by="activityDateTime", read=reading.audit),
}


class _Page(msgspec.Struct, frozen=True):
    value: tuple[Any, ...] = ()
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Logs:
    """The logs that the settings ask for."""

    def __init__(self, frame: Frame, graph: Graph) -> None:
        self._frame, self._graph = frame, graph
        self._windows = {
            name: windows.Windows(LOGS[name].what, frame.settings.overlap.time) for name in frame.settings.logs
        }
        self._troubles = {name: Trouble() for name in self._windows}
        self._next: datetime | None = None
        self._gave: dict[str, windows.Cursor] = {}
        """Where we stopped: who asks from somewhere else did not keep it, and is answered anew."""
        self._unreadable = 0

    @property
    def trouble(self) -> str | None:
        """Give the code of what keeps a log from us."""
        return next((one.code for one in self._troubles.values() if one.code is not None), None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which logs cannot be read, and what of them could not."""
        notes = [f"{LOGS[name].what} is not read: {one.code}" for name, one in self._troubles.items() if one.code]
        notes += [f"entries that could not be read: {self._unreadable}"] if self._unreadable else []
        return tuple(notes)

    async def poll(
        self, held: Mapping[str, windows.Cursor], *, now: datetime
    ) -> tuple[list[Told], dict[str, windows.Cursor], bool]:
        """Ask for what is new, no more often than the settings say: the reports have narrow limits of their own.

        What keeps a log from us keeps nothing else from us: it is told, and tried again.
        """
        cursors: dict[str, windows.Cursor] = {name: held.get(name) or windows.start(now) for name in self._windows}
        told: list[Told] = []
        if self._next is not None and now < self._next and cursors == self._gave:
            return told, cursors, False
        more = False
        for name, asking in self._windows.items():
            with suppress(ActasError), self._troubles[name]:
                found = await asking.ask(cursors[name], self._reader(LOGS[name], now), now=now)
                told += found.told
                cursors[name], more = found.cursor, more or found.more
        self._next = None if more else now + self._frame.settings.every.time
        self._gave = dict(cursors)
        return told, cursors, more

    def _reader(self, log: Log, now: datetime) -> windows.Read:
        async def read(begin: datetime, end: datetime) -> tuple[list[Told], bool]:
            return await self._between(log, begin, end, now=now, spent=self._frame.spent())

        return read

    async def _between(
        self, log: Log, begin: datetime, end: datetime, *, now: datetime, spent: Callable[[], bool]
    ) -> tuple[list[Told], bool]:
        """Give what the log has between two moments, and whether that is all: the newest come first."""
        wanted = f"{log.by} ge {strict.written(begin)} and {log.by} le {strict.written(end)}"
        query = urlencode({"$filter": wanted, "$top": _PAGE}, safe="$")
        url: str | None = f"{self._graph.base}/v1.0/{log.path}?{query}"
        told: list[Told] = []
        for _ in range(_MOST_PAGES):
            assert url is not None
            page = await self._page(log, url, now)
            for row in page.value:
                told += self._read(log, row)
            if (url := page.next_link) is None:
                return told, True
            if spent():
                break
        return told, False

    async def _page(self, log: Log, url: str, now: datetime) -> _Page:
        try:
            found: _Page = strict.shaped(await self._graph.api.json(log.what, url, now=now), _Page)
        except MalformedDelivery as wrong:
            raise ProviderUnreadable(what=log.what, why=wrong.why) from wrong
        if found.next_link is not None and not found.next_link.startswith(f"{self._graph.base}/"):
            raise ProviderUnreadable(what=log.what, why="links to another place")
        return found

    def _read(self, log: Log, row: Any) -> list[Told]:
        """Read one entry. One that nobody can read is counted: it must not keep those behind it from us."""
        try:
            return self._frame.fit.with_raw(log.read(row), row)
        except MalformedDelivery:
            self._unreadable += 1
            return []

    async def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """Give everything that the logs have between the two."""
        for log in (LOGS[name] for name in self._windows):
            read = partial(self._between, log, now=until, spent=lambda: False)
            async for one in windows.everything(read, log.what, since, until):
                yield Listed(id=name_of(one), happened_at=one.at, kind=one.kind)

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """See whether the logs that are asked for can be read, and say what is missed without the others."""
        found = []
        for name, log in LOGS.items():
            if name not in self._windows:
                message = f"{log.what} is not read: {_MISSED[name]}"
                hint = f"{_GRANT} Then add {name} to the source's logs."
                found.append(Advice(code=f"{name}-not-read", severity="warning", message=message, hint=hint))
                continue
            try:
                await self._between(log, now - timedelta(minutes=1), now, now=now, spent=lambda: True)
            except ProviderRefused as wrong:
                message = f"{log.what} may not be read (status {wrong.found})"
                hint = f"{_GRANT} The sign-in log is given to tenants with Entra ID P1 or P2 only."
                found.append(Advice(code="right-missing", severity="error", message=message, hint=hint))
            else:
                found.append(
                    Advice(code=f"{name}-readable", severity="fine", message=f"{log.what} can be read", hint="")
                )
        return tuple(found)


_MISSED: Final = {
    "sign-ins": "no sign-in, no failed one and no risk is heard",
    "audits": "no change of app roles, clients and second factors is heard",
}
