"""``actas iam expand`` and ``diff``: the actions that there are, and what a change of policy changes."""

import io
import json
import sys

import pytest

from actas import iam
from actas.cli import run
from actas.cli.iam_compare import comparison_json, comparison_text

BILLING = "arn:aws:lambda:*:*:function:billing"
FINANCE = {"StringEquals": {"aws:PrincipalTag/team": "finance"}}


def policy(*actions, resource=BILLING, **more):
    statement = {"Sid": "Invokes", "Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ONE = policy("lambda:InvokeFunction", Condition=FINANCE)
TWO = policy("lambda:InvokeFunction", "lambda:GetFunction", Condition=FINANCE)
TRUSTED = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": TRUSTED})


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(old, new):
        (tmp_path / "old.json").write_text(old)
        (tmp_path / "new.json").write_text(new)
        return ["old.json", "new.json"]

    return made


def test_a_pattern_is_expanded_to_actions_as_aws_spells_them(capsys):
    assert run(["iam", "expand", "LAMBDA:invoke*", "sts:AssumeRoleWithSAML"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "lambda:InvokeAsync",
        "lambda:InvokeFunction",
        "lambda:InvokeFunctionUrl",
        "sts:AssumeRoleWithSAML",
    ]


def test_an_access_level_narrows_the_list(capsys):
    run(["iam", "expand", "sqs:*", "--level", "permissions"])

    found = set(capsys.readouterr().out.splitlines())
    assert {"sqs:AddPermission", "sqs:RemovePermission"} <= found
    assert not found & {"sqs:SendMessage", "sqs:ListQueues", "sqs:TagQueue"}


def test_an_expanded_action_as_data(capsys):
    run(["iam", "expand", "sqs:SendMessage", "--json"])

    assert json.loads(capsys.readouterr().out) == {
        "action": "sqs:SendMessage",
        "level": "write",
        "resources": ["queue"],
    }


@pytest.mark.parametrize("pattern", ["sqs:Nothing*", "nowhere:*", "sqs:", ""])
def test_a_pattern_that_matches_nothing_is_a_no(capsys, pattern):
    assert run(["iam", "expand", pattern]) == 1
    assert capsys.readouterr().out == ""


CODES = [
    ("the same", ONE, ONE, [], 0),
    ("the same in other words", ONE, policy("LAMBDA:invokefunction", Condition=FINANCE), [], 0),
    ("more", ONE, TWO, [], 1),
    ("less", TWO, ONE, [], 1),
    ("more, where less counts", ONE, TWO, ["--fail-on", "lost"], 0),
    ("less, where less counts", TWO, ONE, ["--fail-on", "lost"], 1),
    ("less, where more counts", TWO, ONE, ["--fail-on", "gained"], 0),
    ("a trust policy against itself", TRUST, TRUST, [], 0),
    ("a trust policy of another account", TRUST, TRUST.replace("111122223333", "444455556666"), [], 1),
    ("another kind", ONE, TRUST, [], 2),
    ("no policy", ONE, "{", [], 2),
]


@pytest.mark.parametrize(("old", "new", "options", "code"), [row[1:] for row in CODES], ids=[row[0] for row in CODES])
def test_the_exit_code_says_whether_access_changed(write, capsys, old, new, options, code):
    assert run(["iam", "diff", *write(old, new), *options]) == code


def test_what_is_gained_is_shown_with_a_request(write, capsys):
    run(["iam", "diff", *write(ONE, TWO)])

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["gained", "  lambda:GetFunction"]
    assert any(line.startswith("    on arn:aws:lambda:") and line.endswith(":function:billing") for line in lines)
    assert lines[-4:] == [
        "    with aws:principaltag/team = finance",
        "    by Allow statement Invokes of new.json",
        "lost",
        "  nothing",
    ]


def test_a_change_of_whom_a_policy_names_says_whom(write, capsys):
    other = TRUST.replace("111122223333", "444455556666")

    assert run(["iam", "diff", *write(TRUST, other), "--fail-on", "gained"]) == 1

    assert capsys.readouterr().out.splitlines()[:5] == [
        "gained",
        "  sts:AssumeRole",
        "    as arn:aws:sts::444455556666:assumed-role/witness/witness",
        "    who has identity policies that allow everything",
        "    on arn:aws:iam::111122223333:role/witness",
    ]


def test_a_resource_without_an_account_is_told_with_its_owner(write, capsys):
    def bucket(account):
        named = {
            "Effect": "Allow",
            "Principal": {"AWS": account},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::b",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": named})

    run(["iam", "diff", *write(bucket("111122223333"), bucket("444455556666")), "--json"])

    gained = json.loads(capsys.readouterr().out.splitlines()[0])
    assert gained["resource_account"] not in (None, "444455556666")
    assert gained["besides"] == "identity policies that allow everything"


def test_the_witness_decides_as_it_is_said(write, capsys):
    run(["iam", "diff", *write(ONE, TWO), "--json"])

    *changes, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert last == {"same": False, "asked": last["asked"], "undecided": []}
    for change in changes:
        asked = iam.Request(**{key: change[key] for key in ("principal", "action", "resource", "context")})
        decided = [iam.evaluate(asked, iam.PolicySet(identity=(iam.Policy.parse(one),))).effect for one in (ONE, TWO)]
        assert decided == [change["before"], change["after"]] == ["ImplicitlyDenied", "Allowed"]


def test_a_policy_may_come_from_standard_input(write, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TWO.encode())))

    assert run(["iam", "diff", write(ONE, TWO)[0], "-"]) == 1
    assert "by Allow statement Invokes of -" in capsys.readouterr().out


def test_what_could_not_be_decided_is_said():
    found = iam.Comparison(gained=(), lost=(), asked=3, undecided=("more than 3 requests tell the policies apart",))

    assert comparison_text(found).splitlines()[-2:] == ["not decided", "  more than 3 requests tell the policies apart"]
    assert json.loads(comparison_json(found))["undecided"] == ["more than 3 requests tell the policies apart"]


def test_no_difference_found_and_something_undecided_is_neither_yes_nor_no(write, capsys):
    many = {f"aws:PrincipalTag/t{n}": [f"v{n}", f"w{n}"] for n in range(14)}
    wide = policy("lambda:InvokeFunction", Condition={"StringEquals": many})
    twice = policy("lambda:InvokeFunction", "LAMBDA:invokefunction", Condition={"StringEquals": many})

    assert run(["iam", "diff", *write(wide, twice)]) == 3
    assert "not decided" in capsys.readouterr().out
    assert run(["iam", "diff", *write(wide, wide)]) == 0
