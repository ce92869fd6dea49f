"""A token comes in over the room's front door, against a provider on a real socket."""

from datetime import timedelta

import pytest

from actas.identify import errors
from actas.identify.watermarks import MarksInMemory
from actas.model.facts import Known, Missing
from actas.model.identity import Kind

pytestmark = pytest.mark.anyio


async def test_a_person_with_a_good_token_is_believed(house, identify, shown, clock):
    found = await identify().verify(shown(house.token()), now=clock())

    assert (found.provider, found.issuer, found.subject) == (
        "corp",
        house.issuer,
        "7f0c3f0e-6d0e-4d2a-8a53-6a3f7f1f2c11",
    )
    assert found.kind == Known(Kind.HUMAN)
    assert found.groups == Known(frozenset({"/finance/analysts"}))
    assert found.roles == Known(frozenset({"invoker"}))
    assert found.scopes == Known(frozenset({"openid", "reports.read"}))
    assert found.client == Known("portal")
    assert found.expires_at.timestamp() == clock().timestamp() + 300
    assert found.evidence == "bearer"


async def test_a_second_look_at_the_same_token_waits_for_nothing(house, identify, shown, clock):
    room = identify()
    token = house.token()
    assert room.known(token, clock()) is None

    first = await room.verify(shown(token), now=clock())

    assert room.known(token, clock()) is first
    assert house.count("/certs") == 1


async def test_an_issuer_that_differs_by_a_slash_is_another_issuer(house, identify, shown, clock):
    with pytest.raises(errors.UnknownIssuer):
        await identify().verify(shown(house.token(iss=house.issuer + "/")), now=clock())

    assert house.requests == []


@pytest.mark.parametrize(
    ("iss", "shown_as"),
    [
        ("https://sso.example/realms/corp/", "https://sso.example/realms/corp/"),
        ("ana@mail.example", "a text of 16 characters"),
        ("https://sso.example\nlog: all is well", "a text of 36 characters"),
        ("x" * 201, "a text of 201 characters"),
    ],
    ids=["a URL", "an address", "two lines", "very long"],
)
async def test_the_issuer_that_is_unknown_is_told_where_it_is_plain(house, identify, shown, clock, iss, shown_as):
    with pytest.raises(errors.UnknownIssuer) as refused:
        await identify().verify(shown(house.token(iss=iss)), now=clock())

    assert str(refused.value) == f"the token says that {shown_as} issued it; taken are {house.issuer}"


REFUSED = [
    ("a text that is no token", "no token", errors.MalformedToken),
    ("nothing", "", errors.MalformedToken),
    ("half a character", "\ud800.a.b", errors.MalformedToken),
    ("five parts", "a.b.c.d.e", errors.MalformedToken),
    ("too much", "a" * 100_000, errors.MalformedToken),
]


