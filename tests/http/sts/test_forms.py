"""Requests of the query protocol, read strictly: whatever comes, only errors of STS go out."""

import json
import string
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actas.http.sts import forms, parameters, wishes
from actas.http.sts.errors import (
    InvalidParameterValue,
    InvalidQueryParameter,
    MalformedQueryString,
    StsError,
    ValidationFailed,
)

FORM = b"application/x-www-form-urlencoded"
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
NAMES = st.text(string.ascii_letters + ".", min_size=1, max_size=12)


@given(fields=st.dictionaries(NAMES, PLAIN, max_size=8), spell=st.sampled_from([quote, quote_plus]))
def test_what_a_client_writes_is_read_back(fields, spell):
    body = "&".join(f"{spell(name)}={spell(value)}" for name, value in fields.items()).encode()

    assert forms.read(FORM, body) == fields


@given(body=st.binary(max_size=300))
@example(body=b"a=1&a=2")
@example(body=b"%41=1&A=2")
@example(body=b"a=%C3%28")
@example(body=b"a=%00")
def test_whatever_comes_only_our_errors_go_out(body):
    try:
        found = forms.read(FORM, body)
    except StsError:
        return
    assert found == dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))


@given(
    form=st.dictionaries(NAMES, st.text(max_size=30), max_size=6), action=st.sampled_from(sorted(parameters.ACTIONS))
)
def test_whatever_is_asked_only_our_errors_go_out(form, action):
    try:
        asked = parameters.asked(action, form)
        if action.startswith("AssumeRole"):
            wishes.wished(asked, {})
    except StsError:
        return


KINDS = [
    (b"application/x-www-form-urlencoded", True),
    (b"application/x-www-form-urlencoded; charset=utf-8", True),
    (b"Application/X-WWW-Form-Urlencoded;charset=UTF-8", True),
    (b"application/x-www-form-urlencoded; charset=utf-16", False),
    (b"application/x-www-form-urlencoded; boundary=x", False),
    (b"application/json", False),
    (None, False),
]


@pytest.mark.parametrize(("kind", "good"), KINDS)
def test_a_form_is_of_one_kind(kind, good):
    if good:
        assert forms.read(kind, b"a=1") == {"a": "1"}
    else:
        with pytest.raises(MalformedQueryString):
            forms.read(kind, b"a=1")


def test_as_many_parameters_as_may_be_and_one_more():
    body = b"&".join(b"a%d=1" % place for place in range(forms.MOST))

    assert len(forms.pairs(body)) == forms.MOST
    with pytest.raises(MalformedQueryString):
        forms.pairs(body + b"&b=1")


def test_as_large_a_form_as_may_be_and_one_byte_more():
    body = b"a=" + b"x" * (forms.LARGEST - 2)

    assert len(forms.pairs(body)["a"]) == forms.LARGEST - 2
    with pytest.raises(MalformedQueryString):
        forms.pairs(body + b"x")


ROLE = "arn:aws:iam::000000000000:role/reader"
WISH = {"RoleArn": ROLE, "RoleSessionName": "ana", "WebIdentityToken": "a.b.c"}
EDGES = [
    ("RoleSessionName", "aa", "a"),
    ("RoleSessionName", "a" * 64, "a" * 65),
    ("RoleSessionName", "a_+=,.@-9", "a b"),
    ("RoleSessionName", "ana", "an\u00e4"),
    ("RoleArn", ROLE, ROLE[:19]),
    ("DurationSeconds", "900", "899"),
    ("DurationSeconds", "43200", "43201"),
    ("DurationSeconds", "1000", "1e3"),
    ("WebIdentityToken", "a" * 20_000, "a" * 20_001),
    ("WebIdentityToken", "abcd", "abc"),
    ("Policy", "{}", ""),
    ("Policy", "x" * 2048, "x" * 2049),
    ("Policy", "{}\t\r\n", "{}\u0416"),
]


@pytest.mark.parametrize(("name", "good", "bad"), EDGES, ids=[f"{row[0]} {row[2][:12]!r}" for row in EDGES])
def test_a_parameter_has_its_bounds(name, good, bad):
    assert parameters.asked("AssumeRoleWithWebIdentity", {**WISH, name: good})
    with pytest.raises(ValidationFailed) as wrong:
        parameters.asked("AssumeRoleWithWebIdentity", {**WISH, name: bad})
    assert name[1:] in wrong.value.sent


