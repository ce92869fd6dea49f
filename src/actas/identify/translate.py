"""Say in this room's words what the library of tokens found."""

from typing import Final

from actas import jose
from actas.identify import errors

_TABLE: Final[tuple[tuple[tuple[type[jose.JoseError], ...], type[errors.Refused]], ...]] = (
    ((jose.AlgorithmRefused, jose.SymmetricRefused), errors.AlgorithmRefused),
    ((jose.BadSignature,), errors.BadSignature),
    ((jose.WrongIssuer,), errors.WrongIssuer),
    ((jose.WrongAudience,), errors.WrongAudience),
    ((jose.WrongType,), errors.WrongType),
    ((jose.MissingClaim,), errors.MissingClaim),
    ((jose.TokenExpired,), errors.TokenExpired),
    ((jose.NotYetValid, jose.IssuedInFuture), errors.NotYetValid),
    ((jose.TokenTooOld,), errors.TokenTooOld),
)


def translated(wrong: jose.JoseError) -> errors.IdentifyError:
    """Give this room's error for *wrong*; what has no word of its own is a malformed token."""
    if isinstance(wrong, jose.WrongClient):
        return errors.WrongClient(found=", ".join(wrong.found), wanted=wrong.wanted)
    for theirs, ours in _TABLE:
        if isinstance(wrong, theirs):
            return ours(why=wrong.message)
    return errors.MalformedToken(why=wrong.message)
