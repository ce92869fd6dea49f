"""Every door says of each call what caused it: one that forgot would let a circle of functions begin anew."""

import ast
from pathlib import Path

import pytest

DOORS = Path(__file__).parents[2] / "src" / "actas" / "http"
NOT_FROM_INSIDE = {"admin.py": "functions do not reach the admin API: the relay leads to STS alone"}


def makes_calls(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Call"
    ]


FILES = [file for file in sorted(DOORS.rglob("*.py")) if makes_calls(file) and file.name not in NOT_FROM_INSIDE]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(DOORS).as_posix())
def test_a_door_that_makes_calls_gives_them_root_and_depth(file):
    text = file.read_text(encoding="utf-8")
    named = all({"root", "depth"} <= {word.arg for word in made.keywords} for made in makes_calls(file))

    assert named or "call.root, call.depth = origin.root, origin.depth" in text


def test_doors_are_looked_at():
    assert {"calls.py"} <= {file.name for file in FILES}
