"""The two readers that everything else stands on: strict base64url and strict JSON."""

import base64
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actas.jose import base64url, roca, strict_json

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(data=st.binary(max_size=200))
def test_bytes_have_one_text_and_come_back(data):
    text = base64url.encode(data)

    assert text == base64.urlsafe_b64encode(data).rstrip(b"=")
    assert base64url.decode(text) == data


@settings(max_examples=500)
@given(text=st.text(ALPHABET + '+/=.!\n \\"u0é', max_size=12) | st.text(ALPHABET, max_size=12))
def test_a_text_that_decodes_is_the_one_text_of_its_bytes(text):
    try:
        data = base64url.decode_text(text)
    except base64url.NotBase64url:
        assert not _is_canonical(text)
    else:
        assert base64url.encode_text(data) == text


def _is_canonical(text):
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except ValueError:
        return False
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "AB", "AAB", "AA==", "AAA=", "A\\u0041A", 'AA"A', "AA+A", "AA/A", "AA\nA", "AAA\0"]
)
def test_a_text_with_anything_to_spare_is_refused(text):
    with pytest.raises(base64url.NotBase64url):
        base64url.decode(text.encode())


@pytest.mark.parametrize("length", range(1, 5))
def test_of_texts_that_differ_in_their_last_letter_the_spare_bits_decide(length):
    letters = {1: 0, 2: 4, 3: 16, 4: 64}[length]

    fine = [letter for letter in ALPHABET if not _refused("A" * (length - 1) + letter)]

    assert len(fine) == letters


def _refused(text):
    try:
        base64url.decode(text.encode())
    except base64url.NotBase64url:
        return True
    return False


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_whatever_another_writer_wrote_is_read_as_it_reads_it(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    assert strict_json.loads(text.encode()) == json.loads(text)


@given(value=VALUES)
def test_what_is_written_is_read_back(value):
    assert strict_json.loads(strict_json.dumps(value)) == value


@st.composite
def objects_with_a_member_twice(draw):
    """Write an object in which one name comes twice, somewhere, in one spelling or another."""
    name = draw(TEXTS)
    spelled = draw(st.sampled_from([json.dumps(name), json.dumps(name, ensure_ascii=False), _escaped(name)]))
    members = draw(st.lists(st.tuples(TEXTS, VALUES), max_size=3))
    written = [f"{json.dumps(other)}:{json.dumps(value)}" for other, value in members]
    for once_more in (json.dumps(name), spelled):
        at = draw(st.integers(0, len(written)))
        written.insert(at, f"{once_more}{draw(st.sampled_from(['', ' ']))}:{json.dumps(draw(VALUES))}")
    text = "{" + draw(st.sampled_from([",", ", ", ",\n"])).join(written) + "}"
    for outer in draw(st.lists(st.sampled_from(['{"a":%s}', "[1,%s]", '{"b":[%s],"c":":"}']), max_size=3)):
        text = outer % text if "%" not in text else text
    return text


def _escaped(name):
    return '"' + "".join(f"\\u{ord(letter):04X}" if ord(letter) < 0x10000 else letter for letter in name) + '"'


@settings(max_examples=200)
@given(text=objects_with_a_member_twice())
@example(text='{"a":1,"a":":x"}')
@example(text='{"a" :1,"a":":x"}')
@example(text='{"":1,"":2}')
def test_a_member_twice_is_found_wherever_it_is(text):
    with pytest.raises(strict_json.NotStrictJson, match="twice"):
        strict_json.loads(text.encode())


@settings(max_examples=500)
@given(data=st.binary(max_size=60) | st.text('{}[]":,\\ue0123456789.+-truefalsn \n', max_size=30).map(str.encode))
def test_whatever_is_read_another_strict_reader_reads_too(data):
    try:
        found = strict_json.loads(data)
    except strict_json.NotStrictJson:
        return

    def once(pairs):
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def never(constant):
        raise AssertionError(constant)

    assert json.loads(data.decode(), object_pairs_hook=once, parse_constant=never) == found


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), ('{"a":[', "]}")])
def test_depth_is_counted_exactly(opening, closing):
    each = len(closing)
    fine, deep = (opening * (levels // each) + "1" + closing * (levels // each) for levels in (32, 34))

    assert strict_json.loads(fine.encode())
    with pytest.raises(strict_json.NotStrictJson, match="deep"):
        strict_json.loads(deep.encode())


def test_many_objects_side_by_side_are_not_deep():
    assert strict_json.loads(b"[" + b",".join([b"{}"] * 500) + b"]") == [{}] * 500
    assert strict_json.loads(b'"' + b"[" * 500 + b'"') == "[" * 500


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a":' * 10_000, b"[" * 500 + b"]" * 500, b"[" * 100_000 + b"]" * 100_000]
)
def test_depth_without_end_is_refused_and_not_followed(data):
    with pytest.raises(strict_json.NotStrictJson):
        strict_json.loads(data)


@pytest.mark.parametrize("data", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_an_object_is_an_object(data):
    with pytest.raises(strict_json.NotStrictJson, match="not a JSON object"):
        strict_json.loads_object(data)


def test_a_very_long_number_costs_nothing():
    with pytest.raises(strict_json.NotStrictJson):
        strict_json.loads(b'{"a":' + b"9" * 60_000 + b"}")
    assert strict_json.loads(b'{"a": ' + b"9" * 4000 + b"}") == {"a": int("9" * 4000)}


def test_a_random_modulus_has_not_the_roca_fingerprint():
    assert not any(roca.has_fingerprint((1 << 2047) + 2 * number + 1) for number in range(5000))


def test_a_power_of_65537_has_the_roca_fingerprint():
    product = 1
    for n in range(2, 168):
        if all(n % smaller for smaller in range(2, n)):
            product *= n

    for exponent in (1, 2, 3, 1000, 123456789):
        assert roca.has_fingerprint(pow(65537, exponent, product) + product * exponent)
    assert not roca.has_fingerprint(pow(65537, 5, product) * 3)
