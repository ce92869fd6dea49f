"""The socket of this room: a delivery goes in, an outcome comes out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from actas.model.call import Call
from actas.model.decision import Grant
from actas.model.outcome import Answered, Streamed
from actas.model.secret import Secret
from actas.model.session import Sessions


@dataclass(slots=True, kw_only=True)  # not frozen: made for every call, and freezing doubles that
class Delivery:
    """One allowed call on its way to its function."""

    call: Call
    grant: Grant
    sessions: Sessions
    envelope: Callable[[bytes, datetime], str] = field(repr=False)
    """Mints the signed envelope (design.md, 8.8) for the event's bytes; ``envelope(event, now)``."""
    token: Secret | None = field(default=None, repr=False)
    """The caller's own token; only a backend whose settings say ``pass_token`` may look."""


class Backend(Protocol):
    """Runs one function.

    Promises that the contract holds every backend to:

    * the function sees the work session of this delivery and never another caller's;
    * the function's own failure is an answer with ``function_error``, as AWS shapes it;
    * not reaching or not being able to run the function is an `InvokeError`;
    * no secret appears in an answer's error, in a log or in an exception.
    """

    async def invoke(self, delivery: Delivery) -> Answered | Streamed:
        """Run the function."""
        ...

    async def close(self) -> None:
        """End everything that was started; nothing is left running."""
        ...


@runtime_checkable
class Streams(Protocol):
    """An extra ability: the backend reads ``call.body`` itself, as it comes.

    Every other backend gets a call whose body was read: ``body`` is None and ``payload`` has all of it.
    """

    streams: Literal[True]
