"""How many processes of one key are started at a time: many calls for one that is new share the few that come first.

A start takes a processor for tens of milliseconds and a call may take one of them. Where fifty calls come at once,
fifty starts would let each of them wait for all; so some start, and whoever waits takes the first process that is
free. A start stops counting when its first call is over, or soon: where calls take long, the next one begins then.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from actas.invoke.local.job import Job, Key

AT_ONCE: Final = max(2, os.cpu_count() or 1)
SOON: Final = 0.1
"""Seconds after which a start does not count any more, whatever became of it."""


class Starts:
    """Counts starts by key; *over* is called with the key when one stops counting."""

    def __init__(self, over: Callable[[Key], None], *, at_once: int = AT_ONCE, soon: float = SOON) -> None:
        self._over, self._at_once, self._soon = over, at_once, soon
        self._now: Counter[Key] = Counter()

    def are_many(self, key: Key) -> bool:
        """Tell whether another start of *key* had better wait."""
        return self._now[key] >= self._at_once

    def begin(self, key: Key, job: Job) -> Callable[[], object]:
        """Count a start of *key* for *job* from now on; give what takes that back where nothing can be started."""
        self._now[key] += 1
        start = _Start(key)
        start.timer = asyncio.get_running_loop().call_later(self._soon, self._end, start)
        job.done.add_done_callback(lambda _: self._end(start))
        return lambda: self._forget(start)

    def _end(self, start: "_Start") -> None:
        if self._forget(start):
            self._over(start.key)

    def _forget(self, start: "_Start") -> bool:
        """Count it no more; False where it was not counted. Nobody is woken, who would only try in vain as well."""
        if start.timer is None:
            return False
        start.timer.cancel()
        start.timer = None
        self._now[start.key] -= 1
        if not self._now[start.key]:
            del self._now[start.key]
        return True


@dataclass(slots=True)
class _Start:
    key: Key
    timer: asyncio.TimerHandle | None = None
    """None where it is over."""
