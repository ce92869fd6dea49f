"""Read what a JSON Web Key says about itself, and refuse one that contradicts itself (RFC 7517 section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actas.jose import strict_json
from actas.jose.algorithms import CONTENT_ALGORITHMS, SIGNATURES, fits, wrapping_length
from actas.jose.errors import BadKey
from actas.jose.material import Material
from actas.jose.material import read as read_material

MAX_BYTES = 1024 * 1024
"""How long a key or a key set may be."""
MAX_KID = 128
"""How many characters the name of a key may have."""

_SIGNING = frozenset({"sign", "verify"})
_WRAPPING = frozenset({"wrapKey", "unwrapKey"})
_ENCRYPTING = frozenset({"encrypt", "decrypt"})
_DERIVING = frozenset({"deriveKey", "deriveBits"})
_OPERATIONS = (_SIGNING, _WRAPPING, _ENCRYPTING, _DERIVING)
_DEFINED = frozenset(
    {"kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256"}
    | {"n", "e", "d", "p", "q", "dp", "dq", "qi", "oth", "crv", "x", "y", "k"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A JWK that has been read."""

    material: Material
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    key_ops: frozenset[str] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def parse(data: bytes | str) -> dict[str, Any]:
    """Read *data* as one strict JSON object."""
    if not isinstance(data, (bytes, str)):
        raise BadKey(why="it is neither bytes nor a text nor a mapping")
    if len(data) > MAX_BYTES:
        raise BadKey(why=f"it is longer than {MAX_BYTES} bytes")
    try:
        return strict_json.loads_object(data.encode() if isinstance(data, str) else data)
    except strict_json.NotStrictJson as wrong:
        raise BadKey(why=f"it {wrong}") from wrong
    except UnicodeEncodeError as wrong:
        raise BadKey(why="it holds half a character") from wrong


def read(jwk: Mapping[str, Any]) -> Members:
    """Read *jwk*; raise `BadKey` for the first thing wrong with it."""
    kid = jwk.get("kid")
    if "kid" in jwk and not is_kid(kid):
        raise BadKey(why=f"its kid is not a text of at most {MAX_KID} characters")
    members = Members(
        material=read_material(jwk),
        kid=kid,
        alg=_text(jwk, "alg"),
        use=_text(jwk, "use"),
        key_ops=_operations(jwk),
        extra={name: value for name, value in jwk.items() if name not in _DEFINED},
    )
    _agrees_with_itself(members)
    return members


def is_kid(kid: object) -> bool:
    """Say whether *kid* may name a key."""
    return isinstance(kid, str) and len(kid) <= MAX_KID


def _text(jwk: Mapping[str, Any], name: str) -> str | None:
    value = jwk.get(name)
    if name in jwk and (not isinstance(value, str) or not value):
        raise BadKey(why=f"its {name} is not a text")
    return value


def _operations(jwk: Mapping[str, Any]) -> frozenset[str] | None:
    found = jwk.get("key_ops")
    if "key_ops" not in jwk:
        return None
    if not isinstance(found, (list, tuple)) or not found or not all(isinstance(one, str) for one in found):
        raise BadKey(why="its key_ops are not a list of texts")
    operations = frozenset(found)
    if len(operations) != len(found):
        raise BadKey(why="its key_ops name an operation twice")  # RFC 7517 section 4.3
    if sum(1 for related in _OPERATIONS if operations & related) > 1 and operations & _SIGNING:
        raise BadKey(why="its key_ops mix signing with encrypting")
    return operations


def _agrees_with_itself(key: Members) -> None:
    kty, crv = key.material.kty, key.material.crv
    if key.use not in (None, "sig", "enc"):
        raise BadKey(why="its use is neither sig nor enc")
    if key.alg is not None and not fits(key.alg, kty, crv):
        raise BadKey(why="its alg is not known here, or is not for a key of its type and curve")
    _purposes_agree(key, crv)
    if key.material.secret is not None and key.alg is not None and not _secret_fits(key.alg, len(key.material.secret)):
        raise BadKey(why="its k has not the length that its alg takes")


def _purposes_agree(key: Members, crv: str | None) -> None:
    signs = {
        "use": None if key.use is None else key.use == "sig",
        "alg": None if key.alg is None else key.alg in SIGNATURES,
        "key_ops": None if key.key_ops is None else _signs(key.key_ops),
        "crv": {"Ed25519": True, "X25519": False}.get(crv or ""),
    }
    if {True, False} <= set(signs.values()):
        told = ", ".join(name for name, said in signs.items() if said is not None)
        raise BadKey(why=f"its {told} contradict each other about signing and encrypting")


def _signs(operations: frozenset[str]) -> bool | None:
    if operations & _SIGNING:
        return True
    return False if operations & (_WRAPPING | _ENCRYPTING | _DERIVING) else None


def _secret_fits(alg: str, length: int) -> bool:
    if alg in SIGNATURES:
        return length >= SIGNATURES[alg].hash_size
    if alg in CONTENT_ALGORITHMS:
        return length == CONTENT_ALGORITHMS[alg]
    return wrapping_length(alg) in {None, length}
