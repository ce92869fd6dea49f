"""The socket of this room: a grant goes in, sessions for its role come out."""

from datetime import datetime
from typing import Protocol

from actas.model.decision import Grant
from actas.model.session import Sessions


class Broker(Protocol):
    """Trades a grant for sessions.

    Promises that the contract holds every broker to:

    * the sessions are for the granted role and no other;
    * they do not outlive the grant, the role's ``session`` or one hour;
    * a refusal is an `AssumeError`, never a None.
    """

    async def issue(self, grant: Grant, *, now: datetime) -> Sessions:
        """Make the trade."""
        ...
