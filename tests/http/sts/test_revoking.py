"""Sessions end at once when somebody says so: by subject, by role, by moment; also after a restart."""

import json
import time
from datetime import timedelta

import pytest

from actas.model import clock


@pytest.fixture
def own(start, house_settings):
    with start(house_settings()) as one:
        yield one


@pytest.fixture
def sessions(client, tokens, arn):
    """Take sessions at a gateway, and say which of them still count there."""

    class Sessions:
        def __init__(self, place):
            self.place = place

        def take(self, role="reader", person="ana"):
            answer = client(self.place.control).assume_role_with_web_identity(
                RoleArn=arn(role), RoleSessionName=person, WebIdentityToken=tokens[person]
            )
            return answer["Credentials"]

        def chain(self, credentials, role="short"):
            signed = client(self.place.control, credentials=credentials)
            return signed.assume_role(RoleArn=arn(role), RoleSessionName="chained")["Credentials"]

        def count(self, credentials, refused):
            signed = client(self.place.control, credentials=credentials)
            try:
                return bool(signed.get_caller_identity()["Arn"])
            except signed.exceptions.ClientError as wrong:
                code = wrong.response["Error"]["Code"]
            assert code == "ExpiredToken"
            return False

    return Sessions


def subject_of(token):
    import base64

    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["sub"]


def revoke(place, tokens, **body):
    content = json.dumps({"reason": "a test", **body}).encode()
    answer = place.ask("POST", "/admin/v1/revocations", tokens["dalia"], control=True, content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_revoking_a_subject_ends_their_sessions_and_what_came_from_them(own, sessions, tokens, refused):
    at = sessions(own)
    ana, dalia = at.take(), at.take(person="dalia")
    chained = at.chain(ana)

    revoke(own, tokens, provider="corp", subject=subject_of(tokens["ana"]))

    assert [at.count(one, refused) for one in (ana, chained, dalia)] == [False, False, True]


def test_revoking_a_role_ends_its_sessions_and_what_came_from_them_and_no_token(own, sessions, tokens, refused):
    at = sessions(own)
    reader, short = at.take(), at.take("short")
    chained = at.chain(reader)

    revoke(own, tokens, role="reader")

    assert [at.count(one, refused) for one in (reader, chained, short)] == [False, False, True]
    assert at.count(at.take(), refused)
    assert own.call("echo", tokens["ana"]).status_code == 200


def test_revoking_what_was_chained_into_leaves_what_it_came_from(own, sessions, tokens, refused):
    at = sessions(own)
    reader = at.take()
    chained = at.chain(reader)

    revoke(own, tokens, role="arn:aws:iam::000000000000:role/short")

    assert [at.count(one, refused) for one in (reader, chained)] == [True, False]


def test_revoking_everything_up_to_a_moment_leaves_what_began_later(own, sessions, tokens, refused):
    at = sessions(own)
    early = at.take()
    time.sleep(0.01)
    moment = clock.now()
    time.sleep(0.01)
    late = at.take()

    revoke(own, tokens, everybody=True, before=moment.isoformat())

    assert [at.count(one, refused) for one in (early, late)] == [False, True]


WRONG = [
    ("nobody", {}),
    ("two at once", {"role": "reader", "provider": "corp"}),
    ("everybody and a role", {"everybody": True, "role": "reader"}),
    ("a role that there is not", {"role": "nobody"}),
    ("a subject of no provider", {"role": "reader", "subject": "ana"}),
]


@pytest.mark.parametrize("body", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_who_cannot_be_meant_is_refused(house, tokens, body):
    content = json.dumps({"reason": "a test", **body}).encode()
    answer = house.ask("POST", "/admin/v1/revocations", tokens["dalia"], control=True, content=content)

    assert answer.status_code == 400
    assert answer.json()["code"] == "http.bad-body"


def test_a_warm_process_of_a_revoked_role_serves_nobody_any_more(own, tokens, waits_for):
    def live():
        return own.parts.pool.pool._all if own.parts.pool else ()

    assert own.call("echo", tokens["ana"]).status_code == 200
    before = {process.sandbox for process in live() if process.key.session}
    assert before
    assert len(own.parts.sessions) == 1

    revoke(own, tokens, role="reader")

    waits_for(lambda: not before & {process.sandbox for process in live()})
    waits_for(lambda: len(own.parts.sessions) == 0)
    assert own.call("echo", tokens["ana"]).status_code == 200


def test_stale_revocation_what_was_revoked_stays_so_after_a_restart(
    process, house_settings, sessions, tokens, refused, tmp_path
):
    settings = house_settings()
    for name in ("writer", "tagged"):
        settings["roles"][name].pop("trust")
    settings["functions"].pop("lend")
    settings["rules"][0]["may"] = ["echo", "web"]
    settings["policies"] = {}
    with process(settings) as one:
        at = sessions(one)
        reader, short = at.take(), at.take("short")
        revoke(one, tokens, role="reader")
        assert [at.count(found, refused) for found in (reader, short)] == [False, True]
    with process(settings) as one:
        at = sessions(one)

        assert [at.count(found, refused) for found in (reader, short)] == [False, True]
        assert at.count(at.take(), refused)


def test_the_command_ends_sessions(own, sessions, tokens, refused, idp, monkeypatch, capsys):
    from actas import cli

    at = sessions(own)
    reader = at.take()
    monkeypatch.setattr("actas.cli.sessions.token_for", token_of(tokens["dalia"]))
    where = ["--gateway", f"http://{own.control}", "--reason", "a test"]

    assert cli.run(["sessions", "revoke", *where]) == 2
    assert cli.run(["sessions", "revoke", "--role", "reader", *where]) == 0
    assert not at.count(reader, refused)
    later = (clock.now() - timedelta(days=1)).isoformat()
    assert cli.run(["sessions", "revoke", "--before", later, "--json", *where]) == 0
    monkeypatch.setattr("actas.cli.sessions.token_for", token_of(tokens["ana"]))
    assert cli.run(["sessions", "revoke", "--role", "reader", *where]) == 1
    said = capsys.readouterr()
    assert "revoked: what began up to" in said.out
    assert "denied" in said.out
    assert "cli.nobodys-sessions" in said.err


def token_of(text):
    from actas.model.secret import Secret

    async def token(*_who):
        return Secret(text)

    return token
