"""Where the state is kept: the file in the state folder, or the PostgreSQL that a secret names."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from actas.settings.errors import DatabaseUnfit, SettingsError
from actas.settings.mistakes import Mistake
from actas.settings.reader import Loaded
from actas.settings.resolve import resolve
from actas.settings.schema import Settings

KEY: Final = "gateway.database"
_SCHEMES: Final = ("postgresql", "postgres")


def url(loaded: Loaded, settings: Settings, environment: Mapping[str, str] = os.environ) -> str | None:
    """Give the database's URL as SQLAlchemy takes it; None where the state is a file."""
    reference = settings.gateway.database
    if reference is None:
        return None
    folder = loaded.path.parent
    return of_text(resolve(reference, key=KEY, folder=folder, environment=environment).secret.reveal())


def of_text(text: str) -> str:
    """Read ``postgresql://user:password@host/name?sslmode=require``; raise `DatabaseUnfit` for anything else."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as wrong:
        raise DatabaseUnfit(why="it is no URL") from wrong
    if parts.scheme not in _SCHEMES:
        raise DatabaseUnfit(why="its scheme is not postgresql://")
    if find_spec("asyncpg") is None:
        raise DatabaseUnfit(why="the extra postgres is not installed")
    # libpq's name for it, which everybody writes, is not asyncpg's.
    query = [("ssl" if name == "sslmode" else name, value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(("postgresql+asyncpg", parts.netloc, parts.path, urlencode(query), ""))


def mistakes(loaded: Loaded, environment: Mapping[str, str] = os.environ) -> tuple[Mistake, ...]:
    """Say what is wrong with the URL; that it is not there is said already."""
    path = ("gateway", "database")
    if loaded.sketch is None or loaded.sketch.is_spoiled(path) or loaded.sketch.settings.gateway.database is None:
        return ()
    try:
        url(loaded, loaded.sketch.settings, environment)
    except DatabaseUnfit as wrong:
        return (loaded.source.mistake(wrong.code, path, wrong.message, wrong.hint),)
    except SettingsError:
        return ()
    return ()
