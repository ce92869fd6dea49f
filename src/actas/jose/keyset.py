"""The keys of one provider: those that may be used, and why the others may not (RFC 7517 section 5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actas.jose import jwk
from actas.jose.errors import AskedWrongly, BadKey, BadKeySet
from actas.jose.header import Header
from actas.jose.key import Key, Verify

MAX_KEYS = 100
"""How many keys a set may have."""

_REMEMBERED = 32  # headers; an issuer's tokens have one or two
_MEMORABLE = 512  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedKey:
    """A key of a set that is not used."""

    kid: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """A header, and the keys that may have signed what stands under it."""

    header: Header
    keys: tuple[tuple[Key, Verify], ...]


class KeySet:
    """The keys of one provider, fixed once made.

    It remembers the headers of tokens whose signature held, because an issuer's tokens have the same few; what it
    answers is the same with and without that.
    """

    __slots__ = ("_ambiguous", "_named", "_nameless", "_only_symmetric", "keys", "refused", "remembered")

    keys: tuple[Key, ...]
    refused: tuple[RefusedKey, ...]

    def __init__(self, keys: Iterable[Key], refused: Iterable[RefusedKey] = ()) -> None:
        """Hold *keys*, without those that share their kid with a different one."""
        all_keys = tuple(keys)
        self._ambiguous = _ambiguous(all_keys)
        self.keys = tuple(key for key in all_keys if key.kid not in self._ambiguous)
        self.refused = (
            *refused,
            *(RefusedKey(kid=key.kid, reason=_SHARED) for key in all_keys if key.kid in self._ambiguous),
        )
        self._only_symmetric = all(key.kty == "oct" for key in all_keys)
        self._nameless = tuple(key for key in self.keys if key.kid is None)
        named: dict[str, tuple[Key, ...]] = {}
        for key in self.keys:
            if key.kid is not None:
                named[key.kid] = (*named.get(key.kid, ()), key)
        self._named = named
        self.remembered: dict[bytes, Candidates] = {}

    @classmethod
    def from_json(cls, data: bytes | str | Mapping[str, Any]) -> "KeySet":
        """Read a JWK Set or a single JWK, private or public; raise `BadKeySet` where the whole is neither."""
        members = _members(data)
        keys: list[Key] = []
        refused: list[RefusedKey] = []
        for one in members:
            try:
                keys.append(_key(one))
            except BadKey as wrong:
                refused.append(RefusedKey(kid=_kid(one), reason=wrong.why))
        made = cls(keys, refused)
        # A refused key still shows what the set is for: an HMAC key beside a public one is no secret to rely on.
        made._only_symmetric = all(isinstance(one, Mapping) and one.get("kty") == "oct" for one in members)
        return made

    def to_json(self, private: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as Key.to_json
        """Write the usable keys as a JWK Set. Symmetric keys have no public half and stand in the private form only."""
        return {"keys": [key.to_json(private) for key in self.keys if private or key.kty != "oct"]}

    @property
    def is_only_symmetric(self) -> bool:
        """Whether every key, also a refused one, is symmetric."""
        return self._only_symmetric

    def is_ambiguous(self, kid: str | None) -> bool:
        """Say whether different keys share the name *kid*."""
        return kid in self._ambiguous

    def named(self, kid: str | None) -> tuple[Key, ...]:
        """Give the keys that a token may mean: those with its *kid*, else those without one; all where it has none."""
        if kid is None:
            return self.keys
        if kid in self._ambiguous:
            return ()
        return self._named.get(kid) or self._nameless

    def remember(self, segment: bytes, found: Candidates) -> None:
        """Keep what was found for *segment*, once a signature under it held."""
        if len(self.remembered) < _REMEMBERED and len(segment) <= _MEMORABLE and found.header.is_flat:
            self.remembered[segment] = found

    def __repr__(self) -> str:
        return f"KeySet({len(self.keys)} keys, {len(self.refused)} refused)"


_SHARED = "its kid is shared with a different key"


def _members(data: bytes | str | Mapping[str, Any]) -> list[Any] | tuple[Any, ...]:
    try:
        whole = data if isinstance(data, Mapping) else jwk.parse(data)
    except BadKey as wrong:
        raise BadKeySet(why=wrong.why) from wrong
    if "keys" not in whole:
        if "kty" not in whole:
            raise BadKeySet(why="it has neither keys nor a kty")
        return [whole]
    keys = whole["keys"]
    if not isinstance(keys, (list, tuple)):
        raise BadKeySet(why="its keys are not a list")
    if "kty" in whole:
        raise BadKeySet(why="it is a set and a key at once")
    if len(keys) > MAX_KEYS:
        raise BadKeySet(why=f"it has {len(keys)} keys, and {MAX_KEYS} are read at most")
    return keys


def _key(one: object) -> Key:
    if not isinstance(one, Mapping):
        raise BadKey(why="it is not a JSON object")
    return Key.from_json(one)


def _kid(one: object) -> str | None:
    kid = one.get("kid") if isinstance(one, Mapping) else None
    return kid if jwk.is_kid(kid) else None


def _ambiguous(keys: tuple[Key, ...]) -> frozenset[str]:
    """Find the names that different keys share, among keys that could be taken for each other."""
    owners: dict[tuple[str, str], set[str]] = {}
    for key in keys:
        if key.kid is not None:
            for use in ("sig", "enc") if key.use is None else (key.use,):
                owners.setdefault((key.kid, use), set()).add(key.thumbprint())
    return frozenset(kid for (kid, _), prints in owners.items() if len(prints) > 1)


def the_set(keys: object) -> KeySet:
    """Give *keys* back if it is a key set, a single key as a set of one."""
    if isinstance(keys, KeySet):
        return keys
    if isinstance(keys, Key):
        return KeySet((keys,))
    raise AskedWrongly(argument="keys", why="must be a KeySet or a Key")
