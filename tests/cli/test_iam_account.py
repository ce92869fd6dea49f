"""``actas iam who-can`` and ``what-can``: a whole account asked offline."""

import json

import pytest

from actas.cli import run
from actas.cli.iam_account import find
from actas.cli.iam_errors import NoSuchPrincipal

ACCOUNT = "arn:aws:iam::111122223333"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:orders"
ADMIN = f"{ACCOUNT}:role/admin"


def document(action, resource="*", effect="Allow", **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}


def inline(name, found):
    return [{"PolicyName": name, "PolicyDocument": found}]


def managed(name, found):
    versions = [
        {"VersionId": "v2", "IsDefaultVersion": False, "Document": document("*")},
        {"VersionId": "v1", "IsDefaultVersion": True, "Document": found},
    ]
    return {"PolicyName": name, "Arn": f"{ACCOUNT}:policy/{name}", "PolicyVersionList": versions}


def attached(name):
    return [{"PolicyName": name, "PolicyArn": f"{ACCOUNT}:policy/{name}"}]


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"{ACCOUNT}:root"}, "Action": "sts:AssumeRole",
         "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
        {"Effect": "Allow", "Principal": {"AWS": "444455556666", "Service": "lambda.amazonaws.com"},
         "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Federated": f"{ACCOUNT}:oidc-provider/sso.example"},
         "Action": "sts:AssumeRoleWithWebIdentity"},
    ],
}  # fmt: skip
DETAILS = {
    "UserDetailList": [
        {"Arn": f"{ACCOUNT}:user/ana", "AttachedManagedPolicies": attached("Senders")},
        {"Arn": f"{ACCOUNT}:user/team/ben", "GroupList": ["senders"]},
        {"Arn": f"{ACCOUNT}:user/chidi", "AttachedManagedPolicies": attached("Senders"),
         "PermissionsBoundary": {"PermissionsBoundaryArn": f"{ACCOUNT}:policy/Readers"}},
        {"Arn": f"{ACCOUNT}:user/dora", "UserPolicyList": inline("Takes", document("sts:AssumeRole", ADMIN))},
    ],
    "GroupDetailList": [{"GroupName": "senders", "GroupPolicyList": inline("Group", document("sqs:Send*", QUEUE))}],
    "RoleDetailList": [
        {"Arn": ADMIN, "AssumeRolePolicyDocument": TRUST, "RolePolicyList": inline("All", document("*"))}
    ],
    "Policies": [managed("Senders", document("sqs:SendMessage", QUEUE, Sid="Send")),
                 managed("Readers", document("sqs:ReceiveMessage"))],
}  # fmt: skip


@pytest.fixture
def account(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "account.json").write_text(json.dumps(DETAILS))
    (tmp_path / "all.json").write_text(json.dumps(document("*")))
    (tmp_path / "none.json").write_text(json.dumps(document("*", effect="Deny")))
    return ["--account", "account.json"]


def test_everybody_who_can_is_listed_with_the_statements_behind_it(account, capsys):
    assert run(["iam", "who-can", "sqs:SendMessage", QUEUE, *account]) == 0

    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"{ACCOUNT}:user/ana",
        "  by Allow statement Send of Senders",
        f"{ACCOUNT}:user/team/ben",
        "  by Allow statement 0 of Group",
        ADMIN,
        "  by Allow statement 0 of All",
    ]
    assert printed.err == "3 of 5 principals of the account\n"


def test_where_nobody_can_it_is_a_no(account, capsys):
    assert run(["iam", "who-can", "sqs:SendMessage", QUEUE, *account, "--scp", "none.json"]) == 1
    assert capsys.readouterr().out == ""
    assert run(["iam", "who-can", "sqs:SendMessage", QUEUE, *account, "--scp", "all.json"]) == 0


def test_the_same_as_data(account, capsys):
    run(["iam", "who-can", "sqs:SendMessage", QUEUE, *account, "--json"])

    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert first == {
        "principal": f"{ACCOUNT}:user/ana",
        "outside": False,
        "statements": [{"policy": "Senders", "index": 0, "sid": "Send", "effect": "Allow", "unknown": False}],
    }


