"""How the testing provider can be told to misbehave.

Every field at its default is a provider that behaves. Set them on a running provider: ``idp.faults.delay = 0.5``;
``idp.faults.clear()`` makes it behave again.
"""

from dataclasses import dataclass, fields
from datetime import timedelta


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is wrong with the provider just now."""

    discovery_issuer: str | None = None
    """The discovery document names this issuer (OpenID Connect Discovery 1.0, section 4.3, asks for ours)."""
    discovery_body: bytes | None = None
    """The discovery document is these bytes."""
    discovery_redirect: str | None = None
    """The discovery document is said to be there."""
    keys_body: bytes | None = None
    """The key set is these bytes."""
    late_keys: bool = False
    """New keys sign at once but are published only by `Idp.publish`."""
    status: int | None = None
    """Every answer is this status with no useful body, as behind a broken proxy."""
    delay: float = 0.0
    """Seconds before each answer."""
    skew: timedelta = timedelta()
    """How far the provider's clock is ahead (or behind, if negative)."""
    overage: bool = False
    """Each person has more groups than fit into a token."""
    typ: str | None = None
    """The header ``typ`` of every token, whatever the shape says."""
    algorithm: str | None = None
    """The header ``alg`` of every token; ``none`` also leaves the signature out."""
    foreign_key: bool = False
    """Tokens are signed by a key that was never published, under the published key's id."""
    token_issuer: str | None = None
    """The ``iss`` of every token."""
    nonce: str | None = None
    """The ``nonce`` of every ID token."""
    state: str | None = None
    """The ``state`` that authorization responses carry, instead of the client's."""
    response_issuer: str | None = None
    """The ``iss`` of authorization responses (RFC 9207); the empty string leaves it out."""
    access_denied: bool = False
    """Each sign-in ends in ``access_denied``."""

    def clear(self) -> None:
        """Behave again."""
        healthy = Faults()
        for each in fields(self):
            setattr(self, each.name, getattr(healthy, each.name))
