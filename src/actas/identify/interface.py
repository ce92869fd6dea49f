"""The socket of this room: evidence goes in, an identity comes out or an error says why not."""

from datetime import datetime
from typing import Protocol

from actas.model.evidence import Evidence
from actas.model.identity import Identity


class Verifier(Protocol):
    """Turns one kind of evidence into an identity.

    Promises:

    * nothing of the evidence is believed before its signature holds;
    * an identity never outlives its evidence;
    * a refusal is an `IdentifyError`, never a None;
    * a cache never changes an answer.
    """

    async def verify(self, evidence: Evidence, *, now: datetime) -> Identity:
        """Believe the caller, or raise an `IdentifyError`."""
        ...
