"""The format of one entry of a Resource element, judged as AWS judges it."""

from __future__ import annotations

from typing import Final

from actas.iam import arns
from actas.iam.notes import LEGACY, Phase

PARTITIONS: Final = frozenset(
    {
        "aws",
        "aws-cn",
        "aws-us-gov",
        "aws-iso",
        "aws-iso-b",
        "aws-iso-e",
        "aws-iso-f",
        "aws-eusc",
        "*",
        arns.OURS,
    }
)
_IAM_PATHS: Final = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)
_ARN_FIX: Final = "Write arn:partition:service:region:account:resource."
Wrong = tuple[Phase, str, str, str]
"""Phase, code, AWS's words, fix."""


def wrong_with(resource: str, *, variables: bool) -> Wrong | None:
    """Say what is wrong with one entry, or None."""
    if resource == "*":
        return None
    head, colon, rest = resource.partition(":")
    if not colon:
        message = f'Resource {resource} must be in ARN format or "*".'
        return Phase.RESOURCE, "resource-format", message, _ARN_FIX
    if variables and head.startswith("${"):
        return None
    parts = rest.split(":")
    if parts[0] not in PARTITIONS:
        return _partition(parts)
    if len(parts) == 1:
        message = "Resource vendor must be fully qualified and cannot contain regexes."
        return Phase.RESOURCE, "resource-service", message, _ARN_FIX
    if parts[0] == arns.OURS:
        return None
    if not parts[1] or (len(parts) < arns.PARTS - 1 and "::" in resource):
        return Phase.LEGACY, "resource-format", LEGACY, _ARN_FIX
    return _service(resource, parts)


def _partition(parts: list[str]) -> Wrong:
    filled = [parts[0], *parts[1:4], *["*"] * (4 - len(parts))]
    filled.append(":".join(parts[4:]) if len(parts) > 4 else "*")
    shown = ":".join(filled)
    message = f'Partition "{parts[0]}" is not valid for resource "arn:{shown}".'
    return Phase.RESOURCE, "resource-partition", message, "Write the partition, mostly aws, after arn:."


def _service(resource: str, parts: list[str]) -> Wrong | None:
    service, region = parts[1], parts[2] if len(parts) > 2 else ""
    last = ":".join(parts[4:])
    if service == "s3" and region not in ("", "*") and parts[3:4] == [""]:
        message = f"Resource {resource} can not contain region information."
        return Phase.RESOURCE, "resource-region", message, "Leave the region out: arn:aws:s3:::bucket."
    if service != "iam":
        return None
    if region not in ("", "*"):
        message = f"IAM resource {resource} cannot contain region information."
        return Phase.RESOURCE, "resource-region", message, "Leave the region out: arn:aws:iam::account:role/name."
    if len(parts) > 4 and parts[3] != "aws" and not last.startswith((*_IAM_PATHS, "*", "${")) and last != "root":
        message = f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS)}.'
        return Phase.RESOURCE, "resource-path", message, "Write the kind before the name: role/name."
    return None
