"""What a caller shows to be believed."""

from dataclasses import dataclass

from actas.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """A token from ``Authorization: Bearer``; nobody has looked into it yet."""

    shown: Secret


Evidence = BearerToken
"""Every kind of evidence; doors that come later add theirs to the union."""
