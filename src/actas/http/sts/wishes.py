"""What a request wishes, beyond what its parameters may hold each by itself: policies, tags, durations. Pure."""

import json
import re
import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from actas import iam
from actas.http.sts.errors import (
    InvalidParameterValue,
    MalformedPolicyDocument,
    PackedPolicyTooLarge,
    ValidationFailed,
)
from actas.http.sts.parameters import Asked
from actas.model.held import Held
from actas.model.wish import Wish

PACKED: Final = 1024
"""Bytes that session policies and tags may take once compressed: what a session token has room for."""
TOGETHER: Final = 2048
"""Characters that the inline policy and the ARNs of policies may have together."""
_ARN: Final = re.compile(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:\S.*", re.DOTALL)


def wished(asked: Asked, managed: Mapping[str, str], held: Held | None = None) -> Wish:
    """Say what is wished; *managed* are the policies that an ARN may stand for, *held* the session that was shown."""
    texts = asked.texts
    if not _ARN.fullmatch(texts["RoleArn"]):
        raise ValidationFailed(sent=f"{texts['RoleArn'] if len(texts['RoleArn']) < 200 else 'The RoleArn'} is invalid")
    _refuse_what_is_not_here(asked)
    seconds = asked.numbers.get("DurationSeconds")
    tags = tuple((one["Key"], one["Value"]) for one in asked.lists.get("Tags", ()))
    wish = Wish(
        role_arn=texts["RoleArn"],
        action=f"sts:{asked.action}",
        session_name=texts.get("RoleSessionName", ""),
        lasts=None if seconds is None else timedelta(seconds=seconds),
        narrowed=_policies(asked, managed, texts["RoleArn"]),
        tags=tags,
        transitive=tuple(one[""] for one in asked.lists.get("TransitiveTagKeys", ())),
        source_identity=texts.get("SourceIdentity"),
        external_id=texts.get("ExternalId"),
        at_least=asked.numbers.get("MinimumSessionTokenSize", 0),
    )
    check_tags(wish, held)
    packed(wish.narrowed, wish.tags, wish.transitive)
    return wish


def check_tags(wish: Wish, held: Held | None) -> None:
    """See that tags do not contradict each other, nor the session; the texts are those of the service."""
    names = [name.lower() for name, _ in wish.tags]
    if len(set(names)) != len(names):
        raise InvalidParameterValue(sent="Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(name.startswith("aws:") for name in names):
        raise InvalidParameterValue(sent="Tag keys may not start with aws:")
    inherited = {name.lower() for name in (held.transitive if held else ())}
    if inherited & {*names, *(name.lower() for name in wish.transitive)}:
        raise InvalidParameterValue(
            sent="One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    if not {name.lower() for name in wish.transitive} <= set(names):
        raise InvalidParameterValue(sent="The specified transitive tag key must be included in the requested tags.")
    if wish.source_identity is not None and wish.source_identity.lower().startswith("aws:"):
        raise ValidationFailed(sent="The SourceIdentity may not start with aws:")
    if held and held.source_identity and wish.source_identity not in (None, held.source_identity):
        raise ValidationFailed(sent="The SourceIdentity of the calling session cannot be changed.")


def packed(narrowed: tuple[str, ...], tags: tuple[tuple[str, str], ...], transitive: tuple[str, ...]) -> int | None:
    """Say how much of what a session has room for is taken, in per cent; None where nothing was passed."""
    if not narrowed and not tags:
        return None
    size = len(zlib.compress(json.dumps([narrowed, tags, transitive]).encode(), 9))
    share = -(-100 * size // PACKED)
    if share > 100:
        raise PackedPolicyTooLarge(
            sent=f"Packed policy consumes {share}% of allotted space, please use smaller policy."
        )
    return share


def _policies(asked: Asked, managed: Mapping[str, str], role_arn: str) -> tuple[str, ...]:
    inline, arns = asked.texts.get("Policy"), [one["arn"] for one in asked.lists.get("PolicyArns", ())]
    if len(inline or "") + sum(len(arn) for arn in arns) > TOGETHER:
        raise PackedPolicyTooLarge(sent=f"Session policies have more than {TOGETHER} characters together.")
    found = [] if inline is None else [_checked(inline)]
    for arn in arns:
        if len(arn.split(":")) < 6 or arn.split(":")[4] not in ("aws", role_arn.split(":")[4]):
            raise ValidationFailed(sent=f"{arn} is not a policy of the role's account")
        if (text := managed.get(arn)) is None:
            raise ValidationFailed(sent=f"{arn} is not one of the policies that the settings list")
        found.append(text)
    return tuple(found)


def _checked(text: str) -> str:
    """See that a policy is one, and write it as short as it can be."""
    try:
        iam.Policy.parse(text, kind=iam.Kind.SESSION)
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except iam.IamError as wrong:
        raise MalformedPolicyDocument(sent=str(wrong)) from wrong


def _refuse_what_is_not_here(asked: Asked) -> None:
    """Refuse parameters that would have to mean something and cannot here."""
    if "ProviderId" in asked.texts:
        raise ValidationFailed(
            sent="ProviderId is for OAuth 2.0 access tokens of two providers, not for OpenID Connect"
        )
    if "SerialNumber" in asked.texts or "TokenCode" in asked.texts:
        raise ValidationFailed(sent="A second factor is the identity provider's matter here; SerialNumber is not taken")
    if asked.lists.get("ProvidedContexts"):
        raise ValidationFailed(sent="ProvidedContexts are not taken here")
