"""The page about the library does what it says and names what there is."""

import re
from pathlib import Path

from actas import jose
from actas.errors import CATALOGUE

PAGE = (Path(__file__).parents[2] / "docs" / "libraries" / "jose.md").read_text()


def test_the_examples_run_as_written():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    exec(compile("\n".join(blocks), "jose.md", "exec"), {})

    assert len(blocks) == 4


def test_every_public_name_is_on_the_page():
    assert [name for name in jose.__all__ if not re.search(rf"\b{name}\b", PAGE)] == ["Unchecked"]


def test_every_code_is_on_the_page():
    codes = {code for code in CATALOGUE if code.startswith("jose.")}

    assert {code for code in codes if code not in PAGE} == set()
    assert len(codes) == len(
        [
            name
            for name in jose.__all__
            if isinstance(getattr(jose, name), type)
            and name != "JoseError"
            and issubclass(getattr(jose, name), jose.JoseError)
        ]
    )


def test_every_public_name_says_what_it_is():
    assert [name for name in jose.__all__ if not getattr(jose, name).__doc__] == []


def test_the_library_imports_nothing_heavy():
    import subprocess
    import sys

    heavy = "asyncio anyio httpx yaml starlette sqlalchemy lxml jinja2 botocore ssl socket urllib.request"
    code = f"import sys, actas.jose; print([m for m in {heavy.split()!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
