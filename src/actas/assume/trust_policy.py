"""Write what another cloud must be told so that a role can be taken there: to be pasted as it stands. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from actas.assume.brokers.azure_workload import AUDIENCE as AZURE_AUDIENCE
from actas.assume.brokers.azure_workload import subject
from actas.settings.schema import AwsBase, RoleSettings

OURSELVES = "actas-gateway"


def trust(name: str, role: RoleSettings, *, issuer: str, clients: Sequence[tuple[str, str]] = ()) -> str:
    """Write it for the role called *name*; *clients* are issuer and audience of each provider whose token is shown."""
    match role.broker:
        case "local":
            return f"# {name} comes from this gateway itself; nobody else needs to trust anything.\n"
        case "aws-web-identity":
            return _web_identity(role, issuer, clients)
        case "aws-assume-role":
            return _assume_role(role, issuer)
        case "aws-saml":
            return _saml(role)
        case "azure-workload":
            return _azure(name, issuer)
        case "google-wif":
            return _google(name, role, issuer)


def _web_identity(role: RoleSettings, issuer: str, clients: Sequence[tuple[str, str]]) -> str:
    if role.caller_token:
        return _policy(
            [_federated(role.arn, provider, {"aud": audience}, tagged=False) for provider, audience in clients]
        )
    return _policy([_federated(role.arn, issuer, {"aud": "sts.amazonaws.com"}, tagged=True)])


def _federated(arn: str, issuer: str, conditions: Mapping[str, str], *, tagged: bool) -> dict[str, Any]:
    """Let one OIDC provider in; its keys are named by the issuer without its scheme (IAM, OIDC condition keys)."""
    where = issuer.removeprefix("https://")
    actions = ["sts:AssumeRoleWithWebIdentity", *(["sts:TagSession", "sts:SetSourceIdentity"] if tagged else [])]
    return {
        "Effect": "Allow",
        "Principal": {"Federated": f"{_account(arn)}:oidc-provider/{where}"},
        "Action": actions,
        "Condition": {"StringEquals": {f"{where}:{key}": value for key, value in conditions.items()}},
    }


def _assume_role(role: RoleSettings, issuer: str) -> str:
    base = role.base or AwsBase()
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": base.role or f"{_account(role.arn)}:root"},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }
    if role.external_id is not None:
        told = role.external_id if isinstance(role.external_id, str) else "THE-EXTERNAL-ID"
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": told}}
    text = _policy([statement])
    if base.role is None:
        return f"# Name the base identity as principal; the whole account stands here.\n{text}"
    own = _federated(base.role, issuer, {"aud": "sts.amazonaws.com", "sub": OURSELVES}, tagged=False)
    return f"# {role.arn}\n{text}\n# {base.role}\n{_policy([own])}"


def _saml(role: RoleSettings) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": role.saml_provider},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    }
    return _policy([statement])


def _azure(name: str, issuer: str) -> str:
    credential = {
        "name": f"actas-{name}",
        "issuer": issuer,
        "subject": subject(name),
        "audiences": [AZURE_AUDIENCE],
    }
    return (
        f"# az ad app federated-credential create --id CLIENT --parameters FILE\n{json.dumps(credential, indent=2)}\n"
    )


def _google(name: str, role: RoleSettings, issuer: str) -> str:
    assert role.google is not None
    pool, _, provider = role.google.audience.rpartition("/providers/")
    mapping = (
        "google.subject=assertion.sub,attribute.role=assertion.actas.role,"
        "attribute.provider=assertion.actas.provider,attribute.kind=assertion.actas.kind"
    )
    made = (
        f"gcloud iam workload-identity-pools providers create-oidc {provider} --location=global"
        f" --workload-identity-pool={pool.rpartition('/')[2]} --issuer-uri={issuer} --attribute-mapping={mapping}"
    )
    bound = (
        f"gcloud iam service-accounts add-iam-policy-binding {role.google.service_account}"
        f" --role=roles/iam.workloadIdentityUser --member='principalSet:{pool}/attribute.role/{name}'"
    )
    return f"{made}\n{bound}\n"


def _account(arn: str) -> str:
    partition, account = arn.split(":")[1], arn.split(":")[4]
    return f"arn:{partition}:iam::{account}"


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"
