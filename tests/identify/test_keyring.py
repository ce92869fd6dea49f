"""Keys of a provider on a real socket: fetched once, renewed in time, replaced without a lost call."""

import json
import threading
from datetime import timedelta

import anyio
import pytest

from actas import jose
from actas.identify import errors
from actas.identify.keyring import key_set_for
from actas.identify.registry import Registry

pytestmark = pytest.mark.anyio


async def test_many_first_calls_fetch_the_keys_once(house, identify, shown, clock):
    room = identify()
    tokens = [house.token(jti=str(number)) for number in range(20)]

    async with anyio.create_task_group() as tasks:
        for token in tokens:
            tasks.start_soon(lambda one: room.verify(shown(one), now=clock()), token)

    assert house.count("/certs") == 1
    assert house.count("openid-configuration") == 1


async def test_prefetched_keys_are_there_before_the_first_call(house, identify, shown, clock):
    room = identify()
    await room.prefetch()
    house.down = True

    assert (await room.verify(shown(house.token()), now=clock())).provider == "corp"


async def test_telling_how_the_keys_fare_reads_none_of_them(house, identify, monkeypatch):
    made = identify()
    await made.prefetch()
    monkeypatch.setattr(jose.KeySet, "from_json", None)

    assert [one.keys for one in made.state()] == [1]


async def test_a_new_key_loses_no_call(house, identify, shown, clock):
    room = identify()
    await room.verify(shown(house.token()), now=clock())
    house.rotate("second")
    tokens = [house.token(jti=str(number)) for number in range(20)]

    async with anyio.create_task_group() as tasks:
        for token in tokens:
            tasks.start_soon(lambda one: room.verify(shown(one), now=clock()), token)

    assert house.count("/certs") == 2


async def test_unknown_keys_make_us_ask_once_in_five_minutes(house, identify, shown, clock):
    room = identify()
    await room.verify(shown(house.token()), now=clock())
    strangers = [jose.Key.generate("ES256", kid=f"stranger-{number}") for number in range(3)]

    for key in strangers:
        with pytest.raises(errors.UnknownKey):
            await room.verify(shown(house.sign(house.claims(exp=1900000000), key=key)), now=clock())

    assert house.count("/certs") == 2
    clock.turn(minutes=5, seconds=-1)
    for key in strangers[1:]:
        with pytest.raises(errors.UnknownKey):
            await room.verify(shown(house.sign(house.claims(exp=1900000000), key=key)), now=clock())
    assert house.count("/certs") == 2
    clock.turn(seconds=1)
    with pytest.raises(errors.UnknownKey):
        await room.verify(shown(house.sign(house.claims(exp=1900000000), key=strangers[1])), now=clock())
    assert house.count("/certs") == 3


async def test_a_key_that_was_not_there_a_minute_ago_does_not_use_up_the_next_question(house, identify, shown, clock):
    room = identify()
    await room.verify(shown(house.token()), now=clock())
    stranger = jose.Key.generate("ES256", kid="stranger")
    bad = house.sign(house.claims(exp=1900000000), key=stranger)
    for _ in range(2):
        with pytest.raises(errors.UnknownKey):
            await room.verify(shown(bad), now=clock())
    assert house.count("/certs") == 2


async def test_a_call_whose_key_is_known_waits_for_no_fetch(house, identify, shown, clock, until):
    room = identify()
    await room.verify(shown(house.token()), now=clock())
    house.gate = threading.Event()
    stranger = jose.Key.generate("ES256", kid="stranger")
    refused = []

    async def stranger_calls():
        try:
            await room.verify(shown(house.sign(house.claims(), key=stranger)), now=clock())
        except errors.UnknownKey as wrong:
            refused.append(wrong)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stranger_calls)
        await until(lambda: house.count("openid-configuration") == 2)
        with anyio.fail_after(5):
            assert (await room.verify(shown(house.token(jti="new")), now=clock())).provider == "corp"
        assert refused == []
        house.gate.set()

    assert len(refused) == 1


async def test_known_keys_go_on_while_the_provider_is_down_until_stale(house, identify, settings, shown, clock):
    room = identify({"corp": settings(stale="2h")})
    await room.prefetch()
    house.down = True
    long = house.token(exp=1900000000)

    clock.turn(hours=2, seconds=-1)
    await room.verify(shown(long), now=clock())
    assert room.known(long, clock()) is not None
    clock.turn(seconds=1)

    assert room.known(long, clock()) is None
    with pytest.raises(errors.KeysUnavailable) as refused:
        await room.verify(shown(long), now=clock())
    assert refused.value.status == 503
    (state,) = room.state()
    assert (state.ready, state.error, state.stale_since) == (False, "identify.unreachable", clock())