def test_no_token_is_repeated_in_an_error():
    for name in ("WebIdentityToken",):
        with pytest.raises(ValidationFailed) as wrong:
            parameters.asked("AssumeRoleWithWebIdentity", {**WISH, name: "abc"})
        assert "abc" not in wrong.value.sent


def chained(**more):
    return {"RoleArn": ROLE, "RoleSessionName": "ana", **more}


def members(name, values, part=""):
    end = f".{part}" if part else ""
    return {f"{name}.member.{place}{end}": value for place, value in enumerate(values, 1)}


@pytest.mark.parametrize(
    ("name", "part", "most"), [("TransitiveTagKeys", "", 50), ("PolicyArns", "arn", 10)], ids=["keys", "policies"]
)
def test_a_list_has_as_many_members_as_it_may(name, part, most):
    values = [f"arn:aws:iam::aws:policy/{place}" for place in range(most + 1)]

    assert len(parameters.asked("AssumeRole", chained(**members(name, values[:-1], part))).lists[name]) == most
    with pytest.raises((ValidationFailed, InvalidQueryParameter)):
        parameters.asked("AssumeRole", chained(**members(name, values, part)))


def tags(**named):
    found = {}
    for place, (name, value) in enumerate(named.items(), 1):
        found |= {f"Tags.member.{place}.Key": name, f"Tags.member.{place}.Value": value}
    return chained(**found)


def test_a_list_with_a_gap_or_half_a_member_is_refused():
    assert parameters.asked("AssumeRole", tags(a="1", b="2")).lists["Tags"] == (
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "2"},
    )
    with pytest.raises(InvalidQueryParameter):
        parameters.asked("AssumeRole", chained(**{"Tags.member.2.Key": "a", "Tags.member.2.Value": "1"}))
    with pytest.raises(ValidationFailed):
        parameters.asked("AssumeRole", chained(**{"Tags.member.1.Key": "a"}))


def test_tags_are_of_letters_numbers_spaces_and_a_few_signs():
    for good in ("Gr\u00f6\u00dfe 1", "a_.:/=+-@", "\u4e2d\u6587", "\u2167"):
        assert parameters.asked("AssumeRole", tags(**{good: good}))
    for bad in ("a*b", "a?b", "${x}", "a\tb", "a\u0301", "a,b"):
        with pytest.raises(ValidationFailed):
            parameters.asked("AssumeRole", tags(**{bad: "x"}))


RECORDED = {
    "duplicate-tag-keys-different-casing": tags(Name="1", name="2"),
    "invalid-transitive-tag-keys": {**tags(a="1"), "TransitiveTagKeys.member.1": "b"},
}


def test_errors_are_those_that_aws_was_heard_to_give(corpus):
    recorded = json.loads((corpus("aws-recorded-sts-iam-localstack") / "test_sts.snapshot.json").read_text())
    by_test = {name.rpartition("::")[2]: one["recorded-content"] for name, one in recorded.items()}
    told = 0
    for case, form in RECORDED.items():
        wanted = by_test["test_assume_role_tag_validation"][case]["Error"]
        with pytest.raises(InvalidParameterValue) as wrong:
            wishes.wished(parameters.asked("AssumeRole", form), {})
        assert (wrong.value.name, wrong.value.sent) == (wanted["Code"], wanted["Message"])
        told += 1
    for case, answer in by_test["test_sts_invalid_parameters"].items():
        wanted = answer["Error"]
        more = {"RoleSessionName": "Session1:2"} if case == "invalid-session-name" else {}
        arn = ROLE if more else wanted["Message"].removesuffix(" is invalid")
        with pytest.raises(ValidationFailed) as wrong:
            wishes.wished(parameters.asked("AssumeRole", {**chained(), "RoleArn": arn, **more}), {})
        assert (wrong.value.name, wrong.value.sent) == (wanted["Code"], wanted["Message"])
        told += 1
    assert told == 8


def test_bodies_that_serialisers_of_aws_write_are_read_as_they_were_meant(corpus):
    suites = json.loads((corpus("aws-protocol-tests") / "input" / "query.json").read_text())
    cases = [case["serialized"] for suite in suites for case in suite["cases"]]
    bodies = [case["body"] for case in cases if "body" in case]
    for body in bodies:
        assert forms.pairs(body.encode()) == dict(parse_qsl(body, keep_blank_values=True))
    assert (len(cases), len(bodies)) == (38, 36)  # two say only that their body is compressed
