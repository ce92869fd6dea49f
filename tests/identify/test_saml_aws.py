"""What an assertion says for AWS, read as AWS reads it."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.identify.saml_aws import PREFIX, aws_attributes
from actas.identify.saml_errors import AwsAttributeRefused
from actas.model.aws_attributes import AwsAttributes, ClaimedRole

ROLE = "arn:aws:iam::111122223333:role/app/reader"
PROVIDER = "arn:aws:iam::111122223333:saml-provider/corp"


def read(**attributes):
    return aws_attributes({f"{PREFIX}{name}": values for name, values in attributes.items()})


def tags(**values):
    return aws_attributes({f"{PREFIX}PrincipalTag:{key}": texts for key, texts in values.items()})


def test_an_assertion_that_says_nothing_for_aws_is_told_from_an_empty_one():
    assert aws_attributes({"groups": ("finance",)}) is None
    assert read(Role=()) == AwsAttributes()


@pytest.mark.parametrize(
    "value",
    [f"{ROLE},{PROVIDER}", f"{PROVIDER},{ROLE}", f" {ROLE} ,\n {PROVIDER}\t"],
    ids=["the role first", "the provider first", "spaces around them"],
)
def test_a_pair_may_come_in_either_order(value):
    assert read(Role=(value,)).roles == (ClaimedRole(role_arn=ROLE, provider_arn=PROVIDER),)


@pytest.mark.parametrize(
    "value",
    [
        ROLE,
        f"{ROLE},{ROLE}",
        f"{PROVIDER},{PROVIDER}",
        f"{ROLE},{PROVIDER},{ROLE}",
        f"{ROLE},",
        "",
        f"{ROLE}|{PROVIDER}",
        f"{ROLE},arn:aws:iam::444455556666:saml-provider/corp",
        f"arn:aws:iam::11112222333:role/reader,{PROVIDER}",
        f"arn:aws:iam::111122223333:role/*,{PROVIDER}",
        f"arn:aws:iam::111122223333:user/ana,{PROVIDER}",
        f"{ROLE}\u200b,{PROVIDER}",
    ],
)
def test_what_is_no_pair_is_refused(value):
    with pytest.raises(AwsAttributeRefused):
        read(Role=(f"{ROLE},{PROVIDER}", value))


@pytest.mark.parametrize("name", ["RoleSessionName", "SourceIdentity"])
@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("ab", True),
        ("a" * 64, True),
        ("ana@people.example", True),
        ("a=b,c+d.e_f-g", True),
        ("a", False),
        ("a" * 65, False),
        ("ana b", False),
        ("änä", False),
        ("a/b", False),
        ("ana\n", False),
    ],
)
def test_a_name_has_the_letters_that_aws_takes(name, value, good):
    if good:
        found = read(**{name: (value,)})
        assert value in (found.session_name, found.source_identity)
    else:
        with pytest.raises(AwsAttributeRefused):
            read(**{name: (value,)})


def test_a_source_identity_does_not_begin_with_the_service():
    assert read(RoleSessionName=("aws=x",)).session_name == "aws=x"
    with pytest.raises(AwsAttributeRefused):
        read(SourceIdentity=("AWS:x",))


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("900", True),
        ("43200", True),
        ("899", False),
        ("43201", False),
        ("3600.0", False),
        ("1e4", False),
        ("٩٠٠", False),
    ],
)
def test_a_duration_is_a_number_of_seconds_within_aws_limits(value, good):
    if good:
        assert read(SessionDuration=(value,)).duration == timedelta(seconds=int(value))
    else:
        with pytest.raises(AwsAttributeRefused):
            read(SessionDuration=(value,))


@pytest.mark.parametrize("name", ["RoleSessionName", "SessionDuration", "SourceIdentity", "PrincipalTag:team"])
def test_two_values_are_none(name):
    with pytest.raises(AwsAttributeRefused):
        read(**{name: ("3600", "3601")})


def test_tags_and_those_that_are_passed_on():
    found = aws_attributes(
        {
            f"{PREFIX}PrincipalTag:Team": ("finance",),
            f"{PREFIX}PrincipalTag:city": ("Zürich 1",),
            f"{PREFIX}PrincipalTag:empty": ("",),
            f"{PREFIX}TransitiveTagKeys": ("team", "city"),
        }
    )

    assert found.tags == (("Team", "finance"), ("city", "Zürich 1"), ("empty", ""))
    assert found.transitive_tags == ("team", "city")


@pytest.mark.parametrize(
    "attributes",
    [
        {"PrincipalTag:": ("x",)},
        {"PrincipalTag:" + "k" * 129: ("x",)},
        {"PrincipalTag:team": ("x" * 257,)},
        {"PrincipalTag:te;am": ("x",)},
        {"PrincipalTag:team": ("x\ny",)},
        {"PrincipalTag:team": ("x",), "PrincipalTag:Team": ("y",)},
        {"TransitiveTagKeys": ("team",)},
        {f"PrincipalTag:k{number}": ("x",) for number in range(51)},
    ],
    ids=[
        "no key",
        "a long key",
        "a long value",
        "a sign",
        "a line break",
        "twice",
        "passed on and not there",
        "51 tags",
    ],
)
def test_tags_that_aws_would_not_take_are_refused(attributes):
    with pytest.raises(AwsAttributeRefused):
        read(**attributes)


def test_the_most_that_aws_takes_is_taken():
    assert len(tags(**{f"k{number}": ("x" * 256,) for number in range(50)}).tags) == 50
    assert tags(**{"k" * 128: ("",)}).tags == (("k" * 128, ""),)


NAMES = st.sampled_from(
    ["Role", "RoleSessionName", "SessionDuration", "SourceIdentity", "TransitiveTagKeys", "PrincipalTag:a", "Other"]
)


@given(st.dictionaries(NAMES, st.lists(st.text(max_size=80), max_size=4).map(tuple), max_size=7))
def test_whatever_comes_is_read_or_refused_with_a_code(attributes):
    with contextlib.suppress(AwsAttributeRefused):
        read(**attributes)


def test_a_refusal_does_not_repeat_the_value():
    with pytest.raises(AwsAttributeRefused) as refused:
        read(RoleSessionName=("ana b",))

    assert "ana" not in refused.value.message
