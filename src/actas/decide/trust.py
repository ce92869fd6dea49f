"""Whether a role's own trust policy lets this caller take it. Pure.

The rules say who may run what as whom; a role's ``trust`` file may say less. It is decided by `actas.iam` as AWS
decides taking a role by web identity, with the caller standing as two federated principals: its own provider's, and
this gateway's, which is whom AWS gets to see (design.md, 8.2). An Allow for either is enough; a Deny for either
refuses.

A condition key that `TABLE` does not list cannot be known here, so it is unknown and never in the caller's favour.
"""

from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from actas import iam
from actas.decide import keys
from actas.decide.facts import Facts
from actas.decide.keys import Key
from actas.decide.residue import EPOCH, NOW, Residue
from actas.iam.conditions import keys_of
from actas.iam.explain import nearest
from actas.iam.values import Context
from actas.model.decision import Question, Role
from actas.model.facts import Known
from actas.model.held import Held
from actas.model.identity import Identity
from actas.settings.schema import Settings, many

TAKE: Final = "sts:AssumeRoleWithWebIdentity"
_ALSO: Final = ("sts:TagSession", "sts:SetSourceIdentity")
"""What our token for AWS carries besides a name: STS asks for these too."""
_BUILT_IN: Final = frozenset({"accounts.google.com", "cognito-identity.amazonaws.com"})
"""Issuers that AWS names without an ARN."""
_AUDIENCE: Final = "sts.amazonaws.com"
_TAGS: Final = "aws:requesttag/"

TABLE: tuple[Key, ...] = (
    Key(
        name="ISSUER:sub",
        type="string",
        source="the provider's stable identifier of the caller, as `actas:subject`",
        unknown="never",
    ),
    Key(
        name="ISSUER:aud",
        type="string",
        source="the client that the token was issued to (`azp`), else the audience that the provider's settings name",
        unknown="the token names no client and the settings no audience, or several",
    ),
    Key(
        name="GATEWAY:aud",
        type="string",
        source=f"`{_AUDIENCE}`: the audience of the token that this gateway shows to AWS",
        unknown="never",
        enforced_by="aws",
    ),
    Key(name="aws:CurrentTime", type="date", source="the moment of the call", unknown="never", enforced_by="aws"),
    Key(
        name="aws:EpochTime",
        type="number",
        source="the same, in seconds since 1970",
        unknown="never",
        enforced_by="aws",
    ),
    Key(
        name="aws:SourceIp",
        type="IP address",
        source="the client's address; AWS sees this gateway's",
        unknown="the peer is private and no proxy is declared",
    ),
    Key(
        name="aws:MultiFactorAuthPresent",
        type="boolean",
        source="as `actas:mfa`; AWS has no such key for web identities",
        unknown="as `actas:mfa`",
    ),
    Key(
        name="aws:RequestTag/provider",
        type="string",
        source="the provider's name in the settings",
        unknown="never",
        enforced_by="aws",
    ),
    Key(
        name="aws:RequestTag/kind",
        type="string",
        source="human, service or agent, or how that is missing",
        unknown="never",
        enforced_by="aws",
    ),
    Key(
        name="aws:RequestTag/actor",
        type="string",
        source="the client of who acts for the caller; no such key where nobody does",
        unknown="never",
        enforced_by="aws",
    ),
    Key(
        name="aws:TagKeys", type="list of strings", source="the names of these tags", unknown="never", enforced_by="aws"
    ),
)
"""What a trust policy is decided with, besides `keys.TABLE`."""

_KNOWN_ABSENT: Final = frozenset({keys.GROUPS, keys.ROLES, keys.SCOPES})
"""Keys that `context` leaves out where it knows that there is nothing."""


