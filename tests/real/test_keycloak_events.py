"""Identity events of a real Keycloak: every kind provoked, none lost however the gateway dies, access ended by them."""

import hashlib
import json
import os
import secrets
import signal
import time
from collections import Counter
from datetime import timedelta

import anyio
import httpx
import pytest
from gateway import Gateway
from keycloak.server import free_ports
from keycloak.telling import CLIENT, CLIENT_SECRET, HOOK_SECRET, hook, make_client, switch_on

from actas.events.desk import SETTLES
from actas.events.interface import Making
from actas.events.sources import make
from actas.identify.fetch import Fetcher
from actas.model import clock
from actas.model.secret import Secret
from actas.settings.schema import Provider, SecretRef
from actas.settings.schema_event_sources import EventClient
from actas.settings.schema_events import EventSource
from actas.wiring.event_desk import desk
from actas.wiring.load import load


def administrator(keycloak):
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
    return Secret(keycloak.token(realm="master", **form)["access_token"])


def asked(keycloak, tmp_path):
    """Make the source itself, without a gateway."""
    making = Making(
        name="corp-events",
        folder=tmp_path,
        secret=lambda _reference: Secret(CLIENT_SECRET),
        clock=clock.now,
        fetch=Fetcher(base=tmp_path),
        public_url="http://127.0.0.1:9",
    )
    settings = EventSource(kind="keycloak", provider="corp", client=EventClient(id=CLIENT, secret=SecretRef(env="S")))
    provider = Provider(preset="keycloak", issuer=keycloak.issuer, audience="actas", private=True)
    return make(settings, provider, making)


@pytest.fixture(scope="module")
def doctored(keycloak, tmp_path_factory):
    """Let the doctor find what is off in a realm as it comes, and mend it."""
    make_client(keycloak)
    source = asked(keycloak, tmp_path_factory.mktemp("doctor"))
    found = anyio.run(lambda: source.examine(now=clock.now()))
    mended = anyio.run(lambda: source.mend(administrator(keycloak), now=clock.now()))
    fresh = asked(keycloak, tmp_path_factory.mktemp("doctor"))  # its token has the new right
    after = anyio.run(lambda: fresh.examine(now=clock.now()))
    return found, mended, after


def test_the_doctor_finds_what_is_off_and_switches_it_on(doctored):
    found, mended, after = doctored

    assert [(one.code, one.severity, one.can_mend) for one in found] == [("right-missing", "error", True)]
    assert {one.code for one in mended} == {"events-switched-on", "right-given"}
    assert {one.severity for one in after} == {"fine"}, after
    assert "event-types-saved" in {one.code for one in after}


def provoke(keycloak):
    """Do everything that has a kind; give what each is expected to be told as."""
    admin = keycloak.admin
    name = f"dora-{secrets.token_hex(3)}"
    person = {
        "username": name, "enabled": True, "email": f"{name}@people.example", "firstName": "D", "lastName": "D",
        "credentials": [{"type": "password", "value": f"{name}-pw", "temporary": False}],
    }  # fmt: skip
    admin("POST", "/users", person).raise_for_status()
    dora = keycloak.person(name)
    role, group = admin("GET", "/roles/deployer").json(), admin("GET", "/groups?search=finance").json()[0]["id"]
    wanted = Counter()

    tokens = keycloak.password(name)
    keycloak.refresh(tokens["refresh_token"])
    form = {"client_id": "cli", "refresh_token": tokens["refresh_token"]}
    httpx.post(f"{keycloak.issuer}/protocol/openid-connect/logout", data=form).raise_for_status()
    wrong = {"grant_type": "password", "client_id": "cli", "username": name, "password": "wrong"}
    assert httpx.post(f"{keycloak.issuer}/protocol/openid-connect/token", data=wrong).status_code in (400, 401)
    wanted.update(["signed-in", "token-refreshed", "signed-out", "sign-in-failed"])

    for method, path, body, kind in (
        ("POST", f"/users/{dora}/role-mappings/realm", [role], "role-granted"),
        ("DELETE", f"/users/{dora}/role-mappings/realm", [role], "role-revoked"),
        ("PUT", f"/users/{dora}/groups/{group}", None, "group-joined"),
        ("DELETE", f"/users/{dora}/groups/{group}", None, "group-left"),
        ("POST", f"/users/{dora}/logout", None, "session-revoked"),
        ("PUT", f"/users/{dora}/reset-password", {"type": "password", "value": f"{name}-pw"}, "credential-changed"),
        ("PUT", f"/users/{dora}", {**person, "credentials": None, "enabled": False}, "user-disabled"),
        ("DELETE", f"/users/{dora}", None, "user-deleted"),
    ):
        admin(method, path, body).raise_for_status()
        wanted[kind] += 1
    return dora, wanted


