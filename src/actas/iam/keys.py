"""The condition keys that every service knows (IAM user guide, "AWS global condition context keys")."""

from __future__ import annotations

from typing import Final

_BY_TYPE: Final = {
    "String": (
        "CalledViaFirst CalledViaLast FederatedProvider PrincipalAccount PrincipalOrgID PrincipalServiceName "
        "PrincipalType referer RequestedRegion ResourceAccount ResourceOrgID SourceAccount SourceIdentity SourceOrgID "
        "SourceVpc SourceVpce UserAgent userid username Ec2InstanceSourceVpc VpceAccount VpceOrgID "
        "PrincipalTag/ RequestTag/ ResourceTag/"
    ),
    "ArrayOfString": (
        "CalledVia PrincipalOrgPaths PrincipalServiceNamesList ResourceOrgPaths SourceOrgPaths TagKeys VpceOrgPaths"
    ),
    "ARN": "PrincipalArn SourceArn SourceVpcArn ChatbotSourceArn SignInSessionArn",
    "Bool": "AssumedRoot MultiFactorAuthPresent PrincipalIsAWSService SecureTransport ViaAWSService",
    "Date": "CurrentTime EpochTime TokenIssueTime",
    "Numeric": "MultiFactorAuthAge",
    "IPAddress": "SourceIp VpcSourceIp Ec2InstanceSourcePrivateIPv4",
}
GLOBAL: Final = {
    f"aws:{name}".lower(): (f"aws:{name}", kind) for kind, names in _BY_TYPE.items() for name in names.split()
}
"""Folded key: its spelling and its type; one that ends in a slash is a family."""

EVERYWHERE: Final = {
    "ec2:sourceinstancearn": ("ec2:SourceInstanceArn", "ARN"),
    "lambda:sourcefunctionarn": ("lambda:SourceFunctionArn", "ARN"),
    "ssm:sourceinstancearn": ("ssm:SourceInstanceArn", "ARN"),
    "identitystore:userid": ("identitystore:UserId", "String"),
    "glue:roleassumedby": ("glue:RoleAssumedBy", "String"),
    "glue:credentialissuingservice": ("glue:CredentialIssuingService", "String"),
}
"""Keys of one service that requests to others carry too."""

MAY_BE_ABSENT: Final = frozenset(
    {
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
        "aws:referer",
        "aws:useragent",
        "aws:username",
        "aws:principalorgid",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceidentity",
        "aws:tokenissuetime",
        "aws:federatedprovider",
        "aws:resourceorgid",
    }
)
"""Global keys that a request may lack."""


def global_key(key: str) -> tuple[str, str] | None:
    """Return spelling and type of a key that any service may see; *key* is folded."""
    found = GLOBAL.get(key) or EVERYWHERE.get(key)
    if found is None and "/" in key:
        family = key[: key.index("/") + 1]
        found = GLOBAL.get(family) if len(key) > len(family) else None
    return found
