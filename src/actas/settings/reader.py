"""Read ``actas.yaml`` and the files it names: typed settings, or every mistake at once.

What is read is kept as it was read, so that what was checked is what is used.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from actas.settings import shape, sketch
from actas.settings.errors import BrokenSettings
from actas.settings.mistakes import MOST, Mistake, errors, in_order
from actas.settings.positions import Path as KeyPath
from actas.settings.positions import Positions
from actas.settings.schema import Provider, SecretRef, Settings
from actas.settings.sketch import Sketch
from actas.settings.source import Source
from actas.settings.values import Scalar
from actas.settings.yaml import LARGEST, load


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """A file that the settings depend on, as it was when they were read."""

    path: Path
    digest: str | None
    """SHA-256, hex; None where the file could not be read, or holds a secret and is only watched."""
    content: bytes | None = field(default=None, repr=False)
    problem: str | None = None
    """Why it could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings as they stood at one moment, and all that is wrong with them."""

    path: Path
    source: Source
    settings: Settings | None
    """None where the file does not have the shape of settings."""
    files: tuple[FileRead, ...]
    """The settings file first, then each file it names."""
    mistakes: tuple[Mistake, ...] = ()
    sketch: Sketch | None = field(default=None, repr=False)
    """What could be read of them, for checks; None where there is too little."""

    @property
    def positions(self) -> Positions:
        """Where each key and value stands."""
        return self.source.positions

    @property
    def broken(self) -> bool:
        """Tell whether any mistake keeps the settings from being used; warnings do not."""
        return self.settings is None or bool(errors(self.mistakes))

    @property
    def digest(self) -> str:
        """Name this state of all the files but the secret ones, wherever they lie: SHA-256, hex."""
        whole = hashlib.sha256()
        for one in self.files:
            name = os.path.relpath(one.path, self.path.parent).encode(errors="surrogateescape")
            whole.update(b"%d:%b=%b\n" % (len(name), name, str(one.digest).encode()))
        return whole.hexdigest()

    def usable(self) -> Settings:
        """Give the settings, or raise BrokenSettings with every mistake."""
        if self.settings is None or self.broken:
            raise BrokenSettings(mistakes=errors(self.mistakes))
        return self.settings

    def locate(self, name: str) -> Path:
        """Find the file called *name* in the settings: relative to the settings file's folder."""
        return locate(self.path, name)

    def content(self, name: str) -> bytes | None:
        """Give the content of the file called *name* as it was read; None where it could not be."""
        wanted = self.locate(name)
        return next((one.content for one in self.files if one.path == wanted), None)

    def with_mistakes(self, more: tuple[Mistake, ...]) -> "Loaded":
        """Add *more* mistakes, in their order."""
        return replace(self, mistakes=in_order((*self.mistakes, *more)))

    def with_others(self, more: Iterable[Mistake]) -> "Loaded":
        """Add those of *more* that are about keys of which nothing wrong has been said yet."""
        said = [one.key for one in errors(self.mistakes)]
        return self.with_mistakes(tuple(one for one in more if not any(_overlap(one.key, key) for key in said)))


def _overlap(one: str, other: str) -> bool:
    """Tell whether one of two keys is, or holds, the other."""
    short, long = sorted((one, other), key=len)
    return long == short or (long.startswith(short) and long[len(short)] in ".[")


def locate(settings_path: Path, name: str) -> Path:
    """Find the file that the settings at *settings_path* call *name*."""
    return Path(os.path.normpath(settings_path.parent / name))


def read(path: Path | str) -> Loaded:
    """Read the settings at *path* and the files they name; mistakes are in what comes back, never raised."""
    where, shown = Path(os.path.abspath(path)), str(path)  # noqa: PTH100 - a link must stay a link
    file = read_file(where)
    if file.content is None:
        problem = Source(file=shown).mistake(
            "settings.unreadable-file", (), f"the file cannot be read: {file.problem}", "Check the path and its rights."
        )
        return Loaded(path=where, source=Source(file=shown), settings=None, files=(file,), mistakes=(problem,))
    loaded = parse(file.content, path=where, shown=shown)
    named = _named_files(where, loaded.sketch.settings) if loaded.sketch else ()
    return replace(loaded, files=(file, *named))


