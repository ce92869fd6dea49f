"""Every way a command about events is asked wrongly."""

from collections.abc import Collection

from actas.cli.errors import CliError


class NoSuchSource(CliError):
    """No source of events has this name."""

    code = "cli.no-such-source"
    hint = "Name one of events.sources in the settings file."

    def __init__(self, *, name: str, known: Collection[str]) -> None:
        """State which, and which there are."""
        there = f"the settings have {', '.join(sorted(known))}" if known else "the settings have none"
        super().__init__(f"there is no source of events {name!r}; {there}")


class NoSources(CliError):
    """There is nobody to ask."""

    code = "cli.no-sources"
    hint = "Add a source to events.sources in the settings file; docs/sources says how."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the settings have no source of events")


class BadSince(CliError):
    """It cannot be told from when on events are to be compared."""

    code = "cli.bad-since"
    hint = "Write a span before now, as 24h or 7d, or a time, as 2026-11-23T23:00:00Z."

    def __init__(self, *, found: str, why: str) -> None:
        """State what was found, and what is wrong with it."""
        super().__init__(f"{found!r} {why}")


class NothingToReplay(CliError):
    """It was not said which deliveries are meant."""

    code = "cli.nothing-to-replay"
    hint = "Name ids, as 'actas events dead' shows them, or give --every, and not both."

    def __init__(self, *, both: bool) -> None:
        """State whether too much was said or too little."""
        super().__init__("both ids and --every are given" if both else "neither ids nor --every are given")


class NothingKept(CliError):
    """No gateway has run here."""

    code = "cli.nothing-kept"
    hint = "Start a gateway with 'actas serve', or name the state folder of one: --state."

    def __init__(self, *, folder: str) -> None:
        """State where it was looked for."""
        super().__init__(f"there is no {folder}, so nothing was ever heard here")
