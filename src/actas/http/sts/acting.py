"""What each action of STS does, once it is known what is asked and, where it is signed, who asks."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from actas.assume.held import LARGEST
from actas.assume.inherit import account_of
from actas.assume.taking import Took
from actas.gateway import Gateway
from actas.http.sts import denials
from actas.http.sts.answers import Tree
from actas.http.sts.errors import AccessDenied, InvalidIdentityToken, ValidationFailed
from actas.http.sts.parameters import Asked
from actas.http.sts.wishes import packed, wished
from actas.model.call import Call
from actas.model.evidence import BearerToken, SamlResponse
from actas.model.held import Held
from actas.model.identity import Identity
from actas.model.outcome import Answered, Refused
from actas.model.secret import Secret
from actas.model.wish import Wish

DECODE: Final = "admin:denials.decode"
_FORMATS: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
"""What AWS leaves out of a name's format; other formats it gives whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What actions are done with."""

    gateway: Gateway
    ring: denials.Ring
    managed: Mapping[str, str]
    """Policies that ``PolicyArns`` may name: their texts by their ARNs."""
    recipient: Callable[[str], str]
    """Give the address that assertions of a provider are for."""


Result = dict[str, Tree]


async def by_token(means: Means, asked: Asked, call: Call) -> Result:
    """AssumeRoleWithWebIdentity."""
    wish = wished(asked, means.managed)
    evidence = BearerToken(shown=Secret(asked.texts["WebIdentityToken"]))
    identity, took = _given(means, await means.gateway.take_role(call, evidence, wish), wish, call)
    return {
        "SubjectFromWebIdentityToken": identity.subject,
        "Audience": audience(asked.texts["WebIdentityToken"]),
        "Provider": identity.issuer,
        **_taken(took, wish),
    }


async def by_assertion(means: Means, asked: Asked, call: Call) -> Result:
    """AssumeRoleWithSAML."""
    wish = wished(asked, means.managed)
    principal = asked.texts["PrincipalArn"].split(":", 5)
    kind, _, provider = principal[-1].partition("/")
    if len(principal) != 6 or kind != "saml-provider" or principal[4] != wish.role_arn.split(":")[4]:
        raise InvalidIdentityToken(sent="The PrincipalArn is not a SAML provider of the role's account")
    recipient = means.recipient(provider)
    evidence = SamlResponse(
        shown=Secret(asked.texts["SAMLAssertion"]), provider=provider, recipient=recipient, asked_elsewhere=True
    )
    wish = replace(wish, recipient=recipient)
    identity, took = _given(means, await means.gateway.take_role(call, evidence, wish), wish, call)
    qualifier = f"{identity.issuer}{principal[4]}/{provider}".encode()
    return {
        "Subject": identity.subject,
        "SubjectType": (identity.subject_format or "").removeprefix(_FORMATS) or None,
        "Issuer": identity.issuer,
        "Audience": recipient,
        "NameQualifier": base64.b64encode(hashlib.sha1(qualifier, usedforsecurity=False).digest()).decode(),
        **_taken(took, wish),
    }


def audience(token: str) -> str | None:
    """Say whom a token that was believed is for, as AWS reads it: ``azp`` where there is one, else ``aud``."""
    payload = token.split(".")[1]
    claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    said = claims.get("azp") or claims.get("aud")
    first = said[0] if isinstance(said, list) and said else said
    return first if isinstance(first, str) else None


async def by_session(means: Means, asked: Asked, call: Call, held: Held) -> Result:
    """AssumeRole: role chaining, since nobody has other credentials here than those of a session."""
    wish = wished(asked, means.managed, held)
    _, took = _given(means, await means.gateway.take_role(call, held, wish), wish, call, held)
    return _taken(took, wish)


def caller(held: Held) -> Result:
    """GetCallerIdentity."""
    account = held.role_arn.split(":")[4]
    return {"Arn": held.arn, "UserId": held.user_id, "Account": account}


def key_info(asked: Asked) -> Result:
    """GetAccessKeyInfo: the account is written in the access key id itself."""
    account = account_of(asked.texts["AccessKeyId"])
    if account is None:
        raise ValidationFailed(sent="The AccessKeyId tells no account")
    return {"Account": account}


async def decode(means: Means, asked: Asked, call: Call, held: Held) -> Result:
    """DecodeAuthorizationMessage: for whoever's session rests on a rule that names the admin action."""
    payload = json.dumps({"message": asked.texts["EncodedMessage"]}).encode()
    outcome = await means.gateway.serve_session(replace(call, function=DECODE, payload=payload), held)
    if isinstance(outcome, Refused):
        raise _denied(means, outcome, call, user=held.arn, action="sts:DecodeAuthorizationMessage", resource="*")
    assert isinstance(outcome, Answered)
    return {"DecodedMessage": outcome.payload.decode()}


def _given(
    means: Means, answer: tuple[Identity, Took] | Refused, wish: Wish, call: Call, held: Held | None = None
) -> tuple[Identity, Took]:
    if isinstance(answer, Refused):
        user = None if held is None else held.arn
        raise _denied(means, answer, call, user=user, action=wish.action, resource=wish.role_arn)
    return answer


def _denied(
    means: Means, refused: Refused, call: Call, *, user: str | None, action: str, resource: str
) -> AccessDenied:
    """Say no as AWS does, with the reasons sealed."""
    message = denials.explained(
        refused.decision, call=call.id, action=action, resource=resource, principal=user or "federated"
    )
    sealed = denials.encoded(message, means.ring, secrets.token_bytes(12))
    told = (
        f"Not authorized to perform {action}"
        if user is None
        else f"User: {user} is not authorized to perform: {action} on resource: {resource}"
    )
    return AccessDenied(sent=f"{told}. Encoded authorization failure message: {sealed}")


def _taken(took: Took, wish: Wish) -> Result:
    session, held = took.session, took.held
    token = session.session_token.reveal()
    return {
        "AssumedRoleUser": {"AssumedRoleId": held.user_id, "Arn": held.arn},
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key.reveal(),
            "SessionToken": token,
            "Expiration": session.expires_at,
        },
        "PackedPolicySize": packed(wish.narrowed, held.tags, held.transitive),
        "SourceIdentity": held.source_identity,
        "SessionTokenUtilization": -(-100 * len(token) // LARGEST),
        "SessionTokenSize": len(token),
    }
