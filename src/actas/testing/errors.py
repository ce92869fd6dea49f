"""Every way the testing provider refuses to do as it was told."""

from collections.abc import Iterable

from actas.errors import ActasError


class TestingError(ActasError):
    """Something in `actas.testing` was used wrongly or could not start."""

    __test__ = False  # pytest collects what is called Test…


class UnknownName(TestingError):
    """A person, a client or a shape was named that the provider does not have."""

    code = "testing.unknown-name"
    hint = "Use one of the names that the message lists, or give the provider one more."

    def __init__(self, *, what: str, found: str, known: Iterable[str]) -> None:
        """Say which kind of thing was looked for, under which name, and which there are."""
        super().__init__(f"there is no {what} {found!r}; there are {', '.join(sorted(known))}")


class NotOnLoopback(TestingError):
    """The testing provider was asked to listen where others could reach it."""

    code = "testing.not-on-loopback"
    hint = "Listen on 127.0.0.1 or ::1; this provider is for tests and its sign-in page is no guard."

    def __init__(self, *, host: str) -> None:
        """State the address that was asked for."""
        super().__init__(f"the testing provider listens on a loopback address only, not on {host}")


class DidNotStart(TestingError):
    """The testing provider's listener did not come up."""

    code = "testing.did-not-start"
    hint = "Look at the cause; another program may hold the port."

    def __init__(self, *, port: int, why: str) -> None:
        """State the port and what went wrong."""
        super().__init__(f"the testing provider could not listen on port {port}: {why}")


class OAuthRefused(TestingError):
    """The testing provider refuses an OAuth request, in the words of the standard."""

    code = "testing.oauth-refused"
    hint = "Correct the request as the standard that the message follows asks for."

    def __init__(self, *, error: str, why: str, status: int = 400) -> None:
        """State the standard's error code, the fact behind it, and the HTTP status to answer with."""
        self.error, self.why, self.http_status = error, why, status
        super().__init__(f"{error}: {why}")


class Untrusted(TestingError):
    """An authorization request names no client or redirect we know; it is answered here, never by a redirect."""

    code = "testing.untrusted-request"
    hint = "Use a client of this provider and a redirect address that is registered for it, letter by letter."

    def __init__(self, *, why: str) -> None:
        """State what was not as registered."""
        self.why = why
        super().__init__(f"the request cannot be trusted: {why}")
