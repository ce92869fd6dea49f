"""Who waits for the trail, and how much may wait for how long."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from actas.audit.errors import AuditError
from actas.audit.records import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may wait, and for how long."""

    waiting: int = 10_000
    """Records that wait before new decisions are refused."""
    held: int = 50_000
    """Records held while the sink cannot write; more ends than that are lost, and the gap says how many."""
    slow: timedelta = timedelta(seconds=5)
    tick: timedelta = timedelta(seconds=1)
    """How often a sink in trouble is tried again, and a slow one noticed."""
    linger: timedelta = timedelta(milliseconds=20)
    """How long an end may wait for company."""
    checkpoint: timedelta = timedelta(seconds=60)


class Wait:
    """Somebody who waits until a record is durable.

    A caller may hang up in the very moment in which its record is refused; ``refused`` is then the truth, whatever
    the future says. Not a dataclass: it is made once a call.
    """

    __slots__ = ("entry", "future", "refused")

    def __init__(self, entry: Entry, future: "asyncio.Future[None]") -> None:
        self.entry, self.future, self.refused = entry, future, False

    def keep(self) -> None:
        """Say that the record is durable."""
        if not self.future.done():
            self.future.set_result(None)

    def refuse(self, wrong: AuditError) -> None:
        """Say that it is not."""
        self.refused = True
        if not self.future.done():
            self.future.set_exception(wrong.again())
            self.future.exception()  # a caller who hangs up now never looks, and asyncio would complain
