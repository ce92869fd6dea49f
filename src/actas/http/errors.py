"""Every way a request is turned away before, or instead of, a decision."""

from actas.errors import ActasError


class HttpError(ActasError):
    """The request cannot be taken."""

    status = 400


class MalformedRequest(HttpError):
    """Two servers could read this request in two ways, or none could."""

    code = "http.malformed-request"
    hint = "Send one Host, one length, one Authorization, and header fields of plain characters."

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it."""
        super().__init__(f"the request is malformed: {why}")


class MalformedAuthorization(MalformedRequest):
    """There is an Authorization, and it cannot be read in one way."""

    code = "http.malformed-authorization"
    hint = "Send one token in one place: Authorization: Bearer ..."


class RequestTooLarge(HttpError):
    """More than this gateway takes."""

    code = "http.request-too-large"
    hint = "Send less, or raise gateway.limits in the settings file."
    status = 413

    def __init__(self, *, what: str, allowed: int) -> None:
        """State which part is too large and how much may be."""
        super().__init__(f"the {what} is larger than {allowed} bytes")


class HeadTooLarge(HttpError):
    """The header section is more than this gateway takes."""

    code = "http.head-too-large"
    hint = "Send fewer or shorter header fields, or raise gateway.limits in the settings file."
    status = 431

    def __init__(self, *, what: str, allowed: int) -> None:
        """State which part is too large and how much may be."""
        super().__init__(f"the request has more than {allowed} {what}")


class TargetTooLong(HttpError):
    """The target is more than this gateway takes."""

    code = "http.target-too-long"
    hint = "Send a shorter path and query, or raise gateway.limits.target in the settings file."
    status = 414

    def __init__(self, *, allowed: int) -> None:
        """State how long it may be."""
        super().__init__(f"the target is longer than {allowed} bytes")


class RequestTooSlow(HttpError):
    """The client did not send its body in time."""

    code = "http.request-too-slow"
    hint = "Send the whole body within gateway.limits.request_time."
    status = 408

    def __init__(self, *, allowed: float) -> None:
        """State how long it may take, in seconds."""
        super().__init__(f"the body did not arrive within {allowed:g} s")


class CallerWentAway(HttpError):
    """The connection closed before the body was whole."""

    code = "http.caller-went-away"
    hint = "Send the whole body before closing the connection."

    def __init__(self) -> None:
        """State what happened."""
        super().__init__("the connection closed before the whole body was there")


class TooManyCalls(HttpError):
    """A limit on how often one may call."""

    code = "http.too-many-calls"
    hint = "Wait for as many seconds as Retry-After says, then call again."
    status = 429

    def __init__(self, *, whose: str, retry_after: int) -> None:
        """State whose limit it is and when to come again."""
        self.retry_after = retry_after
        super().__init__(f"too many calls from this {whose}; the next one is taken in {retry_after} s")


class TooManyEvents(HttpError):
    """As many events of all callers wait to be run later as may."""

    code = "http.too-many-events"
    hint = "Send the event again later, look why the functions do not keep up, or raise gateway.limits.later."
    status = 429

    def __init__(self, *, waiting: int, size: int) -> None:
        """State how many wait, and how many bytes they have."""
        super().__init__(f"{waiting:,} events with {size:,} bytes wait to be run, as many as may")


class TooManyEventsOfCaller(HttpError):
    """As many events of this caller wait to be run later as may."""

    code = "http.too-many-events-of-caller"
    hint = "Send the event again when some of yours have run; gateway.limits.later_per_subject says how many may wait."
    status = 429

    def __init__(self, *, waiting: int, size: int) -> None:
        """State how many of the caller's wait, and how many bytes they have."""
        super().__init__(f"{waiting:,} events of this caller with {size:,} bytes wait to be run, as many as may")


class Overloaded(HttpError):
    """The gateway holds as many requests as it may."""

    code = "http.overloaded"
    hint = "Call again in a moment, or raise gateway.limits.connections in the settings file."
    status = 503

    def __init__(self, *, allowed: int) -> None:
        """State how many requests may be in flight."""
        super().__init__(f"{allowed} requests are in flight, as many as may be")


class NoToken(HttpError):
    """Nobody said who is calling."""

    code = "http.no-token"
    hint = "Send a token: Authorization: Bearer ..."
    status = 401

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("the request shows no bearer token")


class NoSuchPath(HttpError):
    """Nothing is served here."""

    code = "http.no-such-path"
    hint = "Call POST /call/FUNCTION, or a route that the settings file lists."
    status = 404

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("nothing is served at this path")


class MethodNotAllowed(HttpError):
    """The path is served, but not by this method."""

    code = "http.method-not-allowed"
    hint = "Use one of the methods that Allow lists."
    status = 405

    def __init__(self, *, allowed: tuple[str, ...]) -> None:
        """State which methods there are."""
        self.allowed = allowed
        super().__init__(f"this path takes {', '.join(allowed)}")


class Stopping(HttpError):
    """The gateway is being stopped; calls in flight finish, new ones are not begun."""

    code = "http.stopping"
    hint = "Call again in a moment: another one takes over, or this one is back."
    status = 503

    def __init__(self) -> None:
        """State what goes on."""
        super().__init__("this gateway is being stopped and begins no more calls")


class BadStatus(HttpError):
    """A function or its server answered with a number that is no final HTTP status."""

    code = "http.bad-status"
    hint = "Let the function answer with a status from 200 to 999."
    status = 502

    def __init__(self, *, status: int) -> None:
        """State which number it is."""
        super().__init__(f"the function answered with {status}, which is no final HTTP status")
