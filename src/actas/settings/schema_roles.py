"""The section ``roles`` of the settings file: what callers may act as, and who issues the credentials."""

from typing import Literal

import msgspec

from actas.settings.schema_keys import Keys, SecretRef, Texts
from actas.settings.values import Span

BrokerName = Literal["local", "aws-web-identity", "aws-assume-role", "aws-saml", "azure-workload", "google-wif"]


class AwsBase(Keys, frozen=True):
    """Credentials of the gateway's own at AWS: exactly one of ``role``, ``profile``, ``chain`` and the keys."""

    role: str | None = None
    """The ARN of a role that trusts this gateway's issuer about the gateway itself; no key is kept anywhere."""
    profile: str | None = None
    """A profile of AWS's own configuration files; needs the extra ``aws``."""
    chain: bool = False
    """What AWS's own clients find: variables, files, the machine's role; needs the extra ``aws``."""
    access_key_id: SecretRef | None = None
    """Where the access key id is kept."""
    secret_access_key: SecretRef | None = None
    """Where the secret access key is kept."""
    session_token: SecretRef | None = None
    """Where the session token is kept, of temporary credentials."""


class Azure(Keys, frozen=True):
    """An application in Entra ID that trusts this gateway's issuer by a federated credential."""

    tenant: str
    """The tenant's id."""
    client: str
    """The application's client id."""
    scope: str
    """What the token is for: ``https://storage.azure.com/.default``."""
    authority: str = "https://login.microsoftonline.com"
    """Entra ID's address; others for national clouds."""


class Google(Keys, frozen=True):
    """A provider of a workload identity pool that trusts this gateway's issuer, and a service account."""

    audience: str
    """The provider: ``//iam.googleapis.com/projects/…/workloadIdentityPools/…/providers/…``."""
    service_account: str
    """The service account's address; the pool's identities may make tokens of it."""
    scopes: tuple[str, ...] = ("https://www.googleapis.com/auth/cloud-platform",)
    """What the token is for."""
    sts: str = "https://sts.googleapis.com"
    """Another address of the Security Token Service."""
    iam: str = "https://iamcredentials.googleapis.com"
    """Another address of the IAM Service Account Credentials API."""


class CutSessions(Keys, frozen=True):
    """Sessions of a role at AWS are cut when somebody's access ends."""

    by: AwsBase
    """The identity that may put an inline policy on the role: ``iam:PutRolePolicy`` on it, and nothing else."""
    on: Texts = ("role-revoked", "group-left", "user-disabled", "user-deleted")
    """The kinds of events that cut; everybody's sessions of the role end, and are made anew for who may have them."""
    iam: str | None = None
    """Another address of IAM, for tests against a double."""


class RoleSettings(Keys, frozen=True):
    """A role that callers may take."""

    arn: str
    """Its ARN."""
    session: Span = Span.read("15m")
    """How long a session of it lives at most; never longer than the caller's evidence."""
    policy: str | None = None
    """A file: what its sessions may do."""
    trust: str | None = None
    """A file: a trust policy where it is narrower than the rules."""
    broker: BrokerName = "local"
    """Who issues its sessions: this gateway, or AWS, Azure or Google for what this gateway shows them."""
    sts: str | None = None
    """aws-*: another address of STS, for tests against a double."""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    """aws-web-identity, aws-assume-role: session tags beside ``provider``, ``kind`` and ``actor``."""
    caller_token: bool = False
    """aws-web-identity: show STS the caller's own token. The caller could go there past the rules."""
    saml_provider: str | None = None
    """aws-saml: the ARN of the identity provider in IAM whose assertions are passed on."""
    base: AwsBase | None = None
    """aws-assume-role: the identity that takes the role."""
    external_id: str | SecretRef | None = None
    """aws-assume-role: what the role's trust policy wants as ``sts:ExternalId``."""
    azure: Azure | None = None
    """azure-workload: the application."""
    google: Google | None = None
    """google-wif: the pool's provider and the service account."""
    cut: CutSessions | None = None
    """aws-*: cut its sessions in AWS by a deny on ``aws:TokenIssueTime`` when somebody's access ends."""
