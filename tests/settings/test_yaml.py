"""Strict YAML: plain data with places, and everything that is wrong with it."""

import contextlib
import json

import pytest
import yaml as pyyaml
from hypothesis import given, settings
from hypothesis import strategies as st

from actas.settings.yaml import DEEPEST, LARGEST, load

PLAIN = [
    ("a word is a text", "hello", "hello"),
    ("yes is a text", "yes", "yes"),
    ("no is a text", "no", "no"),
    ("on is a text", "on", "on"),
    ("off is a text", "OFF", "OFF"),
    ("y is a text", "y", "y"),
    ("true is a boolean", "true", True),
    ("False is a boolean", "False", False),
    ("half past noon is a text, not 750", "12:30", "12:30"),
    ("a time with seconds is a text", "1:02:03", "1:02:03"),
    ("a leading nought makes a text, not an octal number", "010", "010"),
    ("an account number with leading noughts is a text", "000000000000", "000000000000"),
    ("0o17 is a text", "0o17", "0o17"),
    ("0x1f is a text", "0x1f", "0x1f"),
    ("0b11 is a text", "0b11", "0b11"),
    ("a date is a text", "2026-01-01", "2026-01-01"),
    ("a moment is a text", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("underscores make a text", "1_000", "1_000"),
    ("infinity is a text", ".inf", ".inf"),
    ("not a number is a text", ".nan", ".nan"),
    ("a number with an exponent and no point is a number", "1e3", 1000.0),
    ("a whole number", "42", 42),
    ("a negative number", "-7", -7),
    ("the largest whole number", "9" * 18, 10**18 - 1),
    ("a longer one is a text", "9" * 19, "9" * 19),
    ("five thousand digits are a text", "9" * 5000, "9" * 5000),
    ("a decimal number", "1.5", 1.5),
    ("a version is a text", "1.2.3", "1.2.3"),
    ("nothing is null", "", None),
    ("a tilde is null", "~", None),
    ("null is null", "null", None),
    ("a quoted null is a text", '"null"', "null"),
    ("a quoted number is a text", '"12"', "12"),
    ("a quoted yes is a text", "'yes'", "yes"),
    ("an equals sign is a text", "=", "="),
    ("a block keeps its lines", "|\n  one\n  two\n", "one\ntwo\n"),
]


@pytest.mark.parametrize(("text", "value"), [case[1:] for case in PLAIN], ids=[case[0] for case in PLAIN])
def test_what_a_value_is(text, value):
    tree = load(f"key: {text}")

    assert tree.wrongs == ()
    assert tree.data == {"key": value}
    assert type(tree.data["key"]) is type(value)


def test_a_key_is_the_text_it_is_written_as():
    tree = load("on: 1\nyes: 2\n12: 3\ntrue: 4\nnull: 5\n")

    assert tree.data == {"on": 1, "yes": 2, "12": 3, "true": 4, "null": 5}


def test_every_key_and_value_has_its_place():
    tree = load("a: 1\nb:\n  - x\n  - {c: 'd e'}\n")

    marks = tree.positions
    assert (marks.keys[("a",)].line, marks.keys[("a",)].column) == (1, 1)
    assert (marks.values[("a",)].line, marks.values[("a",)].column) == (1, 4)
    assert (marks.values[("b", 0)].line, marks.values[("b", 0)].column) == (3, 5)
    assert (marks.keys[("b", 1, "c")].line, marks.keys[("b", 1, "c")].column) == (4, 6)
    last = marks.values[("b", 1, "c")]
    assert (last.line, last.column, last.end_column) == (4, 9, 14)


def test_columns_count_letters_not_bytes():
    tree = load('"é": {x: "ü", y: z}')

    assert tree.positions.values[("é", "y")].column == 18


WRONG = [
    ("an alias", "a: &x 1\nb: *x\n", [("settings.anchor", 1, 4), ("settings.alias", 2, 4)]),
    ("an alias as a key", "a: &x k\n*x : 1\n", [("settings.anchor", 1, 4), ("settings.alias", 2, 1)]),
    ("a tag", "a: !!int '12'\n", [("settings.tag", 1, 4)]),
    ("a tag that makes objects", "a: !!python/object/apply:os.system ['true']\n", [("settings.tag", 1, 4)]),
    ("a bare exclamation mark", "a: ! b\n", [("settings.tag", 1, 4)]),
    ("a merge key", "a:\n  <<: {b: 1}\n", [("settings.merge-key", 2, 3)]),
    ("a duplicate key", "a: 1\nb: 2\na: 3\n", [("settings.duplicate-key", 3, 1)]),
    ("a duplicate key, quoted once", "a: 1\n'a': 3\n", [("settings.duplicate-key", 2, 1)]),
    ("a duplicate key in a flow mapping", "x: {a: 1, a: 2}\n", [("settings.duplicate-key", 1, 11)]),
    ("a second document", "a: 1\n---\nb: 2\n", [("settings.several-documents", 2, 1)]),
    ("a version directive", "%YAML 1.1\n---\na: 1\n", [("settings.directive", 1, 1)]),
    ("a tag directive", "%TAG ! tag:x.example,2000:\n---\na: 1\n", [("settings.directive", 1, 1)]),
    ("a list as a key", "? [a, b]\n: 1\nc: 2\n", [("settings.bad-key", 1, 3)]),
    ("a mapping as a key", "? {a: b}\n: 1\nc: 2\n", [("settings.bad-key", 1, 3)]),
    ("an empty key", "'': 1\nc: 2\n", [("settings.bad-key", 1, 1)]),
    ("a key with a line break in it", '"a\\nb": 1\n', [("settings.bad-key", 1, 1)]),
    ("an escaped NUL", 'a: "x\\0"\n', [("settings.control-character", 1, 4)]),
    ("a bell", "a: 1\nb: x\a\n", [("settings.control-character", 2, 5)]),
    ("a line separator", "a: x\u2028b: 2\n", [("settings.control-character", 1, 5)]),
    ("no YAML", "a: [1, 2\nb: 3\n", [("settings.bad-yaml", 2, 2)]),
    ("a tab for indentation", "a:\n\tb: 1\n", [("settings.bad-yaml", 2, 1)]),
    ("a value without a key", "a: 1\n  b\n", None),
]


@pytest.mark.parametrize(("text", "wanted"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_refused_is_refused_at_its_place(text, wanted):
    found = [(one.code, one.mark.line, one.mark.column) for one in load(text).wrongs]

    if wanted is None:  # YAML folds it into one text; the schema then refuses that
        assert found == []
    else:
        assert found == wanted


def test_the_first_of_two_equal_keys_stays_and_the_rest_goes_on():
    tree = load("a: 1\na: {b: [2, {c: 3}]}\nd: 4\n")

    assert tree.data == {"a": 1, "d": 4}


def test_nesting_up_to_the_limit_is_read():
    tree = load("[" * DEEPEST + "]" * DEEPEST)

    assert tree.wrongs == ()


@pytest.mark.parametrize("letter", ["[", "{a: "])
def test_nesting_beyond_the_limit_is_refused_without_recursion(letter):
    tree = load(letter * 100_000)

    assert [one.code for one in tree.wrongs] == ["settings.too-deep"]


def test_a_file_of_the_largest_size_is_read():
    text = "a: 1\n#" + "x" * (LARGEST - 6)

    assert load(text).wrongs == ()


def test_a_larger_file_is_refused_unread():
    tree = load("a: 1\n#" + "x" * (LARGEST - 5))

    assert [one.code for one in tree.wrongs] == ["settings.too-large"]


def test_aliases_are_never_multiplied():
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]

    tree = load("\n".join(lines))

    assert {one.code for one in tree.wrongs} == {"settings.anchor", "settings.alias"}


@given(st.text(max_size=300))
@settings(max_examples=250, deadline=None)
def test_any_text_gives_a_tree_or_what_is_wrong_with_it(text):
    tree = load(text)

    assert tree.whole or tree.wrongs


SNIPPETS = st.sampled_from(
    ["a", "b: ", "\n", "  ", "- ", "[", "]", "{", "}", ",", ":", "? ", "&x ", "*x", "!!str ", "'", '"', "|\n", "#c",
     "<<: ", "---\n", "%YAML 1.1\n", "1", "true", "~", "\t", "é", ">", "@", "`"]
)  # fmt: skip


@given(st.lists(SNIPPETS, max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_heap_of_yaml_gives_a_tree_or_what_is_wrong_with_it(parts):
    tree = load("".join(parts))

    assert tree.whole or tree.wrongs


PRINTED = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Cf", "Co"]), max_size=20
)
NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | PRINTED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_json_is_read_as_what_it_says(value):
    tree = load(json.dumps(value, ensure_ascii=False))

    assert tree.wrongs == ()
    assert tree.data == value


@given(JSON)
@settings(max_examples=120, deadline=None)
def test_what_pyyaml_writes_is_read_as_it_was(value):
    text = pyyaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    with contextlib.suppress(StopIteration):
        next(token for token in pyyaml.scan(text) if isinstance(token, pyyaml.AnchorToken))
        return

    tree = load(text)

    assert tree.wrongs == ()
    assert tree.data == value