class Trust:
    """One role's trust policy, ready to be asked."""

    def __init__(self, role: Role, settings: Settings) -> None:
        """Compile the role's policy; one whose text is not there trusts nobody."""
        self.name = f"the trust policy of {role.name}"
        read = () if role.trust is None else (iam.Policy.parse(role.trust, kind=iam.Kind.TRUST, name=self.name),)
        self._role, self._settings = role, settings
        self._policies = iam.PolicySet(identity=None, resource=read)
        self._compiled = iam.compile(self._policies)
        in_aws = settings.roles[role.name].broker == "aws-web-identity"
        self._actions = (TAKE, *_ALSO) if in_aws else (TAKE,)
        self.keys = mentioned(read)
        self.again = Residue(read, role.arn)
        """The policy as it is asked when a session is used."""

    def blind(self) -> tuple[str, ...]:
        """List the condition keys of the policy that this gateway cannot see, whoever calls."""
        return tuple(sorted(key for key in self.keys if not _is_seen(key)))

    def names_nobody(self) -> bool:
        """Tell whether no Allow names this gateway, a provider or somebody of AWS; False where that cannot be told."""
        issuers = [self._settings.gateway.control_url]
        for provider in self._settings.providers.values():
            if provider.issuer is None:  # made by its preset
                return False
            issuers.append(provider.issuer)
        names = {"*", *(self._named(issuer) for issuer in issuers)}
        names |= {self._by_saml(name) for name in self._settings.providers}
        allows = [one for policy in self._policies.resource or () for one in policy.statements if one.effect == "Allow"]
        return not any(
            one.not_principal
            or (
                one.principals is not None
                and (one.principals.everyone or one.principals.aws or not names.isdisjoint(one.principals.federated))
            )
            for one in allows
        )

    def allows(self, question: Question, moment: Context) -> bool:
        """Tell whether the caller may take the role at this *moment*."""
        context = self.context(question, moment)
        callers = self._callers(question.identity)
        return all(self._allowed(action, callers, context) for action in self._actions)

    def _allowed(self, action: str, callers: tuple[str, ...], context: Context) -> bool:
        effects = {self._compiled(self._request(caller, action, context)).effect for caller in callers}
        return "Allowed" in effects and "ExplicitlyDenied" not in effects

    def asked(self, identity: Identity) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the actions and the principals that `allows` asks about."""
        return self._actions, self._callers(identity)

    def kept(self, question: Question, moment: Context) -> Facts:
        """Write down what a session must hold for the policy to be asked again."""
        return self.again.kept(question.identity, self.context(question, moment))

    def lacks(self, question: Question, moment: Context) -> str:
        """Say what keeps the caller from the role, for somebody who may see the caller's facts."""
        context = self.context(question, moment)
        callers = self._callers(question.identity)
        action = next(one for one in self._actions if not self._allowed(one, callers, context))
        decisions = [iam.evaluate(self._request(caller, action, context), self._policies) for caller in callers]
        if any(decision.effect == "ExplicitlyDenied" for decision in decisions):
            return f"a Deny statement of {self.name} must not apply any more"
        for decision in decisions:
            miss = nearest(decision, "resource")
            if miss is not None and miss.failure.part == "condition":
                return f"{self.name} would allow it, but {miss.failure.sentence()}"
        return f"{self.name} must allow {action} to {' or '.join(callers)}"

    def _request(self, caller: str, action: str, context: Context) -> iam.Request:
        return iam.Request(principal=caller, action=action, resource=self._role.arn, context=context)

    def _callers(self, identity: Identity) -> tuple[str, ...]:
        """Name the caller as AWS names federated principals: by its provider, and by this gateway."""
        return tuple(self._named(issuer) for issuer in (identity.issuer, self._settings.gateway.control_url))

    def _named(self, issuer: str) -> str:
        _, partition, _, _, account, _ = self._role.arn.split(":", 5)
        host = _host(issuer)
        return host if host in _BUILT_IN else f"arn:{partition}:iam::{account}:oidc-provider/{host}"

    def _by_saml(self, provider: str) -> str:
        _, partition, _, _, account, _ = self._role.arn.split(":", 5)
        return f"arn:{partition}:iam::{account}:saml-provider/{provider}"

    def context(self, question: Question, moment: Context) -> Context:
        """Add the keys of `TABLE` to those of the rules, and say of every other key that it is not known."""
        identity, gateway = question.identity, self._settings.gateway
        tags = _tags(identity)
        context = Context(moment)
        context.update({_TAGS + name: value for name, value in tags.items()})
        context["aws:tagkeys"] = tuple(tags)
        context[NOW], context[EPOCH] = question.at, int(question.at.timestamp())
        context["aws:multifactorauthpresent"] = context[keys.MFA]
        context[f"{_host(gateway.control_url)}:aud".lower()] = _AUDIENCE
        issuer = _host(identity.issuer).lower()
        context[f"{issuer}:sub"] = identity.subject
        context[f"{issuer}:aud"] = self._audience(identity)
        for key in self.keys - context.keys():
            if key not in _KNOWN_ABSENT and not key.startswith(_TAGS):
                context[key] = iam.UNKNOWN
        return context

    def _audience(self, identity: Identity) -> object:
        if isinstance(identity.client, Known):
            return identity.client.value
        provider = self._settings.providers.get(identity.provider)
        audiences = many(provider.audience) if provider is not None else ()
        return audiences[0] if len(audiences) == 1 else iam.UNKNOWN