@pytest.mark.parametrize(("token", "refusal"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_a_caller_is_refused_who_shows(identify, shown, clock, house, token, refusal):
    with pytest.raises(refusal) as refused:
        await identify().verify(shown(token), now=clock())

    assert refused.value.status == 401
    assert house.requests == []


CLAIMS = [
    ("another audience", {"aud": "account"}, errors.WrongAudience),
    ("no audience", {"aud": None}, errors.MissingClaim),
    ("no end", {"exp": None}, errors.MissingClaim),
    ("an end as a text", {"exp": "1900000000"}, errors.MalformedToken),
    ("a start to come", {"nbf": (1773489600 + 61)}, errors.NotYetValid),
    ("an issue to come", {"iat": (1773489600 + 61)}, errors.NotYetValid),
    ("an issuer that is a list", {"iss": ["x"]}, errors.MalformedToken),
    ("no issuer", {"iss": None}, errors.MissingClaim),
    ("a subject with a line break", {"sub": "ana\nben"}, errors.NoSubject),
    ("an actor that cannot be read", {"act": "agent"}, errors.BadActor),
    ("an ID token's payload type", {"typ": "ID"}, errors.NotAnAccessToken),
    ("a binding to a key", {"cnf": {"jkt": "x"}}, errors.SenderConstrained),
    ("a token use of its own", {"token_use": "id"}, errors.NotAnAccessToken),
]


@pytest.mark.parametrize(("claims", "refusal"), [case[1:] for case in CLAIMS], ids=[case[0] for case in CLAIMS])
async def test_a_signed_token_is_refused_that_has(house, identify, shown, clock, claims, refusal):
    token = house.token(**claims)

    with pytest.raises(refusal) as refused:
        await identify().verify(shown(token), now=clock())

    assert token not in str(refused.value)
    assert "7f0c3f0e" not in str(refused.value)


async def test_an_algorithm_that_the_settings_do_not_list_is_refused(house, identify, settings, shown, clock):
    token = house.token()

    assert (await identify({"corp": settings(algorithms="RS256")}).verify(shown(token), now=clock())).provider == "corp"
    with pytest.raises(errors.AlgorithmRefused):
        await identify({"corp": settings(algorithms="ES256")}).verify(shown(token), now=clock())


async def test_a_token_without_signature_is_refused(house, identify, shown, clock):
    from base64 import urlsafe_b64encode

    head = urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    payload = house.token().split(".")[1]

    for token in (f"{head}.{payload}.", f"{head}.{payload}.AAAA"):
        with pytest.raises(errors.IdentifyError):
            await identify().verify(shown(token), now=clock())


async def test_clients_that_are_listed_may_bring_tokens_and_others_not(house, identify, settings, shown, clock):
    token = house.token()

    assert (await identify({"corp": settings(clients=["portal"])}).verify(shown(token), now=clock())).provider == "corp"
    with pytest.raises(errors.WrongClient):
        await identify({"corp": settings(clients=["other"])}).verify(shown(token), now=clock())
    with pytest.raises(errors.WrongClient):
        await identify({"corp": settings(clients=["portal"])}).verify(shown(house.token(azp=None)), now=clock())


async def test_an_id_token_is_taken_where_the_settings_ask_for_it(house, identify, settings, shown, clock):
    room = identify({"corp": settings(token="id", audience="portal")})
    claims = {"aud": "portal", "typ": "ID", "nonce": "x", "at_hash": "x"}

    assert (await room.verify(shown(house.token(**claims)), now=clock())).provider == "corp"
    with pytest.raises(errors.NotAnAccessToken):
        await room.verify(shown(house.token(aud="portal")), now=clock())


async def test_an_old_token_is_refused_whatever_it_says_of_its_end(house, identify, settings, shown, clock):
    room = identify({"corp": settings(max_age="10m", leeway="0s")})
    token = house.token(exp=1900000000)
    await room.verify(shown(token), now=clock())
    clock.turn(minutes=10, seconds=-1)
    assert (await room.verify(shown(token), now=clock())).expires_at == clock() + timedelta(seconds=1)
    clock.turn(seconds=1)

    assert room.known(token, clock()) is None
    with pytest.raises(errors.TokenTooOld):
        await room.verify(shown(token), now=clock())


async def test_a_sign_in_to_come_becomes_known_when_its_time_comes(house, identify, shown, clock):
    room = identify()
    token = house.token(auth_time=int(clock().timestamp()) + 90)

    assert (await room.verify(shown(token), now=clock())).authenticated_at is Missing.UNKNOWN
    clock.turn(seconds=30)
    assert room.known(token, clock()) is None
    assert isinstance((await room.verify(shown(token), now=clock())).authenticated_at, Known)


async def test_a_token_is_refused_that_was_issued_no_later_than_a_revocation(house, identify, shown, clock):
    marks = MarksInMemory()
    room = identify(watermarks=marks)
    before, after = house.token(), house.token(iat=int(clock().timestamp()) + 1)
    await room.verify(shown(before), now=clock())

    marks.mark(provider="corp", subject="7f0c3f0e-6d0e-4d2a-8a53-6a3f7f1f2c11", at=clock())

    assert room.known(before, clock()) is None
    with pytest.raises(errors.Revoked):
        await room.verify(shown(before), now=clock())
    assert (await room.verify(shown(after), now=clock())).provider == "corp"


@pytest.mark.parametrize(
    ("mark", "is_refused"),
    [
        ({}, True),
        ({"subject": "somebody else"}, False),
        ({"subject": "7f0c3f0e-6d0e-4d2a-8a53-6a3f7f1f2c11", "session": "f2b1c9d6"}, True),
        ({"session": "f2b1c9d6"}, True),
        ({"session": "another"}, False),
        ({"provider": "twin"}, False),
    ],
    ids=["the provider", "somebody else", "a session", "a session of anybody", "another session", "another provider"],
)
async def test_a_revocation_concerns_those_whom_it_names(house, identify, shown, clock, mark, is_refused):
    marks = MarksInMemory()
    room = identify(watermarks=marks)
    token = house.token()
    first = await room.verify(shown(token), now=clock())
    marks.mark(**({"provider": "corp", "at": clock()} | mark))

    if is_refused:
        with pytest.raises(errors.Revoked):
            await room.verify(shown(token), now=clock())
    else:
        assert room.known(token, clock()) is first


@pytest.mark.parametrize(
    ("act", "is_refused"),
    [
        ({"sub": "agent-7"}, True),
        ({"sub": "agent-1", "act": {"sub": "agent-7"}}, True),
        ({"sub": "agent-1"}, False),
        ({"sub": "agent-7", "iss": "https://other.example"}, False),
    ],
    ids=["the actor", "an actor before it", "another actor", "an actor of that name elsewhere"],
)
async def test_a_token_ends_with_whoever_acts_by_it(house, identify, shown, clock, act, is_refused):
    marks = MarksInMemory()
    room = identify(watermarks=marks)
    token, later = house.token(act=act), house.token(act=act, iat=int(clock().timestamp()) + 1)
    first = await room.verify(shown(token), now=clock())
    marks.mark(provider="corp", subject="agent-7", at=clock())

    if is_refused:
        with pytest.raises(errors.Revoked):
            await room.verify(shown(token), now=clock())
    else:
        assert room.known(token, clock()) is first
    assert (await room.verify(shown(later), now=clock())).actors


async def test_a_token_without_its_time_of_issue_is_refused_by_any_revocation(house, identify, shown, clock):
    marks = MarksInMemory()
    marks.mark(provider="corp", at=clock().replace(year=1990))

    with pytest.raises(errors.Revoked):
        await identify(watermarks=marks).verify(shown(house.token(iat=None)), now=clock())


async def test_revocations_that_were_not_read_for_five_seconds_refuse_everybody(house, identify, shown, clock):
    marks = MarksInMemory(read_at=clock())
    room = identify(watermarks=marks)
    known, other = house.token(), house.token(jti="other")
    await room.verify(shown(known), now=clock())
    assert room.known(known, clock.turn(seconds=5)) is not None
    clock.turn(seconds=1)

    assert room.known(known, clock()) is None
    for token in (known, other):
        with pytest.raises(errors.RevocationsUnread) as refused:
            await room.verify(shown(token), now=clock())
        assert refused.value.status == 503


async def test_equal_tokens_have_one_name_in_the_trail_and_others_another(house, identify, shown, clock):
    room = identify()
    first = await room.verify(shown(house.token()), now=clock())
    again = await room.verify(shown(house.token(exp=1900000000)), now=clock())
    other = await room.verify(shown(house.token(jti="other")), now=clock())
    nameless = [await room.verify(shown(house.token(jti=None, azp=one)), now=clock()) for one in ("a", "b")]

    assert first.evidence_id == again.evidence_id
    assert len({one.evidence_id for one in (first, other, *nameless)}) == 4
    assert "onrtac" not in first.evidence_id


async def test_every_step_is_told_and_nothing_personal(house, identify, shown, clock):
    told = await identify().explain(house.token(groups=None, preferred_username="ana"), now=clock())

    steps = {step.name: step for step in told.steps}
    assert told.identity.provider == "corp"
    assert steps["provider"].code == "ok"
    assert steps["groups"].code == "absent"
    assert steps["roles"].sentence == "1 role in realm_access.roles and resource_access.*.roles"
    assert list(steps)[-1] == "revocation"
    text = " ".join(step.sentence for step in told.steps)
    assert not any(word in text for word in ("ana", "7f0c3f0e", "invoker", "onrtac", "portal"))


FAILS = [
    ("an unknown issuer", {"iss": "https://x.example"}, "provider", "identify.unknown-issuer"),
    ("an end that is past", {"exp": 1}, "signature", "identify.token-expired"),
    ("an ID token", {"typ": "ID"}, "claims", "identify.not-an-access-token"),
]


@pytest.mark.parametrize(("claims", "at", "code"), [case[1:] for case in FAILS], ids=[case[0] for case in FAILS])
async def test_the_step_that_fails_is_told_last(house, identify, clock, claims, at, code):
    told = await identify().explain(house.token(**claims), now=clock())

    assert told.identity is None
    assert (told.steps[-1].name, told.steps[-1].code) == (at, code)


async def test_revocation_is_told_as_a_step(house, identify, clock):
    marks = MarksInMemory()
    marks.mark(provider="corp", at=clock())

    told = await identify(watermarks=marks).explain(house.token(), now=clock())

    assert (told.steps[-1].name, told.steps[-1].code, told.identity) == ("revocation", "identify.revoked", None)


async def test_claims_in_a_file_are_read_as_if_they_were_signed_and_nobody_is_asked(house, identify, clock):
    room = identify()

    assert room.suppose(house.claims(), now=clock()).groups == Known(frozenset({"/finance/analysts"}))
    assert house.requests == []


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": None},
        {"iss": ["x"]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e20},
        {"aud": [["x"]]},
        {"azp": {}},
    ],
)
async def test_claims_in_a_file_that_make_no_sense_are_refused(house, identify, settings, clock, claims):
    with pytest.raises(errors.IdentifyError):
        identify({"corp": settings(clients="portal")}).suppose(house.claims(**claims), now=clock())
