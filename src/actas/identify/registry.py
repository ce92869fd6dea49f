"""Find the provider of a token by its exact issuer, before any key is touched.

Pure. The issuer that is read here is not believed: it chooses whose keys may verify the token, and the verified
claims must then name the same issuer.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from actas import jose
from actas.identify.errors import MalformedToken, MissingClaim, ProviderMisconfigured, UnknownIssuer
from actas.identify.presets import PRESETS
from actas.identify.profile import Issuer, issuers_of, profile_of
from actas.identify.requirements import requirements
from actas.settings.schema import Provider

# A stranger wrote it: shown only where it can neither be an address nor change the line that it is written to.
_PLAIN: Final = re.compile(r"[!-?A-~]{1,200}")


class Registry:
    """Every issuer that the settings name."""

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        self.issuers: dict[str, Issuer] = {}
        for issuer in issuers:
            taken = self.issuers.setdefault(issuer.iss, issuer)
            if taken is not issuer:  # RFC 9207 and protocols.md, 10.3: never two providers with one issuer
                name, other = issuer.profile.name, taken.profile.name
                raise ProviderMisconfigured(provider=name, why=f"has the same issuer as {other}")

    @classmethod
    def of(cls, providers: Mapping[str, Provider]) -> "Registry":
        """Put the settings' *providers* together; refuse what cannot work."""
        return cls(issuer for name, provider in providers.items() for issuer in _issuers(name, provider))

    def choose(self, token: str) -> Issuer:
        """Give the issuer that *token* names, letter by letter."""
        return self.find(named_by(token))

    def find(self, named: str) -> Issuer:
        """Give the issuer of that name."""
        found = self.issuers.get(named)
        if found is None:
            shown = named if _PLAIN.fullmatch(named) else f"a text of {len(named)} characters"
            raise UnknownIssuer(found=shown, wanted=self.issuers)
        return found


def named_by(token: str) -> str:
    """Read who *token* says has issued it; nothing is believed by it."""
    try:
        named = jose.peek_issuer(token)
    except jose.JoseError as wrong:
        raise MalformedToken(why=wrong.message) from wrong
    if named is None:
        raise MissingClaim(why="the token has no claim iss")
    return named


def _issuers(name: str, provider: Provider) -> tuple[Issuer, ...]:
    if found := requirements(provider):
        raise ProviderMisconfigured(provider=name, why=f"{found[0].key}: {found[0].message}")
    return issuers_of(provider, profile_of(name, provider, PRESETS[provider.preset]))
