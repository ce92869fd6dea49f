"""Policies and decisions that others wrote down, run against the library."""

import json

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from actas import iam


def _document(case):
    return case if isinstance(case, str) else json.dumps(case)


def test_each_policy_that_aws_refuses_is_refused_in_its_words(corpus):
    cases = corpus("iam-policy-grammar-moto/invalid.json")
    said = []

    for case in cases:
        with pytest.raises(iam.MalformedPolicy) as refused:
            iam.Policy.parse(_document(case["document"]))
        said.append(refused.value.message)

    assert len(cases) == 78
    assert said == [case["error_message"] for case in cases]


def test_each_policy_that_aws_takes_is_taken(corpus):
    cases = corpus("iam-policy-grammar-moto/valid.json")

    policies = [iam.Policy.parse(_document(case)) for case in cases]

    assert len(policies) == 54


LEFT_OUT = {
    10: "asks what some condition values would allow, which is no decision",
}
"""IAMSpy's cases that are no decision: it asks a solver whether a request could be allowed."""


def _account_details(corpus, names):
    found = [corpus(f"iam-iamspy/files/{name}") for name in names]
    return [one for details in found for one in (details if isinstance(details, list) else [details])]


def _document_of(details, arn):
    policies = [policy for one in details for policy in one["Policies"]]
    versions = next(policy["PolicyVersionList"] for policy in policies if policy["Arn"] == arn)
    return next(version["Document"] for version in versions if version["IsDefaultVersion"])


def _identity(details, principal):
    """The policies and the boundary of a user or role."""
    people = [one for part in details for one in (*part["UserDetailList"], *part["RoleDetailList"])]
    nobody = {"AttachedManagedPolicies": []}
    found = next((one for one in people if one["Arn"] == principal), nobody)
    inline = [*found.get("UserPolicyList", []), *found.get("RolePolicyList", [])]
    documents = [policy["PolicyDocument"] for policy in inline]
    documents += [_document_of(details, policy["PolicyArn"]) for policy in found["AttachedManagedPolicies"]]
    boundary = found.get("PermissionsBoundary")
    bounds = _document_of(details, boundary["PermissionsBoundaryArn"]) if boundary else None
    return _parsed(documents, iam.Kind.IDENTITY), bounds and _parsed([bounds], iam.Kind.BOUNDARY)


def _parsed(documents, kind):
    return tuple(iam.Policy.parse(document, kind=kind, stored=True) for document in documents)


def _levels(node, account):
    """The SCPs from the root down to an account; None if they do not reach it."""
    contents = [policy["Content"] for policy in node["Policies"]]
    here = _parsed(contents, iam.Kind.SCP)
    if node.get("Id") == account:
        return (here,)
    for child in node.get("Children", []):
        below = _levels(child, account)
        if below is not None:
            return (here, *below)
    return None


def _decided(corpus, files, question):
    principal, action, resource, *more = question
    details = _account_details(corpus, files["gaads"])
    identity, boundary = _identity(details, principal)
    named = [one for name in files.get("resources", []) for one in corpus(f"iam-iamspy/files/{name}")]
    about = [one for one in named if one["Resource"] == resource]
    account = principal.split(":")[4]
    scps = None
    for name in files.get("scps", []):
        root = corpus(f"iam-iamspy/files/{name}")
        management = root["Arn"].split(":")[4]  # SCPs do not reach the management account
        scps = None if management == account else _levels(root, account)
    policies = iam.PolicySet(
        identity=identity,
        boundary=boundary or None,
        scps=scps,
        resource=_parsed([one["Policy"] for one in about], iam.Kind.RESOURCE) if about else None,
    )
    context = dict(text.split("=", 1) for text in more[0]) if more else {}
    owner = about[0]["Account"] if about else None
    request = iam.Request(
        principal=principal, action=action, resource=resource, context=context, resource_account=owner
    )
    return iam.evaluate(request, policies).allowed, iam.compile(policies)(request).allowed


def test_iamspys_cases_are_decided_as_it_says(corpus):
    cases = corpus("iam-iamspy/cases.json")["test_can_i"]["cases"]
    wrong = []

    for number, (files, question, expected) in enumerate(cases):
        if number not in LEFT_OUT and _decided(corpus, files, question) != (expected, expected):
            wrong.append((number, files, question))

    assert len(cases) == 22
    assert wrong == []


def test_each_of_awss_managed_policies_is_read_without_an_error():
    managed = json.loads(aws_managed_policies_data)

    policies = [iam.Policy.parse(json.dumps(one["Document"])) for one in managed.values()]

    assert len(policies) > 1000
    assert all(policy.statements for policy in policies)


def test_an_administrator_may_do_everything_there_is():
    managed = json.loads(aws_managed_policies_data)
    everything = iam.expand_actions("*")

    administrator = iam.Policy.parse(managed["AdministratorAccess"]["Document"]).allowed_actions()
    power_user = iam.Policy.parse(managed["PowerUserAccess"]["Document"]).allowed_actions()

    assert administrator == everything
    assert "iam:CreateUser" in everything - power_user
    assert "iam:CreateServiceLinkedRole" in power_user


RECORDED = "aws-recorded-sts-iam-localstack/test_iam.snapshot.json"


def test_a_trust_policy_that_is_no_json_is_refused_as_aws_was_recorded_to(corpus):
    name = "TestIAMExtensions::test_create_role_with_malformed_assume_role_policy_document"
    recorded = corpus(RECORDED)[f"tests/aws/services/iam/test_iam.py::{name}"]["recorded-content"]

    with pytest.raises(iam.MalformedPolicy) as refused:
        iam.Policy.parse("[", kind=iam.Kind.TRUST)

    assert refused.value.message == recorded["invalid-json"]["Error"]["Message"]


EFFECTS = {"Allowed": "allowed", "ImplicitlyDenied": "implicitDeny", "ExplicitlyDenied": "explicitDeny"}


@pytest.mark.parametrize("of", ["role", "group", "user"])
def test_aws_simulates_a_policy_for_putting_objects_as_we_decide_it(corpus, of):
    name = f"tests/aws/services/iam/test_iam.py::TestIAMIntegrations::test_simulate_principle_policy[{of}]"
    recorded = corpus(RECORDED)[name]["recorded-content"]["response"]["EvaluationResults"]
    resource = "arn:aws:s3:::bucket"
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": resource}
    policies = iam.PolicySet(identity=(iam.Policy.parse({"Version": "2012-10-17", "Statement": statement}),))

    decided = {}
    for answer in recorded:
        request = iam.Request(
            principal=f"arn:aws:iam::111111111111:{'role' if of == 'role' else 'user'}/ana",
            action=answer["EvalActionName"],
            resource=resource,
        )
        decided[request.action] = EFFECTS[iam.evaluate(request, policies).effect]

    assert decided == {answer["EvalActionName"]: answer["EvalDecision"] for answer in recorded}
