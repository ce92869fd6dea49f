"""Every way a role cannot be taken, or a session does not hold."""

from datetime import datetime

from actas.errors import ActasError


class AssumeError(ActasError):
    """The sessions could not be had."""

    status = 502


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
    hint = "Read the code it gave; most often the role's trust policy does not name this gateway's issuer."

    def __init__(self, *, broker: str, found: str) -> None:
        """State who refused and with which code."""
        super().__init__(f"{broker} refused to hand out a session: {found}")


class BrokerUnreachable(AssumeError):
    """The party that hands out credentials did not answer."""

    code = "assume.broker-unreachable"
    hint = "Check the network between the gateway and the credential service, then call again."
    status = 503

    def __init__(self, *, broker: str, why: str) -> None:
        """State who did not answer and how."""
        super().__init__(f"{broker} did not answer: {why}")
