"""Every way an event cannot be taken in or acted on."""

from actas.errors import ActasError


class EventsError(ActasError):
    """An event cannot be taken in or acted on."""

    status = 503


class EventMalformed(EventsError):
    """A source made an event that cannot be one."""

    code = "events.event-malformed"
    hint = "Report it with the source's kind and version: what a provider sends must not come through so far."
    status = 400

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it; nothing of it is repeated."""
        self.why = why
        super().__init__(f"an identity event cannot be one: {why}")


class Backlogged(EventsError):
    """More waits than is taken in on top of it; the source keeps its events for now."""

    code = "events.backlogged"
    hint = "See `actas events` for what holds the functions up: dead letters, retries, too few at once."

    def __init__(self, *, waiting: int, allowed: int, retry_after: int) -> None:
        """State how much waits, and in how many seconds it is worth another try."""
        self.waiting, self.allowed, self.retry_after = waiting, allowed, retry_after
        super().__init__(f"{waiting} deliveries wait where at most {allowed} may; try again in {retry_after} s")


class NoSuchSource(EventsError):
    """Nothing is heard at this address."""

    code = "events.no-such-source"
    hint = "Name the source in events.sources; its kind must be one that is pushed to."
    status = 404

    def __init__(self, *, name: str) -> None:
        """Say nothing of a name that strangers choose."""
        del name
        super().__init__("no source takes events at this address")


class SourceSlow(EventsError):
    """A source did not answer in time."""

    code = "events.source-slow"
    hint = "See whether the provider's API answers, and how long it takes."
    status = 504

    def __init__(self, *, source: str, allowed: float) -> None:
        """State which source, and how long it had."""
        super().__init__(f"the source {source} did not answer within {allowed:g} s")
