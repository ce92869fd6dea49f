"""Whatever stands in a settings file, what comes out is settings or mistakes."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actas.settings.checks import check
from actas.settings.errors import BrokenSettings
from actas.settings.reader import parse
from actas.settings.reference import entries
from actas.settings.render import as_json, render

NOWHERE = Path("/nowhere/actas.yaml")


def judge(content, around):
    loaded = check(parse(content, path=NOWHERE, shown="actas.yaml"), around)
    shown = render(loaded.mistakes)
    assert len(as_json(loaded.mistakes).splitlines()) == len(loaded.mistakes)
    for one in loaded.mistakes:
        assert one.line >= 1
        assert one.column >= 1
        assert one.hint.endswith(".")
        assert "\n" not in one.message
        assert one.excerpt is None or (one.excerpt.column >= 1 and one.excerpt.width >= 1)
    if loaded.settings is None:
        assert loaded.broken
        assert shown
        with pytest.raises(BrokenSettings):
            loaded.usable()
    return loaded


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_settings_or_mistakes(around, content):
    judge(content, around)


WORDS = sorted({part for one in entries() for part in re.split(r"[.\[\]]+", one.key) if part and part != "NAME"})
VALUES = [
    "true", "yes", "1", "-1", "0", "1.5", "''", "[]", "{}", "[a]", "{a: b}", "{env: A}", "{file: b}", "15m", "1GB",
    "10.0.0.0/8", "'::/0'", "22:00-06:00", "mon-fri", "fri-mon", "Europe/Berlin", "2026-01-01", "2020-02-30",
    "https://a.example", "'http://[::1'", "'https://a:b@c'", "'*'", "'admin:*'", "'[a'", "report", "orders", "corp",
    "reader", "keycloak", "entra", "common", "'GET /{a+}'", "'GET /a/{a}'", "'ANY /call'", "'a\\0b'", "~", "&a b",
    "*a", "!!int 1", "'..'", "'/'", "'report.py:handler'", "'arn:aws:iam::1:role/a'", "human", "agent",
    "{groups: [a]}", "{mfa: true}", "'\U0001f600'", "'a: b'", "'x\u0301'",
]  # fmt: skip
TOKEN = re.compile(r"[A-Za-z0-9_*./:\-\"]+")


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_sound_settings_with_anything_put_anywhere_are_settings_or_mistakes(sound, around, data):
    text = sound
    for _ in range(data.draw(st.integers(1, 4))):
        places = [found.span() for found in TOKEN.finditer(text)]
        start, end = data.draw(st.sampled_from(places))
        text = text[:start] + data.draw(st.sampled_from([*WORDS, *VALUES])) + text[end:]

    judge(text.encode(), around)


RULE = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["a", "b", "c"]),
        "who": st.sampled_from(["{}", "{groups: g}", "{provider: corp, kind: human}"]),
    },
    optional={
        "may": st.sampled_from(["report", "[report, orders]", "'*'", "[]", "'orders:GET *'"]),
        "may_not": st.sampled_from(["report", "'*'", "'admin:*'"]),
        "as": st.sampled_from(["reader", "[]", "nobody"]),
        "when": st.sampled_from(
            [
                "{}",
                "{days: fri, hours: 22:00-06:00, zone: UTC}",
                "{days: mon-fri, zone: UTC}",
                "{hours: 07:00-19:00, zone: UTC, from: 2026-01-01}",
                "{networks: [10.0.0.0/8, '2001:db8::/32']}",
                "{networks: [10.1.0.0/16], auth_age: 1h}",
            ]
        ),
    },
)  # fmt: skip


@given(st.lists(RULE, max_size=5))
@settings(max_examples=120, deadline=None)
def test_any_rules_together_are_settings_or_mistakes(sound, around, rules):
    head = sound.split("rules:\n")[0]
    lines = [f"  - {{{', '.join(f'{key}: {value}' for key, value in rule.items())}}}\n" for rule in rules]

    judge((head + "rules:" + ("\n" + "".join(lines) if lines else " []\n")).encode(), around)


HOSTILE = [
    ("a hundred thousand unknown keys on one line", "{" + ", ".join(f"k{n}: {n}" for n in range(60_000)) + "}"),
    ("as many duplicate keys", "a: 1\n" * 60_000),
    ("as many wrong rules", "rules:\n" + "- 1\n" * 60_000),
    ("as many rules that are alike", "rules:\n" + "- {id: a, who: {kind: human}, may_not: report}\n" * 3_000),
    ("a block of as many lines", "functions: {f: {environment: {A: '" + "x\n  " * 60_000 + "'}, x: 1}}"),
    ("a key as long as a file", "x" * 500_000 + ": 1"),
    ("a number as long as a file", "gateway: {account: " + "1" * 500_000 + "}"),
]


@pytest.mark.parametrize("text", [case[1] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
@pytest.mark.timeout(30)
def test_a_hostile_file_is_told_in_bounded_time_and_length(around, text):
    loaded = judge(text.encode(), around)

    assert len(loaded.mistakes) <= 402
    assert len(render(loaded.mistakes)) < 1_000_000


def test_what_is_printed_gives_the_terminal_no_orders(around):
    loaded = judge("gateway: {'x\u202ey': 1, '\u200b': 2, region: 'a\u202eb'}".encode(), around)

    assert len(loaded.mistakes) == 3
    assert all(letter.isprintable() or letter == "\n" for letter in render(loaded.mistakes))
