"""What somebody asks for who takes a role: which one, for how long, with what less than it has."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from actas.model.facts import Known
from actas.model.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One wish; nothing in it is a right."""

    role_arn: str
    action: str
    """``sts:AssumeRole``, ``sts:AssumeRoleWithSAML`` or ``sts:AssumeRoleWithWebIdentity``."""
    session_name: str = ""
    lasts: timedelta | None = None
    """As long as the role's sessions do, where nothing is asked for."""
    narrowed: tuple[str, ...] = field(default=(), repr=False)
    """Session policies, of which one must allow what the session is used for."""
    tags: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    transitive: tuple[str, ...] = ()
    source_identity: str | None = field(default=None, repr=False)
    external_id: str | None = field(default=None, repr=False)
    recipient: str | None = None
    """The address that the assertion was for, where one was shown."""
    at_least: int = 0
    """Octets that the session token must have at the least."""
    at_most: timedelta | None = None
    """How long the provider says that the session may last."""

    def told(self, identity: Identity) -> "Wish":
        """Add what the caller's provider says of their sessions."""
        if not isinstance(identity.aws, Known):
            return self
        said = identity.aws.value
        return replace(
            self,
            session_name=self.session_name or said.session_name or "",
            tags=said.tags,
            transitive=said.transitive_tags,
            source_identity=said.source_identity,
            at_most=said.duration,
        )