def _host(url: str) -> str:
    """Name an issuer as IAM does: without ``https://``, a slash at the end kept."""
    return url.partition("://")[2] or url


def _tags(identity: Identity) -> dict[str, str]:
    """Give the tags that our token for AWS carries (`assume`, aws-web-identity)."""
    kind = identity.kind
    tags = {"provider": identity.provider, "kind": kind.value.value if isinstance(kind, Known) else kind.value}
    if identity.actors:
        tags["actor"] = identity.actors[0].client or "yes"
    return tags


def vouch(context: Context, stem: str, held: Held) -> None:
    """Say of whoever has a session what is this gateway's to say; no tag of their own passes for it."""
    context[f"{stem}provider"], context[f"{stem}kind"] = held.provider, held.kind
    context.pop(f"{stem}actor", None)
    if held.actors:  # their clients are in no session
        context[f"{stem}actor"] = iam.UNKNOWN


def mentioned(policies: Iterable[iam.Policy]) -> frozenset[str]:
    """List the condition keys, folded, that *policies* look at."""
    found = [
        keys_of(condition, with_variables=statement.variables)
        for policy in policies
        for statement in policy.statements
        for condition in statement.conditions
    ]
    return frozenset().union(*found)


AT_STS: Final = frozenset(
    {
        *("sts:externalid", "sts:rolesessionname", "sts:sourceidentity", "sts:transitivetagkeys"),
        *("aws:sourceidentity", "aws:principalarn", "aws:principalaccount", "aws:tokenissuetime"),
        *("saml:iss", "saml:doc", "saml:aud"),
    }
)
"""Keys that are known only of somebody who takes the role at STS (`wished`)."""


def _is_seen(key: str) -> bool:
    return (
        key in _SEEN
        or key in AT_STS
        or key.startswith(_PREFIXES)
        or (key.endswith((":sub", ":aud")) and not key.startswith("aws:"))
    )


_MOMENTS: Final = (keys.WEEKDAY, keys.YESTERDAY, keys.MINUTE, keys.DATE)
_PREFIXES: Final = (*_MOMENTS, _TAGS, "aws:principaltag/")
_SEEN: Final = frozenset(key.name.lower() for key in (*keys.TABLE, *TABLE))


def zones(trusts: Iterable[Trust]) -> set[ZoneInfo]:
    """Find the time zones whose moments trust policies look at."""
    named = {key.partition("/")[2] for trust in trusts for key in trust.keys if key.startswith(_MOMENTS)}
    return {ZoneInfo(name) for name in available_timezones() if name.lower() in named} if named else set()
