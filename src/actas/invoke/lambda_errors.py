"""Every way that AWS Lambda does not run a function for us; the function's own failure is an answer."""

from actas.invoke.errors import InvokeError


class NoInvokeSession(InvokeError):
    """A function in AWS is only ever invoked as a role."""

    code = "invoke.no-invoke-session"
    hint = "Name a role with as: in the rules that allow this function; its broker must be aws-web-identity."
    status = 502

    def __init__(self, *, function: str) -> None:
        """State which function."""
        super().__init__(f"the rules allow {function} without a role, and Lambda is never invoked as the gateway")


class LambdaRefused(InvokeError):
    """Lambda did not take the call."""

    code = "invoke.lambda-refused"
    hint = "Read the code it gave: AccessDeniedException means that the role may not invoke this function."

    def __init__(self, *, function: str, found: str) -> None:
        """State what Lambda answered."""
        super().__init__(f"Lambda refused to run {function}: {found}")


class LambdaThrottled(InvokeError):
    """Lambda has no place for the call now."""

    code = "invoke.lambda-throttled"
    hint = "Call again in a moment, or raise the function's concurrency in AWS."
    status = 429

    def __init__(self, *, function: str, reason: str = "", retry_after: int = 1) -> None:
        """State which function, and which of Lambda's limits was reached where it says so."""
        self.retry_after = retry_after
        super().__init__(f"Lambda has no place for {function} now{f': {reason}' if reason else ''}")


class LambdaUnreachable(InvokeError):
    """Lambda did not answer."""

    code = "invoke.lambda-unreachable"
    hint = "Check the network between the gateway and Lambda; the function may have run, so look before calling again."
    status = 503

    def __init__(self, *, function: str, why: str) -> None:
        """State how it did not."""
        super().__init__(f"Lambda did not answer for {function}: {why}")


class LambdaTimedOut(InvokeError):
    """Lambda did not answer in time."""

    code = "invoke.lambda-timed-out"
    hint = "Give the function a longer timeout here and in AWS; it may have run, so look before calling again."
    status = 504

    def __init__(self, *, function: str, allowed: float) -> None:
        """State how long was waited, in seconds."""
        super().__init__(f"Lambda did not answer for {function} within {allowed:g} s")


class LambdaMalformed(InvokeError):
    """Lambda's answer is not in the form that it documents."""

    code = "invoke.lambda-malformed"
    hint = "Check what stands between the gateway and Lambda: a proxy may have answered in its place."

    def __init__(self, *, function: str, why: str) -> None:
        """State what is wrong with it."""
        super().__init__(f"Lambda's answer for {function} cannot be read: {why}")


class StreamFailed(InvokeError):
    """The function failed after a part of its answer had left."""

    code = "invoke.stream-failed"
    hint = "Read the function's log; the connection was cut, so that nobody takes what was sent for the whole."

    def __init__(self, *, function: str, found: str) -> None:
        """State the code that Lambda gave."""
        super().__init__(f"{function} failed in the middle of its answer: {found}")
