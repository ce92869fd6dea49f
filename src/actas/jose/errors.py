"""Every way that reading, verifying, making or decrypting a token fails."""

import re
from collections.abc import Collection
from typing import ClassVar

from actas.errors import ActasError

_PLAIN = re.compile(r"[!-?A-~]{1,200}")  # printable ASCII but the space and the at sign of an address


def shown(value: str) -> str:
    """Show a protocol value that a stranger may have chosen, unless it could be more than that."""
    return value if _PLAIN.fullmatch(value) else f"a value of {len(value)} characters"


def listed(values: Collection[str]) -> str:
    """Show the first few of *values*."""
    return ", ".join(shown(value) for value in sorted(values)[:8]) or "nothing"


class JoseError(ActasError):
    """A token, key or key set is not as it must be, or was asked about wrongly."""

    status: ClassVar[int] = 401


class AskedWrongly(JoseError):
    """The caller's own arguments make no sense; no token was looked at."""

    code = "jose.asked-wrongly"
    hint = "Correct the arguments of the call; docs/libraries/jose.md lists what each takes."
    status: ClassVar[int] = 500

    def __init__(self, *, argument: str, why: str) -> None:
        """Name the argument and what is wrong with it."""
        self.argument, self.why = argument, why
        super().__init__(f"the argument {argument} {why}")


class MalformedToken(JoseError):
    """The bytes are no token in compact serialisation."""

    code = "jose.malformed-token"
    hint = "Send the token exactly as it was issued, in compact form, without padding or white space."

    def __init__(self, *, part: str, why: str) -> None:
        """Name the part and what is wrong with it."""
        self.part, self.why = part, why
        super().__init__(f"the {part} {why}")


class TokenTooLarge(JoseError):
    """The token, or a part of it, is longer than we read."""

    code = "jose.token-too-large"
    hint = "Have the issuer put less into the token; lists of groups are the usual cause."

    def __init__(self, *, part: str, size: int, limit: int) -> None:
        """State how long it is and how long it may be."""
        self.part, self.size, self.limit = part, size, limit
        super().__init__(f"the {part} has {size} bytes, and {limit} are read at most")


class HeaderRefused(JoseError):
    """The header asks for something that we never do."""

    code = "jose.header-refused"
    hint = "Have the issuer leave this header parameter out."

    def __init__(self, *, parameter: str) -> None:
        """Name the header parameter."""
        self.parameter = parameter
        super().__init__(f"the header has the parameter {parameter}, which is refused whatever it says")


class AlgorithmRefused(JoseError):
    """The token uses an algorithm that the caller did not allow."""

    code = "jose.algorithm-refused"
    hint = "Allow the algorithm for this issuer if that is what it should use; never allow none."

    def __init__(self, *, found: str, wanted: Collection[str]) -> None:
        """State the token's algorithm and those allowed."""
        self.found, self.wanted = found, tuple(sorted(wanted))
        super().__init__(f"the token uses {shown(found)}; allowed are {listed(wanted)}")


class UnknownKey(JoseError):
    """No key of the set may verify or open this token."""

    code = "jose.unknown-key"
    hint = "Fetch the issuer's key set again; if the key is not there, the token is not from this issuer."

    def __init__(self, *, kid: str | None, algorithm: str) -> None:
        """State the key's name, if the token gave one, and the algorithm."""
        self.kid, self.algorithm = kid, algorithm
        named = "without a kid" if kid is None else f"with the kid {shown(kid)}"
        super().__init__(f"the set has no key {named} that may be used for {shown(algorithm)}")


class AmbiguousKey(JoseError):
    """Several different keys carry the name that the token gives."""

    code = "jose.ambiguous-key"
    hint = "Have the issuer give each key of its set a kid of its own."

    def __init__(self, *, kid: str) -> None:
        """State the name."""
        self.kid = kid
        super().__init__(f"different keys of the set share the kid {shown(kid)}, so none of them is used")


class SymmetricRefused(JoseError):
    """An HMAC was to be checked where a public key could have been taken for the secret."""

    code = "jose.symmetric-refused"
    hint = "Keep symmetric keys in a set of their own, and prefer an asymmetric algorithm."

    def __init__(self, *, algorithm: str) -> None:
        """State the algorithm."""
        self.algorithm = algorithm
        super().__init__(f"{algorithm} is checked only against a set of symmetric keys alone, and this set has others")


class BadSignature(JoseError):
    """The signature does not hold."""

    code = "jose.bad-signature"
    hint = "Get a new token; if every token fails, compare the issuer's published keys with those in use."

    def __init__(self, *, algorithm: str, kid: str | None, tried: int) -> None:
        """State the algorithm, the key's name and how many keys were tried."""
        self.algorithm, self.kid, self.tried = algorithm, kid, tried
        super().__init__(f"the {algorithm} signature holds under none of the {tried} keys that could have made it")


class BadKey(JoseError):
    """A JSON Web Key cannot be used, or must not be."""

    code = "jose.bad-key"
    hint = "Replace the key; a weak or contradictory key is not made good by trusting it."

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it."""
        self.why = why
        super().__init__(f"the key is refused: {why}")


class BadKeySet(JoseError):
    """The whole is no JSON Web Key Set."""

    code = "jose.bad-key-set"
    hint = "Point at the issuer's JWKS document: a JSON object with a list called keys."

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it."""
        self.why = why
        super().__init__(f"this is no key set: {why}")


class UnsuitableKey(JoseError):
    """The key cannot do what it was asked to do."""

    code = "jose.unsuitable-key"
    hint = "Choose a private key made for this algorithm and this use."
    status: ClassVar[int] = 500

    def __init__(self, *, algorithm: str, why: str) -> None:
        """State the algorithm and why the key does not fit."""
        self.algorithm, self.why = algorithm, why
        super().__init__(f"the key cannot be used for {shown(algorithm)}: {why}")


class DecryptionFailed(JoseError):
    """The token cannot be opened; on purpose nothing says at which step."""

    code = "jose.decryption-failed"
    hint = "Have the sender encrypt for this service's published key again."

    def __init__(self) -> None:
        """Say nothing that would help somebody who guesses."""
        super().__init__("the token cannot be decrypted with the keys given")
