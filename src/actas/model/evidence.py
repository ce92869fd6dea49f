"""What a caller shows to be believed."""

from dataclasses import dataclass
from typing import Final

from actas.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """A token from ``Authorization: Bearer``; nobody has looked into it yet."""

    shown: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlResponse:
    """A SAML response, or a bare assertion, from the body of a request; nobody has looked into it yet.

    It counts once: whoever believes it puts its assertion where every door of every replica finds it again.
    """

    shown: Secret
    """In base64, as the field of a form carries it."""
    provider: str
    """The provider's name in the settings: whose door it came to, or whom the request names."""
    recipient: str
    """The address of that door, letter by letter: the only one that the assertion may be for."""
    answers: str | None = None
    """The id of our own request that it must answer; None: it may answer none."""
    asked_elsewhere: bool = False
    """Machines ask for their assertions themselves: it may answer any request, but none that a browser's sign-in made.
    """


OF_BROWSERS: Final = "_browser-"
"""How the ids of those requests begin. What answers one is for the browser that asked, whoever got hold of it."""

Evidence = BearerToken | SamlResponse
"""Every kind of evidence; doors that come later add theirs to the union."""
