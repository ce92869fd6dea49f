"""What ends access ends all of it, everywhere, and nothing else; and nothing that is heard gives any."""

import hashlib
import hmac
import itertools
import json
import shutil
import sqlite3
from contextlib import contextmanager
from datetime import timedelta

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from actas.model import clock

SECRET = "a-secret-of-these-tests"
KINDS = (
    "role-revoked", "group-left", "user-disabled", "user-deleted", "credential-changed", "session-revoked",
    "signed-out", "role-granted", "group-joined", "risk-changed", "signed-in",
)  # fmt: skip
NUMBERS = itertools.count()
ROLE = "arn:aws:iam::000000000000:role/reader"


class Person:
    """Somebody with a token of ten seconds ago, a session of STS, and warm processes."""

    def __init__(self, idp, name, **claims):
        self.name, self.sid = name, f"sid-{name}"
        self.issued_at = clock.now().replace(microsecond=0) - timedelta(seconds=10)
        self.token = self.another(idp, issued_at=self.issued_at, **claims)
        self.session = None

    def another(self, idp, **claims):
        return idp.token(person="ana", sub=self.name, sid=self.sid, lifetime=timedelta(hours=1), **claims)

    def begin(self, *gateways):
        for one in gateways:
            assert one.call("echo", self.token).status_code == 200
            assert self.warm(one)
        answer = sts(gateways[0]).assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="a-test", WebIdentityToken=self.token
        )
        self.session = answer["Credentials"]

    def warm(self, one):
        """Give this person's processes that would take another call."""
        live = [process for process in list(one.parts.pool.pool._all) if process.grant and not process.ending]
        return [process for process in live if process.grant.identity.subject == self.name]

    def has(self, one):
        """Say what of this person's still counts at a gateway: the token, the session, a warm process."""
        found = set()
        if self.warm(one):  # before the call, which would begin another
            found.add("process")
        status = one.call("echo", self.token).status_code
        assert status in (200, 401)
        if status == 200:
            found.add("token")
        try:
            sts(one, self.session).get_caller_identity()
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "ExpiredToken"  # noqa: PT017 - either is looked for
        else:
            found.add("session")
        return found


ALL = {"token", "session", "process"}


def sts(one, session=None):
    keys = {} if session is None else {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }  # fmt: skip
    config = Config(retries={"total_max_attempts": 1}, **({} if session else {"signature_version": UNSIGNED}))
    return boto3.client("sts", region_name="eu-west-1", endpoint_url=f"http://{one.control}", config=config, **keys)


@pytest.fixture
def hearing(running, settings, tmp_path):
    """Start a gateway that hears of everything, or several on one database."""

    def secret(name, text):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
        return {"file": str(tmp_path / name)}

    @contextmanager
    def started(database=None, **more):
        source = {
            "kind": "webhook", "provider": "corp", "secret": secret("hr", SECRET), "signature": {"header": "X-Sig"},
            "fields": {"subject": "who", "address": "mail", "session": "sid", "kinds": {kind: kind for kind in KINDS}},
            "oldest": "1d",
        }  # fmt: skip
        gateway = {} if database is None else {"database": secret("db", database.replace("+asyncpg", ""))}
        made = settings(local=True, gateway=gateway, events={"sources": {"hr": source}}, **more)
        with running(made) as one:
            if database is None:
                yield (one,)
                return
            other = running(made)
            shutil.copytree(one.folder / ".actas" / "keys", other.folder / ".actas" / "keys")
            with other:
                yield one, other

    return started


def push(one, waits_for, kind, at, **more):
    body = json.dumps({"id": f"event-{next(NUMBERS)}", "type": kind, "time": at.isoformat(), **more}).encode()
    headers = {"X-Sig": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}

    def sent():
        answer = one.ask("POST", "/events/hr", content=body, headers=headers)
        assert answer.status_code in (204, 503), answer.text
        return answer.status_code == 204

    waits_for(sent)


ENDING = {
    "role-revoked": {}, "group-left": {}, "user-disabled": {}, "user-deleted": {}, "credential-changed": {},
    "session-revoked": {"sid": True}, "signed-out": {"sid": True},
}  # fmt: skip


def test_tokens_sessions_and_warm_processes_of_whom_it_happened_to_end_on_every_gateway(
    hearing, idp, fresh_postgresql, waits_for
):
    people = {kind: Person(idp, f"ends-by-{kind}") for kind in ENDING}
    stays = Person(idp, "stays")
    with hearing(fresh_postgresql) as (here, there):
        for one in (*people.values(), stays):
            one.begin(here, there)
        before = [one.has(gateway) for one in people.values() for gateway in (here, there)]

        for kind, one in people.items():
            more = {"sid": one.sid} if ENDING[kind].get("sid") else {}
            push(here, waits_for, kind, one.issued_at, who=one.name, **more)

        for one in people.values():
            for gateway in (here, there):
                waits_for(lambda one=one, gateway=gateway: one.has(gateway) == set())
        control = [stays.has(gateway) for gateway in (here, there)]
        again = [here.call("echo", one.another(idp)).status_code for one in people.values()]

    assert before == [ALL] * len(before)
    assert control == [ALL, ALL]
    assert again == [200] * len(people)  # who has a newer token was asked by the provider again


