"""One text for each set of patterns that some text is matched by, and none missing."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actas.iam import arns, atoms
from actas.iam.wildcards import glob, tokens_of

PATTERNS = st.lists(st.text(alphabet="ab*?", min_size=1, max_size=4), min_size=1, max_size=3, unique=True)
ENTRIES = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::b/*x",
    "arn:aws:s3:::b/??",
    "arn:*:s3:*",
    "arn:aws:s*",
    "arn:aws:sqs:e?:1*:q",
    "arn:aws:sqs:*:1:*",
    "arn:a*:sqs:e*u:1*2:q*",
]
PARTS = (
    ("aws", "a", "az"),
    ("s3", "sqs", "s", "z"),
    ("", "e", "eu", "e:u"),
    ("", "1", "12", "z"),
    ("q", "b/x", "b/zzx"),
)


@settings(max_examples=60, deadline=None)
@given(PATTERNS)
def test_no_short_text_is_matched_by_a_set_of_patterns_without_a_witness(patterns):
    matchers = [glob(tokens_of(pattern)) for pattern in patterns]
    found, whole = atoms.texts([atoms.plain(tokens_of(pattern)) for pattern in patterns], ["seed"], most=400)

    answers = [tuple(matches(text) for matches in matchers) for text in found]
    every = {
        tuple(matches("".join(text)) for matches in matchers)
        for size in range(1, 6)
        for text in product("abz", repeat=size)
    }
    assert whole
    assert every <= set(answers)
    assert len(set(answers)) == len(answers)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=4, unique=True))
def test_no_resource_is_matched_by_a_set_of_entries_without_a_witness(entries):
    matchers = [arns.resource(tokens_of(entry)) for entry in entries]
    found, whole = atoms.resources([atoms.resource(tokens_of(entry)) for entry in entries], [], most=400)

    answers = {tuple(matches(text) for matches in matchers) for text in found}
    every = {tuple(matches(":".join(("arn", *parts))) for matches in matchers) for parts in product(*PARTS)}
    assert whole
    assert every <= answers
    assert len(answers) == len(found)


@pytest.mark.parametrize(
    ("pattern", "matched", "other"),
    [("arn:aws:*:*:*:x", "arn:aws:s3:::x", "arn:aws:s3::a:b:x"), ("*", "arn:a:b:c:d:e:f", "a:b")],
    ids=["a star of an early part stays in it", "a star alone is any ARN"],
)
def test_an_arn_operator_tells_these_apart(pattern, matched, other):
    walk = atoms.Walk([atoms.arn(tokens_of(pattern))])

    assert walk.matched(walk.run(matched))
    assert not walk.matched(walk.run(other))


def test_what_is_no_arn_is_no_pattern_of_an_arn_operator():
    assert atoms.arn(tokens_of("bucket/*")) is None


def test_letter_case_does_not_tell_apart_where_it_does_not_count():
    found, whole = atoms.texts([atoms.plain(["Ab"], folded=True), atoms.plain(["ab"])], [], most=9)

    assert whole
    assert {text.lower() for text in found} - {""} == {"ab", "w"}
    assert len([text for text in found if text.lower() == "ab"]) == 2


def test_a_limit_is_said():
    patterns = [atoms.plain(tokens_of(f"*{letter}*")) for letter in "abcdefghijklmnop"]

    found, whole = atoms.texts(patterns, [], most=400)

    assert not whole
    assert len(found) > 1
