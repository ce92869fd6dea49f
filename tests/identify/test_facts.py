"""Facts are known, absent, overflowed or unknown; a claim of the wrong shape is never guessed at."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.identify import facts
from actas.identify.actors import DEEPEST, actors
from actas.identify.errors import BadActor
from actas.identify.paths import find, parse_path
from actas.identify.preset import Tell
from actas.identify.presets import PRESETS
from actas.identify.profile import Reading, profile_of
from actas.model.facts import Known, Missing
from actas.model.identity import Actor, Kind
from actas.settings.schema import Provider

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
MINUTE = timedelta(seconds=60)


def reading(*paths, **more):
    return Reading(
        paths=tuple(parse_path(path) for path in paths), qualified=any("*" in path for path in paths), **more
    )


def known(*values):
    return Known(frozenset(values))


NAMES = [
    ("a list", {"groups": ["a", "b"]}, known("a", "b")),
    ("an empty list", {"groups": []}, known()),
    ("a bare text", {"groups": "a b"}, known("a b")),
    ("the same twice", {"groups": ["a", "a"]}, known("a")),
    ("nothing", {}, Missing.ABSENT),
    ("null", {"groups": None}, Missing.ABSENT),
    ("a number", {"groups": 1}, Missing.UNKNOWN),
    ("true", {"groups": True}, Missing.UNKNOWN),
    ("an object", {"groups": {"a": 1}}, Missing.UNKNOWN),
    ("a list with a number", {"groups": ["a", 1]}, Missing.UNKNOWN),
    ("a list with an empty name", {"groups": ["a", ""]}, Missing.UNKNOWN),
    ("a list with a list", {"groups": [["a"]]}, Missing.UNKNOWN),
    ("a mark that it is elsewhere", {"_claim_names": {"groups": "src1"}}, Missing.OVERFLOWED),
    ("a mark for another claim", {"groups": ["a"], "_claim_names": {"roles": "src1"}}, known("a")),
]


@pytest.mark.parametrize(("claims", "fact"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_groups_are_read_from(claims, fact):
    assert facts.names(claims, reading("groups")) == fact


def test_absence_means_empty_only_where_somebody_said_so():
    assert facts.names({}, reading("groups", absent="empty")) == Known(frozenset(), by_absence=True)
    assert facts.names({"groups": 1}, reading("groups", absent="empty")) is Missing.UNKNOWN


NESTED = [
    ("one level down", "realm_access.roles", {"realm_access": {"roles": ["a"]}}, known("a")),
    ("a parent that is a text", "realm_access.roles", {"realm_access": "x"}, Missing.UNKNOWN),
    ("a parent that is a list", "realm_access.roles", {"realm_access": []}, Missing.UNKNOWN),
    ("a parent without it", "realm_access.roles", {"realm_access": {}}, Missing.ABSENT),
    ("a dot in a name", r"kubernetes\.io.namespace", {"kubernetes.io": {"namespace": "prod"}}, known("prod")),
    ("a dotted name is no literal", "a.b", {"a.b": ["x"]}, Missing.ABSENT),
    ("a URL", "https://acme.example/roles", {"https://acme.example/roles": ["a"]}, known("a")),
    ("a URN", "urn:acme:roles.x", {"urn:acme:roles.x": ["a"]}, known("a")),
    (
        "each client",
        "r.*.roles",
        {"r": {"a": {"roles": ["x"]}, "b": {"roles": ["x", "y"]}}},
        known("a:x", "b:x", "b:y"),
    ),
    ("each client, none there", "r.*.roles", {"r": {}}, known()),
    ("each client, one without", "r.*.roles", {"r": {"a": {}, "b": {"roles": ["y"]}}}, known("b:y")),
    ("each client, one malformed", "r.*.roles", {"r": {"a": [], "b": {"roles": ["y"]}}}, Missing.UNKNOWN),
    ("each member itself", "r.*", {"r": {"a": ["x"], "b": "y"}}, known("a:x", "b:y")),
    ("a colon in a client's name", "r.*.roles", {"r": {"a:b": {"roles": ["c"]}}}, known(r"a\:b:c")),
    ("a backslash in a client's name", "r.*.roles", {"r": {"a\\": {"roles": ["c"]}}}, known("a\\\\:c")),
]


@pytest.mark.parametrize(("path", "claims", "fact"), [case[1:] for case in NESTED], ids=[case[0] for case in NESTED])
def test_nested_claims_are_flattened(path, claims, fact):
    assert facts.names(claims, reading(path)) == fact


@given(
    st.dictionaries(
        st.text(alphabet="ab:\\", min_size=1, max_size=4), st.lists(st.text(alphabet="ab:\\", min_size=1, max_size=4))
    ),
    st.lists(st.text(alphabet="ab:\\", min_size=1, max_size=4)),
)
def test_no_two_roles_of_different_owners_have_one_name(clients, realm):
    claims = {"realm": realm, "clients": {client: {"roles": roles} for client, roles in clients.items()}}
    different = {(None, role) for role in realm} | {
        (client, role) for client, roles in clients.items() for role in roles
    }

    found = facts.names(claims, reading("realm", "clients.*.roles"))

    assert len(found.value) == len(different)


SCOPES = [
    ("a text", {"scope": "a b"}, known("a", "b")),
    ("a text with spaces to spare", {"scope": " a  b "}, known("a", "b")),
    ("an empty text", {"scope": ""}, known()),
    ("a tab is no space", {"scope": "a\tb"}, known("a\tb")),
    ("a list", {"scp": ["a", "b"]}, known("a", "b")),
    ("scp as a text", {"scp": "a b"}, known("a", "b")),
    ("both", {"scope": "a", "scp": ["b"]}, known("a", "b")),
    ("neither", {}, Missing.ABSENT),
    ("a number", {"scope": 7}, Missing.UNKNOWN),
]


@pytest.mark.parametrize(("claims", "fact"), [case[1:] for case in SCOPES], ids=[case[0] for case in SCOPES])
def test_scopes_are_read_from(claims, fact):
    assert facts.scopes(claims, reading("scope", "scp")) == fact


def profile(**more):
    return profile_of(
        "ours", Provider(preset="oidc", issuer="https://id.example", audience="x", **more), PRESETS["oidc"]
    )


MFA = [
    ("amr with mfa", {"amr": ["pwd", "mfa"]}, None, Known(True)),
    ("amr without", {"amr": ["pwd"]}, None, Known(False)),
    ("amr as a text", {"amr": "mfa"}, None, Known(True)),
    ("amr empty", {"amr": []}, None, Known(False)),
    ("amr of numbers", {"amr": [1]}, None, Missing.UNKNOWN),
    ("amr a number", {"amr": 1}, None, Missing.UNKNOWN),
    ("nothing", {}, None, Missing.ABSENT),
    ("acr that nobody explained", {"acr": "1"}, None, Missing.ABSENT),
    ("acr by the settings", {"acr": "gold"}, ("gold", "hwk"), Known(True)),
    ("another acr", {"acr": "silver"}, ("gold", "hwk"), Known(False)),
    ("amr by the settings", {"amr": ["hwk"], "acr": "silver"}, ("gold", "hwk"), Known(True)),
    ("mfa is not in the settings", {"amr": ["mfa"]}, ("gold",), Known(False)),
    ("acr a number", {"acr": 2}, ("2",), Missing.UNKNOWN),
]


@pytest.mark.parametrize(("claims", "mfa", "fact"), [case[1:] for case in MFA], ids=[case[0] for case in MFA])
def test_a_second_factor_is_read_from(claims, mfa, fact):
    assert facts.mfa(claims, profile(mfa=mfa)) == fact


TIMES = [
    ("a minute ago", NOW.timestamp() - 60, Known(NOW - MINUTE)),
    ("a leeway ahead", NOW.timestamp() + 60, Known(NOW + MINUTE)),
    ("more than a leeway ahead", NOW.timestamp() + 61, Missing.UNKNOWN),
    ("nothing", None, Missing.ABSENT),
    ("a text", "1773489600", Missing.UNKNOWN),
    ("true", True, Missing.UNKNOWN),
    ("before 1970", -1, Missing.UNKNOWN),
    ("after 9999", 1e15, Missing.UNKNOWN),
    ("not a number", float("nan"), Missing.UNKNOWN),
]


@pytest.mark.parametrize(("value", "fact"), [case[1:] for case in TIMES], ids=[case[0] for case in TIMES])
def test_the_sign_in_is_read_from(value, fact):
    assert facts.authenticated_at({"auth_time": value}, now=NOW, leeway=MINUTE) == fact


CLIENTS = [
    ("a text", {"azp": "portal"}, Known("portal")),
    ("the first that is there", {"client_id": "portal"}, Known("portal")),
    ("a list", {"azp": ["portal"]}, Missing.UNKNOWN),
    ("an empty text", {"azp": ""}, Missing.UNKNOWN),
    ("nothing", {}, Missing.ABSENT),
]


@pytest.mark.parametrize(("claims", "fact"), [case[1:] for case in CLIENTS], ids=[case[0] for case in CLIENTS])
def test_the_client_is_read_from(claims, fact):
    assert facts.text(claims, reading("azp", "client_id")) == fact


@pytest.mark.parametrize(
    ("tell", "claims", "is_seen"),
    [
        (Tell(claim="a"), {"a": 1}, True),
        (Tell(claim="a"), {}, False),
        (Tell(claim="a", present=False), {}, True),
        (Tell(claim="a", present=False), {"a": 1}, False),
        (Tell(claim="a", equals="x"), {"a": "x"}, True),
        (Tell(claim="a", equals="x"), {"a": "y"}, False),
        (Tell(claim="a", same_as="b"), {"a": "x", "b": "x"}, True),
        (Tell(claim="a", same_as="b"), {"a": "x"}, False),
        (Tell(claim="a", prefix="x", suffix="z", contains="y"), {"a": "xyz"}, True),
        (Tell(claim="a", prefix="x"), {"a": "yx"}, False),
        (Tell(claim="a", prefix="x"), {"a": ["x"]}, False),
    ],
)
def test_a_tell_is_seen_or_not(tell, claims, is_seen):
    assert facts.shows(claims, ((tell,),)) is is_seen


def chain(length):
    act = None
    for number in range(length):
        act = {"sub": f"actor-{number}"} | ({} if act is None else {"act": act})
    return {"act": act}


def test_the_current_actor_comes_first_and_belongs_to_the_issuer_unless_it_says_otherwise():
    claims = {"act": {"sub": "agent", "client_id": "a1", "act": {"sub": "portal", "iss": "https://other.example"}}}

    assert actors(claims, "https://id.example") == (
        Actor(issuer="https://id.example", subject="agent", client="a1"),
        Actor(issuer="https://other.example", subject="portal"),
    )
    assert actors({}, "https://id.example") == ()
    assert actors({"act": {"client_id": "a1"}}, "i") == (Actor(issuer="i", subject="a1", client="a1"),)


def test_a_chain_of_actors_has_a_limit():
    assert len(actors(chain(DEEPEST), "i")) == DEEPEST
    with pytest.raises(BadActor):
        actors(chain(DEEPEST + 1), "i")


@pytest.mark.parametrize(
    "act",
    ["agent", [], {}, {"sub": ""}, {"sub": 1}, {"sub": "a", "iss": 1}, {"sub": "a", "act": "b"}, {"iss": "x"}, True],
)
def test_a_chain_of_actors_that_cannot_be_read_is_refused_and_not_left_out(act):
    with pytest.raises(BadActor):
        actors({"act": act}, "https://id.example")


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "*", "*.a", "a.*.*", "a" * 300, "a\nb", ".".join("abcdefghi")]
)
def test_a_path_is_refused(path):
    with pytest.raises(ValueError, match="path"):
        parse_path(path)


@pytest.mark.parametrize(
    ("text", "path"),
    [("a", ("a",)), ("a.b", ("a", "b")), (r"a\.b.c", ("a.b", "c")), ("a\\", ("a\\",)), (r"a\\.b", ("a\\", "b"))],
)
def test_a_path_is_split(text, path):
    assert parse_path(text) == path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "*", "act", "sub"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "_claim_names", "amr", "acr", "auth_time", "act"]), JSON), st.text())
def test_whatever_claims_come_a_fact_comes_out(claims, text):
    try:
        path = parse_path(text)
    except ValueError:
        path = ("a", "*", "b")

    find(claims, path)
    assert facts.names(claims, Reading(paths=(path,), qualified=True)) is not None
    assert facts.scopes(claims, Reading(paths=(path,))) is not None
    assert facts.mfa(claims, profile()) is not None
    assert facts.authenticated_at(claims, now=NOW, leeway=MINUTE) is not None
    with suppress(BadActor):
        actors(claims, "i")


ADDRESSES = [
    ("a text", {"email": "Ana@People.example"}, "email", "Ana@People.example"),
    ("a text further down", {"profile": {"mail": "ana@people.example"}}, "profile.mail", "ana@people.example"),
    ("none", {}, "email", ""),
    ("null", {"email": None}, "email", ""),
    ("an empty one", {"email": ""}, "email", ""),
    ("a list", {"email": ["ana@people.example"]}, "email", ""),
    ("a number", {"email": 7}, "email", ""),
    ("no key that says where", {"email": "ana@people.example"}, None, None),
]


@pytest.mark.parametrize(("claims", "key", "wanted"), [one[1:] for one in ADDRESSES], ids=[one[0] for one in ADDRESSES])
def test_the_address_by_which_events_name_people_is(claims, key, wanted):
    assert facts.address(claims, profile(address=key), Known(Kind.HUMAN)) == wanted
    assert facts.address(claims, profile(address=key), Missing.UNKNOWN) == wanted


def test_a_program_has_no_address_that_events_name():
    assert facts.address({"email": "ana@people.example"}, profile(address="email"), Known(Kind.SERVICE)) is None