def whose(events, subject):
    return Counter(one.kind.value for one in events if one.subject == subject and one.kind.value != "other")


def test_every_kind_is_provoked_and_told(keycloak, doctored, tmp_path):
    source = asked(keycloak, tmp_path)
    begun = anyio.run(lambda: source.poll(None, now=clock.now()))
    dora, wanted = provoke(keycloak)

    batch = anyio.run(lambda: source.poll(begun.cursor, now=clock.now()))
    listed = [one for one in anyio.run(collect, source) if one.id in {event.id for event in batch.events}]

    assert whose(batch.events, dora) == wanted
    assert len(listed) == len({one.id for one in batch.events})
    assert source.health().reaches_back is not None


async def collect(source):
    now = clock.now()
    return [one async for one in source.compare(now - timedelta(hours=1), until=now + timedelta(minutes=1))]


class Doing:
    """Does one thing after the other at Keycloak, and keeps what each must be told as."""

    def __init__(self, keycloak) -> None:
        self.keycloak, self.admin = keycloak, keycloak.admin
        self.boss = keycloak.admin("GET", "/users?username=admin", realm="master").json()[0]["id"]
        self.door = keycloak.admin("GET", "/clients?clientId=admin-cli", realm="master").json()[0]["id"]
        self.wanted = []

    def tell(self, kind, type_, **more):
        self.wanted.append(told_as(kind, type_, **more))

    def by_admin(self, method, path, body, kind, type_, **more):
        """Do it as the administrator, whom the event names, with the internal id of the administrator's client."""
        self.admin(method, path, body).raise_for_status()
        self.tell(kind, f"admin.{type_}", **{"actor": self.boss, "client": self.door, **more})

    def person(self):
        name = f"dora-{secrets.token_hex(3)}"
        person = {
            "username": name, "enabled": True, "email": f"{name}@people.example", "firstName": "D", "lastName": "D",
            "credentials": [{"type": "password", "value": f"{name}-pw", "temporary": False}],
        }  # fmt: skip
        self.by_admin("POST", "/users", person, "other", "USER-CREATE")
        return name, self.keycloak.person(name), {**person, "credentials": None}

    def signs_in(self, name, dora):
        tokens = self.keycloak.password(name)
        self.tell("signed-in", "access.LOGIN", subject=dora, client="cli", session=tokens["session_state"])
        return tokens["session_state"], tokens["refresh_token"]

    def fails(self, name, dora, reason="invalid_user_credentials"):
        fail_to_sign_in(self.keycloak, name)
        self.tell("sign-in-failed", "access.LOGIN_ERROR", subject=dora, client="cli", reason=reason)


def told_as(kind, type_, **more):
    nothing = {"subject": None, "actor": None, "client": None, "session": None, "roles": (), "groups": ()}
    return {"kind": kind, "type": type_, **nothing, "reason": None, **more}


def in_full(event):
    return {"kind": event.kind.value, **{name: getattr(event, name) for name in told_as("", "") if name != "kind"}}


def heard_of(keycloak, tmp_path, do):
    """Do it, and give what was told of it, in the order in which it happened, and what had to be told."""
    source, doing = asked(keycloak, tmp_path), Doing(keycloak)
    begun = anyio.run(lambda: source.poll(None, now=clock.now()))
    do(doing)
    batch = anyio.run(lambda: source.poll(begun.cursor, now=clock.now()))
    known = {one.id for one in begun.events}  # a poll reaches back over what is known
    return [in_full(one) for one in batch.events if one.client != CLIENT and one.id not in known], doing.wanted


