"""``actas iam simulate`` and ``explain``: a request, or a table of requests, decided before anybody depends on it."""

import json
from xml.etree import ElementTree as ET

import pytest

from actas.cli import run

ANA = "arn:aws:iam::111122223333:user/ana"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:orders"
ROLE = "arn:aws:iam::111122223333:role/reader"


def policy(*, action="sqs:SendMessage", effect="Allow", resource=QUEUE, sid="Sends", **more):
    statement = {"Sid": sid, "Effect": effect, "Action": action, **more}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Resource": resource} if resource else {})]}


TAGGED = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "orders"}}}
LISTED = {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}}
AB, AC = (["--context", "aws:TagKeys=a", "--context", f"aws:TagKeys={other}"] for other in "bc")
FILES = {
    "allow.json": policy(),
    "tagged.json": policy(**TAGGED),
    "listed.json": policy(**LISTED),
    "deny.json": policy(effect="Deny", sid="Never"),
    "other.json": policy(action="s3:*"),
    "all.json": policy(action="*", resource="*", sid="All"),
    "resource.json": policy(Principal={"AWS": ANA}, sid="Named"),
    "resource-denies.json": policy(Principal="*", effect="Deny", sid="NotHere"),
    "trust.json": policy(action="sts:AssumeRole", resource=None, Principal={"Service": "lambda.amazonaws.com"}),
}
ASKS = ["--principal", ANA, "--action", "sqs:SendMessage", "--resource", QUEUE]


@pytest.fixture(autouse=True)
def _beside_the_policies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, document in FILES.items():
        (tmp_path / name).write_text(json.dumps(document))


CASES = [
    ("an identity policy allows", ["--policy", "allow.json"], 0),
    ("no policy at all", [], 1),
    ("one of two allows", ["--policy", "other.json", "--policy", "allow.json"], 0),
    ("one of two denies", ["--policy", "allow.json", "--policy", "deny.json"], 1),
    ("a boundary allows too", ["--policy", "allow.json", "--boundary", "all.json"], 0),
    ("a boundary does not", ["--policy", "allow.json", "--boundary", "other.json"], 1),
    ("a session policy does not", ["--policy", "allow.json", "--session", "other.json"], 1),
    ("the resource's policy names the user", ["--resource-policy", "resource.json"], 0),
    ("the resource's policy denies", ["--policy", "allow.json", "--resource-policy", "resource-denies.json"], 1),
    ("each level of SCPs allows", ["--policy", "allow.json", "--scp", "all.json", "--scp", "other.json,all.json"], 0),
    ("a level of SCPs does not", ["--policy", "allow.json", "--scp", "all.json", "--scp", "other.json"], 1),
    ("a tag is as wanted", ["--policy", "tagged.json", "--context", "aws:PrincipalTag/team=orders"], 0),
    ("a tag is otherwise", ["--policy", "tagged.json", "--context", "aws:PrincipalTag/team=sales"], 1),
    ("a tag cannot be told", ["--policy", "tagged.json", "--unknown", "aws:PrincipalTag/team"], 1),
    ("two values, both wanted", ["--policy", "listed.json", *AB], 0),
    ("two values, one not", ["--policy", "listed.json", *AC], 1),
    ("a value with an equals sign", ["--policy", "allow.json", "--context", "aws:RequestTag/q=a=b"], 0),
    ("a key without a value", ["--policy", "allow.json", "--context", "aws:RequestTag/q"], 2),
    ("a policy that is none", ["--policy", "trust.json"], 2),
    ("a policy that is not there", ["--policy", "nowhere.json"], 2),
]  # fmt: skip


