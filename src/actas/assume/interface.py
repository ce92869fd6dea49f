"""The socket of this room: a grant goes in, sessions for its role come out."""

from datetime import datetime
from typing import Protocol

from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.session import Sessions


class Broker(Protocol):
    """Trades a grant for sessions.

    Promises that the contract holds every broker to:

    * the sessions are for the granted role and no other;
    * they do not outlive the grant, the role's ``session`` or one hour;
    * a refusal is an `AssumeError`, never a None.
    """

    @property
    def shape(self) -> str:
        """All that its settings make of a session, as a text without a secret.

        Brokers of one shape give equal sessions for equal grants, so that they may share what is remembered.
        """
        ...

    @property
    def shows_evidence(self) -> bool:
        """Whether it passes on what the caller showed; then sessions are shared by equal evidence only."""
        ...

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:
        """Make the trade; *evidence* is what the caller of this very call showed, and not kept."""
        ...
