"""Our own short tokens for people and machines that a SAML provider vouched for: minted here, believed here.

A token is a JWT of our issuer, for ourselves, that lives no longer than a quarter of an hour. Its type tells it from
everything else we sign (envelopes, tokens for AWS, heads of the trail). Who it stands for is sealed inside, so that
whoever carries it, or logs it, learns nothing; the watermarks of the SAML provider count for it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from actas import jose
from actas.identify.errors import IdentifyError
from actas.identify.saml_errors import SignInOver
from actas.identify.saml_kept import NOT_OURS, Kept, fitting, identity_of, kept
from actas.identify.translate import translated
from actas.model.identity import Identity
from actas.model.secret import Secret
from actas.secrets import sealed
from actas.secrets.sealed import Ring

TYPE: Final = "actas-caller+jwt"
ALGORITHM: Final = "ES256"
LONGEST: Final = timedelta(minutes=15)
SHORTEST: Final = timedelta(seconds=1)
ROOM: Final = 12 * 1024
"""Characters of a token; it travels in a header."""
_LEEWAY: Final = timedelta(seconds=5)
"""How far the clocks of replicas may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A token of ours, and until when it counts."""

    shown: Secret = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """The rings that our tokens rest on."""

    issuer: str
    newest: Callable[[], jose.Key]
    """The key that signs now."""
    published: Callable[[], tuple[jose.Key, ...]]
    seals: Ring


class Own:
    """Mints and believes our own tokens."""

    def __init__(self, keys: OwnKeys) -> None:
        self._keys = keys
        self.issuer = keys.issuer
        """Our own name as the issuer of tokens."""
        self._seen: tuple[jose.Key, ...] = ()
        self._set: jose.KeySet | None = None

    def is_ours(self, token: str) -> bool:
        """Tell whether *token* names us as its issuer; nothing is believed by it."""
        try:
            return jose.peek_issuer(token) == self._keys.issuer
        except jose.JoseError:
            return False

    def mint(self, identity: Identity, profile: str, *, until: datetime, now: datetime) -> Minted:
        """Make a token for *identity* that ends at *until*, or before that."""
        ends = min(until, now + LONGEST).replace(microsecond=0)
        if ends - now < SHORTEST:
            raise SignInOver(why="what it rests on has ended")
        jti = secrets.token_urlsafe(16)

        def write(one: Identity) -> str:
            inside = sealed.seal(self._keys.seals, _purpose(jti), msgspec.json.encode(kept(one, profile)))
            claims = {
                "iss": self._keys.issuer,
                "aud": self._keys.issuer,
                "iat": int(now.timestamp()),
                "exp": int(ends.timestamp()),
                "jti": jti,
                "sealed": inside,
            }
            key = self._keys.newest()
            return jose.sign(claims, key, algorithm=ALGORITHM, header={"typ": TYPE})

        return Minted(shown=Secret(fitting(identity, write, ROOM)), expires_at=ends)

    def read(self, token: str, *, now: datetime) -> tuple[Identity, str]:
        """Believe a token of ours: give whom it stands for, and under which settings of the provider that was so."""
        claims = self._verified(token, now)
        jti, inside, ends = claims.get("jti"), claims.get("sealed"), claims.expires_at
        if not isinstance(jti, str) or not isinstance(inside, str) or ends is None:
            raise SignInOver(why="it is none of ours")
        try:
            found = self._opened(jti, inside, now)
            return identity_of(found, expires_at=ends), found.profile
        except NOT_OURS as wrong:
            raise SignInOver(why="another version of this gateway made it") from wrong

    def _verified(self, token: str, now: datetime) -> jose.Claims:
        ours = self._keys.issuer
        try:
            return jose.verify_jwt(
                token,
                self._published(),
                issuer=ours,
                audience=ours,
                now=now,
                algorithms=(ALGORITHM,),
                typ=TYPE,
                leeway=_LEEWAY,
                max_age=LONGEST,
            )
        except jose.JoseError as wrong:
            raise _said(wrong) from wrong

    def _opened(self, jti: str, inside: str, now: datetime) -> Kept:
        content = sealed.opened(self._keys.seals, _purpose(jti), inside, now=now)
        if content is None:
            raise SignInOver(why="it was sealed by a key that is gone")
        return msgspec.json.decode(content, type=Kept)

    def _published(self) -> jose.KeySet:
        keys = self._keys.published()
        if self._set is None or keys is not self._seen:
            self._set = jose.KeySet.from_json({"keys": [key.to_json() for key in keys]})
            self._seen = keys
        return self._set


def _purpose(jti: str) -> str:
    return f"caller {jti}"


def _said(wrong: jose.JoseError) -> IdentifyError:
    if isinstance(wrong, jose.TokenExpired):
        return SignInOver(why="its time is up")
    return translated(wrong)
