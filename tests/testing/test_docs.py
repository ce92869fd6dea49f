"""What docs/testing.md says is so."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from actas.testing.idp import SHAPES, Faults, made_up_clients, made_up_people

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()


def test_the_example_without_pytest_runs(capsys):
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "with Idp" in block]

    exec(code, {})  # our own page

    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/realms/actas\n", capsys.readouterr().out)


@pytest.mark.parametrize("person", made_up_people(), ids=lambda person: person.name)
def test_each_person_is_on_the_page_as_they_are(person):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{person.name}` |")]

    assert row.endswith("| yes |" if person.mfa else "| no |")
    assert all(role in row for role in person.roles)
    assert len(person.groups) > 200 or all(group in row for group in person.groups)


@pytest.mark.parametrize("name", [client.id for client in made_up_clients()] + sorted(SHAPES))
def test_each_client_and_each_shape_is_on_the_page(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("fault", [fault.name for fault in fields(Faults)])
def test_each_fault_is_on_the_page(fault):
    assert f"`{fault}`" in PAGE
