"""What is a policy, kind by kind, and what is said of a document that is none."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import iam

Kind = iam.Kind
PLAIN = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
NAMED = PLAIN | {"Principal": "*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}}
GOOD = {
    Kind.IDENTITY: PLAIN,
    Kind.BOUNDARY: PLAIN,
    Kind.SESSION: PLAIN,
    Kind.SCP: PLAIN,
    Kind.RESOURCE: NAMED,
    Kind.ENDPOINT: NAMED,
    Kind.RCP: NAMED | {"Effect": "Deny"},
    Kind.TRUST: TRUST,
}


def document(*statements, **more):
    return {"Version": "2012-10-17", "Statement": list(statements)} | more


def errors(statement, kind=Kind.IDENTITY):
    found = iam.validate(document(statement), kind=kind, depth="grammar")
    return {(finding.code, finding.path) for finding in found if finding.severity == "error"}


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_takes_its_own_form(kind):
    policy = iam.Policy.parse(document(GOOD[kind], Id="an id"), kind=kind, name="mine")

    assert (policy.kind, policy.name, policy.id, policy.version) == (kind, "mine", "an id", "2012-10-17")
    assert len(policy.statements) == 1


@pytest.mark.parametrize("kind", [Kind.IDENTITY, Kind.BOUNDARY, Kind.SESSION, Kind.SCP])
def test_a_kind_without_principals_refuses_one(kind):
    assert errors(NAMED, kind) == {("prohibited-principal", "Statement[0].Principal")}


@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.ENDPOINT, Kind.TRUST])
def test_a_kind_with_principals_wants_one(kind):
    statement = {key: value for key, value in GOOD[kind].items() if key != "Principal"}

    assert errors(statement, kind) == {("missing-principal", "Statement[0]")}


KINDS = [
    ("a trust policy has no resource", TRUST | {"Resource": "*"}, Kind.TRUST, "prohibited-resource", ".Resource"),
    ("a trust policy is about STS", TRUST | {"Action": "s3:GetObject"}, Kind.TRUST, "trust-action", ".Action"),
    (
        "a trust policy has no NotPrincipal",
        {"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": "111122223333"}},
        Kind.TRUST,
        "prohibited-principal",
        ".NotPrincipal",
    ),
    ("an RCP only denies", NAMED, Kind.RCP, "rcp-allow", ".Effect"),
    (
        "an RCP is for everyone",
        NAMED | {"Effect": "Deny", "Principal": {"AWS": "111122223333"}},
        Kind.RCP,
        "rcp-principal",
        ".Principal",
    ),
    (
        "a principal has no wildcard inside",
        NAMED | {"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}},
        Kind.RESOURCE,
        "invalid-principal",
        ".Principal.AWS",
    ),
    (
        "a principal is no word",
        NAMED | {"Principal": "ana"},
        Kind.RESOURCE,
        "invalid-principal",
        ".Principal",
    ),
    (
        "a principal is of a known type",
        NAMED | {"Principal": {"User": "ana"}},
        Kind.RESOURCE,
        "unknown-element",
        ".Principal.User",
    ),
]


@pytest.mark.parametrize(("statement", "kind", "code", "place"), [c[1:] for c in KINDS], ids=[c[0] for c in KINDS])
def test_the_rules_of_a_kind(statement, kind, code, place):
    assert (code, f"Statement[0]{place}") in errors(statement, kind)


PRINCIPALS = [
    "*",
    {"AWS": "*"},
    {"AWS": ["111122223333", "arn:aws:iam::111122223333:root"]},
    {"AWS": "arn:aws:iam::111122223333:user/path/ana"},
    {"AWS": "arn:aws:sts::111122223333:assumed-role/reader/ana"},
    {"AWS": "arn:aws:sts::111122223333:federated-user/ana"},
    {"AWS": "AROAEXAMPLEID12345678"},
    {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
    {"Federated": "arn:aws:iam::111122223333:saml-provider/idp"},
    {"Federated": "cognito-identity.amazonaws.com"},
    {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
    {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"},
]


@pytest.mark.parametrize("principal", PRINCIPALS, ids=str)
def test_a_principal_is_taken(principal):
    assert errors(NAMED | {"Principal": principal}, Kind.RESOURCE) == set()


def test_rcp_full_aws_access_itself_is_taken():
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}

    assert errors(full, Kind.RCP) == set()
    assert errors(full | {"Action": "s3:*"}, Kind.RCP) == {("rcp-allow", "Statement[0].Effect")}


def test_a_repository_policy_of_ecr_has_no_resource():
    pull = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}

    assert errors(pull, Kind.RESOURCE) == set()
    assert errors(pull | {"Action": "s3:GetObject"}, Kind.RESOURCE) == {("missing-resource", "Statement[0].Resource")}


def test_a_statement_may_stand_alone():
    alone = iam.Policy.parse({"Version": "2012-10-17", "Statement": PLAIN})

    assert alone == iam.Policy.parse(document(PLAIN))


def test_text_bytes_and_mapping_are_read_alike():
    text = json.dumps(document(PLAIN))

    assert iam.Policy.parse(text) == iam.Policy.parse(text.encode()) == iam.Policy.parse(document(PLAIN))


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}], ids=["none", "2008-10-17"])
def test_an_old_version_is_refused_in_a_new_identity_policy_and_read_in_a_stored_one(version):
    old = {"Statement": PLAIN} | version

    with pytest.raises(iam.MalformedPolicy, match="must be version 2012-10-17 or greater"):
        iam.Policy.parse(old)
    assert not iam.Policy.parse(old, stored=True).statements[0].variables
    assert iam.Policy.parse({"Statement": NAMED} | version, kind=Kind.RESOURCE).version == "2008-10-17"


DOUBLED = [
    ('{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}', "Version"),
    (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}',
        "Statement.Effect",
    ),
    (
        (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",'
            '"Condition":{"Bool":{"a":"true","a":"false"}}}}'
        ),
        "Statement.Condition.Bool.a",
    ),
]


@pytest.mark.parametrize(("text", "place"), DOUBLED, ids=[one[1] for one in DOUBLED])
def test_a_name_twice_in_an_object_is_refused(text, place):
    with pytest.raises(iam.MalformedPolicy) as refused:
        iam.Policy.parse(text)

    assert ("duplicate-key", place) in {(finding.code, finding.path) for finding in refused.value.findings}


def test_a_finding_names_line_and_column():
    statement = '    {"Effect": "Allow", "Action": ["s3:Get*", "s3"], "Resource": "*"}'
    text = f'{{\n  "Version": "2012-10-17",\n  "Statement": [\n{statement}\n  ]\n}}'

    (finding,) = iam.validate(text, depth="grammar")

    assert (finding.code, finding.path) == ("action-without-service", "Statement[0].Action[1]")
    assert (finding.line, finding.column) == (4, text.splitlines()[3].index('"s3"') + 1)


def test_broken_json_names_where_it_breaks():
    (finding,) = iam.validate('{"Version": "2012-10-17",\n  "Statement" 7}')

    assert (finding.code, finding.line, finding.column) == ("invalid-json", 2, 15)


def test_a_trust_policy_that_is_no_json_is_refused_in_its_own_words():
    with pytest.raises(iam.MalformedPolicy, match="This policy contains invalid Json"):
        iam.Policy.parse("{", kind=Kind.TRUST)


HOSTILE = [
    ("too large", "[" + " " * 2_000_000 + "]", "too-large"),
    ("too large, in bytes", b" " * 5_000_000, "too-large"),
    ("too deep", "[" * 100_000, "too-deep"),
    ("not UTF-8", b'{"Version": "\xff"}', "invalid-json"),
    ("NaN", '{"Version": NaN}', "invalid-json"),
    ("a lone quote", '"', "invalid-json"),
    ("nothing", "", "invalid-json"),
    ("a number", "7", "not-an-object"),
    ("a byte order mark", "\ufeff{}", "invalid-json"),
    ("a character beyond Latin", json.dumps(document(PLAIN, Id="財"), ensure_ascii=False), "foreign-character"),
    ("no text at all", 7, "invalid-json"),
    ("a name that is no text", {7: "a"}, "invalid-json"),
    ("an object in a mapping", {"Version": object()}, "invalid-json"),
]


@pytest.mark.parametrize(("hostile", "code"), [c[1:] for c in HOSTILE], ids=[c[0] for c in HOSTILE])
def test_hostile_input_is_refused_with_a_finding(hostile, code):
    with pytest.raises(iam.MalformedPolicy) as refused:
        iam.Policy.parse(hostile)

    assert code in {finding.code for finding in refused.value.findings}


def test_a_mapping_that_holds_itself_is_refused():
    loop = document(PLAIN)
    loop["Statement"].append(loop)

    with pytest.raises(iam.MalformedPolicy) as refused:
        iam.Policy.parse(loop)

    assert {finding.code for finding in refused.value.findings} == {"too-deep"}


def test_a_character_beyond_latin_may_be_escaped():
    assert iam.Policy.parse(json.dumps(document(PLAIN, Id="財"))).id == "財"


def test_a_sid_twice_is_refused_and_an_empty_one_is_none():
    twice = document(PLAIN | {"Sid": "a"}, PLAIN | {"Sid": "a"})
    empty = document(PLAIN | {"Sid": ""}, PLAIN | {"Sid": ""})

    with pytest.raises(iam.MalformedPolicy, match="must be unique"):
        iam.Policy.parse(twice)
    assert [statement.sid for statement in iam.Policy.parse(empty).statements] == [None, None]


@pytest.mark.parametrize(
    ("date", "taken"),
    [
        ("9223372036854775807", True),
        ("9223372036854775808", False),
        ("0" * 6000 + "1", True),
        ("1" * 6000, False),
        ("1." + "1" * 6000, True),
        ("1" * 6000 + "-01-01", False),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_date_of_many_digits_is_taken_or_refused(date, taken):
    statement = PLAIN | {"Condition": {"DateEquals": {"aws:CurrentTime": date}}}

    assert ("invalid-date" not in {code for code, _ in errors(statement)}) is taken


@pytest.mark.parametrize("given", [lambda one: one, json.dumps, lambda one: json.dumps(one, indent=9)])
@pytest.mark.parametrize(("kind", "quota"), [(Kind.IDENTITY, 6144), (Kind.SESSION, 2048), (Kind.SCP, 10240)])
def test_more_than_the_quota_is_said_and_white_space_does_not_count(given, kind, quota):
    written = len(json.dumps(document(PLAIN | {"Sid": ""}), separators=(",", ":")))

    for length, over in ((quota - written, False), (quota - written + 1, True)):
        said = iam.validate(given(document(PLAIN | {"Sid": "a" * length})), kind=kind, depth="grammar")
        assert ("over-quota" in {finding.code for finding in said}) is over


def test_all_errors_are_told_at_once():
    wrong = {"Effect": "Maybe", "Acton": "s3:GetObject", "Resource": "bucket", "Condition": {"StringEqual": {"a": "b"}}}

    codes = {finding.code for finding in iam.validate(document(wrong))}

    assert codes >= {"invalid-effect", "unknown-element", "missing-action", "resource-format", "unknown-operator"}


def test_a_misspelt_element_is_given_its_right_spelling():
    (finding,) = [f for f in iam.validate(document({"effect": "Allow"} | PLAIN)) if f.code == "unknown-element"]

    assert finding.fix == "Write Effect."


@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_a_policy_or_refused(text):
    with contextlib.suppress(iam.MalformedPolicy):
        assert iam.Policy.parse(text).statements


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "Version",
                    "Id",
                    "Statement",
                    "Sid",
                    "Effect",
                    "Action",
                    "NotResource",
                    "Principal",
                    "Condition",
                    "AWS",
                    "Bool",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["Version", "Id", "Statement"]), JSON), st.sampled_from(list(Kind)))
def test_any_mapping_is_a_policy_or_refused(mapping, kind):
    with contextlib.suppress(iam.MalformedPolicy):
        assert iam.Policy.parse(mapping, kind=kind).statements
