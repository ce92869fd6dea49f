"""The page about the library: its examples run, and its list of codes is complete."""

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "libraries" / "iam.md"
SOURCE = Path(__file__).parents[2] / "src" / "actas" / "iam"


def test_each_example_prints_what_the_page_says():
    examples = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {}

    for code, printed in examples:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(code, names)
        assert output.getvalue() == printed

    assert len(examples) == 3


def test_each_finding_code_is_on_the_page():
    told = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", PAGE.read_text()))
    noted = set()
    for path in SOURCE.glob("*.py"):
        noted |= set(
            re.findall(
                r"\.(?:warn|error|suggest|syntax|_warn)\(.*?\"([a-z0-9]+(?:-[a-z0-9]+)+)\"", path.read_text(), re.DOTALL
            )
        )

    assert noted - told == set()
