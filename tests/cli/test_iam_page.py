"""``docs/iam-commands.md``: what it shows is what the commands print."""

import json
import re
from pathlib import Path

import pytest

from actas.cli import run
from actas.cli.iam_app import COMMANDS
from actas.cli.iam_table import read

PAGE = (Path(__file__).parents[2] / "docs" / "iam-commands.md").read_text()
ORDERS = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:SendMesage"], "Resource": "*"}
  ]
}
"""


def shown(command):
    """Give what the page shows below *command*."""
    (block,) = re.findall(rf"^\$ actas {re.escape(command)}.*?\n((?:(?!```).*\n)*?)```", PAGE, re.MULTILINE)
    return re.sub(r"\A(?: {4}.*\n)+", "", block) if "simulate" in command else block


def policy(*actions, resource, sid, **more):
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(autouse=True)
def _beside_the_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "orders.json").write_text(ORDERS)
    finance = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "finance"}}}
    billing = "arn:aws:lambda:eu-west-1:111122223333:function:billing"
    before = policy("lambda:InvokeFunction", resource=billing, sid="FinanceInvokes", **finance)
    after = policy("lambda:InvokeFunction", "lambda:GetFunction", resource=billing, sid="FinanceInvokes", **finance)
    (tmp_path / "before.json").write_text(before)
    (tmp_path / "after.json").write_text(after)
    (tmp_path / "orders.json").write_text(policy("sqs:SendMessage", resource="*", sid="Sends"))


def test_the_findings_are_printed_as_shown(capsys):
    assert run(["iam", "check", "policies/orders.json"]) == 0
    assert capsys.readouterr().out == shown("iam check policies/orders.json")


def test_a_verdict_is_printed_as_shown(capsys):
    asked = ["--principal", "arn:aws:iam::111122223333:user/ana", "--action", "sqs:SendMessage"]
    where = ["--resource", "arn:aws:sqs:eu-west-1:111122223333:orders"]

    assert run(["iam", "simulate", "--policy", "orders.json", *asked, *where]) == 0
    assert capsys.readouterr().out == shown("iam simulate --policy orders.json")


def test_a_difference_is_printed_as_shown(capsys):
    assert run(["iam", "diff", "before.json", "after.json"]) == 1
    assert capsys.readouterr().out == shown("iam diff before.json after.json")


def test_the_table_is_of_the_form_that_is_read(tmp_path):
    (table,) = re.findall(r"```yaml\n# requests.yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "requests.yaml").write_text(table)

    assert len(read(tmp_path / "requests.yaml").requests) == 2


def test_every_command_is_on_the_page():
    assert set(re.findall(r"^\| `actas iam ([a-z-]+)", PAGE, re.MULTILINE)) == set(COMMANDS)


def test_every_option_on_the_page_is_one(capsys):
    for name in COMMANDS:
        run(["iam", name, "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))

    assert set(re.findall(r"(?<=[` ])--[a-z-]+", PAGE)) <= known
