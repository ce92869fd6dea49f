"""The forms in which credentials are given, read by who reads them in earnest."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from actas.cli.aws import forms
from actas.cli.aws.running import environment
from actas.cli.aws.sts import Taken
from actas.cli.aws.taking import is_due

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
AWKWARD = "a'b\"c $HOME `id` \\n"


def taken(*, life=timedelta(minutes=15), at=NOW, secret=AWKWARD):
    return Taken(
        access_key_id="ASIAEXAMPLE",
        secret_access_key=secret,
        session_token="actas1.x",
        taken_at=at,
        expires_at=at + life,
    )


def test_credential_process_has_the_five_fields_of_version_1():
    assert json.loads(forms.process_json(taken())) == {
        "Version": 1,
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": AWKWARD,
        "SessionToken": "actas1.x",
        "Expiration": "2026-11-23T12:15:00Z",
    }


def test_a_container_is_given_its_token_under_another_name():
    found = json.loads(forms.container_json(taken(), "arn:aws:iam::111122223333:role/reader"))

    assert found["Token"] == "actas1.x"
    assert found["RoleArn"] == "arn:aws:iam::111122223333:role/reader"
    assert "Version" not in found


def test_the_end_is_never_told_later_than_it_is():
    late = NOW + timedelta(microseconds=999_999)

    assert forms.expiration(taken(at=late)) == "2026-11-23T12:15:00Z"


def test_a_shell_reads_back_what_was_meant():
    lines = forms.assignments({"AWS_SECRET_ACCESS_KEY": AWKWARD}, "sh")

    said = subprocess.run(
        ["/bin/sh", "-c", f'{lines}\nprintf %s "$AWS_SECRET_ACCESS_KEY"'], capture_output=True, check=True
    )

    assert said.stdout.decode() == AWKWARD


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_reads_back_what_was_meant():
    lines = forms.assignments({"A": AWKWARD}, "fish")

    assert (
        subprocess.run(["fish", "-c", f"{lines}; printf %s $A"], check=True, capture_output=True).stdout.decode()
        == AWKWARD
    )


@pytest.mark.parametrize(
    ("shell", "line"),
    [("fish", r"set -gx A 'it\'s \\ here'"), ("powershell", r"$Env:A = 'it''s \ here'")],
    ids=["fish escapes quotes and backslashes", "PowerShell doubles quotes"],
)
def test_other_shells_have_their_own_quotes(shell, line):
    assert forms.assignments({"A": r"it's \ here"}, shell) == line


@pytest.mark.parametrize("quote", ["'", "\u2018", "\u2019", "\u201a", "\u201b"])
def test_no_quote_that_powershell_knows_ends_a_text(quote):
    assert forms.assignments({"A": f"a{quote};exit"}, "powershell") == f"$Env:A = 'a{quote}{quote};exit'"


def test_what_powershell_takes_for_no_quote_stays_as_it_is():
    assert forms.assignments({"A": "\u2017\u201c\u201d"}, "powershell") == "$Env:A = '\u2017\u201c\u201d'"


@pytest.mark.parametrize(
    "name",
    ["AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_CREDENTIAL_FILE", "BOTO_CONFIG", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"],
)
def test_what_leads_elsewhere_is_not_handed_down(name):
    assert environment({name: "x", "PATH": "/bin"}, {}) == {"PATH": "/bin"}


def test_a_command_finds_these_credentials_and_no_others():
    mine = {"PATH": "/bin", "AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECURITY_TOKEN": "old"}

    found = environment(mine, forms.variables(taken()))

    assert found["AWS_ACCESS_KEY_ID"] == "ASIAEXAMPLE"
    assert found["PATH"] == "/bin"
    assert "AWS_PROFILE" not in found
    assert "AWS_SECURITY_TOKEN" not in found


@pytest.mark.parametrize(
    ("life", "left", "due"),
    [
        (timedelta(hours=1), timedelta(minutes=16), False),
        (timedelta(hours=1), timedelta(minutes=15), True),
        (timedelta(minutes=15), timedelta(minutes=10, seconds=31), False),
        (timedelta(minutes=15), timedelta(minutes=10, seconds=30), True),
        (timedelta(minutes=4), timedelta(minutes=3, seconds=1), False),
        (timedelta(minutes=4), timedelta(minutes=3), True),
    ],
    ids=[
        "an hour's, a quarter and more left",
        "an hour's, a quarter left",
        "a quarter of an hour's, more left than botocore asks for",
        "a quarter of an hour's, botocore would ask each time from now on",
        "minutes, more than three quarters left",
        "minutes, three quarters left",
    ],
)
def test_credentials_are_due_before_who_holds_them_runs_short(life, left, due):
    assert is_due(taken(life=life), NOW + life - left) is due


def test_what_is_evaluated_is_assignments_and_nothing_else():
    values = forms.variables(taken()) | forms.places("https://c.example", "https://p.example", "eu-west-1")

    for line in forms.assignments(values, "sh").splitlines():
        word, assignment = shlex.split(line)
        assert (word, assignment.partition("=")[0]) in {("export", name) for name in values}


def test_the_null_device_hides_a_person_s_own_files(tmp_path):
    home = tmp_path / ".aws"
    home.mkdir()
    (home / "credentials").write_text("[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = x\n")
    code = "import boto3; c = boto3.Session().get_credentials(); print(c and c.access_key)"
    python = [sys.executable, "-c", code]
    bare = {"HOME": str(tmp_path), "PATH": "/bin", "AWS_EC2_METADATA_DISABLED": "true"}
    hidden = {**bare, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}

    assert subprocess.run(python, env=bare, capture_output=True, check=True).stdout.strip() == b"AKIAOLD"
    assert subprocess.run(python, env=hidden, capture_output=True, check=True).stdout.strip() == b"None"