async def test_the_provider_coming_back_is_enough(house, identify, shown, clock):
    room = identify()
    house.down = True
    with pytest.raises(errors.KeysUnavailable):
        await room.verify(shown(house.token()), now=clock())
    house.down = False

    with pytest.raises(errors.KeysUnavailable):
        await room.verify(shown(house.token()), now=clock())
    clock.turn(seconds=5)
    assert (await room.verify(shown(house.token()), now=clock())).provider == "corp"
    (state,) = room.state()
    assert (state.ready, state.error, state.stale_since, state.keys) == (True, None, None, 1)


async def test_the_background_renews_keys_before_calls_need_them(house, identify, clock, until):
    room = identify()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(room.run)
        await until(lambda: room.state()[0].ready)
        house.rotate("second")
        house.keys = house.keys[1:]
        clock.turn(minutes=15)
        await until(lambda: room.state()[0].fetched_at == clock())
        tasks.cancel_scope.cancel()

    assert house.count("/certs") == 2


@pytest.mark.parametrize(
    ("says", "minutes"),
    [("private", 15), ("public, max-age=1200", 20), ("max-age=1", 5), ("max-age=999999", 60), ("max-age=x", 15)],
    ids=["nothing", "twenty minutes", "a second", "days", "no number"],
)
async def test_keys_are_renewed_when_the_provider_says_within_reason(house, identify, clock, says, minutes):
    house.answers["/certs"] = lambda of, _body: (200, {"cache-control": says}, of.published())
    room = identify()
    await room.prefetch()
    (ring,) = room._generation.rings.values()

    assert ring.due - clock() == timedelta(minutes=minutes)


async def test_a_token_dies_with_the_removal_of_its_key(house, identify, shown, clock):
    room = identify()
    token = house.token()
    await room.verify(shown(token), now=clock())
    house.rotate("second")
    house.keys = house.keys[1:]
    (ring,) = room._generation.rings.values()

    await ring.renew()

    assert room.known(token, clock()) is None
    with pytest.raises(errors.UnknownKey):
        await room.verify(shown(token), now=clock())


ELSEWHERE = "identify.unexpected-answer"
DISCOVERIES = [
    ("another issuer", {"issuer": "{issuer}/", "jwks_uri": "{origin}/certs"}, "identify.wrong-discovery"),
    ("no jwks_uri", {"issuer": "{issuer}"}, ELSEWHERE),
    ("keys in a file", {"issuer": "{issuer}", "jwks_uri": "file:///etc/passwd"}, "identify.url-refused"),
    ("keys at metadata", {"issuer": "{issuer}", "jwks_uri": "http://169.254.169.254/x"}, "identify.address-refused"),
    ("a list", [], ELSEWHERE),
    ("no JSON", "<html>sign in</html>", ELSEWHERE),
    ("a hundred thousand brackets", "[" * 100_000, ELSEWHERE),
]


@pytest.mark.parametrize(
    ("document", "code"), [case[1:] for case in DISCOVERIES], ids=[case[0] for case in DISCOVERIES]
)
async def test_a_discovery_document_is_not_believed_that_holds(house, identify, shown, clock, document, code):
    text = document if isinstance(document, str) else json.dumps(document)
    text = text.replace("{issuer}", house.issuer).replace("{origin}", house.origin)
    house.answers[f"{house.path}/.well-known/openid-configuration"] = 200, {}, text.encode()
    room = identify()

    with pytest.raises(errors.KeysUnavailable):
        await room.verify(shown(house.token()), now=clock())

    assert room.state()[0].error == code


