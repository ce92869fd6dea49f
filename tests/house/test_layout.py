"""Promises of the whole house: sizes, docstrings, words, who may make what."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "actas"
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 40

EXCEPTIONS: dict[str, str] = {}
"""A file or ``file:function`` that may be longer, and why."""

MINTED = {
    "Identity": ("identify",),
    "Grant": ("decide",),
    "Session": ("assume",),
    "Sessions": ("assume",),
}
"""Trusted values, and the only rooms that make them; `testing` makes them for contracts."""
OF_THE_MODEL = {"NO_ROLE"}


def name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_fits_in_one_sitting_and_says_what_it_is_for(path):
    lines = path.read_text().count("\n")
    doc = ast.get_docstring(tree(path))

    assert lines <= LONGEST_FILE or name(path) in EXCEPTIONS
    assert doc, "a module says what it is for"
    assert not doc.startswith("This module")


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count lines without the docstring: a command's is its help text."""
    first = node.body[0]
    doc = ast.get_docstring(node, clean=False)
    told = (first.end_lineno or 0) - first.lineno + 1 if doc is not None else 0
    return (node.end_lineno or 0) - node.lineno + 1 - told


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_function_fits_in_the_head(path):
    long = [
        node.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _length(node) > LONGEST_FUNCTION
        and f"{name(path)}:{node.name}" not in EXCEPTIONS
    ]

    assert long == []


def test_an_exception_names_something_that_is_there():
    for key in EXCEPTIONS:
        assert (SOURCE / key.partition(":")[0]).is_file(), key


@pytest.mark.parametrize("path", FILES, ids=name)
def test_trusted_values_are_made_in_their_own_room(path):
    room = name(path).split("/")[0]
    made = [
        node.func.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MINTED
    ]
    strangers = [one for one in made if room not in (*MINTED[one], "testing")]

    assert strangers == [] or name(path) == "model/session.py"


def test_there_is_no_drawer_for_odds_and_ends():
    words = {"utils", "util", "helpers", "common", "misc", "base", "manager", "core"}

    assert [name(path) for path in FILES if path.stem in words or path.parent.name in words] == []


def test_no_room_is_empty():
    rooms = [path for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"]

    assert [room.name for room in rooms if not any(file.stem != "__init__" for file in room.rglob("*.py"))] == []


def test_the_clock_is_read_in_one_place():
    readers = [
        name(path)
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "time"}
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("datetime", "now"), ("datetime", "utcnow"), ("time", "time")}
    ]

    assert set(readers) <= {"model/clock.py"}
