"""What the section ``providers`` says of SAML providers alone: what is asked of them, and what they must send."""

from typing import Literal

from actas.settings.schema_keys import Keys, Texts


class SamlRequire(Keys, frozen=True):
    """What a provider's answers must have beyond being valid; the assertion or all of it is signed in any case."""

    signed_assertion: bool = False
    """The assertion carries a signature of its own."""
    signed_response: bool = False
    """The whole response is signed."""
    encrypted_assertion: bool = False
    """The assertion is encrypted to one of our keys."""
    gcm_only: bool = False
    """Ciphers that an attacker could change unseen (AES-CBC) are refused."""
    authn_contexts: Texts | None = None
    """How the person must have signed in: any of these authentication contexts."""


class SamlRequest(Keys, frozen=True):
    """How the provider is asked to sign somebody in."""

    binding: Literal["redirect", "post"] | None = None
    """How the request travels; what the provider's metadata offers, ``redirect`` first, where it is left out."""
    force: bool = False
    """The person signs in anew, also where the provider still knows them."""
    authn_contexts: Texts | None = None
    """The authentication contexts that are asked for."""
    name_id: str | None = None
    """The format of the NameID that is asked for: ``persistent``, ``email``, … or a URI."""