KEY_SETS = [
    ("nothing", {"keys": []}),
    ("a secret", {"keys": [{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}),
    ("no keys", {}),
    ("no JSON", b"no"),
    ("a number", 7),
]


@pytest.mark.parametrize("document", [case[1] for case in KEY_SETS], ids=[case[0] for case in KEY_SETS])
async def test_a_key_set_that_cannot_be_used_replaces_nothing(house, identify, shown, clock, document):
    room = identify()
    await room.prefetch()
    house.answers["/certs"] = 200, {}, document
    (ring,) = room._generation.rings.values()

    await ring.renew()

    assert room.state()[0].error == "identify.unexpected-answer"
    assert (await room.verify(shown(house.token()), now=clock())).provider == "corp"


async def test_a_caller_who_hangs_up_does_not_end_the_fetch_for_others(house, identify, shown, clock, until):
    room = identify()
    house.gate = threading.Event()
    found = []

    async def call(name):
        await room.verify(shown(house.token(jti=name)), now=clock())
        found.append(name)

    async with anyio.create_task_group() as others, anyio.create_task_group() as impatient:
        impatient.start_soon(call, "first")
        await until(lambda: house.requests)
        others.start_soon(call, "second")
        impatient.cancel_scope.cancel()
        house.gate.set()

    assert "second" in found
    assert house.count("/certs") == 1


async def test_keys_may_stand_in_the_settings(house, identify, settings, shown, clock):
    room = identify({"corp": settings(keys={"inline": house.published()})})
    clock.turn(days=400)

    identity = await room.verify(shown(house.token(exp=int(clock().timestamp()) + 5)), now=clock())

    assert identity.provider == "corp"
    assert house.requests == []


async def test_keys_may_stand_in_a_file_that_is_read_again(house, identify, settings, shown, clock, tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(house.published()))
    room = identify({"corp": settings(keys={"file": "keys.json"})})
    first = house.token()
    await room.verify(shown(first), now=clock())
    house.rotate("second")
    house.keys = house.keys[1:]
    file.write_text(json.dumps(house.published()))

    assert (await room.verify(shown(house.token()), now=clock())).provider == "corp"
    with pytest.raises(errors.UnknownKey):
        await room.verify(shown(first), now=clock())
    assert house.requests == []


async def test_a_missing_key_file_is_said(identify, settings, shown, clock, house):
    room = identify({"corp": settings(keys={"file": "missing.json"})})

    with pytest.raises(errors.KeysUnavailable, match="cannot be read"):
        await room.verify(shown(house.token()), now=clock())


async def test_keys_may_have_a_url_of_their_own(house, identify, settings, shown, clock):
    room = identify({"corp": settings(keys={"url": f"{house.origin}/certs"})})

    await room.verify(shown(house.token()), now=clock())

    assert house.count("openid-configuration") == 0


async def test_a_provider_at_a_private_address_must_be_declared(house, identify, settings, shown, clock):
    issuer = house.issuer.replace("http://", "https://")
    room = identify({"corp": settings(private=None, issuer=issuer)})

    with pytest.raises(errors.KeysUnavailable, match="not public"):
        await room.verify(shown(house.token(iss=issuer)), now=clock())

    assert house.requests == []


async def test_a_reload_keeps_the_keys_of_providers_that_stay_the_same(house, identify, settings, shown, clock):
    room = identify()
    token = house.token()
    await room.verify(shown(token), now=clock())

    room.replace({"corp": settings(leeway="30s")})

    assert room.known(token, clock()) is None
    await room.verify(shown(token), now=clock())
    assert house.count("/certs") == 1


async def test_a_reload_that_cannot_work_changes_nothing(house, identify, settings, shown, clock):
    room = identify()
    token = house.token()
    await room.verify(shown(token), now=clock())

    with pytest.raises(errors.ProviderMisconfigured):
        room.replace({"corp": settings(), "twin": settings()})

    assert room.known(token, clock()) is not None


async def test_a_reload_that_drops_a_provider_drops_its_callers(house, identify, make_provider, shown, clock):
    room = identify()
    token = house.token()
    await room.verify(shown(token), now=clock())

    room.replace({"google": make_provider(preset="google", audience="x")})

    assert room.known(token, clock()) is None
    with pytest.raises(errors.UnknownIssuer):
        await room.verify(shown(token), now=clock())


async def test_keys_of_one_provider_never_verify_for_another(house, identify, settings, make_provider, shown, clock):
    other = jose.Key.generate("RS256", kid="first")
    issuer = "https://other.example/realms/x"
    twin = make_provider(
        preset="keycloak", issuer=issuer, audience="actas", keys={"inline": {"keys": [other.to_json()]}}
    )
    room = identify({"corp": settings(), "twin": twin})

    assert (await room.verify(shown(house.sign(house.claims(iss=issuer), key=other)), now=clock())).provider == "twin"
    with pytest.raises(errors.BadSignature):
        await room.verify(shown(house.sign(house.claims(iss=issuer))), now=clock())
    with pytest.raises(errors.BadSignature):
        await room.verify(shown(house.sign(house.claims(), key=other)), now=clock())


TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
OTHER = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("says", "is_taken"),
    [
        (None, True),
        ("https://login.microsoftonline.com/{tenantid}/v2.0", True),
        (f"https://login.microsoftonline.com/{TENANT}/v2.0", True),
        (f"https://login.microsoftonline.com/{OTHER}/v2.0", False),
        (7, False),
    ],
    ids=["nothing", "any tenant", "this tenant", "another tenant", "nonsense"],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_key_of_entra_is_good_for_the_issuer_that_it_names(
    identify, make_provider, shown, clock, house, says, is_taken, version
):
    key = house.key.to_json() | ({} if says is None else {"issuer": says})
    azure = make_provider(
        preset="entra", tenant="organizations", tenants=[TENANT], audience="api", keys={"inline": {"keys": [key]}}
    )
    iss = (
        f"https://login.microsoftonline.com/{TENANT}/v2.0" if version == "v2" else f"https://sts.windows.net/{TENANT}/"
    )
    token = house.sign(house.claims(iss=iss, aud="api", typ=None, tid=TENANT, oid="ana", scp="x"))
    room = identify({"azure": azure})

    if is_taken:
        assert (await room.verify(shown(token), now=clock())).tenant.value == TENANT
    else:
        with pytest.raises(errors.UnknownKey):
            await room.verify(shown(token), now=clock())


async def test_a_key_file_that_is_too_large_is_said(identify, settings, shown, clock, house, tmp_path):
    (tmp_path / "keys.json").write_bytes(b" " * (1024 * 1024 + 1))
    room = identify({"corp": settings(keys={"file": "keys.json"})})

    with pytest.raises(errors.KeysUnavailable, match="more than 1048576 bytes"):
        await room.verify(shown(house.token()), now=clock())


async def test_a_key_that_is_new_but_not_the_one_named_still_refuses(house, identify, shown, clock):
    room = identify()
    await room.verify(shown(house.token()), now=clock())
    stranger = jose.Key.generate("ES256", kid="stranger")
    house.rotate("second")

    with pytest.raises(errors.UnknownKey):
        await room.verify(shown(house.sign(house.claims(), key=stranger)), now=clock())
    assert (await room.verify(shown(house.token()), now=clock())).provider == "corp"


async def test_a_new_key_signs_what_is_refused_for_another_reason(house, identify, shown, clock):
    room = identify()
    await room.verify(shown(house.token()), now=clock())
    house.rotate("second")

    with pytest.raises(errors.WrongAudience):
        await room.verify(shown(house.token(aud="x")), now=clock())


async def test_shared_metadata_of_several_tenants_has_a_template_for_issuer(house, make_provider):
    azure = make_provider(preset="entra", tenant="organizations", tenants=[TENANT, OTHER], audience="api")
    issuers = Registry.of({"azure": azure}).issuers

    assert len(issuers) == 4
    assert {(one.source.discovery, one.source.issuer) for one in issuers.values()} == {
        (
            "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration",
            "https://login.microsoftonline.com/{tenantid}/v2.0",
        ),
        (
            "https://login.microsoftonline.com/organizations/.well-known/openid-configuration",
            "https://sts.windows.net/{tenantid}/",
        ),
    }


ADDRESSES = [
    ({"preset": "keycloak", "issuer": "https://sso.example/realms/a"}, "https://sso.example/realms/a/"),
    ({"preset": "auth0", "issuer": "https://acme.auth0.example/"}, "https://acme.auth0.example/"),
    ({"preset": "google"}, "https://accounts.google.com/"),
    ({"preset": "entra", "tenant": TENANT, "version": "v1"}, f"https://login.microsoftonline.com/{TENANT}/"),
    ({"preset": "entra", "tenant": TENANT, "version": "v2"}, f"https://login.microsoftonline.com/{TENANT}/v2.0/"),
]


@pytest.mark.parametrize(("settings", "base"), ADDRESSES, ids=["keycloak", "auth0", "google", "entra v1", "entra v2"])
async def test_discovery_is_asked_where_the_provider_has_it(make_provider, settings, base):
    issuers = Registry.of({"x": make_provider(audience="actas", **settings)}).issuers

    assert {one.source.discovery for one in issuers.values()} == {f"{base}.well-known/openid-configuration"}


async def test_keys_with_and_without_an_issuer_of_their_own_stand_side_by_side(make_provider):
    azure = make_provider(preset="entra", tenant=TENANT, version="v2", audience="api")
    (issuer,) = Registry.of({"azure": azure}).issuers.values()
    mine, plain, foreign = (jose.Key.generate("ES256", kid=kid).to_json() for kid in ("mine", "plain", "foreign"))
    mine["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0"
    foreign["issuer"] = f"https://login.microsoftonline.com/{OTHER}/v2.0"

    found = key_set_for(issuer, json.dumps({"keys": [mine, plain, foreign]}).encode())

    assert [key.kid for key in found.keys] == ["mine", "plain"]


async def test_a_conversation_that_drags_on_is_given_up(house, identify, shown, clock, monkeypatch):
    monkeypatch.setattr("actas.identify.renewing._LONGEST", 0.2)
    house.gate = threading.Event()

    with pytest.raises(errors.KeysUnavailable, match="no keys within"):
        await identify().verify(shown(house.token()), now=clock())