def test_what_people_do_is_told_in_full(keycloak, doctored, tmp_path):
    def do(doing):
        name, dora, _ = doing.person()
        session, refresh = doing.signs_in(name, dora)
        keycloak.refresh(refresh)
        doing.tell("token-refreshed", "access.REFRESH_TOKEN", subject=dora, client="cli", session=session)
        form = {"client_id": "cli", "refresh_token": refresh}
        httpx.post(f"{keycloak.issuer}/protocol/openid-connect/logout", data=form).raise_for_status()
        doing.tell("signed-out", "access.LOGOUT", subject=dora, client="cli", session=session)
        doing.fails(name, dora)
        fail_to_sign_in(keycloak, "nobody-of-that-name")
        doing.tell("sign-in-failed", "access.LOGIN_ERROR", client="cli", reason="user_not_found")
        robot = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "wrong"}
        httpx.post(f"{keycloak.issuer}/protocol/openid-connect/token", data=robot)
        reason = {"client": "robot", "reason": "invalid_client_credentials"}
        doing.tell("sign-in-failed", "access.CLIENT_LOGIN_ERROR", **reason)

    told, wanted = heard_of(keycloak, tmp_path, do)

    assert told == wanted


def test_what_an_administrator_does_to_somebody_is_told_in_full(keycloak, doctored, tmp_path):
    def do(doing):
        name, dora, person = doing.person()
        role, group = (keycloak.admin("GET", path).json() for path in ("/roles/deployer", "/groups?search=finance"))
        actas = keycloak.admin("GET", "/clients?clientId=actas").json()[0]["id"]
        own = keycloak.admin("GET", f"/clients/{actas}/roles/reports.run").json()
        realm, ours = f"/users/{dora}/role-mappings/realm", f"/users/{dora}/role-mappings/clients/{actas}"
        member, of_dora = f"/users/{dora}/groups/{group[0]['id']}", {"subject": dora}
        deployer, run, finance = {"roles": ("deployer",)}, {"roles": ("reports.run",)}, {"groups": ("/finance",)}
        for method, path, body, kind, type_, what in (
            ("POST", realm, [role], "role-granted", "REALM_ROLE_MAPPING-CREATE", deployer),
            ("DELETE", realm, [role], "role-revoked", "REALM_ROLE_MAPPING-DELETE", deployer),
            ("POST", ours, [own], "role-granted", "CLIENT_ROLE_MAPPING-CREATE", run),
            ("DELETE", ours, [own], "role-revoked", "CLIENT_ROLE_MAPPING-DELETE", run),
            ("PUT", member, None, "group-joined", "GROUP_MEMBERSHIP-CREATE", finance),
            ("DELETE", member, None, "group-left", "GROUP_MEMBERSHIP-DELETE", finance),
        ):
            doing.by_admin(method, path, body, kind, type_, **of_dora, **what)
        session, _ = doing.signs_in(name, dora)
        doing.by_admin("DELETE", f"/sessions/{session}", None, "session-revoked", "USER_SESSION-DELETE",
                       session=session)  # fmt: skip
        doing.signs_in(name, dora)
        password = {"type": "password", "value": f"{name}-pw"}
        for method, path, body, kind, type_ in (
            ("POST", f"/users/{dora}/logout", None, "session-revoked", "USER-ACTION"),
            ("PUT", f"/users/{dora}/reset-password", password, "credential-changed", "USER-ACTION"),
            ("PUT", f"/users/{dora}", {**person, "lastName": "E"}, "other", "USER-UPDATE"),
            ("PUT", f"/users/{dora}", {**person, "enabled": False}, "user-disabled", "USER-UPDATE"),
        ):
            doing.by_admin(method, path, body, kind, type_, **of_dora)
        doing.fails(name, dora, reason="user_disabled")
        doing.by_admin("DELETE", f"/users/{dora}", None, "user-deleted", "USER-DELETE", **of_dora)

    told, wanted = heard_of(keycloak, tmp_path, do)

    assert told == wanted


