"""Read the attributes that AWS reads of an assertion, as AWS reads them (protocols.md, 1.9). Pure.

What AWS would refuse is refused here too, so that nobody gets here what they would not get there.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from unicodedata import category

from actas.identify.saml_errors import AwsAttributeRefused
from actas.model.aws_attributes import AwsAttributes, ClaimedRole

PREFIX: Final = "https://aws.amazon.com/SAML/Attributes/"
ROLE: Final = f"{PREFIX}Role"
_SESSION_NAME, _DURATION = f"{PREFIX}RoleSessionName", f"{PREFIX}SessionDuration"
_TAG, _TRANSITIVE, _SOURCE = f"{PREFIX}PrincipalTag:", f"{PREFIX}TransitiveTagKeys", f"{PREFIX}SourceIdentity"

_PARTITION: Final = r"arn:aws(?:-cn|-us-gov)?:iam::[0-9]{12}:"
_ROLE_ARN: Final = re.compile(
    _PARTITION + r"role/(?:[!-+\--~]{1,511}/)?[A-Za-z0-9+=.@_-]{1,64}"
)  # a comma parts the pair
_PROVIDER_ARN: Final = re.compile(_PARTITION + r"saml-provider/[A-Za-z0-9._-]{1,128}")
_NAME: Final = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_SECONDS: Final = re.compile(r"[0-9]{1,6}")
_LEAST, _MOST, _MOST_TAGS, _MOST_ROLES = 900, 43_200, 50, 500

Attributes = Mapping[str, tuple[str, ...]]


def aws_attributes(attributes: Attributes) -> AwsAttributes | None:
    """Read what *attributes* say for AWS; None where they say nothing."""
    ours = {name for name in attributes if name.startswith(PREFIX)}
    if not ours:
        return None
    tags = _tags(attributes)
    return AwsAttributes(
        roles=_roles(attributes.get(ROLE, ())),
        session_name=_session_name(attributes),
        duration=_duration(attributes),
        tags=tags,
        transitive_tags=_transitive(attributes, tags),
        source_identity=_source_identity(attributes),
    )


def _roles(values: tuple[str, ...]) -> tuple[ClaimedRole, ...]:
    if len(values) > _MOST_ROLES:
        raise AwsAttributeRefused(attribute="Role", why=f"has {len(values)} values; at most {_MOST_ROLES} are read")
    return tuple(dict.fromkeys(_pair(value) for value in values))


def _pair(value: str) -> ClaimedRole:
    """Take a role and its provider apart, in whichever order they come."""
    parts = [part.strip(" \t\r\n") for part in value.split(",")]
    roles = [part for part in parts if _ROLE_ARN.fullmatch(part)]
    providers = [part for part in parts if _PROVIDER_ARN.fullmatch(part)]
    if len(parts) != 2 or len(roles) != 1 or len(providers) != 1:
        raise AwsAttributeRefused(attribute="Role", why="has a value that is not the ARN of a role and of a provider")
    if _account(roles[0]) != _account(providers[0]):  # a provider vouches inside its own account
        raise AwsAttributeRefused(attribute="Role", why="pairs a role with a provider of another account")
    return ClaimedRole(role_arn=roles[0], provider_arn=providers[0])


def _account(arn: str) -> str:
    return arn.split(":")[4]


def _one(attributes: Attributes, name: str) -> str | None:
    if name not in attributes:
        return None
    values = attributes[name]
    if len(values) != 1:
        raise AwsAttributeRefused(
            attribute=name.removeprefix(PREFIX), why=f"has {len(values)} values where one is read"
        )
    return values[0]


def _session_name(attributes: Attributes) -> str | None:
    found = _one(attributes, _SESSION_NAME)
    if found is not None and not _NAME.fullmatch(found):
        why = "is not 2 to 64 letters, digits or _+=,.@-"
        raise AwsAttributeRefused(attribute="RoleSessionName", why=why)
    return found


def _source_identity(attributes: Attributes) -> str | None:
    found = _one(attributes, _SOURCE)
    if found is not None and (not _NAME.fullmatch(found) or found.lower().startswith("aws:")):
        why = "is not 2 to 64 letters, digits or _+=,.@-"
        raise AwsAttributeRefused(attribute="SourceIdentity", why=why)
    return found


def _duration(attributes: Attributes) -> timedelta | None:
    found = _one(attributes, _DURATION)
    if found is None:
        return None
    if not _SECONDS.fullmatch(found) or not _LEAST <= int(found) <= _MOST:
        raise AwsAttributeRefused(attribute="SessionDuration", why=f"is no number from {_LEAST} to {_MOST}")
    return timedelta(seconds=int(found))


def _tags(attributes: Attributes) -> tuple[tuple[str, str], ...]:
    found: dict[str, tuple[str, str]] = {}
    for name in attributes:
        if not name.startswith(_TAG):
            continue
        key, value = name.removeprefix(_TAG), _one(attributes, name) or ""
        if not 1 <= len(key) <= 128 or len(value) > 256 or not (_is_plain(key) and _is_plain(value)):
            raise AwsAttributeRefused(attribute="PrincipalTag", why="has a key or a value that tags cannot have")
        if found.setdefault(key.casefold(), (key, value)) != (key, value):  # keys differ by more than their case
            raise AwsAttributeRefused(attribute="PrincipalTag", why="has one key in two spellings")
    if len(found) > _MOST_TAGS:
        raise AwsAttributeRefused(
            attribute="PrincipalTag", why=f"is there {len(found)} times; at most {_MOST_TAGS} are"
        )
    return tuple(found.values())


def _is_plain(text: str) -> bool:
    r"""Tell whether tags take *text*: ``[\p{L}\p{Z}\p{N}_.:/=+\-@]*`` (protocols.md, 2.2)."""
    return all(one in "_.:/=+-@" or category(one)[0] in "LZN" for one in text)


def _transitive(attributes: Attributes, tags: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(attributes.get(_TRANSITIVE, ())))
    known = {key.casefold() for key, _ in tags}
    if any(key.casefold() not in known for key in keys):
        raise AwsAttributeRefused(attribute="TransitiveTagKeys", why="names a tag that the assertion does not have")
    return keys
