"""Compiled rules as those see them who ask what stands by them: for a session, or for taking a role."""

from typing import Protocol
from zoneinfo import ZoneInfo

from actas.decide.compiled import Compiled
from actas.decide.reach import Reaches
from actas.decide.targets import Target
from actas.decide.trust import Trust
from actas.iam.values import Context
from actas.model.decision import Role
from actas.model.identity import Identity


class Rules(Protocol):
    """What `again` and `taking` need of a rule set, which in turn answers by them."""

    by_call: dict[tuple[str, str | None], Target]
    rules: tuple[Compiled, ...]
    roles: dict[str, Role]
    reaches: Reaches
    trusts: dict[str, Trust]
    zones: tuple[ZoneInfo, ...]
    generation: str

    def weigh(self, target: Target, moment: Context) -> tuple[bool, tuple[Compiled, ...]]:
        """Ask IAM; give whether it allows, and the rules that decided."""
        ...

    def known(self, identity: Identity) -> Context:
        """Give the condition keys that rest on the caller alone."""
        ...

    def asked_for(self, role: Role) -> tuple[Target, ...]:
        """Give the targets that taking *role* is decided by."""
        ...
