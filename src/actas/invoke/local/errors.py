"""Every way a local function cannot be run."""

from actas.invoke.errors import InvokeError


class IsolationUnavailable(InvokeError):
    """This machine cannot shut functions in, and the settings require it."""

    code = "invoke.isolation-unavailable"
    hint = "Allow user namespaces, or run as root; `isolation: weak` is for `actas up` on a machine of your own."
    status = 503

    def __init__(self, *, missing: str) -> None:
        """Say what could not be had."""
        self.missing = missing
        super().__init__(f"isolation is required and cannot be had: {missing}")


class SandboxFailed(InvokeError):
    """A sandbox could not be built."""

    code = "invoke.sandbox-failed"
    hint = "Run `actas check` on this machine; it says which part of the isolation is missing."
    status = 503

    def __init__(self, *, function: str, why: str) -> None:
        """Say which function wanted it and what went wrong."""
        self.function, self.why = function, why
        super().__init__(f"no sandbox for function {function}: {why}")


class CodeNotFound(InvokeError):
    """The function's file is not there."""

    code = "invoke.code-not-found"
    hint = "Correct the path in the settings, or put the file back."

    def __init__(self, *, function: str, file: str) -> None:
        """Say which file of which function."""
        self.function, self.file = function, file
        super().__init__(f"the code of function {function} is not there: {file}")


class RuntimeNotFound(InvokeError):
    """The runtime that the function needs is not installed."""

    code = "invoke.runtime-not-found"
    hint = "Install Node and run tools/node-ric.sh, or name the folder of aws-lambda-ric in ACTAS_NODE_RIC."
    status = 503

    def __init__(self, *, function: str, runtime: str) -> None:
        """Say which function needs which runtime."""
        self.function, self.runtime = function, runtime
        super().__init__(f"function {function} needs {runtime}, which is not on this machine")


class EventNotJson(InvokeError):
    """What was sent to the function is no JSON."""

    code = "invoke.event-not-json"
    hint = "Send a JSON document, or nothing at all, which the function sees as an empty object."
    status = 400

    def __init__(self, *, function: str) -> None:
        """Say which function."""
        self.function = function
        super().__init__(f"the event for function {function} is not a JSON document")


class EventTooLarge(InvokeError):
    """The event is larger than Lambda takes."""

    code = "invoke.event-too-large"
    hint = "Send less, or put the data where the function can fetch it."
    status = 413

    def __init__(self, *, function: str, size: int, limit: int) -> None:
        """State both sizes."""
        self.function, self.size, self.limit = function, size, limit
        super().__init__(f"the event for function {function} has {size} bytes; at most {limit} are taken")


class TooManyCalls(InvokeError):
    """As many calls of the function run and wait as it may have."""

    code = "invoke.too-many-calls"
    hint = "Call again later, or raise the function's schedule."
    status = 429

    def __init__(self, *, function: str, at_once: int, waiting: int) -> None:
        """State the limits that are reached."""
        self.function, self.at_once, self.waiting = function, at_once, waiting
        super().__init__(f"function {function} runs {at_once} calls at once and lets {waiting} wait; all are taken")


class WaitedTooLong(InvokeError):
    """The call waited for its turn longer than a call may."""

    code = "invoke.waited-too-long"
    hint = "Call again later, or raise the function's schedule."
    status = 429

    def __init__(self, *, function: str, seconds: float) -> None:
        """State how long it waited."""
        self.function, self.seconds = function, seconds
        super().__init__(f"the call of function {function} waited {seconds:.0f} s for its turn")


class TooManyProcesses(InvokeError):
    """All function processes that there may be are busy."""

    code = "invoke.too-many-processes"
    hint = "Call again later, or raise gateway.limits.processes or processes_per_subject."
    status = 429

    def __init__(self, *, limit: int, per_subject: bool) -> None:
        """State the limit that is reached."""
        self.limit, self.per_subject = limit, per_subject
        whose = "of this caller" if per_subject else "in all"
        super().__init__(f"all {limit} function processes {whose} are busy")


class SessionOver(InvokeError):
    """The credentials that the function would run with have ended."""

    code = "invoke.session-over"
    hint = "Call again: a new session is made."
    status = 503

    def __init__(self, *, function: str) -> None:
        """Say which function would have run."""
        self.function = function
        super().__init__(f"the session for function {function} ended before the call was delivered")


class ProcessLost(InvokeError):
    """The sandbox went away under the call, not by the function's doing."""

    code = "invoke.process-lost"
    hint = "Call again if the function may run twice; it may have run."
    status = 502

    def __init__(self, *, function: str, delivered: bool) -> None:
        """Say which function ran, and whether it had got the call already."""
        self.function, self.delivered = function, delivered
        when = "during" if delivered else "before"
        super().__init__(f"the process of function {function} was lost {when} the call")


class BackendClosed(InvokeError):
    """The gateway is going down."""

    code = "invoke.closed"
    hint = "Call again when the gateway is back."
    status = 503

    def __init__(self, *, function: str) -> None:
        """Say which function was called."""
        self.function = function
        super().__init__(f"function {function} takes no calls: the gateway is stopping")
