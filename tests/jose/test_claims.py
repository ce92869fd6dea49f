"""What a token may claim, with each boundary from both sides."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest

from actas import jose

ES256 = {"alg": "ES256"}


def seconds(now, offset):
    return int(now.timestamp()) + offset


BOUNDARIES = [
    ("a token that expires this second has not expired within the leeway", {"exp": 0}, {}, None),
    ("a token that expired just within the leeway still passes", {"exp": -59}, {}, None),
    ("a token that expired a leeway ago is refused", {"exp": -60}, {}, jose.TokenExpired),
    ("a token that expires in a second passes without leeway", {"exp": 1}, {"leeway": timedelta()}, None),
    ("a token that expires now is refused without leeway", {"exp": 0}, {"leeway": timedelta()}, jose.TokenExpired),
    ("a fraction of a second before its end counts", {"exp": 0.5}, {"leeway": timedelta()}, None),
    ("a fraction of a second after its end counts", {"exp": -0.5}, {"leeway": timedelta()}, jose.TokenExpired),
    ("a token valid from a leeway on passes", {"nbf": 60}, {}, None),
    ("a token valid from beyond the leeway is refused", {"nbf": 61}, {}, jose.NotYetValid),
    ("a token valid from now passes without leeway", {"nbf": 0}, {"leeway": timedelta()}, None),
    (
        "a token valid from the next second is refused without leeway",
        {"nbf": 1},
        {"leeway": timedelta()},
        jose.NotYetValid,
    ),
    ("a token issued a leeway ahead passes", {"iat": 60}, {}, None),
    ("a token issued beyond the leeway is refused", {"iat": 61}, {}, jose.IssuedInFuture),
    ("a token younger than its greatest age passes", {"iat": -99}, {"max_age": timedelta(seconds=40)}, None),
    ("a token of its greatest age is refused", {"iat": -100}, {"max_age": timedelta(seconds=40)}, jose.TokenTooOld),
    ("a token of any age passes where none is asked for", {"iat": -100_000}, {}, None),
    (
        "an expired token is refused also where its age is asked for",
        {"exp": -60},
        {"max_age": timedelta(days=1)},
        jose.TokenExpired,
    ),
    (
        "an expired token is refused also where exp is not required",
        {"exp": -60},
        {"require_exp": False, "max_age": timedelta(days=1)},
        jose.TokenExpired,
    ),
]


@pytest.mark.parametrize(
    ("times", "asked", "error"), [row[1:] for row in BOUNDARIES], ids=[row[0] for row in BOUNDARIES]
)
def test_times(times, asked, error, raw_token, claims, verify, now):
    moved = {name: now.timestamp() + offset if offset % 1 else seconds(now, offset) for name, offset in times.items()}
    token = raw_token(ES256, claims | moved)

    if error is None:
        assert verify(token, **asked)["sub"] == "ana"
    else:
        with pytest.raises(error):
            verify(token, **asked)


def test_the_time_may_be_given_in_any_zone(raw_token, claims, verify, now):
    elsewhere = now.astimezone(timezone(timedelta(hours=-9)))

    assert verify(raw_token(ES256, claims), now=elsewhere)


def test_a_token_without_exp_passes_where_its_age_is_checked_instead(raw_token, claims, verify):
    token = raw_token(ES256, {name: value for name, value in claims.items() if name != "exp"})

    assert verify(token, require_exp=False, max_age=timedelta(seconds=60)).expires_at is None
    with pytest.raises(jose.MissingClaim):
        verify(token, max_age=timedelta(seconds=60))


def test_a_token_whose_age_is_asked_for_must_say_it(raw_token, claims, verify):
    token = raw_token(ES256, {name: value for name, value in claims.items() if name != "iat"})

    assert verify(token).issued_at is None
    with pytest.raises(jose.MissingClaim, match="iat"):
        verify(token, max_age=timedelta(seconds=60))


@pytest.mark.parametrize("left_out", ["iss", "aud"])
def test_a_claim_that_is_checked_must_be_there(left_out, raw_token, claims, verify):
    with pytest.raises(jose.MissingClaim, match=left_out):
        verify(raw_token(ES256, {name: value for name, value in claims.items() if name != left_out}))


@pytest.mark.parametrize("left_out", ["sub", "iat", "nbf", "jti"])
def test_a_claim_that_is_not_checked_may_be_missing(left_out, raw_token, claims, verify):
    assert left_out not in verify(raw_token(ES256, {name: value for name, value in claims.items() if name != left_out}))


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset, dict.fromkeys])
def test_algorithms_may_be_given_in_any_collection(kind, raw_token, claims, verify):
    assert verify(raw_token(ES256, claims), algorithms=kind(["RS256", "ES256"]))
    with pytest.raises(jose.AlgorithmRefused):
        verify(raw_token(ES256, claims), algorithms=kind(["RS256"]))


AUDIENCES = [
    ("one text that is it", "actas", "actas", True),
    ("one text that is another", "other", "actas", False),
    ("one text that is longer", "actas2", "actas", False),
    ("one text in another case", "Actas", "actas", False),
    ("a list that has it", ["account", "actas"], "actas", True),
    ("a list that has it twice", ["actas", "actas"], "actas", True),
    ("a list that has it not", ["account", "other"], "actas", False),
    ("an empty list", [], "actas", False),
    ("several wanted, one there", ["account", "b"], ("a", "b"), True),
    ("several wanted, none there", ["account", "c"], {"a", "b"}, False),
    ("a frozenset wanted", "a", frozenset({"a", "b"}), True),
]


@pytest.mark.parametrize(
    ("found", "wanted", "passes"), [row[1:] for row in AUDIENCES], ids=[row[0] for row in AUDIENCES]
)
def test_audiences(found, wanted, passes, raw_token, claims, verify):
    token = raw_token(ES256, claims | {"aud": found})

    if passes:
        assert verify(token, audience=wanted)["aud"] == found
    else:
        with pytest.raises(jose.WrongAudience):
            verify(token, audience=wanted)


def test_one_of_several_issuers_is_enough(raw_token, claims, verify):
    wanted = ("https://a.example", "https://issuer.example")

    assert verify(raw_token(ES256, claims), issuer=wanted)
    with pytest.raises(jose.WrongIssuer):
        verify(raw_token(ES256, claims), issuer=wanted[:1])


def test_an_unchecked_issuer_may_be_anybody_or_missing_but_is_a_text(raw_token, claims, verify):
    without = {name: value for name, value in claims.items() if name != "iss"}

    assert verify(raw_token(ES256, claims), issuer=jose.UNCHECKED)
    assert verify(raw_token(ES256, without), issuer=jose.UNCHECKED)
    with pytest.raises(jose.MalformedClaim):
        verify(raw_token(ES256, claims | {"iss": 1}), issuer=jose.UNCHECKED)


CLIENTS = [
    ("azp", {"azp": "portal"}, None),
    ("client_id", {"client_id": "portal"}, None),
    ("cid", {"cid": "portal"}, None),
    ("several that agree", {"azp": "portal", "client_id": "portal", "cid": "portal"}, None),
    ("none of them", {"appid": "portal"}, jose.MissingClaim),
    ("another client", {"azp": "other"}, jose.WrongClient),
    ("several that disagree", {"azp": "portal", "client_id": "other"}, jose.WrongClient),
    ("a list", {"azp": ["portal"]}, jose.MalformedClaim),
    ("an empty text", {"cid": ""}, jose.MalformedClaim),
    ("a number beside the right one", {"azp": "portal", "cid": 1}, jose.MalformedClaim),
    ("null", {"azp": None}, jose.MalformedClaim),
]


@pytest.mark.parametrize(("extra", "error"), [row[1:] for row in CLIENTS], ids=[row[0] for row in CLIENTS])
def test_clients(extra, error, raw_token, claims, verify):
    token = raw_token(ES256, claims | extra)

    for asked in ({"client_id": "portal"}, {"client_id": ["portal", "p2"], "audience": jose.UNCHECKED}):
        if error is None:
            assert verify(token, **asked)
        else:
            with pytest.raises(error):
                verify(token, **asked)


def test_a_client_does_not_stand_in_for_an_audience_that_is_asked_for(raw_token, claims, verify):
    with pytest.raises(jose.WrongAudience):
        verify(raw_token(ES256, claims | {"aud": "other", "azp": "portal"}), client_id="portal")


ASKED_WRONGLY = [
    ("a naive time", {"now": datetime(2026, 11, 23)}),  # noqa: DTZ001 - that is the point
    ("a number for a time", {"now": 1795424400}),
    ("no time", {"now": None}),
    ("no audience", {"audience": ""}),
    ("an empty list of audiences", {"audience": []}),
    ("None for an audience", {"audience": None}),
    ("an empty audience among others", {"audience": ["a", ""]}),
    ("an audience that is no text", {"audience": ["a", 1]}),
    ("bytes for an audience", {"audience": b"actas"}),
    ("no issuer", {"issuer": ""}),
    ("an empty list of issuers", {"issuer": ()}),
    ("None for an issuer", {"issuer": None}),
    ("an empty client", {"client_id": ""}),
    ("an empty list of clients", {"client_id": []}),
    ("an unchecked client", {"client_id": jose.UNCHECKED}),
    ("neither audience nor client", {"audience": jose.UNCHECKED}),
    ("neither exp nor age", {"require_exp": False}),
    ("a negative leeway", {"leeway": timedelta(seconds=-1)}),
    ("a number for a leeway", {"leeway": 60}),
    ("a negative age", {"require_exp": False, "max_age": timedelta(seconds=-1)}),
    ("a number for an age", {"max_age": 60}),
    ("an empty typ", {"typ": ""}),
    ("no types", {"typ": []}),
    ("no algorithms", {"algorithms": ()}),
    ("no algorithms in a frozenset", {"algorithms": frozenset()}),
    ("an unknown algorithm in a frozenset", {"algorithms": frozenset({"ES256", "none"})}),
    ("no texts in a frozenset", {"algorithms": frozenset({1})}),
    ("an unknown algorithm", {"algorithms": ["ES256", "ES257"]}),
    ("the algorithm none", {"algorithms": ["none"]}),
    ("an algorithm in another case", {"algorithms": ["es256"]}),
    ("a text for algorithms", {"algorithms": "ES256"}),
    ("None for algorithms", {"algorithms": None}),
    ("algorithms that are no texts", {"algorithms": [["ES256"]]}),
    ("a key algorithm", {"algorithms": ["RSA-OAEP"]}),
    ("no keys", {"keys": None}),
    ("a dictionary for keys", {"keys": {"keys": []}}),
]


@pytest.mark.parametrize("asked", [row[1] for row in ASKED_WRONGLY], ids=[row[0] for row in ASKED_WRONGLY])
def test_a_question_that_makes_no_sense_is_refused_whatever_the_token(asked, raw_token, claims, verify):
    for token in (raw_token(ES256, claims), "no token"):
        with pytest.raises(jose.AskedWrongly):
            verify(token, **asked)


def test_claims_are_a_mapping_that_cannot_be_written(raw_token, claims, verify, now):
    found = verify(raw_token(ES256 | {"typ": "at+jwt"}, claims))

    assert isinstance(found, Mapping)
    assert dict(found) == claims
    assert found.get("nothing", 1) == 1
    assert list(found) == list(claims)
    assert found.header == {"alg": "ES256", "typ": "at+jwt"}
    assert found.key.kid == "one"
    with pytest.raises(TypeError):
        found["sub"] = "ben"
    with pytest.raises(TypeError):
        found.header["alg"] = "none"
    with pytest.raises(AttributeError):
        found.other = 1


def test_the_times_of_claims_are_aware(raw_token, claims, verify):
    found = verify(raw_token(ES256, claims | {"iat": claims["iat"] + 0.25}))

    assert found.expires_at == datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    assert found.issued_at == datetime(2026, 11, 23, 8, 59, 50, 250_000, tzinfo=UTC)
    assert found.not_before == datetime(2026, 11, 23, 8, 59, 50, tzinfo=UTC)
    assert found.expires_at.tzinfo is UTC


def test_printed_claims_show_no_value(raw_token, claims, verify):
    assert "ana" not in repr(verify(raw_token(ES256, claims))) + str(verify(raw_token(ES256, claims)))


@pytest.mark.parametrize(
    ("claims_change", "asked"),
    [
        ({"sub": 1, "email": "ana@people.example"}, {}),
        ({"iss": "ana@people.example"}, {}),
        ({"aud": "ana@people.example"}, {}),
        ({"azp": "ana@people.example"}, {"client_id": "portal"}),
    ],
)
def test_no_message_holds_a_token_or_an_address(claims_change, asked, raw_token, claims, verify):
    token = raw_token(ES256, claims | claims_change)

    with pytest.raises(jose.JoseError) as refused:
        verify(token, **asked)
    assert "ana@" not in refused.value.message
    assert token not in refused.value.message
    assert "\n" not in refused.value.message


def test_an_error_states_what_was_found_and_what_was_wanted(raw_token, claims, verify):
    with pytest.raises(jose.WrongIssuer) as refused:
        verify(raw_token(ES256, claims | {"iss": "https://issuer.example/"}))

    assert refused.value.message == "the token was issued by https://issuer.example/, not by https://issuer.example"
    assert refused.value.code == "jose.wrong-issuer"
    assert refused.value.hint.endswith(".")
