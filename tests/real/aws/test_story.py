"""The whole story with a real Keycloak: somebody signs in there, and AWS's own tools call functions as their role.

The token or the assertion is Keycloak's, the AWS CLI, boto3 and curl are told addresses and nothing else, the function
runs as the role, and the trail shows who took it and who called, under one pseudonym.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "saml")]

from gateway import Gateway  # noqa: E402 - found by the line above
from parts import aws_program  # noqa: E402
from visitor import Visitor, form_of, free_port  # noqa: E402

from actas.identify.saml_profile import Doors  # noqa: E402

pytestmark = [pytest.mark.part("keycloak"), pytest.mark.part("aws-cli")]
ACCOUNT = "111122223333"
ANALYST, READER, WRITER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("analyst", "reader", "writer"))
LIFE = 15
"""Seconds that tokens of the client ``short`` live, and the sessions that are taken with them."""
ACTAS = [sys.executable, "-m", "actas"]


def finance():
    return {"provider": "corp", "groups": ["/finance"]}


def settings(keycloak, control):
    return {
        "gateway": {
            "account": ACCOUNT,
            "region": "eu-west-1",
            "control_listen": control.removeprefix("http://"),
            "control_url": control,
        },
        "providers": {
            "corp": {
                "preset": "keycloak",
                "issuer": keycloak.issuer,
                "audience": "actas",
                "private": True,
                "groups": {"absent": "empty"},
            },
            "corp-saml": {
                "preset": "keycloak-saml",
                "metadata": f"{keycloak.issuer}/protocol/saml/descriptor",
                "private": True,
                "idp_initiated": True,
            },
        },
        "functions": {
            "hello": {"python": "echo.py:handler", "timeout": "20s"},
            "report": {"python": "echo.py:handler", "timeout": "20s", "url": "aws-iam"},
        },
        "roles": {
            "analyst": {"arn": ANALYST},
            "writer": {"arn": WRITER},
            "reader": {"arn": READER, "session": "15m", "policy": "first/policies/reader.json"},
        },
        "rules": [
            {"id": "finance", "who": finance(), "may": ["hello", "report"], "as": ["analyst", "writer", "reader"]},
            {
                "id": "finance-saml",
                "who": {"provider": "corp-saml", "groups": ["finance"]},
                "may": ["report"],
                "as": "analyst",
            },
            {"id": "officers", "who": finance(), "may": ["admin:sessions.revoke"]},
        ],
    }


def saml_client(doors):
    groups = {"attribute.name": "member", "attribute.nameformat": "Basic", "single": "true", "full.path": "false"}
    return {
        "clientId": doors.metadata,
        "protocol": "saml",
        "fullScopeAllowed": True,
        "redirectUris": [doors.acs],
        "attributes": {
            "saml.server.signature": "true",
            "saml.assertion.signature": "true",
            "saml.client.signature": "false",
            "saml.signature.algorithm": "RSA_SHA256",
            "saml.authnstatement": "true",
            "saml_force_name_id_format": "true",
            "saml_name_id_format": "persistent",
            "saml_idp_initiated_sso_url_name": "story",
            "saml_assertion_consumer_url_post": doors.acs,
        },
        "protocolMappers": [
            {
                "name": "groups",
                "protocol": "saml",
                "protocolMapper": "saml-group-membership-mapper",
                "config": groups,
            }
        ],
    }


def short_client(keycloak):
    """Make a client like ``cli``, whose tokens end in seconds."""
    (found,) = keycloak.admin("GET", "/clients?clientId=cli").json()
    mappers = [{key: value for key, value in one.items() if key != "id"} for one in found["protocolMappers"]]
    kept = {key: value for key, value in found.items() if key not in ("id", "secret")}
    return kept | {
        "clientId": "short",
        "protocolMappers": mappers,
        "attributes": found["attributes"] | {"access.token.lifespan": str(LIFE)},
    }


@pytest.fixture(scope="module")
def house(keycloak, tmp_path_factory):
    control = f"http://127.0.0.1:{free_port()}"
    doors = Doors.of(control, "corp-saml")
    folder = tmp_path_factory.mktemp("story")
    subprocess.run([*ACTAS, "init", folder / "first"], check=True, timeout=60, stdout=subprocess.DEVNULL)
    made = [keycloak.admin("POST", "/clients", one) for one in (saml_client(doors), short_client(keycloak))]
    assert [one.status_code for one in made] == [201, 201], [one.text for one in made]
    try:
        with Gateway(folder, settings(keycloak, control)) as running:
            yield running
    finally:
        for one in made:
            keycloak.admin("DELETE", one.headers["location"].partition("/admin/realms/corp")[2])


@pytest.fixture(scope="module")
def environment(house):
    """A machine on which nothing of AWS is set up, but where the programs lie."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    programs = house.folder / "programs"
    programs.mkdir()
    (programs / "aws").symlink_to(aws_program())
    (programs / "actas").write_text(f'#!/bin/sh\nexec {shlex.join(ACTAS)} "$@"\n')
    (programs / "actas").chmod(0o755)
    return kept | {
        "HOME": str(house.folder),
        "PATH": f"{programs}:{kept['PATH']}",
        "AWS_CONFIG_FILE": str(house.folder / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(house.folder / "none"),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1,localhost",
    }


@pytest.fixture(scope="module")
def run(house, environment):
    """Run a command as a person types it; give what it printed."""

    def ran(*words, check=True, **more):
        found = subprocess.run(
            words, cwd=house.folder, env=environment | more, capture_output=True, text=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if check:
            assert found.returncode == 0, found.stdout + found.stderr + house.log()
        return found

    return ran


@pytest.fixture(scope="module")
def signed_in(house, environment):
    """Sign in with ``actas login``; what the browser does there is done without a screen."""
    with Visitor() as visitor:

        def sign_in(name, client):
            said = house.folder / f"said-{name}"
            words = [*ACTAS, "login", name, "--provider", "corp", "--client", client, "--no-browser", "--in-file"]
            with said.open("wb") as file:
                command = subprocess.Popen(
                    words, cwd=house.folder, env=environment | {"PYTHONUNBUFFERED": "1"}, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=file,
                )  # fmt: skip
            try:
                ends = time.monotonic() + 60
                while not (found := re.search(r"http://\S+(?=\n)", said.read_text())):
                    assert time.monotonic() < ends, said.read_text()
                    time.sleep(0.05)
                visitor.sign_in(found[0], "ana", "ana-pw", until="/callback")
                assert command.wait(60) == 0, said.read_text()
            finally:
                command.kill()
                command.wait()

        sign_in("me", "cli")
        sign_in("ana", "short")
        yield


PROGRAM = """
import boto3, json, time
from botocore.exceptions import ClientError

session = boto3.Session()
client = session.client("lambda")
first = session.get_credentials().get_frozen_credentials()
held = session.client("lambda", aws_access_key_id=first.access_key, aws_secret_access_key=first.secret_key,
                      aws_session_token=first.token)
roles, ended = set(), None

def call(one):
    roles.add(json.load(one.invoke(FunctionName="report")["Payload"])["role"])

call(held)
while ended is None:
    call(client)
    time.sleep(4)
    try:
        call(held)
    except ClientError as wrong:
        ended = wrong.response["Error"]["Code"]
call(client)
last = session.get_credentials().get_frozen_credentials()
print(json.dumps({"as": sorted(roles), "held": ended, "renewed": last.access_key != first.access_key}))
"""


@pytest.fixture(scope="module", autouse=True)
def programs(signed_in, house, environment, run):
    """Two programs that live longer than their credentials, begun first, so that the other tests need not wait."""
    (house.folder / "lasting.py").write_text(PROGRAM)
    run("actas", "configure", "aws", "--role", "analyst", "--as", "ana", "--profile", "lasting")
    mine = [sys.executable, "lasting.py"]
    begun = {
        "credential_process": (mine, {"AWS_PROFILE": "lasting"}),
        "exec --serve": ([*ACTAS, "exec", "--role", "analyst", "--as", "ana", "--serve", "--", *mine], {}),
    }
    running = {}
    try:
        for name, (words, more) in begun.items():
            said = house.folder / f"said-{name.split()[0]}"
            with said.open("wb") as file:
                command = subprocess.Popen(
                    words, cwd=house.folder, env=environment | more, stdin=subprocess.DEVNULL, stdout=file,
                    stderr=subprocess.STDOUT,
                )  # fmt: skip
            running[name] = (command, said)
        yield running
    finally:
        for command, _ in running.values():
            command.terminate()
            command.wait()


def keys_of(taken):
    found = taken["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }


@pytest.fixture(scope="module")
def take(house, keycloak, run):
    """Trade Keycloak's token for a role, by the AWS CLI."""

    def taken(role=ANALYST):
        (house.folder / "token").write_text(keycloak.password("ana")["access_token"])
        return json.loads(
            run(
                "aws", "sts", "assume-role-with-web-identity", "--endpoint-url", house.control, "--role-arn", role,
                "--role-session-name", "ana", "--web-identity-token", "file://token",
            ).stdout
        )  # fmt: skip

    return taken


@pytest.fixture(scope="module")
def by_token(take):
    return keys_of(take())


@pytest.fixture(scope="module")
def by_assertion(house, keycloak, run):
    """The same by the assertion that Keycloak's sign-in page hands to the browser."""
    with Visitor() as visitor:
        page = visitor.go("GET", f"{keycloak.issuer}/protocol/saml/clients/story")
        target, form = form_of(page.text, str(page.request.url), 'name="password"')
        page = visitor.go("POST", target, form | {"username": "ana", "password": "ana-pw"})
        target, form = form_of(page.text, str(page.request.url), "SAMLResponse")
    assert target == f"{house.control}/saml/corp-saml/acs"
    (house.folder / "assertion").write_text(form["SAMLResponse"])
    taken = run(
        "aws", "sts", "assume-role-with-saml", "--endpoint-url", house.control, "--role-arn", ANALYST,
        "--principal-arn", f"arn:aws:iam::{ACCOUNT}:saml-provider/corp-saml", "--saml-assertion", "file://assertion",
    )  # fmt: skip
    return keys_of(json.loads(taken.stdout))


BOTO3 = """
import boto3
print(boto3.client("lambda").invoke(FunctionName="report")["Payload"].read().decode())
"""
SAME = ("provider", "subject", "kind", "role", "rules")


@pytest.mark.parametrize(
    ("kind", "provider", "action"),
    [("by_token", "corp", "sts:AssumeRoleWithWebIdentity"), ("by_assertion", "corp-saml", "sts:AssumeRoleWithSAML")],
    ids=["a token", "an assertion"],
)
def test_what_keycloak_gave_becomes_a_role_becomes_a_functions_answer(kind, provider, action, request, house, run):
    keys = request.getfixturevalue(kind)
    before = len(house.records())

    run("aws", "lambda", "invoke", "--endpoint-url", house.url, "--function-name", "report", "by-cli.json", **keys)
    by_boto3 = run(sys.executable, "-c", BOTO3, AWS_ENDPOINT_URL_LAMBDA=house.url, **keys)

    records = house.records()
    calls = [
        one
        for one in records[before:]
        if one["type"] == "decided" and (one["function"], one["provider"]) == ("report", provider)
    ]
    assert len(calls) >= 2
    (taken,) = [one for one in records if one["type"] == "decided" and one["call"] == calls[0]["evidence_id"]]
    assert (taken["door"], taken["function"], taken["verdict"]) == ("sts", action, "allow")
    for one in calls:
        assert (one["door"], one["evidence"], one["verdict"]) == ("lambda", "session", "allow")
        assert [one[key] for key in SAME] == [taken[key] for key in SAME]
    for told in (json.loads((house.folder / "by-cli.json").read_text()), json.loads(by_boto3.stdout)):
        assert (told["role"], told["subject"]) == ("analyst", taken["subject"])
        assert told["key"].startswith("ASIA")
    assert re.match(r"holds\n  \d+ records", run("actas", "audit", "verify").stdout)


def test_the_audit_of_a_trail_that_was_changed_does_not_hold(by_token, house, run, tmp_path):
    (file,) = (house.folder / ".actas" / "audit").glob("*.jsonl")
    text = "".join(line for line in file.read_text().splitlines(keepends=True) if line.endswith("\n"))
    changed = tmp_path / file.name
    changed.write_text(text.replace('"verdict":"allow"', '"verdict":"deny"', 1))

    found = run("actas", "audit", "verify", str(tmp_path), check=False)
    changed.write_text(text)
    unchanged = run("actas", "audit", "verify", str(tmp_path))

    assert (found.returncode, unchanged.returncode) == (1, 0), found.stdout + found.stderr


@pytest.mark.parametrize("program", ["credential_process", "exec --serve"])
def test_an_unmodified_program_with_boto3_outlives_its_credentials(program, programs):
    command, said = programs[program]

    code = command.wait(120)

    assert code == 0, said.read_text()
    told = json.loads(said.read_text().splitlines()[-1])
    assert told == {"as": ["analyst"], "held": "ExpiredTokenException", "renewed": True}


def typed_in(section):
    """Give the commands that a page tells a person to type, letter by letter."""
    page = (ROOT / "docs" / "first-steps.md").read_text()
    text = page.partition(f"\n## {section}")[2].partition("\n## ")[0]
    return re.findall(r"^\$ (.+)$", text, re.MULTILINE)


def test_the_commands_of_the_first_steps_are_typed_as_they_stand(signed_in, house, run):
    roles, configure, identity, invoke = typed_in("6. ")

    assert "reader" in run("sh", "-c", roles).stdout
    run("sh", "-c", configure)
    assert "assumed-role/reader/" in run("sh", "-c", identity).stdout
    assert json.loads(run("sh", "-c", invoke).stdout)["StatusCode"] == 200
    assert json.loads((house.folder / "answer.json").read_text())["role"] == "reader"


def test_a_role_that_is_revoked_ends_at_the_next_call(by_token, signed_in, take, house, run):
    def invoked(keys):
        words = ("aws", "lambda", "invoke", "--endpoint-url", house.url, "--function-name", "report", "out.json")
        return run(*words, check=False, **keys)

    keys = keys_of(take(WRITER))
    before = invoked(keys)
    run("actas", "sessions", "revoke", "--as", "me", "--role", "writer", "--reason", "its policy was too wide")
    after, another, again = invoked(keys), invoked(by_token), invoked(keys_of(take(WRITER)))

    assert (before.returncode, another.returncode, again.returncode) == (0, 0, 0), (before, another, again)
    assert after.returncode != 0
    assert "An error occurred (ExpiredTokenException) when calling the Invoke operation" in after.stderr


@pytest.mark.part("curl")
def test_curl_signs_by_itself(by_token, house, run):
    def curl(service, *words):
        return run(
            "curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*",
            "--aws-sigv4", f"aws:amz:eu-west-1:{service}",
            "--user", f"{by_token['AWS_ACCESS_KEY_ID']}:{by_token['AWS_SECRET_ACCESS_KEY']}",
            "--header", f"X-Amz-Security-Token: {by_token['AWS_SESSION_TOKEN']}", *words,
        ).stdout  # fmt: skip

    who = curl("sts", "--data", "Action=GetCallerIdentity&Version=2011-06-15", f"{house.control}/")
    told = json.loads(curl("lambda", f"{house.url}/function-url/report/a/b"))

    assert f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/analyst/ana</Arn>" in who
    assert told["role"] == "analyst"
    assert told["event"]["rawPath"] == "/a/b"
