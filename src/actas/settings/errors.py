"""Every way the settings fail to be read or resolved."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actas.errors import ActasError

if TYPE_CHECKING:
    from actas.settings.mistakes import Mistake


class SettingsError(ActasError):
    """The settings cannot be used."""


class BrokenSettings(SettingsError):
    """The settings hold mistakes; all of them are in ``mistakes``."""

    code = "settings.broken"
    hint = "Run `actas check`, which lists every mistake with its line, and correct them."

    def __init__(self, *, mistakes: "Sequence[Mistake]") -> None:
        """State how many there are, and the first."""
        self.mistakes = tuple(mistakes)
        first = self.mistakes[0]
        number = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(f"{number} in the settings, the first at {first.file}:{first.line}: {first.message}")


class SecretMissing(SettingsError):
    """A secret is not where the settings say it is."""

    code = "settings.secret-missing"
    hint = "Set the environment variable, or create the file, that the settings name for this secret."

    def __init__(self, *, key: str, where: str) -> None:
        """State which key asked, and where we looked."""
        self.key, self.where = key, where
        super().__init__(f"the secret of {key} is not there: {where}")


class SecretEmpty(SettingsError):
    """A secret is there, and empty."""

    code = "settings.secret-empty"
    hint = "Put the secret's text into the environment variable or the file that the settings name."

    def __init__(self, *, key: str, where: str) -> None:
        """State which key asked, and where we looked."""
        self.key, self.where = key, where
        super().__init__(f"the secret of {key} is empty: {where}")


class SecretUnreadable(SettingsError):
    """A secret's file cannot be read as a text."""

    code = "settings.secret-unreadable"
    hint = "Make it a regular UTF-8 text file of at most 64 KB that the gateway's user may read."

    def __init__(self, *, key: str, where: str, why: str) -> None:
        """State which key asked, where we looked, and what was in the way."""
        self.key, self.where, self.why = key, where, why
        super().__init__(f"the secret of {key} cannot be read: {where}: {why}")


class DatabaseUnfit(SettingsError):
    """The database that the settings refer to cannot be one."""

    code = "settings.bad-database"
    hint = "Write postgresql://USER:PASSWORD@HOST/NAME into the secret, and install the extra: actas[postgres]."

    def __init__(self, *, why: str) -> None:
        """State why; the URL holds a password."""
        super().__init__(f"gateway.database cannot be used: {why}")


class NeedsRestart(SettingsError):
    """A key changed that is read when the gateway starts, and at no other time."""

    code = "settings.needs-restart"
    hint = "Start the gateway anew, or put the key back as it was; until then the settings in use stay."

    def __init__(self, *, keys: tuple[str, ...]) -> None:
        """State which keys."""
        self.keys = keys
        super().__init__(f"{' and '.join(keys)} cannot change while the gateway runs")
