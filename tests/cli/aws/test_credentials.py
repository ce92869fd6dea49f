"""`actas credentials`, `env` and `exec` against a door that answers as STS does."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import boto3
import msgspec
import pytest

from actas.cli.aws.endpoint import Endpoint
from actas.cli.aws.kept import Kept
from actas.cli.aws.sts import Wanted
from actas.cli.aws.taking import Purse

ARN = "arn:aws:iam::000000000000:role/staff"


@pytest.fixture
def ask(actas, sts, fresh_state, bench):
    def run(command, *more, role="staff"):
        return actas(
            command, "--role", role, "--as", "ana", "--gateway", sts.url, "--state", fresh_state,
            "--settings", bench.folder / "actas.yaml", *more,
        )  # fmt: skip

    return run


@pytest.fixture
def purse(sts, fresh_state):
    return Purse(wanted=Wanted(control=sts.url, who="ana", role=ARN), state=fresh_state)


def test_a_role_is_asked_for_as_any_client_of_sts_asks(ask, sts):
    said = ask("credentials", "--seconds", "900")

    assert (said.code, said.err) == (0, "")
    assert set(said.data) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    (form,) = sts.asked
    token = form.pop("WebIdentityToken")
    assert len(token[0].split(".")) == 3
    assert form == {
        "Action": ["AssumeRoleWithWebIdentity"],
        "Version": ["2011-06-15"],
        "RoleArn": [ARN],
        "RoleSessionName": ["actas"],
        "DurationSeconds": ["900"],
    }


def test_the_next_process_is_given_the_same_ones(ask, sts):
    first = ask("credentials").data

    assert ask("credentials").data == first
    assert len(sts.asked) == 1


def test_new_ones_are_taken_where_that_is_asked_for_and_then_kept(ask, sts):
    first = ask("credentials").data
    second = ask("credentials", "--fresh").data

    assert first["AccessKeyId"] != second["AccessKeyId"]
    assert ask("credentials").data == second
    assert len(sts.asked) == 2


def test_another_role_or_another_life_is_another_session(ask, sts):
    first = ask("credentials").data
    second = ask("credentials", "--seconds", "900").data

    assert first["AccessKeyId"] != second["AccessKeyId"]
    assert len(sts.asked) == 2


def test_new_ones_are_taken_before_the_old_ones_end(ask, sts):
    sts.life = timedelta(seconds=0.4)
    first = ask("credentials").data
    threading.Event().wait(0.2)
    sts.life = timedelta(hours=1)

    assert ask("credentials").data["AccessKeyId"] != first["AccessKeyId"]


def make_due(state, sts):
    """Let what is kept look as if most of its life were over."""
    kept, wanted = Kept(state), Wanted(control=sts.url, who="ana", role=ARN)
    found = kept.get(wanted)
    kept.put(wanted, msgspec.structs.replace(found, taken_at=found.taken_at - timedelta(hours=3)))


def test_old_ones_serve_while_new_ones_cannot_be_had(ask, sts, fresh_state):
    first = ask("credentials").data
    make_due(fresh_state, sts)
    sts.refuses = (500, "InternalFailure", "later")

    assert ask("credentials").data["AccessKeyId"] == first["AccessKeyId"]
    assert len(sts.asked) == 2


def test_a_role_that_is_refused_is_not_served_from_what_is_kept(ask, sts, fresh_state):
    ask("credentials")
    make_due(fresh_state, sts)
    sts.refuses = (403, "AccessDenied", "User is not authorized to perform: sts:AssumeRoleWithWebIdentity")

    said = ask("credentials")

    assert (said.code, said.out) == (1, "")
    assert "cli.role-refused" in said.err


@pytest.mark.parametrize(
    ("answer", "code", "exit_code"),
    [
        ((400, "InvalidIdentityToken", "not believed"), "cli.not-believed", 3),
        ((400, "ExpiredTokenException", "too late"), "cli.not-believed", 3),
        ((403, "AccessDenied", "no rule"), "cli.role-refused", 1),
        ((400, "Throttling", "slower"), "cli.sts-failed", 3),
    ],
    ids=["a token that is not believed", "a token that ended", "a no", "too many"],
)
def test_each_refusal_has_its_exit_code(ask, sts, answer, code, exit_code):
    sts.refuses = answer

    said = ask("credentials")

    assert (said.code, said.out) == (exit_code, "")
    assert code in said.err


@pytest.mark.parametrize(
    "says",
    [b"", b"<html></html>", b"{}", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<x>" * 100_000, b"\xff" * 10],
    ids=["nothing", "a page", "JSON", "a document type", "a large thing", "no text"],
)
def test_whatever_is_no_answer_of_sts_is_said_to_be_none(ask, sts, says):
    sts.says = says

    said = ask("credentials")

    assert (said.code, said.out) == (3, "")
    assert "cli.sts-failed" in said.err


@pytest.mark.parametrize(
    ("element", "says"),
    [
        (b"AccessKeyId", b"ASIA&#10;exit"),
        (b"SecretAccessKey", "\u2019;exit".encode()),
        (b"SessionToken", b"two words"),
        (b"Expiration", b"0001-01-01T00:00:00+23:59"),
    ],
    ids=["a line end", "a typographic quote", "a space", "a time before all times"],
)
def test_credentials_with_what_credentials_never_hold_are_none(ask, sts, element, says):
    _, sts.says = sts.answer(b"")
    assert ask("env", "--seconds", "901").code == 0

    before, _, after = sts.says.partition(b"<%s>" % element)
    sts.says = b"%s<%s>%s<%s" % (before, element, says, after.partition(b"<")[2])
    said = ask("env", "--seconds", "902")

    assert (said.code, said.out, "cli.sts-failed" in said.err) == (3, "", True)


def test_what_is_kept_holds_no_secret_in_the_clear(ask, fresh_state):
    found = ask("credentials").data

    files = [path for path in (fresh_state / "credentials").iterdir() if path.is_file()]
    everything = b"".join(path.read_bytes() for path in files)
    assert files
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert not any(found[name].encode() in everything for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))


def test_what_was_changed_on_disk_counts_as_not_there(ask, sts, fresh_state):
    ask("credentials")
    (file,) = (fresh_state / "credentials").glob("*.sealed")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    assert ask("credentials").code == 0
    assert len(sts.asked) == 2


def test_many_processes_at_once_ask_once(sts, fresh_state, bench):
    command = [
        sys.executable, "-m", "actas", "credentials", "--role", ARN, "--as", "ana", "--gateway", sts.url,
        "--state", str(fresh_state), "--settings", str(bench.folder / "actas.yaml"),
    ]  # fmt: skip
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]

    said = [one.communicate(timeout=60) for one in running]

    assert [one.returncode for one in running] == [0] * 4, said
    assert len({json.loads(out)["AccessKeyId"] for out, _ in said}) == 1
    assert len(sts.asked) == 1


def test_boto3_takes_them_by_a_profile_and_knows_when_they_end(actas, sts, fresh_state, bench, tmp_path, monkeypatch):
    config = tmp_path / "config"
    said = actas(
        "configure", "aws", "--role", "staff", "--as", "ana", "--gateway", sts.url, "--state", fresh_state,
        "--settings", bench.folder / "actas.yaml", "--config", config,
    )  # fmt: skip
    assert said.code == 0, said.err
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    session = boto3.Session(profile_name="actas-staff")

    assert session.get_credentials().get_frozen_credentials().access_key == "ASIA0000000000000001"
    assert session.client("sts").meta.endpoint_url == sts.url


def test_env_gives_lines_for_a_shell_with_where_sts_is(ask, sts):
    said = ask("env")

    assert said.code == 0
    assert f"export AWS_ENDPOINT_URL_STS={sts.url}" in said.out.splitlines()
    assert "export AWS_ACCESS_KEY_ID=ASIA0000000000000001" in said.out.splitlines()


def run_exec(sts, state, bench, *command, serve=False, **environment):
    return subprocess.run(
        [
            sys.executable, "-m", "actas", "exec", "--role", "staff", "--as", "ana", "--gateway", sts.url,
            "--state", str(state), "--settings", str(bench.folder / "actas.yaml"), *(["--serve"] if serve else []),
            "--", *command,
        ],
        check=False,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
    )  # fmt: skip


def test_exec_runs_a_command_as_the_role_and_ends_as_it_ends(sts, fresh_state, bench):
    code = "import os; print(os.environ['AWS_ACCESS_KEY_ID'], 'AWS_PROFILE' in os.environ); raise SystemExit(7)"

    said = run_exec(sts, fresh_state, bench, sys.executable, "-c", code, AWS_PROFILE="prod")

    assert (said.returncode, said.stdout.split(), said.stderr) == (7, [b"ASIA0000000000000001", b"False"], b"")


@pytest.mark.parametrize("serve", [False, True], ids=["in our place", "beside us"])
def test_exec_runs_a_command_with_the_signals_that_a_shell_would_give_it(sts, fresh_state, bench, serve):
    said = run_exec(sts, fresh_state, bench, "/bin/sh", "-c", "kill -PIPE $$; echo still here", serve=serve)

    assert (said.returncode, said.stdout) == (128 + signal.SIGPIPE if serve else -signal.SIGPIPE, b"")


def test_exec_says_what_cannot_be_run(sts, fresh_state, bench):
    said = run_exec(sts, fresh_state, bench, "no-such-command-here")

    assert said.returncode == 2
    assert b"cli.no-command" in said.stderr


def test_a_program_that_outlives_its_credentials_is_given_new_ones(sts, fresh_state, bench):
    sts.life = timedelta(seconds=2)
    code = """