def test_what_an_administrator_does_to_clients_is_told_in_full(keycloak, doctored, tmp_path):
    name = f"app-{secrets.token_hex(3)}"

    def do(doing):
        doing.by_admin("POST", "/clients", {"clientId": name}, "client-changed", "CLIENT-CREATE", client=name)
        (made,) = keycloak.admin("GET", f"/clients?clientId={name}").json()
        path, changed = f"/clients/{made['id']}", {**made, "description": "another one"}
        doing.by_admin("PUT", path, changed, "client-changed", "CLIENT-UPDATE", client=name)
        secret = {"client": made["id"]}  # without a representation, which would be the secret
        doing.by_admin("POST", f"{path}/client-secret", None, "client-changed", "CLIENT-ACTION", **secret)
        doing.by_admin("DELETE", path, None, "client-changed", "CLIENT-DELETE", client=name)

    told, wanted = heard_of(keycloak, tmp_path, do)

    assert told == wanted


@pytest.mark.parametrize(
    ("for_good", "kind", "type_"),
    [
        pytest.param(False, "risk-changed", "USER_DISABLED_BY_TEMPORARY_LOCKOUT", id="for-a-while"),
        pytest.param(True, "user-disabled", "USER_DISABLED_BY_PERMANENT_LOCKOUT", id="for-good"),
    ],
)
def test_somebody_who_guesses_too_often_is_told_to_be_locked_out(keycloak, doctored, tmp_path, for_good, kind, type_):
    guarded = {"bruteForceProtected": True, "permanentLockout": for_good, "failureFactor": 2}
    guarded["quickLoginCheckMilliSeconds"] = 0  # else two tries within a second are locked out for a while besides
    before = keycloak.admin("GET", "").json()
    keycloak.admin("PUT", "", guarded).raise_for_status()

    def do(doing):
        name, dora, _ = doing.person()
        for _ in range(2):
            doing.fails(name, dora)
            time.sleep(0.2)  # its guard counts beside the answer
        doing.tell(kind, f"access.{type_}", subject=dora)

    try:
        told, wanted = heard_of(keycloak, tmp_path, do)
    finally:
        keycloak.admin("PUT", "", {name: before[name] for name in guarded}).raise_for_status()

    assert sorted(told, key=str) == sorted(wanted, key=str)


def test_a_composite_role_a_group_a_client_and_everybody_at_once_are_told(keycloak, doctored, tmp_path):
    source = asked(keycloak, tmp_path)
    begun = anyio.run(lambda: source.poll(None, now=clock.now()))
    admin, name = keycloak.admin, f"boss-{secrets.token_hex(3)}"
    deployer = admin("GET", "/roles/deployer").json()
    admin("POST", "/roles", {"name": name}).raise_for_status()
    admin("POST", f"/roles/{name}/composites", [deployer]).raise_for_status()
    admin("DELETE", f"/roles/{name}/composites", [deployer]).raise_for_status()
    admin("DELETE", f"/roles/{name}").raise_for_status()
    admin("POST", "/groups", {"name": name}).raise_for_status()
    group = admin("GET", f"/groups?search={name}").json()[0]["id"]
    admin("DELETE", f"/groups/{group}").raise_for_status()
    admin("POST", "/clients", {"clientId": name}).raise_for_status()
    client = admin("GET", f"/clients?clientId={name}").json()[0]["id"]
    admin("DELETE", f"/clients/{client}").raise_for_status()
    admin("POST", "/logout-all").raise_for_status()

    batch = anyio.run(lambda: source.poll(begun.cursor, now=clock.now()))

    of_boss = [(one.kind.value, one.subject) for one in batch.events if one.roles == (name,)]
    assert of_boss == [("role-granted", None), ("role-revoked", None), ("role-revoked", None)]
    assert [one.kind.value for one in batch.events if one.groups == (name,)] == ["group-left"]
    assert "client-changed" in {one.kind.value for one in batch.events if one.client == name}
    assert [one.kind.value for one in batch.events if one.type == "admin.REALM-ACTION"] == ["role-revoked"]


