"""Every way a role cannot be taken, or a session does not hold."""

from datetime import datetime, timedelta
from typing import ClassVar

from actas.errors import ActasError


class AssumeError(ActasError):
    """The sessions could not be had."""

    status = 502
    holds_for: ClassVar[float] = 0
    """Seconds for which equal calls are told the same without anybody's being asked again."""


class SessionNotOurs(AssumeError):
    """What was shown is no session of this gateway."""

    code = "assume.session-not-ours"
    hint = "Call again with the caller's own token; the gateway then makes a new session."
    status = 401

    def __init__(self, *, why: str) -> None:
        """State why it is not ours."""
        super().__init__(f"the session token is not one of this gateway's: {why}")


class SessionExpired(AssumeError):
    """The session was good once."""

    code = "assume.session-expired"
    hint = "Call again with the caller's own token; the gateway then makes a new session."
    status = 401

    def __init__(self, *, expired_at: datetime, now: datetime) -> None:
        """State when it ended and when we looked."""
        seconds = int((now - expired_at).total_seconds())
        super().__init__(f"the session ended {seconds} s ago, at {expired_at:%Y-%m-%dT%H:%M:%SZ}")


class SessionTooLarge(AssumeError):
    """What the session rests on does not fit into the token that carries it."""

    code = "assume.session-too-large"
    hint = "Let the rules that offer the role name fewer functions, or shorten its policy."

    def __init__(self, *, size: int, allowed: int) -> None:
        """State both sizes, in characters."""
        super().__init__(f"the session token would have {size} characters; at most {allowed} are read")


class SessionRevoked(AssumeError):
    """The session was ended before its time."""

    code = "assume.session-revoked"
    hint = "Sign in again and get a new session."
    status = 401

    def __init__(self) -> None:
        """State it; whose watermark it was is not told."""
        super().__init__("the session, its role or what it was taken with was revoked after it began")


class RevocationsUnread(AssumeError):
    """Whether a session was revoked cannot be told, so that none counts (design.md, 8.5)."""

    code = "assume.revocations-unread"
    hint = "See that the gateway reaches its database; sessions count again once the revocations were read."
    status = 503

    def __init__(self) -> None:
        """State it."""
        super().__init__("the table of revocations was not read lately")


class LastsTooLong(AssumeError):
    """A session was asked for that would last longer than it may."""

    code = "assume.lasts-too-long"
    hint = "Ask for less, or raise session of the role in the settings file, up to an hour."
    status = 400

    def __init__(self, *, asked: timedelta, allowed: timedelta, is_chained: bool) -> None:
        """State both, and whether it is because the session was to be taken with a session."""
        self.is_chained = is_chained
        super().__init__(
            f"a session of {asked.total_seconds():.0f} s was asked for, of {allowed.total_seconds():.0f} s at most"
        )


class TooManySessions(AssumeError):
    """The caps on live sessions are reached and every session is in use."""

    code = "assume.too-many-sessions"
    hint = "Wait for calls in flight to end, or raise gateway.limits.sessions or sessions_per_subject."
    status = 429

    def __init__(self, *, live: int, allowed: int, whose: str) -> None:
        """State how many there are and how many may be."""
        super().__init__(f"{live} sessions are in use {whose}, where {allowed} may be")


class EvidenceTooShort(AssumeError):
    """The caller's evidence ends before a session could be of use."""

    code = "assume.evidence-too-short"
    hint = "Refresh the token and call again."
    status = 401

    def __init__(self, *, left: float, needed: float) -> None:
        """State how long the evidence still holds, in seconds."""
        super().__init__(f"the evidence holds for {left:.0f} s more, and a session needs {needed:.0f} s")


class BrokerRefused(AssumeError):
    """The party that hands out credentials said no."""

    code = "assume.broker-refused"
    hint = "Read the code it gave; compare the role's trust policy with what `actas roles trust ROLE` prints."
    holds_for = 5

    def __init__(self, *, broker: str, found: str) -> None:
        """State who refused and with which code."""
        super().__init__(f"{broker} refused to hand out a session: {found}")


class BrokerUnreachable(AssumeError):
    """The party that hands out credentials did not answer."""

    code = "assume.broker-unreachable"
    hint = "Check the network between the gateway and the credential service, then call again."
    status = 503
    holds_for = 1

    def __init__(self, *, broker: str, why: str) -> None:
        """State who did not answer and how."""
        super().__init__(f"{broker} did not answer: {why}")


class BrokerThrottled(AssumeError):
    """The party that hands out credentials wants to be asked less often."""

    code = "assume.broker-throttled"
    hint = "Call again after as many seconds as Retry-After says; longer sessions for the roles ask less often."
    status = 503

    def __init__(self, *, broker: str, retry_after: int) -> None:
        """State who is throttling and for how long nobody asks them."""
        self.retry_after = retry_after
        super().__init__(f"{broker} is being throttled and is not asked again for {retry_after} s")


class ClockSkewed(AssumeError):
    """Our time and theirs differ so much that what we sign has ended, or has not begun, when they read it."""

    code = "assume.clock-skewed"
    hint = "Set this host's clock: let it follow a time server (NTP)."
    status = 503
    holds_for = 5

    def __init__(self, *, broker: str, found: str, ahead: float) -> None:
        """State what they answered, and how far ahead of theirs our clock is, in seconds."""
        where = "ahead of" if ahead > 0 else "behind"
        super().__init__(f"{broker} answered {found}, and this host's clock is {abs(ahead):.0f} s {where} its clock")


class PolicyTooLong(AssumeError):
    """A session policy does not fit into what STS takes."""

    code = "assume.policy-too-long"
    hint = "Shorten the role's policy file, or let its rules name fewer functions; put what is common into the role."
    holds_for = 5

    def __init__(self, *, size: int, allowed: int) -> None:
        """State both sizes, in characters."""
        super().__init__(f"the session policy has {size} characters, of which {allowed} fit")


class EvidenceUnfit(AssumeError):
    """The role's broker passes on what the caller showed, and this caller showed something else."""

    code = "assume.evidence-unfit"
    hint = "Call with the kind of evidence that the role's broker passes on, or give the role another broker."
    status = 403

    def __init__(self, *, broker: str, wanted: str) -> None:
        """State what the broker needs."""
        super().__init__(f"{broker} passes on {wanted}, and the caller showed none")


class BaseIdentityMissing(AssumeError):
    """There are no credentials to take the role from."""

    code = "assume.base-identity-missing"
    hint = "Give the gateway the credentials that the role's base names; where it names the chain, install actas[aws]."
    status = 503
    holds_for = 5

    def __init__(self, *, why: str) -> None:
        """State what is missing."""
        super().__init__(f"the base identity has no credentials: {why}")


class CannotNarrow(AssumeError):
    """The session that was shown was narrowed by policies that its role elsewhere could not be held to."""

    code = "assume.cannot-narrow"
    hint = "Take the role with the caller's own token, or from a session that was taken without Policy and PolicyArns."
    status = 403

    def __init__(self) -> None:
        """State what stands in the way."""
        super().__init__(
            "the session shown was narrowed by a session policy, which cannot be handed on to another party"
        )
