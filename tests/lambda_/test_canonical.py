"""One JSON value has one form, whichever way it was written and read."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.lambda_.canonical import NotCanonical, canonical, canonical_bytes

# RFC 8785, section 3.2.2 and appendix B
RFC = {
    "333333333.33333329": "333333333.3333333",
    "1E30": "1e+30",
    "4.50": "4.5",
    "2e-3": "0.002",
    "0.000000000000000000000000001": "1e-27",
    "-0.0": "0",
    "5e-324": "5e-324",
    "-5e-324": "-5e-324",
    "1.7976931348623157e308": "1.7976931348623157e+308",
    "9007199254740992.0": "9007199254740992",
    "295147905179352830000.0": "295147905179352830000",
    "999999999999999700000.0": "999999999999999700000",
    "1e21": "1e+21",
    "9.999999999999997e22": "9.999999999999997e+22",
    "1e23": "1e+23",
    "0.000001": "0.000001",
    "0.0000009999999999999997": "9.999999999999997e-7",
    "333333333.3333332": "333333333.3333332",
    "333333333.33333325": "333333333.33333325",
    "-0.0000033333333333333333": "-0.0000033333333333333333",
    "1424953923781206.2": "1424953923781206.2",
    "1.0": "1",
    "100.0": "100",
    "123.456": "123.456",
}


@pytest.mark.parametrize(("written", "wanted"), RFC.items())
def test_a_double_is_written_as_the_standard_says(written, wanted):
    assert canonical(json.loads(written)) == wanted.encode()
    assert canonical_bytes(written.encode()) == wanted.encode()


def test_names_are_sorted_by_their_utf_16_units():  # RFC 8785, section 3.2.3
    document = r'{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
    document += (
        r'"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}'
    )

    names = list(json.loads(canonical_bytes(document.encode())))

    assert names == ["\r", "1", "\x80", "ö", "€", "\U0001f600", "\ufb33"]


def test_texts_are_written_as_the_standard_says():  # RFC 8785, section 3.2.2.2
    document = rb'"\u20ac$\u000F\u000aA' + rb"'\u0042\u0022\u005c\\\"\/" + b'"'

    assert canonical_bytes(document) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1,"b":2}', b'{ "b": 2,\n "a": 1 }'),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b"[1.0, 1e2]", b"[1,100]"),
        (b'"\\u0041"', b'"A"'),
        (b"-0", b"0"),
    ],
)
def test_two_ways_to_write_one_value_have_one_form(one, other):
    assert canonical_bytes(one) == canonical_bytes(other) == canonical(json.loads(one))


@pytest.mark.parametrize(
    ("one", "other"), [(b"12345678901234567890", b"12345678901234567891"), (b"1", b'"1"'), (b"0", b"false")]
)
def test_two_values_have_two_forms(one, other):
    assert canonical_bytes(one) != canonical_bytes(other)


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"NaN", b"1e999", b'"\\ud800"', b'"\xff"', b"[" * 3000 + b"]" * 3000, b"9" * 5000],
    ids=range(8),
)
def test_what_has_no_form_is_refused(document):
    with pytest.raises(NotCanonical):
        canonical_bytes(document)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1: 2}, b"x", {"a": {1}}, "\ud800", 10**5000], ids=range(7)
)
def test_a_value_that_is_no_json_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical(value)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(-(2.0**53), 2.0**53)  # a larger one reads as an integer of the same digits, which is another value
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_the_bytes_and_the_parsed_value_have_the_same_form(value, ascii_only, indent):
    document = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()

    assert canonical_bytes(document) == canonical(json.loads(document))


@given(VALUES)
def test_the_form_reads_as_the_value_and_is_its_own_form(value):
    form = canonical(value)

    assert json.loads(form) == value
    assert canonical_bytes(form) == form


@given(st.binary(max_size=200))
def test_whatever_bytes_come_only_a_refusal_goes_out(document):
    with suppress(NotCanonical):
        canonical_bytes(document)
