"""Groups by look-up, against doubles that speak each provider's wire format on loopback.

The doubles check method, path, form and token of each request. They leave out what the providers do beyond that:
throttling, consistency delays, permissions, and the checks of a client's own credentials other than equality.
Keycloak's admin API is also asked for real in tests/real/.
"""

import json
import threading
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from actas import jose
from actas.identify.watermarks import MarksInMemory
from actas.model.facts import Known, Missing

pytestmark = pytest.mark.anyio
SUBJECT = "7f0c3f0e-6d0e-4d2a-8a53-6a3f7f1f2c11"


def form(body):
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


@pytest.fixture
def keycloak(house, monkeypatch):
    """Keycloak's token endpoint and its admin API, with one user in three groups on two pages."""
    monkeypatch.setenv("LOOKUP_SECRET", "s3cret")
    house.members = [f"/team-{number}" for number in range(99)] + ["/finance/analysts", "/everybody"]
    house.status = 200

    def token(_house, body):
        asked = form(body)
        assert asked == {"grant_type": "client_credentials", "client_id": "actas-lookup", "client_secret": "s3cret"}
        return 200, {}, {"access_token": "admin-token", "expires_in": 60, "token_type": "Bearer"}

    def groups(of, _body):
        _, target, headers, _ = of.requests[-1]
        assert headers["Authorization"] == "Bearer admin-token"
        query = parse_qs(urlsplit(target).query)
        first, most = int(query["first"][0]), int(query["max"][0])
        page = [{"id": path, "name": path, "path": path} for path in of.members[first : first + most]]
        return of.status, {}, page

    house.answers[f"{house.path}/protocol/openid-connect/token"] = token
    for first in (0, 100):
        target = f"/admin/realms/corp/users/{SUBJECT}/groups?first={first}&max=100&briefRepresentation=true"
        house.answers[target] = groups
    return house


LOOKUP = {"groups": {"lookup": "keycloak-admin"}, "lookup": {"id": "actas-lookup", "secret": {"env": "LOOKUP_SECRET"}}}


@pytest.fixture
def room(keycloak, settings, identify):
    return identify({"corp": settings(**LOOKUP)})


def questions(house):
    return house.count("first=0&max=100&briefRepresentation=true")


async def test_groups_that_a_token_lacks_are_looked_up_page_by_page(keycloak, room, shown, clock):
    identity = await room.verify(shown(keycloak.token(groups=None)), now=clock())

    assert identity.groups == Known(frozenset(keycloak.members))


async def test_groups_that_a_token_has_are_not_looked_up(keycloak, room, shown, clock):
    identity = await room.verify(shown(keycloak.token()), now=clock())

    assert identity.groups == Known(frozenset({"/finance/analysts"}))
    assert questions(keycloak) == 0


async def test_absence_that_means_empty_is_looked_up_all_the_same(keycloak, settings, identify, shown, clock):
    groups = {"lookup": "keycloak-admin", "absent": "empty"}
    room = identify({"corp": settings(**(LOOKUP | {"groups": groups}))})

    assert (await room.verify(shown(keycloak.token(groups=None)), now=clock())).groups == Known(
        frozenset(keycloak.members)
    )


async def test_many_first_calls_of_one_caller_ask_once(keycloak, room, shown, clock):
    async with anyio.create_task_group() as tasks:
        for number in range(10):
            token = keycloak.token(groups=None, jti=str(number))
            tasks.start_soon(lambda one: room.verify(shown(one), now=clock()), token)

    assert questions(keycloak) == 1
    assert keycloak.count("/token") == 1


async def test_another_token_of_a_known_caller_waits_for_nobody(keycloak, room, shown, clock):
    await room.verify(shown(keycloak.token(groups=None)), now=clock())
    keycloak.down = True

    identity = await room.verify(shown(keycloak.token(groups=None, jti="next")), now=clock())

    assert identity.groups == Known(frozenset(keycloak.members))


async def test_what_fails_is_unknown_for_ten_seconds(keycloak, room, shown, clock):
    keycloak.status = 403
    token = keycloak.token(groups=None)

    assert (await room.verify(shown(token), now=clock())).groups is Missing.UNKNOWN
    assert room.lookup_state()[0].error == "identify.unexpected-answer"
    keycloak.status = 200
    assert (await room.verify(shown(token), now=clock.turn(seconds=9))).groups is Missing.UNKNOWN
    assert (await room.verify(shown(token), now=clock.turn(seconds=1))).groups == Known(frozenset(keycloak.members))
    assert room.lookup_state()[0].error is None