import boto3, time
session = boto3.Session()
credentials = session.get_credentials()
first = credentials.get_frozen_credentials().access_key
time.sleep(1.6)
print(credentials.method, first != credentials.get_frozen_credentials().access_key)
"""
    said = run_exec(sts, fresh_state, bench, sys.executable, "-c", code, serve=True)

    assert (said.returncode, said.stdout.split()) == (0, [b"container-role", b"True"]), said.stderr


def fetch(url, *, authorization=None, path=None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("GET", path or parts.path, headers={"Authorization": authorization} if authorization else {})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_the_endpoint_gives_them_to_who_holds_its_token(purse):
    with Endpoint(purse) as endpoint:
        given = endpoint.variables
        url, token = given["AWS_CONTAINER_CREDENTIALS_FULL_URI"], given["AWS_CONTAINER_AUTHORIZATION_TOKEN"]

        assert fetch(url, authorization=token)[0] == 200
        assert fetch(url, authorization=token)[1]["RoleArn"] == ARN
        assert fetch(url)[0] == 401
        assert fetch(url, authorization=token[:-1])[0] == 401
        assert fetch(url, authorization=token, path="/other")[0] == 404
    assert url.startswith("http://127.0.0.1:")


def test_the_endpoint_says_why_it_has_none(purse, sts):
    sts.refuses = (403, "AccessDenied", "no rule allows it")
    with Endpoint(purse) as endpoint:
        given = endpoint.variables

        status, said = fetch(
            given["AWS_CONTAINER_CREDENTIALS_FULL_URI"], authorization=given["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        )

    assert (status, said["code"]) == (500, "cli.role-refused")


@pytest.mark.parametrize("url", ["http://gateway.example", "http://192.0.2.7:8701", "ftp://127.0.0.1"])
def test_a_token_does_not_travel_where_others_can_read_it(actas, fresh_state, bench, url):
    said = actas(
        "credentials", "--role", ARN, "--as", "ana", "--gateway", url, "--state", fresh_state,
        "--settings", bench.folder / "actas.yaml",
    )  # fmt: skip

    assert (said.code, "cli.not-encrypted" in said.err) == (2, True)


def test_a_role_that_the_settings_do_not_have_is_named_with_those_there_are(ask):
    said = ask("credentials", role="nobody")

    assert said.code == 2
    assert "there is no role nobody; the settings have staff" in said.err
