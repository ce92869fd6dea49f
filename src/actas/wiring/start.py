"""What is read when the gateway starts and at no other time: a change of it is refused, never half taken.

Everything else in the settings is taken while the gateway runs. A reload that changes one of these keys keeps the
settings in use, and says which key it was.
"""

from pathlib import Path
from typing import Final

from actas.settings.errors import NeedsRestart
from actas.settings.reader import Loaded
from actas.settings.resolve import references
from actas.settings.schema import Keys, Settings

_GATEWAY: Final = (
    "public_url", "control_url", "listen", "control_listen", "state", "isolation", "account", "region", "grace",
    "database", "saml_keys",
)  # fmt: skip
_LIMITS: Final = ("sessions", "sessions_per_subject", "processes", "processes_per_subject")


def same(before: Settings, after: Settings) -> None:
    """Raise `NeedsRestart` where *after* changes what only a start can take."""
    pairs: list[tuple[str, Keys, Keys, str]] = [
        (f"gateway.{key}", before.gateway, after.gateway, key) for key in _GATEWAY
    ]
    pairs += [(f"gateway.limits.{key}", before.gateway.limits, after.gateway.limits, key) for key in _LIMITS]
    pairs.append(("audit", before, after, "audit"))
    pairs.append(("events.at_once", before.events, after.events, "at_once"))
    changed = tuple(name for name, old, new, key in pairs if getattr(old, key) != getattr(new, key))
    if changed:
        raise NeedsRestart(keys=changed)


def secret_files(loaded: Loaded, settings: Settings) -> dict[Path, str]:
    """List the files with secrets, which no function may see though they may lie beside its code, with their keys."""
    return {
        loaded.locate(one.file): ".".join(str(part) for part in path) for path, one in references(settings) if one.file
    }


def covered(loaded: Loaded, settings: Settings, hidden: tuple[Path, ...]) -> None:
    """Raise `NeedsRestart` where a function would see a file with a secret that was none when the gateway started.

    What a function sees is settled when its process is made, and processes outlive a reload.
    """
    handlers = [one.python or one.node for one in settings.functions.values()]
    folders = [loaded.locate(text.rpartition(":")[0]).resolve().parent for text in handlers if text]
    open_ones = [
        key
        for file, key in secret_files(loaded, settings).items()
        if file not in hidden and any(file.resolve().is_relative_to(folder) for folder in folders)
    ]
    if open_ones:
        raise NeedsRestart(keys=tuple(open_ones))
