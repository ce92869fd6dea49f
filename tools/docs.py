"""Write the pages that are made from the code; `make docs` runs it, and a test compares."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import actas
from actas.decide.reasons import CODES
from actas.errors import CATALOGUE, ActasError

ROOT = Path(__file__).parents[1]
SKIPPED = ("actas.testing", "actas.__main__")


def load_all() -> None:
    """Import every module, so that every error is in the catalogue."""
    for found in pkgutil.walk_packages(actas.__path__, "actas."):
        if not found.name.startswith(SKIPPED):
            importlib.import_module(found.name)


def errors() -> dict[str, type[ActasError]]:
    """Give every error of ours by its code."""
    load_all()
    return {code: one for code, one in sorted(CATALOGUE.items()) if one.__module__.startswith("actas.")}


def errors_page() -> str:
    """Write ``docs/errors.md``."""
    lines = [
        "# Errors",
        "",
        "Every error has a code that never changes, a sentence with the facts of the case, and a hint.",
        "Strangers see less: see [what callers are told](http.md).",
        "What `actas check` reports has [codes of its own](settings-mistakes.md).",
    ]
    room = ""
    for code, one in errors().items():
        if code.partition(".")[0] != room:
            room = code.partition(".")[0]
            lines += ["", f"## {room}"]
        told = (one.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"### {code}", "", told, "", f"*Status {one.status}.* {one.hint}"]
    return "\n".join(lines) + "\n"


def reasons_page() -> str:
    """Write ``docs/rules/reasons.md``."""
    lines = [
        "# Reasons",
        "",
        "A decision carries reasons: a code that never changes, and a sentence.",
        "They stand in the answer of a refused call, in the trail, and in `actas explain`.",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| `{code}` | {told} |" for code, told in CODES.items()),
    ]
    return "\n".join(lines) + "\n"


PAGES = {"errors.md": errors_page, "rules/reasons.md": reasons_page}


def main() -> None:
    """Write them all."""
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
    subprocess.run([sys.executable, ROOT / "tools" / "settings_docs.py"], check=True)


if __name__ == "__main__":
    main()