MFA = ["--context", "aws:MultiFactorAuthPresent=true"]
NAMES_TWO = {"policy": "trust policy", "index": 1, "sid": None, "effect": "Allow", "unknown": False, "conditions": []}
OUTSIDE = [
    {"principal": one, "outside": True, "statements": [NAMES_TWO]} for one in ("444455556666", "lambda.amazonaws.com")
]


def test_to_take_a_role_its_trust_policy_counts(account, capsys):
    assert run(["iam", "who-can", "sts:AssumeRole", ADMIN, *account, *MFA, "--json"]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["principal"] for row in rows if not row["outside"]] == [f"{ACCOUNT}:user/dora", ADMIN]
    assert [row for row in rows if row["outside"]] == OUTSIDE


def test_without_what_the_trust_policy_wants_nobody_of_the_account_takes_the_role(account, capsys):
    run(["iam", "who-can", "sts:AssumeRole", ADMIN, *account, "--json"])

    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == OUTSIDE


def test_an_outsider_is_listed_for_the_action_that_it_may(account, capsys):
    run(["iam", "who-can", "sts:AssumeRoleWithWebIdentity", ADMIN, *account])

    assert capsys.readouterr().out.splitlines() == [
        f"{ACCOUNT}:oidc-provider/sso.example",
        "  is named by Allow statement 2 of trust policy",
    ]


