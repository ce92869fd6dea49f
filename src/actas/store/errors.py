"""Every way the state cannot be read or kept."""

from actas.errors import ActasError


class StoreError(ActasError):
    """The state cannot be read or kept."""

    status = 503


class StoreUnavailable(StoreError):
    """The database did not do what it was asked."""

    code = "store.unavailable"
    hint = "See whether the database file (or server) is there, has room, and is ours to write."

    def __init__(self, *, why: str) -> None:
        """State why, without a value from any row."""
        super().__init__(f"the state store cannot be used: {why}")


class StoreLate(StoreError):
    """The database did not answer in time."""

    code = "store.late"
    hint = "See what holds up the database: a slow disk, a lock that another process keeps."

    def __init__(self, *, allowed: float) -> None:
        """State how long we waited."""
        super().__init__(f"the state store did not answer within {allowed:g} s")


class StoreTooNew(StoreError):
    """A newer Actas has changed the tables."""

    code = "store.too-new"
    hint = "Run the version of Actas that last used this state, or a newer one."

    def __init__(self, *, found: int, wanted: int) -> None:
        """State both versions."""
        super().__init__(f"the state store has version {found} of its tables; this Actas knows {wanted}")


class StoreExposed(StoreError):
    """Others may read the state, or it is not ours."""

    code = "store.exposed"
    hint = "Own the file and give it mode 0600, and its folder mode 0700."

    def __init__(self, *, name: str, why: str) -> None:
        """State which file and why."""
        super().__init__(f"{name} cannot be trusted: {why}")


class ReplaysFull(StoreError):
    """No more can be remembered that must not be taken twice, so nothing is taken."""

    code = "store.replays-full"
    hint = "Wait until some of it has ended; if it is real traffic, keep the state in a database that all share."

    def __init__(self, *, limit: int) -> None:
        """State how much is remembered."""
        super().__init__(f"{limit} assertions and messages are remembered, and none of them has ended")


class JobUnfit(StoreError):
    """A job is larger, or its names are other, than what a queue takes."""

    code = "store.job-unfit"
    hint = "Put less into one job, and name it in printable ASCII."
    status = 413

    def __init__(self, *, why: str) -> None:
        """State what does not fit."""
        super().__init__(f"the job cannot be kept: {why}")
