"""AWS's service reference in the package, and what can be asked of it."""

import pytest

from actas import iam

ALLOW = {"Effect": "Allow", "Resource": "*"}


@pytest.fixture(scope="module")
def catalogue():
    return iam.Catalogue.load()


def test_it_holds_what_the_reference_holds(catalogue, corpus_bytes):
    reference = corpus_bytes("aws-service-authorization-reference/iam-data.json.gz")
    services = reference["services"]

    for prefix, service in services.items():
        ours = catalogue.service(prefix)
        assert {action.name for action in ours.actions.values()} == {
            f"{prefix}:{action['name']}" for action in service["actions"].values()
        }
        assert set(ours.resources) == {kind["key"] for kind in service["resourceTypes"].values()}
        assert set(ours.keys) == {key["key"].lower() for key in service["conditionKeys"].values()}
    assert catalogue.commit == reference["commit"]
    assert len(catalogue.services) == 455


def test_an_action_tells_its_level_and_its_resources(catalogue):
    action = catalogue.action("LAMBDA:invokefunction")

    assert (action.name, action.level, action.resources) == ("lambda:InvokeFunction", "write", ("function",))
    assert action.required == {"function"}
    assert catalogue.action("iam:PutRolePolicy").level == "permissions"
    assert catalogue.action("iam:TagRole").level == "tagging"
    assert catalogue.action("lambda:Nothing") is None
    assert catalogue.action("nothing") is None


def test_it_is_opened_once(catalogue):
    assert iam.Catalogue.load() is catalogue


EXPANSIONS = [
    ("s3:GetObject", {"s3:GetObject"}),
    ("S3:getobject", {"s3:GetObject"}),
    ("s3:GetObjectT*", {"s3:GetObjectTagging", "s3:GetObjectTorrent"}),
    ("lambda:Invoke*", {"lambda:InvokeAsync", "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"}),
    ("lambda:Nothing*", set()),
    ("nothing:*", set()),
    ("s3", set()),
    ("", set()),
    (["sqs:PurgeQueue", "sns:Publis?"], {"sqs:PurgeQueue", "sns:Publish"}),
]


@pytest.mark.parametrize(("patterns", "expected"), EXPANSIONS, ids=[str(one[0]) for one in EXPANSIONS])
def test_patterns_become_actions(patterns, expected):
    assert iam.expand_actions(patterns) == expected


def test_everything_is_every_action(catalogue):
    everything = iam.expand_actions("*")

    assert len(everything) == 21788
    assert everything == iam.expand_actions("*:*", catalogue)


def test_the_allowed_actions_of_a_policy():
    statements = [
        ALLOW | {"Action": ["sqs:SendMessage", "sqs:Purge*"]},
        {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"},
    ]
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": statements})

    assert policy.allowed_actions() == {"sqs:SendMessage", "sqs:PurgeQueue"}


def test_not_action_allows_all_the_others():
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": ALLOW | {"NotAction": "sqs:*"}})

    allowed = policy.allowed_actions()

    assert allowed == iam.expand_actions("*") - iam.expand_actions("sqs:*")