@pytest.mark.parametrize("command", ["simulate", "explain"])
@pytest.mark.parametrize(("options", "code"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_request_is_decided(capsys, command, options, code):
    assert run(["iam", command, *ASKS, *options]) == code


@pytest.mark.parametrize("missing", ["--principal", "--action"])
def test_a_request_says_who_and_what(capsys, missing):
    rest = [one for pair in zip(ASKS[::2], ASKS[1::2], strict=True) if pair[0] != missing for one in pair]

    assert run(["iam", "simulate", "--policy", "allow.json", *rest]) == 2
    assert f"the request has no {missing[2:]}" in capsys.readouterr().err


def test_a_principal_that_nobody_can_be_called_is_asked_wrongly(capsys):
    assert run(["iam", "simulate", "--policy", "allow.json", "--principal", "ana", "--action", "sqs:SendMessage"]) == 2
    assert "iam.invalid-request" in capsys.readouterr().err


def test_a_yes_names_the_statements_behind_it(capsys):
    run(["iam", "simulate", *ASKS, "--policy", "allow.json", "--boundary", "all.json"])

    assert capsys.readouterr().out == (
        "allowed\n"
        "  identity  Allow statement Sends of allow.json\n"
        "  boundary  Allow statement All of all.json\n"
    )  # fmt: skip


def test_a_no_is_worded_as_aws_words_it(capsys):
    run(["iam", "simulate", *ASKS, "--policy", "allow.json", "--policy", "deny.json"])
    run(["iam", "simulate", *ASKS, "--policy", "other.json"])

    sentence = f"  User: {ANA} is not authorized to perform: sqs:SendMessage on resource: {QUEUE}"
    assert capsys.readouterr().out.splitlines() == [
        "denied explicitly",
        "  identity  Deny statement Never of deny.json",
        f"{sentence} with an explicit deny in an identity-based policy",
        "denied implicitly",
        f"{sentence} because no identity-based policy allows the sqs:SendMessage action",
    ]


def test_the_same_as_data(capsys):
    run(["iam", "simulate", *ASKS, "--policy", "allow.json", "--json"])

    assert json.loads(capsys.readouterr().out) == {
        "effect": "Allowed",
        "allowed": True,
        "missing": None,
        "message": "",
        "matched": [{"policy": "allow.json", "index": 0, "sid": "Sends", "effect": "Allow", "unknown": False}],
    }


def test_an_explanation_says_what_failed(capsys):
    run(["iam", "explain", *ASKS, "--policy", "tagged.json", "--context", "aws:PrincipalTag/team=sales"])

    said = capsys.readouterr().out
    assert said.startswith("denied")
    assert "StringEquals on aws:PrincipalTag/team does not hold: the request has sales, wanted is orders" in said
    assert said.splitlines()[-1].startswith(f"  AWS says: User: {ANA} is not authorized")


def test_an_explanation_of_a_trust_policy(capsys):
    asks = ["--principal", "lambda.amazonaws.com", "--action", "sts:AssumeRole", "--resource", ROLE]

    assert run(["iam", "explain", "--trust", "trust.json", *asks, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"][0]["name"] == "resource"


TABLE = """
policies: {identity: [policies/tagged.json], scps: [[policies/all.json], [policies/all.json, policies/deny.json]]}
defaults:
  principal: arn:aws:iam::111122223333:user/ana
  action: sqs:SendMessage
  context: {aws:PrincipalTag/team: orders}
requests:
  - says: orders are sent
    resource: arn:aws:sqs:eu-west-1:111122223333:other
    expect: denied implicitly
  - says: nobody sends to the queue of orders
    resource: arn:aws:sqs:eu-west-1:111122223333:orders
    expect: denied explicitly
    by: [Never]
  - says: a request may say otherwise
    action: s3:GetObject
    unknown: [aws:SourceIp]
    context: {aws:PrincipalTag/team: [sales, orders], aws:MultiFactorAuthPresent: true}
    expect: denied
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "ci" / "policies").mkdir(parents=True)
    for name, document in FILES.items():
        (tmp_path / "ci" / "policies" / name).write_text(json.dumps(document))

    def write(text):
        (tmp_path / "ci" / "requests.yaml").write_text(text)
        return "ci/requests.yaml"

    return write


def test_a_table_of_requests_is_tried(table, capsys):
    assert run(["iam", "simulate", "--table", table(TABLE)]) == 0
    assert capsys.readouterr().out == (
        "ok    orders are sent\n"
        "ok    nobody sends to the queue of orders\n"
        "ok    a request may say otherwise\n"
        "3 passed, 0 failed\n"
    )  # fmt: skip


def test_a_table_says_what_is_otherwise(table, capsys):
    wrong = TABLE.replace("denied implicitly", "allowed").replace("[Never]", "[Never, Sends]")

    assert run(["iam", "simulate", "--table", table(wrong), "--junit", "report.xml"]) == 1
    assert capsys.readouterr().out == (
        "FAIL  orders are sent\n"
        "      expected allowed, found denied implicitly\n"
        f"      User: {ANA} is not authorized to perform: sqs:SendMessage on resource: "
        "arn:aws:sqs:eu-west-1:111122223333:other because no identity-based policy allows the sqs:SendMessage action\n"
        "ok    nobody sends to the queue of orders\n"
        "ok    a request may say otherwise\n"
        "2 passed, 1 failed\n"
    )
    suite = ET.parse("report.xml").getroot()
    assert suite.attrib == {"name": "requests.yaml", "tests": "3", "failures": "1"}
    assert [len(case.findall("failure")) for case in suite] == [2, 0, 0]


def test_a_statement_that_had_to_apply_and_did_not_is_named(table, capsys):
    assert run(["iam", "simulate", "--table", table(TABLE.replace("[Never]", "[All, Gone]")), "--json"]) == 1

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == {
        "says": "nobody sends to the queue of orders",
        "passed": False,
        "wrong": ["statement Gone did not apply"],
        "effect": "ExplicitlyDenied",
    }


def test_a_policy_on_the_command_line_stands_for_the_tables_layer(table, capsys):
    text = (
        TABLE.replace("denied implicitly", "allowed").replace("denied explicitly", "allowed").replace("by: [Never]", "")
    )

    options = ["--policy", "all.json", "--scp", "all.json"]
    assert run(["iam", "simulate", "--table", table(text.replace("expect: denied", "expect: allowed")), *options]) == 0


def test_a_table_may_be_json(table, capsys):
    row = {"says": "yes", "principal": ANA, "action": "sqs:SendMessage", "resource": QUEUE, "expect": "allowed"}

    assert run(["iam", "simulate", "--table", table(json.dumps({"requests": [row]})), "--policy", "allow.json"]) == 0


WRONG = {
    "an unknown key": TABLE.replace("says: orders", "say: orders"),
    "an expectation that there is not": TABLE.replace("denied implicitly", "maybe"),
    "no requests": "requests: []",
    "no YAML": "requests: [",
    "a request without a principal": "requests: [{says: x, action: 'a:b', expect: denied}]",
    "a principal that is none": "requests: [{says: x, principal: ana, action: 'a:b', expect: denied}]",
    "a policy that is not there": "policies: {identity: [gone.json]}\n" + TABLE[TABLE.index("defaults") :],
    "a key twice": TABLE + "requests: []\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_table_that_is_none_is_asked_wrongly(table, capsys, text):
    assert run(["iam", "simulate", "--table", table(text)]) == 2
    assert "error[cli.bad-file]" in capsys.readouterr().err
