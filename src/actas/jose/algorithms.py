"""The algorithms that are known here, and which key each of them takes; every other name is refused.

RFC 7518 sections 3 and 4, RFC 8037, RFC 9864. ``none``, RSA1_5 and PBES2 are missing on purpose.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeGuard

from actas.jose.errors import AskedWrongly


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature algorithm: its key's type and curve, its hash, and the width of what it makes."""

    name: str
    kty: str
    crv: str | None = None
    hash: str = ""
    hash_size: int = 0
    width: int = 0


def _table(*rows: Signature) -> Mapping[str, Signature]:
    return MappingProxyType({row.name: row for row in rows})


SIGNATURES = _table(
    *(
        Signature(name=f"{family}{bits}", kty=kty, hash=f"sha{bits}", hash_size=bits // 8)
        for family, kty in (("RS", "RSA"), ("PS", "RSA"), ("HS", "oct"))
        for bits in (256, 384, 512)
    ),
    Signature(name="ES256", kty="EC", crv="P-256", hash="sha256", hash_size=32, width=64),
    Signature(name="ES384", kty="EC", crv="P-384", hash="sha384", hash_size=48, width=96),
    Signature(name="ES512", kty="EC", crv="P-521", hash="sha512", hash_size=64, width=132),
    Signature(name="EdDSA", kty="OKP", crv="Ed25519", width=64),
    Signature(name="Ed25519", kty="OKP", crv="Ed25519", width=64),
)
"""Each signature algorithm by its name in a header."""

SYMMETRIC = frozenset(name for name, row in SIGNATURES.items() if row.kty == "oct")
ASYMMETRIC = frozenset(SIGNATURES) - SYMMETRIC
"""All signature algorithms that take a public key."""

KEY_ALGORITHMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(("A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir"), ("oct",))
    | dict.fromkeys(("RSA-OAEP", "RSA-OAEP-256"), ("RSA",))
    | dict.fromkeys(("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"), ("EC", "OKP"))
)
"""Each key management algorithm, with the types of key that it takes."""

CONTENT_ALGORITHMS: Mapping[str, int] = MappingProxyType(
    {
        "A128CBC-HS256": 32,
        "A192CBC-HS384": 48,
        "A256CBC-HS512": 64,
        "A128GCM": 16,
        "A192GCM": 24,
        "A256GCM": 32,
    }
)
"""Each content encryption algorithm, with its key's length in bytes."""


_USUAL: Final = (frozenset, tuple, list, set)


def wrapping_length(alg: str) -> int | None:
    """Tell how many bytes the AES key has that *alg* wraps with, if it does."""
    name = alg.removeprefix("ECDH-ES+")
    return {"A128": 16, "A192": 24, "A256": 32}.get(name[:4]) if name.endswith("KW") else None


def is_several(value: object) -> TypeGuard[Collection[object]]:
    """Say whether *value* is a collection and not a text, which Python takes for one of letters."""
    # The usual kinds first: asking an abstract class costs ten times as much.
    return type(value) in _USUAL or (isinstance(value, Collection) and not isinstance(value, (str, bytes)))


def allowed(names: object, known: Mapping[str, object], argument: str) -> None:
    """Refuse *names* unless each of them is *known* and there is one at least."""
    # The usual ones first: one name, or a set of names.
    if type(names) is tuple and len(names) == 1 and type(names[0]) is str and names[0] in known:
        return
    if type(names) is frozenset and names and names <= known.keys():
        return
    if not is_several(names):
        raise AskedWrongly(argument=argument, why="must be a collection of names, such as a tuple")
    if not names:
        raise AskedWrongly(argument=argument, why="is empty, so nothing could ever pass")
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise AskedWrongly(argument=argument, why="names an algorithm that is not known here or never allowed")


def fits(alg: str, kty: str, crv: str | None) -> bool:
    """Say whether a key of this type and curve may carry *alg* as its algorithm."""
    signature = SIGNATURES.get(alg)
    if signature is not None:
        return signature.kty == kty and signature.crv in (None, crv)
    if alg in KEY_ALGORITHMS:
        return kty in KEY_ALGORITHMS[alg] and crv != "Ed25519"
    return alg in CONTENT_ALGORITHMS and kty == "oct"  # RFC 7517 section 4.4: an enc value for direct use
