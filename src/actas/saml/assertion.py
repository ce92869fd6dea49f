"""What a verified assertion says, and what a caller may require of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final, Literal

from actas.saml.content_errors import AmbiguousAttribute
from actas.saml.reading import ProxyRestriction

SignedPart = Literal["response", "assertion", "both"]


class Any(Enum):
    """The word for a check that the caller leaves out on purpose."""

    ANY = "any"


ANY: Final = Any.ANY
"""``in_response_to=saml.ANY``: whether and which request is answered is not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """What a document must have beyond being valid."""

    signed_assertion: bool = False
    signed_response: bool = False
    encrypted_assertion: bool = False
    gcm_only: bool = False
    """Refuse AES-CBC, which lets an attacker who can ask often guess at plaintexts."""
    authn_contexts: tuple[str, ...] = ()
    """The authentication contexts of which one must be there; none named means any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """An assertion that was signed by whom we trust, for us, now."""

    id: str
    issuer: str
    name_id: str | None
    """Who it is; None where the provider names nobody (such as one that sends attributes alone)."""
    name_id_format: str | None
    session_index: str | None
    authn_context: str | None
    authn_instant: datetime
    not_before: datetime | None
    not_on_or_after: datetime
    """The earliest of what Conditions and SubjectConfirmationData say."""
    session_not_on_or_after: datetime | None
    in_response_to: str | None
    audiences: tuple[str, ...]
    recipient: str | None
    one_time_use: bool
    proxy_restriction: ProxyRestriction | None
    signed: SignedPart
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Values by the attribute's Name, in document order; a Name that comes twice has the values of both."""
    xml: bytes = field(repr=False)
    """Exactly the canonical bytes that were read.

    They were digested and signed, alone or inside a signed response; where only the ciphertext inside a signed
    response was, they are the canonical form of what it held.
    """
    friendly_names: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)
    """The Names that share a FriendlyName."""
    issued_at: datetime | None = None
    """``IssueInstant``: when the provider wrote it; what was revoked up to then does not count any more."""
    usable_until: datetime | None = None
    """The latest moment at which any of its confirmations lets it be used: until then it must not be taken twice."""
    name_qualifier: str | None = None
    """Whose name the NameID is, where that is said: a provider may hand on another one's (SAML core 8.3.7)."""
    sp_name_qualifier: str | None = None
    """Towards whom it is their name, where that is said; both belong to the name in a request to sign out."""

    def attribute(self, name: str) -> tuple[str, ...]:
        """Give the values of an attribute by its Name, else by its FriendlyName; nothing where it is not there."""
        if name in self.attributes:
            return self.attributes[name]
        names = self.friendly_names.get(name, ())
        if len(names) > 1:
            raise AmbiguousAttribute(name=name)
        return self.attributes[names[0]] if names else ()
