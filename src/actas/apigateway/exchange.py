"""One HTTP request and one HTTP answer, as plain values."""

from dataclasses import dataclass, field

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it stood on the wire.

    ``path`` and ``query_string`` are raw: still percent-encoded. ``headers`` keep their order and repeats.
    """

    method: str
    path: str
    query_string: str = ""
    headers: Pairs = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    source_ip: str = field(default="", repr=False)
    protocol: str = "HTTP/1.1"

    def header(self, name: str) -> str:
        """Give the last value of a header by its lower-case name, or nothing."""
        found = ""
        for known, value in self.headers:
            if known.lower() == name:
                found = value
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer for the client: no header in it can break the message's framing.

    ``reason`` is a load balancer's reason phrase; None lets the server choose.
    """

    status: int
    headers: Pairs = field(repr=False)
    body: bytes = field(repr=False)
    reason: str | None = None
