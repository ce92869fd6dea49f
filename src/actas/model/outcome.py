"""How a call ended: answered, refused or failed (a failure is raised as an error)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from actas.model.call import Headers
from actas.model.decision import Deny


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The function ran and gave this back.

    ``function_error`` is ``Unhandled`` (or ``Handled``) where the function failed, as AWS says it; the payload
    is then the error's JSON.
    """

    payload: bytes = field(repr=False)
    function_error: str | None = None
    log_hash: str | None = None
    """The SHA-256 of what this call logged, hex; None where nothing is known of it."""
    log_tail: bytes = field(default=b"", repr=False)
    """The last of what this call logged, 4 KB at most; nothing where the backend does not see it."""
    status: int | None = None
    """For a route: the HTTP status that the function's answer stands for; ``payload`` is then the body."""
    headers: Headers = field(default=(), repr=False)
    """For a route: the answer's header fields, without its length."""


class Body(Protocol):
    """Bytes as they come. Whoever takes them closes it, also half-way; closing it twice does nothing."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the pieces."""
        ...

    async def __anext__(self) -> bytes:
        """Give the next piece."""
        ...

    async def aclose(self) -> None:
        """Stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """An HTTP backend's answer: its head now, its body as it comes."""

    status: int
    headers: Headers = field(repr=False)
    body: Body = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The rules said no."""

    decision: Deny


Outcome = Answered | Streamed | Refused