class Killable(Gateway):
    """A gateway that can be killed, and started again at the same place."""

    def __init__(self, folder, wanted):
        super().__init__(folder, wanted)
        (folder / "noted.py").write_text("def handler(event, context):\n    return event\n")

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        (self.folder / ".actas" / "up.json").unlink()

    def ready(self):
        return httpx.get(f"{self.control}/readyz", timeout=10).json()

    def heard(self):
        """Wait until the source was heard since now."""
        state, ends = None, time.monotonic() + 90
        while time.monotonic() < ends:
            state = self.ready()["events"]
            if state and state["sources"] and state["sources"][0]["trouble"] is None and self.settled(state):
                return state
            time.sleep(0.3)
        raise AssertionError(f"{state}\n{self.log()}")

    @staticmethod
    def settled(state):
        waits = state["deliveries"]
        return waits is not None and waits["waiting"] + waits["running"] + waits["again"] == 0


def settings(keycloak, port=0, **more):
    return {
        "gateway": {"listen": f"127.0.0.1:{port}", "public_url": f"http://127.0.0.1:{port or 8700}"},
        "providers": {
            "corp": {
                "preset": "keycloak", "issuer": keycloak.issuer, "audience": "actas", "private": True,
                "groups": {"absent": "empty"},
            }
        },
        "events": {
            "sources": {
                "corp-events": {
                    "kind": "keycloak", "provider": "corp", "every": "1s",
                    "client": {"id": CLIENT, "secret": {"env": "KEYCLOAK_EVENTS_SECRET"}},
                    **more,
                }
            }
        },
        "functions": {
            "report": {"python": "echo.py:handler", "timeout": "30s"},
            "noted": {"python": "noted.py:handler", "timeout": "30s"},
        },
        "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
        "on": [{"event": "sign-in-failed", "where": {"source": "corp-events"}, "run": "noted"}],
        "rules": [
            {"id": "deployers", "who": {"provider": "corp", "roles": ["deployer"]}, "may": ["report"], "as": "reader"},
            {"id": "events", "who": {"provider": "corp-events", "kind": "service"}, "may": ["noted"]},
        ],
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    monkeypatch.setenv("KEYCLOAK_EVENTS_SECRET", CLIENT_SECRET)
    monkeypatch.setenv("KEYCLOAK_WEBHOOK_SECRET", HOOK_SECRET)


def fail_to_sign_in(keycloak, name):
    form = {"grant_type": "password", "client_id": "cli", "username": name, "password": "wrong"}
    httpx.post(f"{keycloak.issuer}/protocol/openid-connect/token", data=form, timeout=20)


def compared(gateway, since):
    """Ask the gap detector what the provider lists and this gateway never heard."""
    now = clock.now()  # before the detector itself signs in, which is an event too

    async def asked(opened):
        (found,) = await opened.compare(since, now=now + SETTLES)
        return found, await opened.latest(most=100_000), await opened.dead()

    return at_the_desk(gateway, asked)


def at_the_desk(gateway, work):
    loaded = load(gateway.file, weak=True)

    async def run():
        async with desk(loaded, gateway.folder / ".actas") as (opened, broken):
            assert broken == {}
            return await work(opened)

    return anyio.run(run)


def test_five_kills_lose_nothing_that_the_provider_still_lists(keycloak, doctored, tmp_path):
    gateway = Killable(tmp_path, settings(keycloak))
    with gateway:
        gateway.heard()
        began = clock.now()
        for number in range(5):
            fail_to_sign_in(keycloak, f"before-{number}")
            if number % 2:
                time.sleep(0.7)
            gateway.kill()
            fail_to_sign_in(keycloak, f"down-{number}")  # nobody hears it when it happens
            gateway.__enter__()
            fail_to_sign_in(keycloak, f"after-{number}")
        awaited(
            gateway, "sign-in-failed", 15, since=began
        )  # whoever was killed was the one to ask, for some seconds more
        gateway.heard()

    found, heard, dead = compared(gateway, began)
    failed = [one for one in heard if one.kind == "sign-in-failed" and one.happened_at >= began - timedelta(seconds=1)]

    assert (found.missing, found.trouble) == (0, None), found.examples
    assert found.listed >= 15
    assert len(failed) == 15
    assert {one.deliveries for one in failed} == {1}
    assert dead == []


def test_a_role_that_is_taken_away_ends_the_next_call(keycloak, doctored, tmp_path):
    with Killable(tmp_path, settings(keycloak)) as gateway:
        gateway.heard()
        ben = keycloak.person("ben")
        token = keycloak.password("ben")["access_token"]
        role = keycloak.admin("GET", "/roles/deployer").json()
        assert gateway.call("report", token).status_code == 200
        time.sleep(1.1)  # the token's second is over

        keycloak.admin("DELETE", f"/users/{ben}/role-mappings/realm", [role]).raise_for_status()
        try:
            ends = time.monotonic() + 30
            while (answer := gateway.call("report", token)).status_code == 200:
                assert time.monotonic() < ends, gateway.log()
                time.sleep(0.1)
        finally:
            keycloak.admin("POST", f"/users/{ben}/role-mappings/realm", [role]).raise_for_status()

        assert answer.status_code == 401
        assert gateway.ready()["events"]["revocation"] == {"corp": "events"}


# Webhooks and asking at once


@pytest.fixture(scope="module")
def told(keycloak_with_webhooks):
    """A realm whose events are saved and posted."""
    switch_on(keycloak_with_webhooks, webhooks=True)
    return keycloak_with_webhooks


def test_webhooks_and_asking_at_once_take_each_event_once(told, tmp_path):
    (port,) = free_ports(1)
    ours = {"secret": {"env": "KEYCLOAK_WEBHOOK_SECRET"}}
    with Killable(tmp_path, settings(told, port, every="5s", **ours)) as gateway:
        gateway.heard()
        remove = hook(told, f"http://127.0.0.1:{port}/events/corp-events", secret=HOOK_SECRET)
        began = clock.now()
        try:
            for number in range(5):
                fail_to_sign_in(told, f"told-{number}")
            pushed = awaited(gateway, "sign-in-failed", 5)
            dora, wanted = provoke(told)
            gateway.kill()
            fail_to_sign_in(told, "told-to-nobody")  # the extension tries once and gives up
            gateway.__enter__()
            awaited(gateway, "sign-in-failed", 7)
            gateway.heard()
        finally:
            remove()

    found, heard, dead = compared(gateway, began)

    assert pushed
    assert (found.missing, found.trouble) == (0, None), found.examples
    assert sum(one.kind == "sign-in-failed" for one in heard) == 7
    assert {one.kind for one in heard} >= set(wanted), Counter(one.kind for one in heard)
    assert len({one.finder for one in heard}) == len(heard)
    assert dead == []
    assert dora not in gateway.log()


def test_a_webhook_signed_by_the_realm_is_believed_by_the_realms_own_keys(keycloak, doctored, tmp_path):
    at = int(clock.now().timestamp() * 1000)
    auth = {"userId": "ana", "clientId": "cli"}
    body = json.dumps({"id": "e", "uid": "u", "time": at, "type": "access.LOGIN", "authDetails": auth}).encode()
    mappers = (
        {"claim.name": "request_body_sha256", "claim.value": hashlib.sha256(body).hexdigest()},
        {"included.custom.audience": "actas-events-door"},
    )
    client = keycloak.admin("GET", f"/clients?clientId={CLIENT}").json()[0]["id"]
    for kind, config in zip(("hardcoded-claim", "audience"), mappers, strict=True):
        mapper = {
            "name": f"{kind}-{secrets.token_hex(3)}", "protocol": "openid-connect",
            "protocolMapper": f"oidc-{kind}-mapper",
            "config": {**config, "access.token.claim": "true", "jsonType.label": "String"},
        }  # fmt: skip
        keycloak.admin("POST", f"/clients/{client}/protocol-mappers/models", mapper).raise_for_status()
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": CLIENT_SECRET}
    headers = {"Authorization": f"Bearer {keycloak.token(**form)['access_token']}"}
    for one in keycloak.admin("GET", f"/clients/{client}/protocol-mappers/models").json():
        if one["protocolMapper"] in ("oidc-hardcoded-claim-mapper", "oidc-audience-mapper"):
            keycloak.admin("DELETE", f"/clients/{client}/protocol-mappers/models/{one['id']}").raise_for_status()

    with Killable(tmp_path, settings(keycloak, audience="actas-events-door")) as gateway:
        gateway.heard()
        url = f"{gateway.url}/events/corp-events"
        answers = [httpx.post(url, content=one, headers=headers, timeout=20) for one in (body, body + b" ", body)]
        heard = at_the_desk(gateway, lambda opened: opened.latest(most=100_000))

    assert [one.status_code for one in answers] == [204, 401, 204]
    assert sum(one.happened_at.timestamp() * 1000 == at for one in heard) == 1


def test_a_logout_at_keycloak_is_told_by_its_back_channel(keycloak, doctored, tmp_path):
    (port,) = free_ports(1)
    made = settings(keycloak, port)
    made["events"]["sources"]["logouts"] = {"kind": "backchannel-logout", "provider": "corp", "audience": "cli"}
    client = keycloak.admin("GET", "/clients?clientId=cli").json()[0]
    told = {
        "backchannel.logout.url": f"http://127.0.0.1:{port}/events/logouts",
        "backchannel.logout.session.required": "true",
    }
    changed = {**client, "frontchannelLogout": False, "attributes": {**client["attributes"], **told}}
    keycloak.admin("PUT", f"/clients/{client['id']}", changed).raise_for_status()
    try:
        with Killable(tmp_path, made) as gateway:
            gateway.heard()
            keycloak.password("ana")
            keycloak.admin("POST", f"/users/{keycloak.person('ana')}/logout").raise_for_status()
            ends = time.monotonic() + 40
            while not (heard := logouts(gateway)):
                assert time.monotonic() < ends, gateway.log()
                time.sleep(0.5)
    finally:
        keycloak.admin("PUT", f"/clients/{client['id']}", client).raise_for_status()

    assert {(one.kind, one.ended) for one in heard} == {("session-revoked", "session")}


def logouts(gateway):
    return at_the_desk(gateway, lambda opened: opened.latest(most=1000, source="logouts"))


def awaited(gateway, kind, number, since=None):
    """Wait until *number* events of a kind were heard; only those that happened *since* count, where that is said."""
    after = None if since is None else since - timedelta(seconds=1)
    ends = time.monotonic() + 40
    while True:
        heard = at_the_desk(gateway, lambda opened: opened.latest(most=100_000))
        of_kind = [one for one in heard if one.kind == kind and (after is None or one.happened_at >= after)]
        if (found := len(of_kind)) >= number:
            return found
        assert time.monotonic() < ends, (found, gateway.log())
        time.sleep(0.5)


def test_a_webhook_that_anybody_could_have_sent_is_not_taken(told, tmp_path):
    (port,) = free_ports(1)
    body = json.dumps({"id": "x", "uid": "y", "time": 0, "type": "access.LOGIN"}).encode()
    more = {"secret": {"env": "KEYCLOAK_WEBHOOK_SECRET"}}
    with Killable(tmp_path, settings(told, port, **more)) as gateway:
        gateway.heard()
        url = f"{gateway.url}/events/corp-events"
        answers = [
            httpx.post(url, content=body),
            httpx.post(url, content=body, headers={"X-Keycloak-Signature": "0" * 64}),
            httpx.post(f"{gateway.url}/events/nobody", content=body),
            httpx.post(url, content=b" " * (2 * 1024 * 1024)),
            httpx.get(url),
        ]

    assert [one.status_code for one in answers] == [401, 401, 404, 413, 405]
    assert all("secret" not in one.text and os.fspath(tmp_path) not in one.text for one in answers)
