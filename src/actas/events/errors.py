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