def test_what_happened_before_a_token_was_issued_does_not_end_it(hearing, idp, waits_for):
    one = Person(idp, "lived-on")
    with hearing() as (here,):
        one.begin(here)
        push(here, waits_for, "user-disabled", one.issued_at - timedelta(microseconds=1), who=one.name)
        before = one.has(here)
        push(here, waits_for, "user-disabled", one.issued_at, who=one.name)
        waits_for(lambda: one.has(here) == set())

    assert before == ALL


@pytest.mark.parametrize("kind", ["session-revoked", "user-disabled"])
def test_who_is_named_by_an_address_alone_loses_every_access_where_addresses_name_people(
    hearing, idp, fresh_postgresql, waits_for, kind
):
    """An event of Shared Signals often has no more than an address; what bears none may be of whom it names."""
    mail = f"{kind}@people.example"
    goes, stays = Person(idp, "goes", email=mail), Person(idp, "stays", email="ben@people.example")
    bare = Person(idp, "bare")
    corp = {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True, "address": "email"}
    with hearing(fresh_postgresql, providers={"corp": corp}) as (here, there):
        for one in (goes, stays, bare):
            one.begin(here, there)
        before = [goes.has(gateway) for gateway in (here, there)]

        push(here, waits_for, kind, goes.issued_at, mail=mail.upper())

        for one in (goes, bare):
            for gateway in (here, there):
                waits_for(lambda one=one, gateway=gateway: one.has(gateway) == set())
        control = [stays.has(gateway) for gateway in (here, there)]
        again = here.call("echo", goes.another(idp, email=mail)).status_code

    assert before == [ALL, ALL]
    assert control == [ALL, ALL]
    assert again == 200


def test_who_is_named_by_an_address_that_names_nobody_keeps_access_and_it_is_seen(hearing, idp, waits_for):
    one = Person(idp, "kept", email="kept@people.example")
    with hearing() as (here,):
        one.begin(here)
        push(here, waits_for, "user-disabled", one.issued_at, mail="kept@people.example")
        after, gauges = one.has(here), here.parts.ears.gauges()

    assert after == ALL
    assert (gauges["events_heard"], gauges["events_unmatched"]) == (1, 1)


def test_a_role_or_a_group_that_was_changed_itself_ends_what_its_provider_issued_to_anybody(hearing, idp, waits_for):
    people = [Person(idp, f"member-{number}") for number in range(3)]
    with hearing() as (here,):
        for one in people:
            one.begin(here)
        push(here, waits_for, "role-revoked", people[0].issued_at, roles="composite")
        for one in people:
            waits_for(lambda one=one: one.has(here) == set())
        again = [here.call("echo", one.another(idp)).status_code for one in people]

    assert again == [200, 200, 200]


@pytest.mark.parametrize("kind", ["role-granted", "group-joined", "signed-in", "risk-changed"])
def test_an_event_gives_nothing_before_the_provider_itself_says_it(hearing, idp, waits_for, kind):
    one = Person(idp, f"wants-{kind}", groups=["visitors"])
    with hearing() as (here,):
        before = here.call("echo", one.token).status_code
        push(here, waits_for, kind, clock.now(), who=one.name, roles="finance", groups="finance")
        after = [here.call("echo", one.token).status_code]
        after.append(here.call("echo", one.another(idp, groups=["visitors"])).status_code)
        told = here.call("echo", one.another(idp, groups=["finance"])).status_code
        heard = here.parts.ears.gauges()["events_heard"]

    assert (before, after, told, heard) == (403, [403, 403], 200, 1)


def test_a_gateway_that_cannot_read_its_database_for_five_seconds_trusts_nothing_and_comes_back(
    hearing, idp, waits_for
):
    one = Person(idp, "unread")
    with hearing() as (here,):
        one.begin(here)
        other = sqlite3.connect(here.folder / ".actas" / "state.db", isolation_level=None, timeout=20)
        other.execute("alter table watermarks rename to gone")

        def refused():
            answer = here.call("echo", one.token)
            return answer if answer.status_code == 503 else None

        answer = waits_for(refused)
        with pytest.raises(ClientError) as session:
            sts(here, one.session).get_caller_identity()
        other.execute("alter table gone rename to watermarks")
        other.close()
        waits_for(lambda: here.call("echo", one.token).status_code == 200)
        assert sts(here, one.session).get_caller_identity()["Arn"]

    assert answer.headers["retry-after"]
    assert session.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