@pytest.mark.parametrize(
    ("whose", "is_asked"),
    [({"subject": SUBJECT}, True), ({}, True), ({"subject": "somebody else"}, False), ({"session": "s-1"}, False)],
    ids=["of the caller", "of the whole provider", "of somebody else", "of a session"],
)
async def test_what_was_looked_up_before_an_event_does_not_count_for_a_token_issued_after_it(
    keycloak, settings, identify, shown, clock, whose, is_asked
):
    marks = MarksInMemory()
    room = identify({"corp": settings(**LOOKUP)}, watermarks=marks)
    await room.verify(shown(keycloak.token(groups=None)), now=clock())
    keycloak.members = ["/everybody"]

    marks.mark(provider="corp", at=clock(), **whose)
    later = clock.turn(seconds=2)
    token = keycloak.token(groups=None, jti="later", iat=int(later.timestamp()) - 1, sid="s-2")
    identity = await room.verify(shown(token), now=later)

    assert (identity.groups == Known(frozenset({"/everybody"}))) is is_asked
    assert questions(keycloak) == 1 + is_asked


async def test_groups_are_never_older_than_five_minutes(keycloak, room, shown, clock):
    token = keycloak.token(groups=None, exp=1900000000)
    await room.verify(shown(token), now=clock())
    keycloak.members = ["/left"]

    clock.turn(minutes=5, seconds=-1)
    assert room.known(token, clock()).groups.value != {"/left"}
    clock.turn(seconds=1)

    assert room.known(token, clock()) is None
    assert (await room.verify(shown(token), now=clock())).groups == Known(frozenset({"/left"}))


async def test_the_background_keeps_the_groups_of_callers_fresh(keycloak, room, shown, clock):
    token = keycloak.token(groups=None, exp=1900000000)
    await room.verify(shown(token), now=clock())
    keycloak.members = ["/new"]
    (members,) = room._generation.members.values()

    clock.turn(minutes=3)
    await members.renew()

    assert room.known(token, clock()) is None
    assert (await room.verify(shown(token), now=clock())).groups == Known(frozenset({"/new"}))
    assert questions(keycloak) == 2


async def test_a_caller_whose_groups_did_not_change_stays_known(keycloak, room, shown, clock):
    token = keycloak.token(groups=None, exp=1900000000)
    first = await room.verify(shown(token), now=clock())
    (members,) = room._generation.members.values()

    clock.turn(minutes=3)
    await members.renew()

    assert room.known(token, clock.turn(minutes=4)) is first


async def test_who_does_not_come_again_is_not_asked_about_again(keycloak, room, shown, clock):
    await room.verify(shown(keycloak.token(groups=None)), now=clock())
    (members,) = room._generation.members.values()

    clock.turn(minutes=3)
    await members.renew()
    clock.turn(minutes=3)
    await members.renew()
    clock.turn(minutes=3)
    await members.renew()

    assert questions(keycloak) == 2
    assert members._known == {}


async def test_a_background_failure_keeps_what_is_known_until_it_is_old(keycloak, room, shown, clock):
    token = keycloak.token(groups=None, exp=1900000000)
    await room.verify(shown(token), now=clock())
    keycloak.status = 500
    (members,) = room._generation.members.values()

    clock.turn(minutes=3)
    await members.renew()
    assert room.known(token, clock()) is not None
    clock.turn(minutes=2)

    assert (await room.verify(shown(token), now=clock())).groups is Missing.UNKNOWN


async def test_a_lookup_without_its_secret_leaves_the_groups_unknown(keycloak, room, shown, clock, monkeypatch):
    monkeypatch.delenv("LOOKUP_SECRET")

    assert (await room.verify(shown(keycloak.token(groups=None)), now=clock())).groups is Missing.UNKNOWN
    assert keycloak.count("/token") == 0


async def test_a_caller_who_hangs_up_does_not_end_the_lookup_for_others(keycloak, room, shown, clock, until):
    await room.prefetch()
    keycloak.gate = threading.Event()
    found = []

    async def call(name):
        found.append((name, await room.verify(shown(keycloak.token(groups=None, jti=name)), now=clock())))

    async with anyio.create_task_group() as others, anyio.create_task_group() as impatient:
        impatient.start_soon(call, "first")
        await until(lambda: keycloak.count("/token"))
        others.start_soon(call, "second")
        impatient.cancel_scope.cancel()
        keycloak.gate.set()

    assert dict(found)["second"].groups == Known(frozenset(keycloak.members))
    assert questions(keycloak) == 1


async def test_the_number_of_remembered_callers_is_bounded(keycloak, room, clock):
    (members,) = room._generation.members.values()
    members._size = 3

    for number in range(6):
        await members.of(f"caller-{number}", now=clock())

    assert len(members._known) == 3


TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


