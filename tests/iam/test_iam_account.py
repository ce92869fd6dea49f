"""An account's details: who can do what."""

import json
from urllib.parse import quote

import pytest

from actas import iam

ACCOUNT = "arn:aws:iam::111122223333"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:orders"


def document(action, effect="Allow", resource="*", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource} | more
    return {"Version": "2012-10-17", "Statement": [statement]}


def managed(name, body):
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": body}
    old = {"VersionId": "v0", "IsDefaultVersion": False, "Document": document("*")}
    return {"PolicyName": name, "Arn": f"{ACCOUNT}:policy/{name}", "PolicyVersionList": [old, version]}


def attached(*names):
    return {
        "AttachedManagedPolicies": [{"PolicyName": name, "PolicyArn": f"{ACCOUNT}:policy/{name}"} for name in names]
    }


def inline(body, of="User"):
    return {f"{of}PolicyList": [{"PolicyName": "own", "PolicyDocument": body}]}


TAGGED = document("sqs:SendMessage", Condition={"StringEquals": {"aws:PrincipalTag/team": "orders"}})
DETAILS = {
    "UserDetailList": [
        {"Arn": f"{ACCOUNT}:user/ana"} | attached("Senders"),
        {"Arn": f"{ACCOUNT}:user/ben", "GroupList": ["senders"]} | attached(),
        {"Arn": f"{ACCOUNT}:user/chidi"} | attached("Senders") | inline(document("sqs:*", "Deny")),
        {
            "Arn": f"{ACCOUNT}:user/dora",
            "PermissionsBoundary": {"PermissionsBoundaryArn": f"{ACCOUNT}:policy/Readers"},
        }
        | attached("Senders"),
        {"Arn": f"{ACCOUNT}:user/eva", "Tags": [{"Key": "team", "Value": "orders"}]} | inline(TAGGED),
        {"Arn": f"{ACCOUNT}:user/finn", "Tags": [{"Key": "team", "Value": "sales"}]} | inline(TAGGED),
    ],
    "GroupDetailList": [{"GroupName": "senders"} | inline(document("sqs:Send*"), "Group") | attached()],
    "RoleDetailList": [
        {
            "Arn": f"{ACCOUNT}:role/sender",
            "AssumeRolePolicyDocument": quote(
                json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        },
                    }
                )
            ),
        }
        | attached("Senders"),
    ],
    "Policies": [
        managed("Senders", document("sqs:SendMessage", resource=QUEUE)),
        managed("Readers", document("sqs:Receive*")),
    ],
}


def names(holders):
    return {holder.principal.rpartition("/")[2] for holder in holders}


@pytest.fixture(scope="module")
def account():
    return iam.Account.read(json.dumps(DETAILS))


def test_who_can_send(account):
    assert names(account.who_can("sqs:SendMessage", QUEUE)) == {"ana", "ben", "eva", "sender"}
    assert names(account.who_can("sqs:SendMessage", f"{QUEUE}2")) == {"ben", "eva"}
    assert names(account.who_can("sqs:ReceiveMessage", QUEUE)) == set()


def test_each_holder_is_told_with_the_policy_behind_it(account):
    behind = {
        holder.principal.rpartition("/")[2]: holder.decision.matched[0].policy
        for holder in account.who_can("sqs:SendMessage", QUEUE)
    }

    assert behind == {"ana": "Senders", "ben": "own", "eva": "own", "sender": "Senders"}


def test_an_scp_is_over_all_of_them(account):
    scp = iam.Policy.parse(document("s3:*"), kind=iam.Kind.SCP)

    assert names(account.who_can("sqs:SendMessage", QUEUE, scps=((scp,),))) == set()


def test_a_resource_policy_may_add_one(account):
    statement = document("sqs:*")["Statement"][0] | {"Principal": {"AWS": f"{ACCOUNT}:user/finn"}}
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": statement}, kind=iam.Kind.RESOURCE)

    assert "finn" in names(account.who_can("sqs:SendMessage", QUEUE, resource_policies=(policy,)))


def test_what_one_of_them_can_do(account):
    (change,) = account.what_can(f"{ACCOUNT}:user/ana")

    assert (change.actions, change.request.resource) == (("sqs:SendMessage",), QUEUE)
    assert account.what_can(f"{ACCOUNT}:user/chidi") == ()


def test_a_trust_policy_is_read_as_the_api_sends_it(account):
    trust = account.trust_of(f"{ACCOUNT}:role/sender")

    assert trust.kind is iam.Kind.TRUST
    assert trust.statements[0].principals.service == ("lambda.amazonaws.com",)


def test_pages_are_joined():
    pages = [{"UserDetailList": DETAILS["UserDetailList"][:1]}, {"Policies": DETAILS["Policies"]}]

    account = iam.Account.read(pages)

    assert names(account.who_can("sqs:SendMessage", QUEUE)) == {"ana"}


def test_a_principal_that_is_not_there_is_refused(account):
    with pytest.raises(iam.UnknownPrincipal) as refused:
        account.policies_of(f"{ACCOUNT}:user/nobody")

    assert refused.value.code == "iam.unknown-principal"


WRONG = {
    "no json": "{",
    "no object": "[]",
    "none of the lists": "{}",
    "a list that is none": '{"UserDetailList": {}}',
    "an entry that is no object": '{"UserDetailList": [7]}',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_no_account_is_refused(text):
    with pytest.raises(iam.AccountUnreadable) as refused:
        iam.Account.read(text)

    assert refused.value.code == "iam.account-unreadable"


def test_a_policy_that_is_not_there_is_refused():
    account = iam.Account.read({"UserDetailList": [{"Arn": f"{ACCOUNT}:user/ana"} | attached("Missing")]})

    with pytest.raises(iam.AccountUnreadable):
        account.policies_of(f"{ACCOUNT}:user/ana")
