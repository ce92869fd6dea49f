"""What the documentation says of the settings is what the code does."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from actas.settings import catalogue, reference
from actas.settings.checks import check
from actas.settings.jsonschema import schema_json
from actas.settings.reader import read
from actas.settings.render import render
from actas.settings.starter import example

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
SETTINGS = ROOT / "src" / "actas" / "settings"


def test_the_checked_in_schema_is_the_one_the_code_gives():
    assert (DOCS / "actas.schema.json").read_text() == schema_json()


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_json()))


@pytest.fixture(scope="module")
def editor():
    return jsonschema.Draft202012Validator(json.loads(schema_json()))


class Plain(yaml.SafeLoader):
    """What an editor's language server reads: YAML 1.2."""


Plain.yaml_implicit_resolvers = {
    letter: [(tag, found) for tag, found in resolvers if tag.rsplit(":", 1)[1] not in ("timestamp", "bool")]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Plain.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
Plain.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^$"), list("0123456789"))


def seen(text):
    return yaml.load(text, Loader=Plain)


def test_an_editor_takes_what_we_take(editor, sound):
    assert list(editor.iter_errors(seen(sound))) == []
    assert [one.message for one in editor.iter_errors(seen(example().replace("07:00-19:00", "'07:00-19:00'")))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("preset:", "presett:"),
        ("groups: [finance]", "groups: {}"),
        ("as: reader", "as: 1"),
        ("id: finance-reads", "id: Finance Reads"),
        ("as: reader", "when: {days: mon, auth_age: 12}"),
        ("as: reader", "when:"),
        ("gateway: {", "mode: enforced\ngateway: {"),
        ("gateway: {", "gateway: {account: '1', "),
        ("gateway: {", "gateway: {limits: {connections: 0}, "),
    ],
)
def test_an_editor_and_we_refuse_the_same(editor, desk, sound, old, new):
    text = sound.replace(old, new)

    assert list(editor.iter_errors(seen(text)))
    assert desk.read(text).broken


def test_every_key_has_a_meaning():
    entries = reference.entries()

    assert len(entries) > 120
    assert [one.key for one in entries if not one.meaning.endswith(".")] == []


def between(page):
    text = (DOCS / page).read_text()
    return text.split("begin -->\n")[1].split("<!-- made by")[0]


def test_the_page_of_keys_is_up_to_date():
    assert between("settings.md") == reference.table()


def test_the_page_of_mistakes_is_up_to_date():
    assert between("settings-mistakes.md") == catalogue.table()


def test_every_code_is_in_the_catalogue_and_every_code_there_is_used():
    told = {
        file: set(re.findall(r'"(settings\.[a-z0-9-]+)"', file.read_text()))
        for file in (ROOT / "src" / "actas").rglob("*.py")
        if file.name != "catalogue.py"
    }
    ours = set().union(*(codes for file, codes in told.items() if file.is_relative_to(SETTINGS)))

    assert ours - {"settings.broken"} - set(catalogue.CODES) == set()
    assert set(catalogue.CODES) - set().union(*told.values()) == set()


def test_the_example_of_mistakes_is_what_is_printed(desk, around, monkeypatch):
    page = (DOCS / "settings-mistakes.md").read_text()
    text = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1]
    shown = re.search(r"```\n(actas\.yaml:2.*?)```", page, re.DOTALL)[1]
    desk.write(text)
    monkeypatch.chdir(desk.folder)

    assert render(check(read("actas.yaml"), around).mistakes) == shown


def test_what_the_page_says_of_plain_values_is_so(desk):
    """The table "The YAML it reads" of docs/settings.md, row by row."""
    from actas.settings.yaml import load

    rows = re.findall(r"^\| (`.*?) \| (a \w+|nothing)", (DOCS / "settings.md").read_text(), re.MULTILINE)
    kinds = {"a boolean": bool, "a number": (int, float), "a text": str, "nothing": type(None)}
    checked = 0
    for cell, kind in rows:
        if kind in kinds:
            for value in re.findall(r"`([^`]*)`", cell):
                checked += 1
                assert isinstance(load(f"k: {value}").data["k"], kinds[kind]), value

    assert checked > 18


PAGES = sorted((DOCS / "rules").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_rule_in_the_pages_is_sound(desk, around, page):
    head = """\
providers:
  corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas, agent_clients: [assistant],
         groups: {absent: empty}}
  azure: {preset: entra, tenant: t1, audience: actas, groups: {absent: empty}}
functions:
  report: {http: "https://report.example"}
  billing: {http: "https://billing.example"}
  orders: {http: "https://orders.example", routes: ["GET /orders/{id}", "POST /orders"]}
roles:
  finance-reader: {arn: "arn:aws:iam::111122223333:role/finance-reader"}
  finance-writer: {arn: "arn:aws:iam::111122223333:role/finance-writer"}
"""
    for text in re.findall(r"```yaml\n(rules:.*?)```", page.read_text(), re.DOTALL):
        mistakes = [one for one in desk.check(head + text).mistakes if one.severity == "error"]

        assert mistakes == []


def test_the_page_of_condition_keys_is_the_table_that_rules_are_compiled_to():
    from actas.decide.keys import TABLE

    rows = re.findall(r"^\| `(a\w+:\S+)` \|", (DOCS / "rules" / "keys.md").read_text(), re.MULTILINE)

    assert rows == [one.name for one in TABLE]


def test_the_pages_of_who_and_when_have_every_key():
    from actas.settings.schema import When, Who

    for page, struct in (("who.md", Who), ("when.md", When)):
        rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "rules" / page).read_text(), re.MULTILINE)
        assert rows == list(struct.__struct_encode_fields__)


EXAMPLES = re.findall(
    r"```yaml\n# (settings\.[a-z-]+)\n(.*?)```", (DOCS / "settings-mistakes.md").read_text(), re.DOTALL
)


@pytest.mark.parametrize(
    ("code", "text"), EXAMPLES, ids=[f"{number} {code}" for number, (code, _) in enumerate(EXAMPLES)]
)
def test_each_example_has_the_mistake_that_it_shows(desk, code, text):
    assert code in [one.code for one in desk.check(text).mistakes]


def test_there_are_examples():
    assert len(EXAMPLES) == 8
