"""Tokens of programs that prove where they run: GitHub Actions jobs and Kubernetes service accounts.

Nobody signs in there and no token endpoint is to be had; `Idp.token` makes these, for a client that stands for the
repository or the service account.
"""

from uuid import UUID

from actas.testing.idp.facts import Claims, Facts, Paths, Shape
from actas.testing.idp.people import stable_id
from actas.testing.idp.shapes.oidc import times

ORGANISATION = "example-org"
NAMESPACE = "default"


def github(facts: Facts) -> Claims:
    """Write a job's token: a push to the main branch of a repository named for the client."""
    repository = f"{ORGANISATION}/{facts.client.id}"
    branch = "refs/heads/main"
    return {
        "jti": str(UUID(facts.token_id)),
        "sub": f"repo:{repository}:ref:{branch}",
        "aud": facts.audience[0],
        "iss": facts.issuer,
        **times(facts),
        "nbf": facts.issued,
        "ref": branch,
        "ref_type": "branch",
        "ref_protected": "true",
        "sha": facts.client.object_id.replace("-", "") + "00000000",
        "repository": repository,
        "repository_id": "74",
        "repository_owner": ORGANISATION,
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "actor": facts.person.name if facts.person else "robot",
        "actor_id": "12",
        "event_name": "push",
        "workflow": "deploy",
        "workflow_ref": f"{repository}/.github/workflows/deploy.yml@{branch}",
        "job_workflow_ref": f"{repository}/.github/workflows/deploy.yml@{branch}",
        "run_id": "1001",
        "run_number": "10",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "head_ref": "",
        "base_ref": "",
    }


def kubernetes(facts: Facts) -> Claims:
    """Write the bound token of a service account named for the client."""
    account = facts.client.id
    return {
        "aud": list(facts.audience),
        **times(facts),
        "nbf": facts.issued,
        "iss": facts.issuer,
        "jti": str(UUID(facts.token_id)),
        "kubernetes.io": {
            "namespace": NAMESPACE,
            "node": {"name": "node-1", "uid": str(stable_id("nodes", "node-1"))},
            "pod": {"name": f"{account}-0", "uid": str(stable_id("pods", account))},
            "serviceaccount": {"name": account, "uid": facts.client.object_id},
        },
        "sub": f"system:serviceaccount:{NAMESPACE}:{account}",
    }


GITHUB = Shape(
    name="github-actions",
    issuer="{base}",
    paths=Paths(keys="{base}/.well-known/jwks"),
    access=github,
    identity=github,
    thumbprint_header=True,
)

KUBERNETES = Shape(
    name="kubernetes",
    issuer="{base}",
    paths=Paths(keys="{base}/openid/v1/jwks"),
    access=kubernetes,
    identity=kubernetes,
    typ=None,
    identity_typ=None,
)
