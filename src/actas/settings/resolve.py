"""Fetch the secrets that the settings refer to: from the environment, or from files.

The edge where secrets come in. What is fetched is a `Secret`; it is in no message.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from actas.model.secret import Secret
from actas.settings.errors import SecretEmpty, SecretMissing, SecretUnreadable, SettingsError
from actas.settings.mistakes import Mistake, dotted
from actas.settings.positions import Path as KeyPath
from actas.settings.reader import Loaded
from actas.settings.schema import AwsBase, RoleSettings, SecretRef, Settings
from actas.settings.schema_events import EventSource

LARGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A secret, and what is doubtful about the place it came from."""

    secret: Secret
    doubt: str | None = None


def resolve(reference: SecretRef, *, key: str, folder: Path, environment: Mapping[str, str] = os.environ) -> Resolved:
    """Fetch what *reference* points to; *key* says for whom, *folder* is where relative paths start."""
    if reference.env is not None:
        return Resolved(secret=_of_variable(reference.env, key, environment))
    return _of_file(folder / (reference.file or ""), key, reference.file or "")


def _of_variable(name: str, key: str, environment: Mapping[str, str]) -> Secret:
    where = f"environment variable {name}"
    value = environment.get(name)
    if value is None:
        raise SecretMissing(key=key, where=where)
    if not value:
        raise SecretEmpty(key=key, where=where)
    if not _is_text(value):
        raise SecretUnreadable(key=key, where=where, why="it is not UTF-8")
    return Secret(value)


def _is_text(value: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _of_file(path: Path, key: str, name: str) -> Resolved:
    where = f"file {name}"
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - a pipe must not block
            status = os.fstat(file.fileno())
            content = file.read(LARGEST + 1) if stat.S_ISREG(status.st_mode) else None
    except FileNotFoundError as gone:
        raise SecretMissing(key=key, where=where) from gone
    except (OSError, ValueError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else "it is no path"
        raise SecretUnreadable(key=key, where=where, why=why.lower()) from wrong
    if content is None:
        raise SecretUnreadable(key=key, where=where, why="it is no regular file")
    if len(content) > LARGEST:
        raise SecretUnreadable(key=key, where=where, why=f"it is larger than {LARGEST:,} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise SecretUnreadable(key=key, where=where, why="it is not UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")  # editors and `echo` add one; it is no part of the secret
    if not text:
        raise SecretEmpty(key=key, where=where)
    return Resolved(secret=Secret(text), doubt=_doubt(status))


def _doubt(status: os.stat_result) -> str | None:
    """Say who else may read a secret's file."""
    if status.st_mode & stat.S_IROTH:
        return "everybody on this machine may read it"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others than its owner may write it"
    return None


def references(settings: Settings) -> Iterator[tuple[KeyPath, SecretRef]]:
    """List every reference to a secret, with the key that holds it."""
    if settings.gateway.database is not None:
        yield ("gateway", "database"), settings.gateway.database
    for name, provider in settings.providers.items():
        if provider.lookup is not None:
            yield ("providers", name, "lookup", "secret"), provider.lookup.secret
        for place, key in enumerate(provider.decryption):
            yield ("providers", name, "decryption", place), key
    for name, function in settings.functions.items():
        for variable, value in function.environment.items():
            if isinstance(value, SecretRef):
                yield ("functions", name, "environment", variable), value
    yield from _of_aws(settings)
    for name, source in settings.events.sources.items():
        yield from _of_source(("events", "sources", name), source)


def _of_source(path: KeyPath, source: EventSource) -> Iterator[tuple[KeyPath, SecretRef]]:
    for key in ("token", "secret"):
        if (found := getattr(source, key)) is not None:
            yield (*path, key), found
    if source.client is not None and source.client.secret is not None:
        yield (*path, "client", "secret"), source.client.secret


def _of_aws(settings: Settings) -> Iterator[tuple[KeyPath, SecretRef]]:
    for name, role in settings.roles.items():
        yield from _of_role(("roles", name), role)
    if settings.audit.cloudwatch is not None:
        yield from of_base(("audit", "cloudwatch", "base"), settings.audit.cloudwatch.base)


def _of_role(path: KeyPath, role: RoleSettings) -> Iterator[tuple[KeyPath, SecretRef]]:
    if isinstance(role.external_id, SecretRef):
        yield (*path, "external_id"), role.external_id
    yield from of_base((*path, "base"), role.base)
    if role.cut is not None:
        yield from of_base((*path, "cut", "by"), role.cut.by)


def of_base(path: KeyPath, base: AwsBase | None) -> Iterator[tuple[KeyPath, SecretRef]]:
    """List the references of credentials at AWS."""
    if base is not None:
        for key in ("access_key_id", "secret_access_key", "session_token"):
            if (found := getattr(base, key)) is not None:
                yield (*path, key), found


def check_secrets(loaded: Loaded, environment: Mapping[str, str] = os.environ) -> Loaded:
    """Add to *loaded* a mistake for each secret that is not there, and a warning for each that others may read."""
    if loaded.sketch is None:
        return loaded
    found: list[Mistake] = []
    for path, reference in references(loaded.sketch.settings):
        if loaded.sketch.is_spoiled(path) or (reference.env is None) == (reference.file is None):
            continue  # `checks` says so
        try:
            one = resolve(reference, key=dotted(path), folder=loaded.path.parent, environment=environment)
        except SettingsError as wrong:
            found.append(loaded.source.mistake(wrong.code, path, wrong.message, wrong.hint))
            continue
        if one.doubt is not None:
            message = f"the secret of {dotted(path)} lies open: {one.doubt}"
            hint = "Give the file to the gateway's user and take the others' rights away: chmod 600."
            found.append(loaded.source.mistake("settings.secret-open", path, message, hint, severity="warning"))
    return loaded.with_mistakes(tuple(found))
