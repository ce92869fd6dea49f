"""The socket of this room: a question goes in, a decision with reasons comes out."""

from typing import Protocol

from actas.model.decision import Decision, Question
from actas.model.held import Held
from actas.model.wish import Wish


class Decider(Protocol):
    """A compiled rule set.

    Promises:

    * deny wins, nothing said is a no, and what is unknown is never in the caller's favour;
    * the same question gives the same answer;
    * it never raises: a condition that breaks counts against the caller.
    """

    generation: str
    """A digest of everything that the answers depend on."""

    def decide(self, question: Question) -> Decision:
        """Answer *question*."""
        ...

    def again(self, question: Question, held: Held) -> Decision:
        """Answer *question*, for which a session was shown: what granted it must still stand."""
        ...

    def take(self, question: Question, wish: Wish, held: Held | None = None) -> Decision:
        """Say whether somebody may take a role, for no function in particular."""
        ...