async def test_graph_gives_the_groups_beyond_two_hundred(house, make_provider, identify, shown, clock, tmp_path):
    (tmp_path / "secret").write_text("gr4ph\n")
    azure = make_provider(
        preset="entra",
        tenant=TENANT,
        audience="api",
        private=True,
        keys={"inline": house.published()},
        groups={"lookup": "graph"},
        lookup={
            "id": "client",
            "secret": {"file": "secret"},
            "token_url": f"{house.origin}/{TENANT}/oauth2/v2.0/token",
            "url": house.origin,
        },
    )
    asked = []

    def token(_house, body):
        asked.append(form(body))
        return 200, {}, {"access_token": "graph-token", "expires_in": 3599}

    def groups(of, body):
        method, _, headers, _ = of.requests[-1]
        assert (method, headers["Authorization"]) == ("POST", "Bearer graph-token")
        assert json.loads(body) == {"securityEnabledOnly": True}
        return 200, {}, {"@odata.context": "x", "value": ["aaaa", "bbbb"]}

    house.answers[f"/{TENANT}/oauth2/v2.0/token"] = token
    house.answers["/v1.0/directoryObjects/690222be/getMemberGroups"] = groups
    elsewhere = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": f"{house.origin}/trap"}}}
    iss = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    claims = house.claims(iss=iss, aud="api", typ=None, tid=TENANT, oid="690222be", scp="x", groups=None, **elsewhere)

    identity = await identify({"azure": azure}).verify(shown(house.sign(claims)), now=clock())

    assert identity.groups == Known(frozenset({"aaaa", "bbbb"}))
    assert asked == [
        {
            "grant_type": "client_credentials",
            "client_id": "client",
            "client_secret": "gr4ph",
            "scope": "https://graph.microsoft.com/.default",
        }
    ]
    assert house.count("/trap") == 0


@pytest.mark.parametrize("as_file", [True, False], ids=["a key file", "a PEM key"])
async def test_google_gives_groups_to_a_service_account(
    house, make_provider, identify, shown, clock, tmp_path, as_file
):
    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    (tmp_path / "key").write_text(json.dumps({"private_key": pem, "private_key_id": "k1"}) if as_file else pem)
    google = make_provider(
        preset="google",
        audience="api",
        private=True,
        keys={"inline": house.published()},
        groups={"lookup": "google"},
        lookup={
            "id": "directory@project.example",
            "secret": {"file": "key"},
            "admin": "reader@corp.example",
            "token_url": f"{house.origin}/token",
            "url": house.origin,
        },
    )
    numbers = key.public_key().public_numbers()
    as_bytes = numbers.n.to_bytes(256, "big")
    published = jose.KeySet.from_json({"kty": "RSA", "n": encoded(as_bytes), "e": "AQAB"})

    def token(_house, body):
        asked = form(body)
        assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        claims = jose.verify_jwt(
            asked["assertion"],
            published,
            issuer="directory@project.example",
            audience=f"{house.origin}/token",
            now=clock(),
        )
        assert claims["sub"] == "reader@corp.example"
        assert claims["scope"] == "https://www.googleapis.com/auth/admin.directory.group.readonly"
        return 200, {}, {"access_token": "directory-token", "expires_in": 3599}

    pages = "/admin/directory/v1/groups?userKey=110&maxResults=200"
    house.answers["/token"] = token
    house.answers[pages] = 200, {}, {"groups": [{"email": "finance@corp.example"}], "nextPageToken": "p 2"}
    house.answers[f"{pages}&pageToken=p+2"] = 200, {}, {"groups": [{"email": "all@corp.example"}]}
    claims = house.claims(iss="https://accounts.google.com", aud="api", azp="api", typ=None, sub="110", groups=None)

    identity = await identify({"google": google}).verify(shown(house.sign(claims)), now=clock())

    assert identity.groups == Known(frozenset({"finance@corp.example", "all@corp.example"}))


def encoded(data):
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("secret", ["", "no key", "{}", '{"private_key": "no key"}', "{"])
async def test_googles_key_that_is_none_leaves_the_groups_unknown(
    house, make_provider, identify, shown, clock, tmp_path, secret
):
    (tmp_path / "key").write_text(secret)
    lookup = {"id": "x", "secret": {"file": "key"}, "admin": "y", "token_url": f"{house.origin}/t", "url": house.origin}
    keys, groups = {"inline": house.published()}, {"lookup": "google"}
    google = make_provider(preset="google", audience="api", private=True, keys=keys, groups=groups, lookup=lookup)
    claims = house.claims(iss="https://accounts.google.com", aud="api", azp="api", typ=None, groups=None)

    identity = await identify({"google": google}).verify(shown(house.sign(claims)), now=clock())

    assert identity.groups is Missing.UNKNOWN


