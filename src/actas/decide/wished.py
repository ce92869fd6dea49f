"""Whether a role's trust policy lets somebody take it as they wish: by what they showed, or by a session. Pure.

STS asks more than one action: passing tags needs ``sts:TagSession``, naming a source identity
``sts:SetSourceIdentity``, in the trust policy of every role on the way. What was asked about, and how it stood, goes
into the session, so that the policy can be asked again at each use.
"""

from dataclasses import dataclass
from typing import Final

from actas.decide.facts import Facts
from actas.decide.residue import EPOCH, NOW
from actas.decide.trust import Trust, vouch
from actas.iam import UNKNOWN
from actas.iam.values import Context
from actas.model.decision import Question
from actas.model.held import Held
from actas.model.identity import Identity
from actas.model.wish import Wish

SAML: Final = "sts:AssumeRoleWithSAML"
_TAG: Final = "sts:TagSession"
_SOURCE: Final = "sts:SetSourceIdentity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """What a trust policy was asked about, and what a session must hold for it to be asked again."""

    actions: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    facts: Facts = ()


def by_evidence(trust: Trust | None, question: Question, moment: Context, wish: Wish) -> Trusted | None:
    """Ask about somebody who showed who they are; None is a no."""
    if trust is None:
        return Trusted()
    known = Context(moment)
    known.update(_wished(wish, wish.tags))
    known = trust.context(question, known)
    known["aws:tagkeys"] = tuple(dict.fromkeys((*[name for name, _ in wish.tags], *known["aws:tagkeys"])))
    _, principals = trust.asked(question.identity)
    if wish.action == SAML:
        principals = _saml(question.identity, wish, known)
    return _asked(trust, question, known, _actions(wish, wish.tags, wish.source_identity), principals)


def _saml(identity: Identity, wish: Wish, known: Context) -> tuple[str, ...]:
    """Name the caller as AWS names who comes by SAML, and say what AWS says of assertions."""
    _, partition, _, _, account, _ = wish.role_arn.split(":", 5)
    known["saml:iss"], known["saml:doc"] = identity.issuer, f"{account}/{identity.provider}"
    if wish.recipient is not None:
        known["saml:aud"] = wish.recipient
    return (f"arn:{partition}:iam::{account}:saml-provider/{identity.provider}",)


def by_session(trust: Trust | None, question: Question, known: Context, wish: Wish, held: Held) -> Trusted | None:
    """Ask about somebody who showed a session; *known* is what its own policies were asked with. None is a no."""
    if trust is None:
        return Trusted()
    tags = (*held.passed_on, *wish.tags)
    whole = Context(known)
    whole.update(_wished(wish, tags))
    vouch(whole, "aws:requesttag/", held)
    if tags:
        whole["aws:tagkeys"] = tuple(name for name, _ in tags)
    whole[NOW], whole[EPOCH] = question.at, int(question.at.timestamp())
    for key in trust.keys - whole.keys():
        if not key.startswith(_ABSENT) and key not in _KNOWN_ABSENT:
            whole[key] = UNKNOWN
    return _asked(
        trust, question, whole, _actions(wish, tags, wish.source_identity or held.source_identity), (held.arn,)
    )


def by_itself(wish: Wish, held: Held) -> tuple[str, ...]:
    """List what a session's own policies must allow for it to take a role so; what is only passed on needs nothing."""
    fresh = None if wish.source_identity == held.source_identity else wish.source_identity
    return _actions(wish, wish.tags, fresh)


_ABSENT: Final = ("aws:requesttag/", "aws:principaltag/")
_KNOWN_ABSENT: Final = frozenset(
    {"aws:tagkeys", "aws:sourceidentity", "sts:externalid", "sts:sourceidentity", "sts:transitivetagkeys"}
)


def _wished(wish: Wish, tags: tuple[tuple[str, str], ...]) -> dict[str, object]:
    found: dict[str, object] = {f"aws:requesttag/{name}".lower(): value for name, value in tags}
    found["sts:rolesessionname"] = wish.session_name
    if wish.source_identity is not None:
        found["sts:sourceidentity"] = wish.source_identity
    if wish.external_id is not None:
        found["sts:externalid"] = wish.external_id
    if wish.transitive:
        found["sts:transitivetagkeys"] = wish.transitive
    return found


def _actions(wish: Wish, tags: tuple[tuple[str, str], ...], source_identity: str | None) -> tuple[str, ...]:
    return (wish.action, *((_TAG,) if tags else ()), *((_SOURCE,) if source_identity is not None else ()))


def _asked(
    trust: Trust, question: Question, known: Context, actions: tuple[str, ...], principals: tuple[str, ...]
) -> Trusted | None:
    facts = trust.again.kept(question.identity, known)
    later = Context(known)
    later.update({key: {"true": True, "false": False, "null": UNKNOWN}[text] for key, text in facts if text in _TRUTHS})
    if not trust.again.allows(actions, principals, later):
        return None
    return Trusted(actions=actions, principals=principals, facts=facts)


_TRUTHS: Final = frozenset({"true", "false", "null"})
