"""The sockets of this room: records go in and are kept; a subject goes in and a pseudonym comes out."""

from typing import Protocol

from actas.model.record import Record


class Sink(Protocol):
    """Keeps records, in order, durably.

    Promises that the contract holds every sink to:

    * when `write` returns, every record handed to it is durable and in the order given;
    * what was written can be read back and proved unchanged;
    * not being able to keep a record is an `AuditError`, and later writes are refused until it can again.
    """

    def write(self, records: tuple[Record, ...]) -> None:
        """Keep *records*; blocking, called off the event loop."""
        ...


class Pseudonyms(Protocol):
    """Names a person without naming them."""

    async def of(self, issuer: str, subject: str) -> str:
        """Give the pseudonym of *subject* in this epoch; the same person, the same name until the epoch ends."""
        ...