def parse(content: bytes, *, path: Path, shown: str) -> Loaded:
    """Read *content* as the settings at *path*, which are called *shown* in mistakes; opens no other file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        source = Source(file=shown)
        line = content.count(b"\n", 0, wrong.start) + 1
        message = f"the file is not UTF-8: a wrong byte in line {line}"
        problem = source.mistake("settings.not-utf8", (), message, "Save the file as UTF-8.")
        return Loaded(path=path, source=source, settings=None, files=(), mistakes=(replace(problem, line=line),))
    return _read_text(text, path, shown)


def _read_text(text: str, path: Path, shown: str) -> Loaded:
    tree = load(text)
    source = Source(file=shown, lines=tuple(text.splitlines()), positions=tree.positions)
    loaded = Loaded(path=path, source=source, settings=None, files=())
    if len(tree.wrongs) > MOST:
        return loaded.with_mistakes((*(source.of_text(one, whole=False) for one in tree.wrongs[:MOST]), source.more()))
    if not tree.whole:
        return loaded.with_mistakes(tuple(source.of_text(one, whole=False) for one in tree.wrongs))
    found = _misfits(tree.data)
    unknown = {facts[1] for facts, _ in found if facts[0] == "settings.unknown-key"}
    source = replace(source, unknown=frozenset(unknown))
    mistakes = [source.of_text(wrong, whole=True) for wrong in tree.wrongs]
    mistakes += [source.mistake(*facts, **more) for facts, more in found[:MOST]]
    if len(found) > MOST:
        mistakes.append(source.more())
    loaded = replace(loaded, source=source).with_mistakes(tuple(mistakes))
    if len(mistakes) > MOST:
        return loaded
    spoiled = frozenset({wrong.path for wrong in tree.wrongs} | {facts[1] for facts, _ in found})
    return _typed(tree.data, spoiled, loaded)


def _misfits(data: object) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """List what does not fit the schema, as what `Source.mistake` takes, up to one more than is told."""
    if data is None:
        return [(("settings.empty", (), "the file says nothing", "Start from `actas init`, which writes one."), {})]
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def report(*facts: Any, **more: Any) -> None:
        found.append((facts, more))
        if len(found) > MOST:
            raise _Enough

    with contextlib.suppress(_Enough):
        shape.fit(data, _settings_type(), (), report)
    return found


class _Enough(Exception):
    """There are more mistakes than are told; looking for more is in vain."""


def _typed(data: object, spoiled: frozenset[KeyPath], loaded: Loaded) -> Loaded:
    """Add the typed settings: for use where the file has no mistake, for checking where it has."""
    try:
        whole = sketch.mended(data, _settings_type(), spoiled) if spoiled else data
        settings = msgspec.convert(whole, Settings, dec_hook=_scalar)
    except (msgspec.ValidationError, ValueError) as wrong:
        # `shape` finds all there is to find; should the two ever differ, the stricter one wins.
        hint = "Compare the file with docs/settings.md."
        more = () if spoiled else (loaded.source.mistake("settings.wrong-value", (), str(wrong), hint),)
        return loaded.with_mistakes(more)
    known = Sketch(settings=settings, spoiled=spoiled, names=sketch.names(data))
    return replace(loaded, settings=None if loaded.mistakes else settings, sketch=known)


def _scalar(cls: type, value: object) -> object:
    if issubclass(cls, Scalar) and isinstance(value, str):
        return cls.read(value)
    if cls is object:
        return value
    raise ValueError("a text is wanted")


@lru_cache(maxsize=1)
def _settings_type() -> inspect.Type:
    return inspect.type_info(Settings)


_REGULAR: Final = "it is no regular file"


def read_file(path: Path) -> FileRead:
    """Read a regular file of bounded size; what is in the way is told, not raised."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - a pipe must not block
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return FileRead(path=path, digest=None, problem=_REGULAR)
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else "it is no path"
        return FileRead(path=path, digest=None, problem=why.lower())
    return FileRead(path=path, digest=hashlib.sha256(content).hexdigest(), content=content)


def _named_files(path: Path, settings: Settings) -> tuple[FileRead, ...]:
    found: dict[Path, FileRead] = {}
    for _, name, secret in named_files(settings):
        where = locate(path, name)
        if where not in found:
            found[where] = FileRead(path=where, digest=None) if secret else read_file(where)
    return tuple(found.values())


def named_files(settings: Settings) -> Iterator[tuple[KeyPath, str, bool]]:
    """List the files that *settings* depend on: the key that names each, its name, whether it holds a secret."""
    for name, provider in settings.providers.items():
        yield from _files_of(("providers", name), provider)
    for name, function in settings.functions.items():
        for variable, value in function.environment.items():
            if isinstance(value, SecretRef) and value.file is not None:
                yield ("functions", name, "environment", variable, "file"), value.file, True
    for name, role in settings.roles.items():
        for key, file in (("policy", role.policy), ("trust", role.trust)):
            if file is not None:
                yield ("roles", name, key), file, False
    for arn, file in settings.policies.items():
        yield ("policies", arn), file, False
    for place, officer in enumerate(settings.audit.officers):
        yield ("audit", "officers", place), officer, False


def _files_of(at: KeyPath, provider: Provider) -> Iterator[tuple[KeyPath, str, bool]]:
    if provider.keys is not None and provider.keys.file is not None:
        yield (*at, "keys", "file"), provider.keys.file, False
    if provider.ca is not None:
        yield (*at, "ca"), provider.ca, False
    if provider.metadata is not None and "://" not in provider.metadata:
        yield (*at, "metadata"), provider.metadata, False
    if provider.metadata_certificate is not None:
        yield (*at, "metadata_certificate"), provider.metadata_certificate, False
    for place, key in enumerate(provider.decryption):
        if key.file is not None:
            yield (*at, "decryption", place, "file"), key.file, True
    if provider.lookup is not None and provider.lookup.secret.file is not None:
        yield (*at, "lookup", "secret", "file"), provider.lookup.secret.file, True