BAD = [
    ("a page that is no list", {"groups": []}),
    ("a group without a path", [{"name": "finance"}]),
    ("no JSON", b"<html>"),
]


@pytest.mark.parametrize("page", [case[1] for case in BAD], ids=[case[0] for case in BAD])
async def test_an_answer_that_cannot_be_read_is_no_list_of_groups(keycloak, room, shown, clock, page):
    for target in [one for one in keycloak.answers if "first=0" in one]:
        keycloak.answers[target] = 200, {}, page

    assert (await room.verify(shown(keycloak.token(groups=None)), now=clock())).groups is Missing.UNKNOWN


async def test_a_list_without_end_is_no_list(keycloak, room, shown, clock):
    full = [{"path": f"/g-{number}"} for number in range(100)]
    for first in range(0, 5000, 100):
        target = f"/admin/realms/corp/users/{SUBJECT}/groups?first={first}&max=100&briefRepresentation=true"
        keycloak.answers[target] = 200, {}, full

    assert (await room.verify(shown(keycloak.token(groups=None)), now=clock())).groups is Missing.UNKNOWN


async def test_a_reload_keeps_the_groups_of_a_lookup_that_stays_the_same(keycloak, room, settings, shown, clock):
    await room.verify(shown(keycloak.token(groups=None)), now=clock())

    room.replace({"corp": settings(**LOOKUP, leeway="30s")})

    await room.verify(shown(keycloak.token(groups=None)), now=clock())
    assert questions(keycloak) == 1


async def test_a_token_endpoint_that_gives_no_usable_token_leaves_the_groups_unknown(keycloak, room, shown, clock):
    path = f"{keycloak.path}/protocol/openid-connect/token"
    for content in ({"access_token": "a\r\nb"}, {"access_token": "\u00fc"}, {"error": "invalid_client"}, []):
        keycloak.answers[path] = 200, {}, content
        token = keycloak.token(groups=None, exp=1900000000)

        assert (await room.verify(shown(token), now=clock.turn(seconds=10))).groups is Missing.UNKNOWN

    assert questions(keycloak) == 0


async def test_a_directory_without_end_and_a_key_of_another_kind_are_no_list(
    house, make_provider, identify, shown, clock, tmp_path
):
    lookup = {"id": "x", "secret": {"file": "key"}, "admin": "y", "token_url": f"{house.origin}/t", "url": house.origin}
    keys, groups = {"inline": house.published()}, {"lookup": "google"}
    google = make_provider(preset="google", audience="api", private=True, keys=keys, groups=groups, lookup=lookup)
    claims = house.claims(iss="https://accounts.google.com", aud="api", azp="api", typ=None, sub="110", groups=None)
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    page = "/admin/directory/v1/groups?userKey=110&maxResults=200"
    house.answers["/t"] = 200, {}, {"access_token": "x", "expires_in": 60}
    for target in (page, f"{page}&pageToken=on"):
        house.answers[target] = 200, {}, {"groups": [{"email": "a@corp.example"}], "nextPageToken": "on"}
    for key in (generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())):
        (tmp_path / "key").write_bytes(key.private_bytes(*form))

        identity = await identify({"google": google}).verify(shown(house.sign(claims)), now=clock())

        assert identity.groups is Missing.UNKNOWN
    assert house.count("pageToken=on") == 49


async def test_a_secret_that_is_not_there_or_no_text_leaves_the_groups_unknown(
    keycloak, settings, identify, shown, clock, tmp_path
):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "binary"):
        lookup = {"lookup": {"id": "actas-lookup", "secret": {"file": name}}}
        room = identify({"corp": settings(**(LOOKUP | lookup))})

        assert (await room.verify(shown(keycloak.token(groups=None)), now=clock())).groups is Missing.UNKNOWN


async def test_a_provider_that_never_answers_is_given_up(keycloak, settings, identify, shown, clock, monkeypatch):
    monkeypatch.setattr("actas.identify.members._LONGEST", 0.2)
    room = identify({"corp": settings(**LOOKUP)})
    await room.prefetch()
    keycloak.gate = threading.Event()

    assert (await room.verify(shown(keycloak.token(groups=None)), now=clock())).groups is Missing.UNKNOWN
    assert room.lookup_state()[0].error == "identify.unreachable"


async def test_the_background_asks_for_groups_by_itself(keycloak, room, shown, clock, until, monkeypatch):
    monkeypatch.setattr("actas.identify.verifier._MEMBERS_EVERY", 0.01)
    await room.verify(shown(keycloak.token(groups=None)), now=clock())
    clock.turn(minutes=3)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(room.run)
        await until(lambda: questions(keycloak) == 2)
        tasks.cancel_scope.cancel()
