"""The options of the commands that give a role's credentials."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from actas.cli.aws.taking import Purse, purse
from actas.cli.options import Where


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(Where):
    """Whose credentials, for which role, from which gateway."""

    role: str
    """The role: its name in the settings, or its ARN."""
    as_: Annotated[str | None, Parameter(name="--as")] = None
    """Who takes it: a stored sign-in (see 'actas login') or a person of the demo."""
    seconds: int | None = None
    """How long they shall live, 900 at least; by default as long as the role's sessions may."""
    gateway: str | None = None
    """The gateway's control URL; by default that of the one that runs here."""
    fresh: bool = False
    """Take new ones though kept ones would still serve: after a revocation, say."""

    def purse(self) -> Purse:
        """Work out which credentials are meant."""
        return purse(
            self.here(), role=self.role, who=self.as_, seconds=self.seconds, gateway=self.gateway, fresh=self.fresh
        )
