"""Subject Identifiers: each format of RFC 9493 and SSF 1.0, strictly, and what is no subject at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import sets, subjects

ISSUER = "https://idp.example.com/123456789/"
OTHER = "https://other.example/"
ANA = {"format": "iss_sub", "iss": ISSUER, "sub": "ana"}
MAIL = {"format": "email", "email": "ana@people.example"}

# Each format with the members that RFC 9493, section 3.2, and SSF 1.0, section 3.4, describe, and whom it names here.
FORMATS = [
    ("account", {"uri": "acct:ana@people.example"}, None, ("account:acct:ana@people.example",)),
    ("email", {"email": "ana@people.example"}, None, ("email:ana@people.example",)),
    ("iss_sub", {"iss": ISSUER, "sub": "ana"}, "ana", ()),
    ("iss_sub", {"iss": OTHER, "sub": "ana"}, None, (f"iss_sub:{OTHER} ana",)),
    ("opaque", {"id": "11112222333344445555"}, "11112222333344445555", ()),
    ("phone_number", {"phone_number": "+12065550100"}, None, ("phone_number:+12065550100",)),
    ("did", {"url": "did:example:123456/did/url/path?versionId=1"}, None,
     ("did:did:example:123456/did/url/path?versionId=1",)),
    ("uri", {"uri": "urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042f"}, None,
     ("uri:urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042f",)),
    ("jwt_id", {"iss": ISSUER, "jti": "B70BA622"}, None, (f"jwt_id:{ISSUER} B70BA622",)),
    ("saml_assertion_id", {"issuer": ISSUER, "assertion_id": "_8e8d"}, None, (f"saml_assertion_id:{ISSUER} _8e8d",)),
    ("ip-addresses", {"ip-addresses": ["192.0.2.7", "2001:db8::7"]}, None, ("ip-addresses:192.0.2.7 2001:db8::7",)),
]  # fmt: skip
IDS = [f"{one[0]} {number}" for number, one in enumerate(FORMATS)]


def read(value, **more):
    found = sets.subject_of(value, {ISSUER}, **more)
    return found.subject, found.session, found.named


def refused(value):
    with pytest.raises(MalformedDelivery) as wrong:
        sets.subject_of(value, {ISSUER})
    assert "ana" not in str(wrong.value)


@pytest.mark.parametrize(("form", "members", "subject", "named"), FORMATS, ids=IDS)
def test_each_format_names_whom_tokens_name_or_is_handed_on_as_it_is(form, members, subject, named):
    assert read({"format": form, **members}) == (subject, None, named)


@pytest.mark.parametrize(("form", "members", "_subject", "_named"), FORMATS, ids=IDS)
def test_a_subject_without_a_member_that_its_format_needs_is_refused(form, members, _subject, _named):
    for missing in members:
        refused({"format": form, **{name: value for name, value in members.items() if name != missing}})


@pytest.mark.parametrize(("form", "members", "_subject", "_named"), FORMATS, ids=IDS)
def test_a_subject_with_a_member_that_its_format_does_not_describe_is_refused(form, members, _subject, _named):
    """RFC 9493, section 3: it must not contain any members prohibited or not described by its format."""
    refused({"format": form, **members, "also": "ana"})


@pytest.mark.parametrize(("form", "members", "_subject", "_named"), FORMATS, ids=IDS)
@pytest.mark.parametrize("value", [None, "", 7, True, [], {}, "a\nb", "x" * 513], ids=repr)
def test_a_subject_whose_member_is_no_such_text_is_refused(form, members, _subject, _named, value):
    for name in members:
        refused({"format": form, **members, name: value})


@pytest.mark.parametrize(
    "value",
    [
        {"format": "account", "uri": "ana@people.example"}, {"format": "account", "uri": "acct:ana"},
        {"format": "email", "email": "ana"}, {"format": "email", "email": "@people.example"},
        {"format": "email", "email": "ana@"}, {"format": "email", "email": f"{'a' * 320}@p.example"},
        {"format": "phone_number", "phone_number": "12065550100"},
        {"format": "phone_number", "phone_number": "+0206555010"},
        {"format": "phone_number", "phone_number": "+1234567890123456"},
        {"format": "did", "url": "example:123456"}, {"format": "uri", "uri": "no-scheme"},
    ],
    ids=lambda one: next(iter(set(one.values()) - {one["format"]})),
)  # fmt: skip
def test_a_subject_that_is_not_written_as_its_format_says_is_refused(value):
    refused(value)


@pytest.mark.parametrize(
    "value", [None, [], "ana", {}, {"format": 1}, {"format": ""}, {"format": None, "id": "ana"}, {"id": "ana"}], ids=str
)
def test_what_is_no_subject_is_refused(value):
    refused(value)


def test_a_format_that_nobody_knows_names_nobody_and_says_which_it_was():
    assert read({"format": "catalog_item", "catalog_id": "c0384"}) == (None, None, ("catalog_item",))


ALIASES = [
    ("an address and ours", [MAIL, ANA], ("ana", None, ("email:ana@people.example",))),
    ("two addresses", [MAIL, {"format": "email", "email": "a@old.example"}],
     (None, None, ("email:ana@people.example", "email:a@old.example"))),
    ("another issuer's and ours", [{"format": "iss_sub", "iss": OTHER, "sub": "x"}, ANA],
     ("ana", None, (f"iss_sub:{OTHER} x",))),
    ("the same twice", [ANA, ANA], ("ana", None, ())),
]  # fmt: skip


@pytest.mark.parametrize(("listed", "wanted"), [one[1:] for one in ALIASES], ids=[one[0] for one in ALIASES])
def test_aliases_name_one_person(listed, wanted):
    assert read({"format": "aliases", "identifiers": listed}) == wanted


@pytest.mark.parametrize(
    "listed",
    [
        None, [], {}, "ana", [None], [MAIL] * 21, [{"format": "aliases", "identifiers": [MAIL]}],
        [{"format": "complex", "user": MAIL}], [ANA, {"format": "iss_sub", "iss": ISSUER, "sub": "ben"}],
        [MAIL, {"format": "email"}],
    ],
    ids=[
        "none", "empty", "an object", "a text", "null", "too many", "nested", "complex", "two people", "a bad one",
    ],
)  # fmt: skip
def test_aliases_that_are_none_are_refused(listed):
    refused({"format": "aliases", "identifiers": listed})


COMPLEX = [
    ("a user", {"user": ANA}, ("ana", None, ())),
    ("a user by address", {"user": MAIL}, (None, None, ("email:ana@people.example",))),
    ("a user and a session", {"user": ANA, "session": {"format": "opaque", "id": "s1"}}, ("ana", "s1", ())),
    ("a session alone", {"session": {"format": "opaque", "id": "s1"}}, (None, "s1", ())),
    ("a session that tokens do not name", {"session": {"format": "jwt_id", "iss": ISSUER, "jti": "j"}},
     (None, None, (f"session:jwt_id:{ISSUER} j",))),
    ("a user on a device", {"user": ANA, "device": {"format": "opaque", "id": "d1"}}, ("ana", None, ())),
    ("a device of the same issuer, which is nobody", {"device": ANA | {"sub": "d1"}}, (None, None, ("device:d1",))),
    ("a tenant", {"tenant": {"format": "opaque", "id": "t1"}}, (None, None, ("tenant:t1",))),
    ("a member that was agreed upon", {"shop": {"format": "did", "url": "did:example:1"}},
     (None, None, ("shop:did:did:example:1",))),
]  # fmt: skip


@pytest.mark.parametrize(("members", "wanted"), [one[1:] for one in COMPLEX], ids=[one[0] for one in COMPLEX])
def test_a_complex_subject_names(members, wanted):
    assert read({"format": "complex", **members}) == wanted


@pytest.mark.parametrize(
    "members",
    [
        {}, {"user": "ana"}, {"user": None}, {"user": {"format": "complex", "user": ANA}},
        {"user": {"format": "email"}},
        {"user": ANA, "device": {}}, {f"m{number}": ANA for number in range(21)}, {"a\nb": ANA},
    ],
    ids=["nothing", "a text", "null", "nested", "a bad one", "a bad one beside", "too many", "no name"],
)  # fmt: skip
def test_a_complex_subject_that_is_none_is_refused(members):
    refused({"format": "complex", **members})


def test_an_opaque_name_in_the_end_of_a_session_is_the_sessions_or_the_persons():
    """CAEP 1.0 shows a session's name there, and transmitters write people's: nothing tells which."""
    assert read({"format": "opaque", "id": "x"}, alone_is_session=True) == ("x", "x", ())
    assert read(ANA, alone_is_session=True) == ("ana", None, ())


def test_googles_older_words_are_read_and_may_have_members_of_their_own():
    assert read({"subject_type": "iss-sub", "iss": ISSUER, "sub": "ana"}) == ("ana", None, ())
    claims = {"subject_type": "id_token_claims", "iss": ISSUER, "sub": "ana", "email": "ana@people.example"}
    assert read(claims) == ("ana", None, ())
    token = {"subject_type": "oauth_token", "token_type": "refresh_token", "token": "x"}
    assert read(token) == (None, None, ("oauth_token",))
    with_user = {"user": {"subject_type": "email", "email": "ana@people.example"}}
    assert read(with_user) == (None, None, ("email:ana@people.example",))


def test_every_subject_of_the_ssf_examples_is_read(ssf_examples, count):
    values = [one["json"] for one in ssf_examples if one["json"] and "format" in one["json"]]

    for value in values:
        found = sets.subject_of(value, {ISSUER})
        assert found.subject or found.session or found.named
        count("SSF subjects", value["format"])
    assert len(values) == 9


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.sampled_from(["uri", "email", "iss", "sub", "id", "url", "identifiers", "user", "session", "format"])


@given(st.dictionaries(MEMBERS, JSON), st.sampled_from(sorted(subjects.FORMATS)), st.booleans())
def test_whatever_comes_is_a_subject_or_is_refused(members, form, alone):
    try:
        found = sets.subject_of({**members, "format": form}, {ISSUER}, alone_is_session=alone)
    except MalformedDelivery:
        return
    assert found.subject or found.session or found.named
    assert all(0 < len(one) <= 512 for one in (*found.named, found.subject or "-", found.session or "-"))
