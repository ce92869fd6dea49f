"""What every admin action is made of: a backend that is one function of ours, its body read, its answer written."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, TypeVar

import msgspec

from actas.http.admin import BadBody
from actas.invoke.interface import Delivery
from actas.model.outcome import Answered

T = TypeVar("T", bound=msgspec.Struct)
Work = Callable[[Delivery], Awaitable[Answered]]
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


class Does:
    """A backend that is one function of ours."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def invoke(self, delivery: Delivery) -> Answered:
        """Do it."""
        return await self._work(delivery)

    async def close(self) -> None:
        """Hold nothing."""


def as_json(value: Any) -> Answered:
    """Answer with JSON."""
    return Answered(payload=msgspec.json.encode(value))


def body(delivery: Delivery, shape: type[T]) -> T:
    """Read the body that a page takes, or raise `BadBody`."""
    try:
        return msgspec.json.decode(delivery.call.payload, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadBody(why=f"its body is not the object that this page takes: {wrong}") from wrong


def moment(text: str) -> datetime:
    """Read a time, or raise `BadBody`."""
    try:
        found = datetime.fromisoformat(text)
        moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise BadBody(why="a time in it is not of the form 2026-11-23T23:00:00Z") from wrong
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:  # beyond, the day before or another zone's day is no date
        raise BadBody(why=f"a time in it is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment


def address(text: str) -> Any:
    """Read an address, or raise `BadBody`."""
    try:
        return ip_address(text)
    except ValueError as wrong:
        raise BadBody(why="an address in it is none") from wrong