def trusting(tmp_path, *statements):
    """Write an account whose only role trusts as told; each is (effect, Principal, conditions)."""
    trust = [
        {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", "Sid": f"S{place}"}
        | ({"Condition": conditions} if conditions else {})
        for place, (effect, principal, conditions) in enumerate(statements)
    ]
    role = {"Arn": ADMIN, "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust}}
    (tmp_path / "account.json").write_text(json.dumps({"RoleDetailList": [role]}))


PARTNER = {"AWS": "arn:aws:iam::444455556666:role/partner"}
EXTERNAL = {"StringEquals": {"sts:ExternalId": ["abc", "def"]}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
ABROAD = {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
NAMED_PARTNER = [PARTNER["AWS"], "  is named by Allow statement S0 of trust policy"]
OTHERS = {
    "the conditions of the statement are told": (
        [("Allow", PARTNER, EXTERNAL)],
        [
            *NAMED_PARTNER,
            "    if StringEquals holds for sts:ExternalId: abc or def",
            "    if Bool holds for aws:MultiFactorAuthPresent: true",
        ],
    ),
    "each statement that names somebody is told": (
        [("Allow", PARTNER, {}), ("Allow", PARTNER, ABROAD)],
        [
            *NAMED_PARTNER,
            "  is named by Allow statement S1 of trust policy",
            "    if NotIpAddress holds for aws:SourceIp: 192.0.2.0/24",
        ],
    ),
    "a Deny with conditions may apply": (
        [("Allow", PARTNER, {}), ("Deny", "*", ABROAD)],
        [
            *NAMED_PARTNER,
            "  unless Deny statement S1 of trust policy applies",
            "    if NotIpAddress holds for aws:SourceIp: 192.0.2.0/24",
        ],
    ),
    "a Deny without conditions keeps everybody out": ([("Allow", PARTNER, {}), ("Deny", "*", {})], []),
    "a Deny of the account keeps its roles out": (
        [("Allow", PARTNER, {}), ("Deny", {"AWS": "arn:aws:iam::444455556666:root"}, {})],
        [],
    ),
    "a Deny of somebody else is nothing to them": (
        [("Allow", PARTNER, {}), ("Deny", {"AWS": "777788889999"}, {})],
        NAMED_PARTNER,
    ),
    "a Deny of one role leaves the rest of the account": (
        [("Allow", {"AWS": "444455556666"}, {}), ("Deny", PARTNER, {})],
        [
            "444455556666",
            "  is named by Allow statement S0 of trust policy",
            f"  unless Deny statement S1 of trust policy applies for {PARTNER['AWS']}",
        ],
    ),
    "everyone is an outsider too": (
        [("Allow", "*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}})],
        [
            "*",
            "  is named by Allow statement S0 of trust policy",
            "    if StringEquals holds for aws:PrincipalOrgID: o-1",
        ],
    ),
}


@pytest.mark.parametrize(("statements", "told"), OTHERS.values(), ids=OTHERS)
def test_an_outsider_is_told_with_what_its_statements_want(tmp_path, monkeypatch, capsys, statements, told):
    monkeypatch.chdir(tmp_path)
    trusting(tmp_path, *statements)

    code = run(["iam", "who-can", "sts:AssumeRole", ADMIN, "--account", "account.json"])

    assert capsys.readouterr().out.splitlines() == told
    assert code == (0 if told else 1)


def test_conditions_of_an_outsider_are_data_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trusting(tmp_path, ("Allow", {"AWS": "444455556666"}, ABROAD), ("Deny", PARTNER, {}))

    run(["iam", "who-can", "sts:AssumeRole", ADMIN, "--account", "account.json", "--json"])

    allow, deny = json.loads(capsys.readouterr().out)["statements"]
    assert allow["conditions"] == [{"operator": "NotIpAddress", "key": "aws:SourceIp", "values": ["192.0.2.0/24"]}]
    assert (deny["effect"], deny["only"]) == ("Deny", [PARTNER["AWS"]])


def test_pages_are_joined(account, tmp_path, capsys):
    (tmp_path / "one.json").write_text(json.dumps({"UserDetailList": DETAILS["UserDetailList"][:1]}))
    (tmp_path / "two.json").write_text(json.dumps({"Policies": DETAILS["Policies"]}))

    assert run(["iam", "who-can", "sqs:SendMessage", QUEUE, "--account", "one.json", "--account", "two.json"]) == 0
    assert capsys.readouterr().err == "1 of 1 principals of the account\n"


def test_what_one_of_them_can_do(account, capsys):
    assert run(["iam", "what-can", "user/ana", *account]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "sqs:SendMessage",
        f"  on {QUEUE}",
        "  by Allow statement Send of Senders",
    ]


def test_who_can_do_nothing_is_a_no(account, capsys):
    assert run(["iam", "what-can", "user/chidi", *account]) == 1
    assert capsys.readouterr().out == ""


NAMES = (f"{ACCOUNT}:user/ana", f"{ACCOUNT}:user/team/ana", f"{ACCOUNT}:role/ben")


@pytest.mark.parametrize("name", [NAMES[1], "team/ana", "user/team/ana"])
def test_a_principal_is_found_by_the_end_of_its_arn(name):
    assert find(NAMES, name) == NAMES[1]


@pytest.mark.parametrize(
    ("name", "found"), [("ana", "2 of the 3"), ("chidi", "none of the 3"), ("na", "none of the 3")]
)
def test_a_name_that_is_nobodys_or_two_peoples_is_refused(name, found):
    with pytest.raises(NoSuchPrincipal, match=found):
        find(NAMES, name)


WRONG = {
    "no JSON": "{",
    "not the command's answer": "{}",
    "a policy that is not there": json.dumps({"UserDetailList": [DETAILS["UserDetailList"][0]]}),
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_no_account_is_asked_wrongly(account, tmp_path, capsys, text):
    (tmp_path / "wrong.json").write_text(text)

    assert run(["iam", "who-can", "sqs:SendMessage", QUEUE, "--account", "wrong.json"]) == 2


def test_without_an_account_it_is_asked_wrongly(capsys):
    assert run(["iam", "who-can", "sqs:SendMessage", QUEUE]) == 2


def test_an_account_gives_no_orders_to_the_terminal(account, tmp_path, capsys):
    (tmp_path / "account.json").write_text(json.dumps(DETAILS).replace('"Group"', '"Gr\\u001b[2Jp"'))

    run(["iam", "who-can", "sqs:SendMessage", QUEUE, *account])

    assert "\x1b" not in capsys.readouterr().out
