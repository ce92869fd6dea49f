"""Check that what the settings name is there: files, and references to secrets."""

import re
from difflib import get_close_matches

from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.reader import named_files
from actas.settings.resolve import references
from actas.settings.schema import SecretRef
from actas.settings.secrecy import quoted

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check(view: View) -> None:
    """Check every file and every secret reference that the settings name."""
    for path, name, _ in named_files(view.settings):
        file = view.file(name)
        if file is not None and file.problem is not None:
            missing(view, path, name, file.problem)
    for path, reference in references(view.settings):
        _reference(view, path, reference)


def missing(view: View, path: Path, name: str, problem: str) -> None:
    """Report that the file called *name* cannot be used."""
    where = view.locate(name)
    near = _neighbour(view, name)
    hint = (
        f"Write {near}." if near else f"Create the file, or correct the path; it is looked for as {quoted(str(where))}."
    )
    view.report("settings.no-such-file", path, f"{quoted(name)} cannot be read: {problem}", hint, nearest=near)


def _neighbour(view: View, name: str) -> str | None:
    """Find a file beside where *name* should be, whose name is nearly the same."""
    where = view.locate(name)
    try:
        names = [one.name for one in where.parent.iterdir()][:1000]
    except (OSError, ValueError):
        return None
    close = get_close_matches(where.name, names, n=1, cutoff=0.7)
    return name[: len(name) - len(where.name)] + close[0] if close and name.endswith(where.name) else None


def _reference(view: View, path: Path, reference: SecretRef) -> None:
    if (reference.env is None) == (reference.file is None):
        message = "a secret is kept in one place: exactly one of env and file"
        view.report("settings.secret-reference", path, message, "Write {env: NAME} or {file: PATH}.")
    elif reference.env is not None and not _VARIABLE.fullmatch(reference.env):
        message = "env holds no name of an environment variable"
        hint = "Write the variable's name, not its value; if it was the secret, change it."
        view.report("settings.secret-reference", (*path, "env"), message, hint)
