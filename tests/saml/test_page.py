"""The page's example runs, and each name that the library exports is really there."""

import re
from pathlib import Path

import pytest

from actas import saml

PAGE = Path(__file__).parents[2] / "docs" / "libraries" / "saml.md"


def test_the_example_of_the_page_runs():
    example = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]

    exec(compile(example, str(PAGE), "exec"), {})


@pytest.mark.parametrize("name", saml.__all__)
def test_an_exported_name_is_there(name):
    assert getattr(saml, name) is not None


def test_every_error_of_the_library_can_be_caught_as_one():
    errors = [one for one in vars(saml).values() if isinstance(one, type) and issubclass(one, Exception)]

    assert len(errors) >= 30
    assert all(issubclass(one, saml.SamlError) for one in errors)
