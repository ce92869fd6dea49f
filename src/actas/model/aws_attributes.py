"""What an identity provider says for AWS: which roles somebody may take, and how their sessions are called."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRole:
    """One value of ``https://aws.amazon.com/SAML/Attributes/Role``: a role, and the provider that AWS knows."""

    role_arn: str
    provider_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAttributes:
    """The attributes that AWS reads of an assertion; a provider's word, which rules narrow and never widen."""

    roles: tuple[ClaimedRole, ...] = ()
    session_name: str | None = field(default=None, repr=False)
    duration: timedelta | None = None
    """``SessionDuration``: how long a session may last at most."""
    tags: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """``PrincipalTag:KEY`` and its value."""
    transitive_tags: tuple[str, ...] = ()
    source_identity: str | None = field(default=None, repr=False)
