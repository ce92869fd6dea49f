"""What a job is, what became of it, and how many there are."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that was put into a queue and is to be done now."""

    id: str
    queue: str
    key: str | None
    """What makes it the same as another put: the function that deduplicates gets it."""
    lane: str | None
    body: bytes = field(repr=False)
    attempt: int
    """The first is 1; an attempt that a crash cut short counts."""
    put_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """The job is done and its body is forgotten."""


@dataclass(frozen=True, slots=True)
class Again:
    """The job is to be done again, no earlier than *after* from now; its lane waits for it."""

    after: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Dead:
    """The job is set apart until somebody replays it; its lane goes on."""

    why: str


Verdict = Done | Again | Dead
Work = Callable[[Job], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A job on its way in."""

    queue: str
    body: bytes = field(repr=False)
    key: str | None = None
    lane: str | None = None
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadJob:
    """A job that is set apart, and why."""

    id: str
    queue: str
    key: str | None
    attempts: int
    why: str
    put_at: datetime
    died_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How a queue does."""

    waiting: int
    """Jobs that nobody works on now; ``again`` of them were tried before."""
    running: int
    again: int
    dead: int
    oldest: timedelta
    """How long the oldest job that is not settled has been there."""
