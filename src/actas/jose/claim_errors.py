"""Every way that the claims of a token, whose signature held, are not what was asked for."""

from collections.abc import Collection
from datetime import datetime

from actas.jose.errors import JoseError, listed, shown


class MissingClaim(JoseError):
    """A claim that has to be there is not."""

    code = "jose.missing-claim"
    hint = "Have the issuer put the claim into its tokens, or send an access token rather than another kind."

    def __init__(self, *, claim: str) -> None:
        """Name the claim."""
        self.claim = claim
        super().__init__(f"the token has no claim {claim}")


class MalformedClaim(JoseError):
    """A claim has a value that its standard does not allow."""

    code = "jose.malformed-claim"
    hint = "Have the issuer correct the claim; RFC 7519 section 4.1 says what each may hold."

    def __init__(self, *, claim: str, why: str) -> None:
        """Name the claim and what is wrong with it."""
        self.claim, self.why = claim, why
        super().__init__(f"the claim {claim} {why}")


class WrongIssuer(JoseError):
    """Somebody else issued the token."""

    code = "jose.wrong-issuer"
    hint = "Compare the issuer's URL letter by letter, the trailing slash included."

    def __init__(self, *, found: str, wanted: Collection[str]) -> None:
        """State the token's issuer and those wanted."""
        self.found, self.wanted = found, tuple(sorted(wanted))
        super().__init__(f"the token was issued by {shown(found)}, not by {listed(wanted)}")


class WrongAudience(JoseError):
    """The token is meant for somebody else."""

    code = "jose.wrong-audience"
    hint = "Ask the issuer for a token whose audience is this service."

    def __init__(self, *, found: Collection[str], wanted: Collection[str]) -> None:
        """State the token's audience and those wanted."""
        self.found, self.wanted = tuple(found), tuple(sorted(wanted))
        super().__init__(f"the token is meant for {listed(found)}, not for {listed(wanted)}")


class WrongClient(JoseError):
    """The token was issued to another client."""

    code = "jose.wrong-client"
    hint = "Get the token through a client that this service accepts."

    def __init__(self, *, found: Collection[str], wanted: Collection[str]) -> None:
        """State the token's client and those wanted."""
        self.found, self.wanted = tuple(found), tuple(sorted(wanted))
        super().__init__(f"the token was issued to the client {listed(found)}, not to {listed(wanted)}")


class WrongType(JoseError):
    """The token is of another kind."""

    code = "jose.wrong-type"
    hint = "Send the kind of token that is asked for, usually an access token."

    def __init__(self, *, found: str | None, wanted: Collection[str]) -> None:
        """State the token's type and those wanted."""
        self.found, self.wanted = found, tuple(sorted(wanted))
        kind = "has no typ" if found is None else f"is of the type {shown(found)}"
        super().__init__(f"the token {kind}; wanted is {listed(wanted)}")


class TokenExpired(JoseError):
    """The token was good once."""

    code = "jose.token-expired"
    hint = "Sign in again; if it happens at once, compare this host's clock with the issuer's."

    def __init__(self, *, expired_at: datetime, now: datetime) -> None:
        """State when it expired and when we looked."""
        self.expired_at, self.now = expired_at, now
        seconds = int((now - expired_at).total_seconds())
        super().__init__(f"the token expired {seconds} s ago, at {expired_at:%Y-%m-%dT%H:%M:%SZ}")


class NotYetValid(JoseError):
    """The token will be good later."""

    code = "jose.not-yet-valid"
    hint = "Wait, or compare this host's clock with the issuer's."

    def __init__(self, *, valid_from: datetime, now: datetime) -> None:
        """State from when it is good and when we looked."""
        self.valid_from, self.now = valid_from, now
        seconds = int((valid_from - now).total_seconds())
        super().__init__(f"the token is valid from {valid_from:%Y-%m-%dT%H:%M:%SZ}, in {seconds} s")


class IssuedInFuture(JoseError):
    """The token claims to have been issued later than now."""

    code = "jose.issued-in-future"
    hint = "Compare this host's clock with the issuer's."

    def __init__(self, *, issued_at: datetime, now: datetime) -> None:
        """State when it says it was issued and when we looked."""
        self.issued_at, self.now = issued_at, now
        seconds = int((issued_at - now).total_seconds())
        super().__init__(f"the token says that it will be issued at {issued_at:%Y-%m-%dT%H:%M:%SZ}, in {seconds} s")


class TokenTooOld(JoseError):
    """The token was issued longer ago than is accepted."""

    code = "jose.token-too-old"
    hint = "Get a new token, and use it sooner."

    def __init__(self, *, issued_at: datetime, now: datetime, max_age_seconds: float) -> None:
        """State when it was issued, when we looked and how old it may be."""
        self.issued_at, self.now, self.max_age_seconds = issued_at, now, max_age_seconds
        seconds = int((now - issued_at).total_seconds())
        super().__init__(f"the token is {seconds} s old; accepted are less than {max_age_seconds:g} s")
