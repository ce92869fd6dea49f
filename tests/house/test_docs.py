"""Promises of the pages: every code, plug-in and file that a page names is there, and every one there has a page."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def made():
    spec = importlib.util.spec_from_file_location("tools_docs", ROOT / "tools" / "docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_that_are_made_from_the_code_are_up_to_date(made):
    stale = [page for page, write in made.PAGES.items() if (DOCS / page).read_text() != write()]

    assert stale == [], "run `make docs` and commit what it writes"


def test_every_error_names_a_room_that_there_is(made):
    rooms = {path.stem for path in (ROOT / "src" / "actas").iterdir() if path.name != "__pycache__"} | {"actas"}

    assert {code.partition(".")[0] for code in made.errors()} <= rooms | {"lambda"}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]

    assert broken == []


def _plugins():
    source = ROOT / "src" / "actas"
    for folder, pages in (
        ("identify/presets", "providers"),
        ("assume/brokers", "brokers"),
        ("invoke/backends", "backends"),
        ("audit/sinks", "sinks"),
        ("events/sources", "sources"),
    ):
        for file in sorted((source / folder).glob("*.py")):
            if file.stem not in ("__init__", "errors"):
                yield pytest.param(file, DOCS / pages, id=f"{folder}/{file.stem}")


PLUGINS = list(_plugins())


@pytest.mark.parametrize(("file", "pages"), PLUGINS)
def test_a_plug_in_has_a_page(file, pages):
    assert any((pages / f"{stem}.md").is_file() for stem in (file.stem, file.stem.replace("_", "-")))


@pytest.mark.parametrize(("file", "pages"), PLUGINS)
def test_a_plug_in_is_under_contract(file, pages):
    rooms = {"providers": "Preset", "brokers": "Broker", "backends": "Backend", "sinks": "Sink", "sources": "Source"}
    contract = f"{rooms[pages.name]}Contract"
    tests = [test.read_text() for test in (ROOT / "tests").rglob("test_*.py")]

    names = {file.stem, file.stem.replace("_", "-")}

    assert any(contract in text and any(name in text for name in names) for text in tests)


def test_every_dependency_has_a_line():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [re.match(r"[A-Za-z0-9_-]+", one)[0] for one in project["project"]["dependencies"]]
    wanted += [
        re.match(r"[A-Za-z0-9_-]+", one)[0]
        for row in project["project"]["optional-dependencies"].values()
        for one in row
    ]
    page = (DOCS / "dependencies.md").read_text()

    assert [one for one in wanted if f"`{one}`" not in page] == []


def test_the_repository_speaks_of_the_product_alone():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    wrong = re.compile(r"(^|[^A-Za-z0-9._/-])/(work|root|farm)/")
    found = [
        file for file in tracked
        if not file.endswith((".lock", ".json", ".gz", ".bin")) and file != "tests/house/test_docs.py"
        and (ROOT / file).is_file() and wrong.search((ROOT / file).read_text(errors="replace"))
    ]  # fmt: skip

    assert found == []


def test_the_version_is_said_once():
    import tomllib

    import actas

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == actas.__version__


def test_the_names_of_commands_in_the_first_screen_are_commands():
    from actas.cli.app import COMMANDS

    screen = (ROOT / "README.md").read_text().split("\n## ")[0]

    assert set(re.findall(r"\.venv/bin/actas (\w+)", screen)) <= set(COMMANDS)
