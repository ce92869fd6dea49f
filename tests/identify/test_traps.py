"""The traps of tokens and providers that gateways have fallen into; each test is named for one of them."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from actas import jose
from actas.identify import errors
from actas.identify.requirements import requirements
from actas.identify.watermarks import MarksInMemory
from actas.jose.base64url import encode_text
from actas.model.facts import Known

pytestmark = pytest.mark.anyio

AT = 1773489600  # 2026-03-14T12:00:00Z, the clock's start


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_algorithm_confusion_a_public_key_is_never_an_hmac_secret(algorithm, house, identify, shown, clock):
    public = house.key.material.public
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    room = identify()

    for secret in (pem, pem.strip(), house.key.to_json()["n"].encode()):
        token = _by_hmac(house.claims(), secret, algorithm)
        with pytest.raises(errors.AlgorithmRefused):
            await room.verify(shown(token), now=clock())
    assert await room.verify(shown(house.token()), now=clock())


@pytest.mark.parametrize("kid", ["../../../etc/passwd", "http://127.0.0.1:1/keys", "' OR 1=1 --", "first\n", "| id"])
async def test_kid_injection_asks_only_where_the_keys_are(kid, house, identify, shown, clock):
    room = identify()
    await room.prefetch()
    before = {one[1] for one in house.requests}
    clock.turn(minutes=4)

    with pytest.raises(errors.UnknownKey):
        await room.verify(shown(_under(house, {"kid": kid})), now=clock())

    assert {one[1] for one in house.requests} == before


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
async def test_jku_x5u_jwk_x5c_in_the_header_are_not_followed(name, house, identify, shown, clock):
    mallory = jose.Key.generate("RS256", kid="first")
    house.answers["/evil"] = (200, {}, {"keys": [mallory.to_json()]})
    value = {"jwk": mallory.to_json(), "x5c": ["MIIB"]}.get(name, f"{house.origin}/evil")

    with pytest.raises(errors.BadSignature):
        await identify().verify(shown(_under(house, {name: value}, mallory)), now=clock())

    assert house.count("/evil") == 0


async def test_token_malleability_another_spelling_is_neither_verified_nor_remembered(house, identify, shown, clock):
    token, room = house.token(), identify()
    await room.verify(shown(token), now=clock())

    for spelling in (token + "==", token + "=", token + "\n", " " + token, token + ".", token + "A"):
        assert room.known(spelling, clock()) is None
        with pytest.raises(errors.Refused):
            await room.verify(shown(spelling), now=clock())
    assert room.known(token, clock()) is not None


@pytest.mark.parametrize("change", ["/", "", "/../corp", "?", "#", ".evil.example", "%2f", " "])
async def test_partial_issuer_match_is_no_match(change, house, identify, shown, clock):
    issuer = house.issuer[:-1] if change == "" else house.issuer + change

    with pytest.raises(errors.UnknownIssuer):
        await identify().verify(shown(house.token(iss=issuer)), now=clock())

    assert house.requests == []


CONFUSED = [
    ("an ID token by its payload's typ", {"typ": "ID"}, {}),
    ("an ID token by its nonce", {"nonce": "n"}, {}),
    ("an ID token by its at_hash", {"at_hash": "h"}, {}),
    ("an ID token by its c_hash", {"c_hash": "h"}, {}),
    ("an ID token by its token_use", {"token_use": "id"}, {}),
    ("a refresh token by its payload's typ", {"typ": "Refresh"}, {}),
    ("an offline token by its payload's typ", {"typ": "Offline"}, {}),
    ("a logout token by its payload's typ", {"typ": "Logout"}, {}),
    ("a logout token by its events", {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, {}),
    ("a logout token by its header", {}, {"typ": "logout+jwt"}),
    ("a security event by its header", {}, {"typ": "secevent+jwt"}),
    ("a security event by its header in full", {}, {"typ": "application/secevent+jwt"}),
    ("a security event by its header in capitals", {}, {"typ": "SecEvent+JWT"}),
    ("a DPoP proof by its header", {}, {"typ": "dpop+jwt"}),
    ("a DPoP proof by its claims", {"htm": "POST", "htu": "https://functions.example/call/report"}, {}),
    ("a client's assertion by its header", {}, {"typ": "client-authentication+jwt"}),
    ("a request object by its header", {}, {"typ": "oauth-authz-req+jwt"}),
    ("an introspection answer by its header", {}, {"typ": "token-introspection+jwt"}),
]


@pytest.mark.parametrize(("claims", "header"), [one[1:] for one in CONFUSED], ids=[one[0] for one in CONFUSED])
async def test_cross_jwt_confusion(claims, header, house, identify, shown, clock):
    token = house.sign(house.claims(**claims), header={"typ": "JWT"} | header)

    with pytest.raises(errors.NotAnAccessToken):
        await identify().verify(shown(token), now=clock())


async def test_cross_jwt_confusion_other_types_are_not_taken_though_the_settings_list_them(
    house, identify, settings, shown, clock
):
    room = identify({"corp": settings(typ=["logout+jwt", "JWT"])})

    with pytest.raises(errors.NotAnAccessToken):
        await room.verify(shown(house.sign(house.claims(), header={"typ": "logout+jwt"})), now=clock())
    assert await room.verify(shown(house.token()), now=clock())


async def test_same_kid_or_key_in_two_issuers(house, identify, settings, make_provider, shown, clock):
    issuer = "https://twin.example/realms/x"
    keys = {"inline": house.published()}  # the very same key: the issuer still tells whose token it is
    twin = make_provider(preset="keycloak", issuer=issuer, audience="actas", keys=keys)
    room = identify({"corp": settings(), "twin": twin})

    one = await room.verify(shown(house.token()), now=clock())
    other = await room.verify(shown(house.token(iss=issuer)), now=clock())

    assert (one.provider, other.provider) == ("corp", "twin")
    assert one.evidence_id != other.evidence_id  # equal jti, other issuer


async def test_same_kid_or_key_tenant_mix(house, identify, make_provider, shown, clock):
    ours, theirs = "72f988bf-86f1-41af-91ab-2d7cd011db47", "11111111-2222-3333-4444-555555555555"
    settings = make_provider(
        preset="entra",
        tenant="organizations",
        tenants=[ours, theirs],
        audience="api",
        keys={"inline": house.published()},
    )
    room = identify({"azure": settings})

    def token(iss, tid):
        return house.token(
            iss=f"https://login.microsoftonline.com/{iss}/v2.0", aud="api", typ=None, tid=tid, oid="o", scp="x"
        )

    with pytest.raises(errors.WrongTenant):
        await room.verify(shown(token(ours, theirs)), now=clock())
    with pytest.raises(errors.WrongTenant):
        await room.verify(shown(token(ours, None)), now=clock())
    assert (await room.verify(shown(token(ours, ours)), now=clock())).tenant == Known(ours)


async def test_key_set_dos_by_random_kid(house, identify, shown, clock):
    room = identify()
    await room.verify(shown(house.token()), now=clock())

    for number in range(50):
        with pytest.raises(errors.UnknownKey):
            await room.verify(shown(_under(house, {"kid": f"random-{number}"})), now=clock.turn(seconds=5))

    assert house.count("/certs") == 2  # at first sight, and once in five minutes
    assert await room.verify(shown(house.token(jti="another")), now=clock())


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"token_use": "id"}, errors.NotAnAccessToken),
        ({"token_use": None}, errors.NotAnAccessToken),
        ({"aud": "another"}, errors.WrongAudience),
        ({"aud": []}, errors.MissingClaim),
        ({"client_id": "another"}, errors.WrongClient),
        ({"client_id": None}, errors.MissingClaim),
        ({"client_id": None, "azp": "ours"}, errors.WrongClient),
    ],
    ids=["an ID token", "no use", "another audience", "no audience of many", "another client", "no client", "azp"],
)
async def test_azp_client_id_fallback_accepts_id_like_tokens(
    claims, refusal, house, identify, make_provider, shown, clock
):
    pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
    settings = make_provider(preset="cognito", issuer=pool, clients=["ours"], keys={"inline": house.published()})
    good = {"iss": pool, "aud": None, "typ": None, "azp": None, "token_use": "access", "client_id": "ours"}
    room = identify({"pool": settings})

    with pytest.raises(refusal):
        await room.verify(shown(house.token(**good | claims)), now=clock())
    assert await room.verify(shown(house.token(**good)), now=clock())


@pytest.mark.parametrize(
    "claim", ["email", "upn", "preferred_username", "unique_name", "profile.email"], ids=lambda claim: claim
)
def test_e_mail_domain_checks_a_name_that_changes_hands_is_no_subject(claim, settings):
    assert [one.key for one in requirements(settings(subject=claim))] == ["subject"]
    assert requirements(settings(subject="oid")) == ()


@pytest.mark.parametrize(
    "uri",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/keys",
        "https://[::ffff:169.254.169.254]/keys",
        "https://0.0.0.0/keys",
        "file:///etc/passwd",
        "ftp://127.0.0.1/keys",
        "https://ana:secret@127.0.0.1/keys",
        "https://127.0.0.1/keys#fragment",
    ],
)
async def test_ssrf_by_discovery_a_document_cannot_lead_where_secrets_are(uri, house, identify, shown, clock):
    path = f"{house.path}/.well-known/openid-configuration"
    house.answers[path] = (200, {}, {"issuer": house.issuer, "jwks_uri": uri})
    room = identify()

    with pytest.raises(errors.KeysUnavailable):
        await room.verify(shown(house.token()), now=clock())

    assert next(one.error for one in room.state()) in {"identify.address-refused", "identify.url-refused"}


async def test_ssrf_by_discovery_no_redirect_is_followed(house, identify, shown, clock):
    house.answers["/certs"] = (302, {"location": f"{house.origin}/elsewhere"}, {})
    house.answers["/elsewhere"] = (200, {}, house.published())

    with pytest.raises(errors.KeysUnavailable):
        await identify().verify(shown(house.token()), now=clock())

    assert house.count("/elsewhere") == 0


async def test_stale_revocation_a_token_from_before_the_mark_is_dead_and_one_from_after_it_lives(
    house, identify, shown, clock
):
    marks = MarksInMemory()
    room = identify(watermarks=marks)
    token = house.token()
    identity = await room.verify(shown(token), now=clock())
    marks.mark(provider="corp", subject=identity.subject, at=clock())

    assert room.known(token, clock()) is None
    with pytest.raises(errors.Revoked):
        await room.verify(shown(token), now=clock())
    later = clock.turn(seconds=1)
    assert await room.verify(shown(house.token(iat=AT + 1)), now=later)
    with pytest.raises(errors.Revoked):
        await room.verify(shown(house.token(iat=None)), now=later + timedelta(seconds=1))


def _by_hmac(claims, secret, algorithm):
    def encoded(value):
        return encode_text(value if isinstance(value, bytes) else json.dumps(value).encode())

    signed = f"{encoded({'alg': algorithm, 'kid': 'first', 'typ': 'JWT'})}.{encoded(claims)}"
    digest = hmac.new(secret, signed.encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    return f"{signed}.{encoded(digest)}"


def _under(house, header, key=None):
    """Sign with a key under a header that says more, or another kid, than the key does."""
    nameless = replace(key or house.key, kid=None)
    return house.sign(house.claims(), key=nameless, header={"typ": "JWT", "kid": "first"} | header)
