"""Every way an HTTP backend cannot be asked, or does not answer; no message holds an address, a path or a header."""

from actas.invoke.errors import InvokeError


class UpstreamUnreachable(InvokeError):
    """Nothing listens there, or its name is not known."""

    code = "invoke.upstream-unreachable"
    hint = "Start the backend, and compare its address with the function's http setting."

    def __init__(self, *, function: str, why: str) -> None:
        """Name the function and what went wrong."""
        self.function, self.why = function, why
        super().__init__(f"the backend of function {function} cannot be reached: {why}")


class UpstreamUntrusted(InvokeError):
    """Its certificate does not hold."""

    code = "invoke.upstream-untrusted"
    hint = "Give the backend a certificate that this machine trusts, for the name that the settings call it by."

    def __init__(self, *, function: str) -> None:
        """Name the function."""
        self.function = function
        super().__init__(f"the backend of function {function} shows no certificate that is trusted here")


class UpstreamAddressRefused(InvokeError):
    """It lives where requests are not sent."""

    code = "invoke.upstream-address-refused"
    hint = "Set private: true on the function if it lives in a private network; metadata services are never asked."

    def __init__(self, *, function: str, kind: str) -> None:
        """Name the function and the kind of address; never the address."""
        self.function, self.kind = function, kind
        super().__init__(f"the backend of function {function} is at a {kind} address")


class UpstreamTimedOut(InvokeError):
    """It did not answer in time."""

    code = "invoke.upstream-timed-out"
    hint = "Look at the backend, or raise the function's timeout."
    status = 504

    def __init__(self, *, function: str, phase: str, seconds: float) -> None:
        """State what was waited for, and how long."""
        self.function, self.phase, self.seconds = function, phase, seconds
        super().__init__(f"the backend of function {function} did not {phase} within {seconds:g} s")


class UpstreamHungUp(InvokeError):
    """It closed the connection before its answer was whole."""

    code = "invoke.upstream-hung-up"
    hint = "Look at the backend's log: it, or something in front of it, ended the connection."

    def __init__(self, *, function: str, phase: str) -> None:
        """State when."""
        self.function, self.phase = function, phase
        super().__init__(f"the backend of function {function} closed the connection {phase}")


class UpstreamMalformed(InvokeError):
    """What it sent is no answer in HTTP."""

    code = "invoke.upstream-malformed"
    hint = "Look at what the backend sends: it breaks HTTP, or its header fields are too large."

    def __init__(self, *, function: str, why: str) -> None:
        """State what is wrong with it."""
        self.function, self.why = function, why
        super().__init__(f"the backend of function {function} answered what is not HTTP: {why}")


class NotProxied(InvokeError):
    """A method that a gateway does not hand on."""

    code = "invoke.not-proxied"
    hint = "Use another method; CONNECT and TRACE are never handed on, and methods are written in capitals."
    status = 501

    def __init__(self, *, function: str) -> None:
        """Name the function."""
        self.function = function
        super().__init__(f"requests of this method are not handed on to function {function}")


class BodyNotWhole(InvokeError):
    """The caller sent fewer or more octets than it said."""

    code = "invoke.body-not-whole"
    hint = "Send as many octets as Content-Length says."
    status = 400

    def __init__(self, *, said: int) -> None:
        """State how many were said."""
        self.said = said
        super().__init__(f"the request's body does not have the {said} octets that its length says")
