"""JSON Web Tokens, Signatures, Keys and Encryption, read strictly.

Takes bytes, keys and the time; gives what they say, or raises a `JoseError`. Opens nothing, waits for nothing,
reads no clock. ``docs/libraries/jose.md`` has examples and every promise.
"""

from actas.jose.algorithms import ASYMMETRIC
from actas.jose.claim_errors import (
    IssuedInFuture,
    MalformedClaim,
    MissingClaim,
    NotYetValid,
    TokenExpired,
    TokenTooOld,
    WrongAudience,
    WrongClient,
    WrongIssuer,
    WrongType,
)
from actas.jose.claims import Claims
from actas.jose.errors import (
    AlgorithmRefused,
    AmbiguousKey,
    AskedWrongly,
    BadKey,
    BadKeySet,
    BadSignature,
    DecryptionFailed,
    HeaderRefused,
    JoseError,
    MalformedToken,
    SymmetricRefused,
    TokenTooLarge,
    UnknownKey,
    UnsuitableKey,
)
from actas.jose.jwe import Jwe, decrypt
from actas.jose.jws import Jws, Signer, peek, peek_issuer, sign, verify_jws
from actas.jose.jwt import UNCHECKED, Unchecked, verify_jwt
from actas.jose.key import Key
from actas.jose.keyset import KeySet, RefusedKey

__all__ = [
    "ASYMMETRIC",
    "UNCHECKED",
    "AlgorithmRefused",
    "AmbiguousKey",
    "AskedWrongly",
    "BadKey",
    "BadKeySet",
    "BadSignature",
    "Claims",
    "DecryptionFailed",
    "HeaderRefused",
    "IssuedInFuture",
    "JoseError",
    "Jwe",
    "Jws",
    "Key",
    "KeySet",
    "MalformedClaim",
    "MalformedToken",
    "MissingClaim",
    "NotYetValid",
    "RefusedKey",
    "Signer",
    "SymmetricRefused",
    "TokenExpired",
    "TokenTooLarge",
    "TokenTooOld",
    "Unchecked",
    "UnknownKey",
    "UnsuitableKey",
    "WrongAudience",
    "WrongClient",
    "WrongIssuer",
    "WrongType",
    "decrypt",
    "peek",
    "peek_issuer",
    "sign",
    "verify_jws",
    "verify_jwt",
]
