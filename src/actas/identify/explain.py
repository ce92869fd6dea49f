"""Each step from a token to an identity, as data; for ``actas who``.

Pure. A step names claims and counts, never their values: no token, no name, no address. The identity that comes out
is given beside the steps, for whoever may see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actas.identify.believe import subject_path
from actas.identify.errors import IdentifyError
from actas.identify.profile import Issuer, Profile, Reading
from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what it is about, what came of it, and a sentence for a person."""

    name: str
    code: str
    """``ok``, ``known``, ``absent``, ``empty-by-absence``, ``overflowed``, ``unknown``, or an error's code."""
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All steps, and the identity if the caller is believed."""

    steps: tuple[Step, ...]
    identity: Identity | None = field(repr=False)


def refusal(name: str, wrong: IdentifyError) -> Step:
    """Tell at which step the caller was not believed, and why."""
    return Step(name=name, code=wrong.code, sentence=f"{wrong.message}. {wrong.hint}")


def provider_step(issuer: Issuer) -> Step:
    """Tell which provider the token's issuer chose."""
    profile = issuer.profile
    sentence = f"the issuer is {issuer.iss}, which is the provider {profile.name} (preset {profile.preset.name})"
    return Step(name="provider", code="ok", sentence=sentence)


def signature_step(issuer: Issuer, keys: int) -> Step:
    """Tell that signature and times hold."""
    sentence = f"the signature holds under one of the {keys} keys of {issuer.profile.name}, and the times are good"
    return Step(name="signature", code="ok", sentence=sentence)


def fact_steps(identity: Identity, claims: Mapping[str, Any], profile: Profile, *, looked_up: bool) -> tuple[Step, ...]:
    """Tell of each fact what is known, and from where."""
    kind = "access" if profile.takes == "access" else "ID"
    return (
        Step(
            name="kind-of-token", code="ok", sentence=f"it is an {kind} token for this gateway, and not bound to a key"
        ),
        Step(
            name="subject", code="known", sentence=f"the caller is named by {'.'.join(subject_path(claims, profile))}"
        ),
        _one("client", identity.client, profile.client),
        _one("tenant", identity.tenant, profile.tenant),
        _groups(identity, profile, looked_up=looked_up),
        _several("roles", identity.roles, profile.roles),
        _several("scopes", identity.scopes, profile.scopes),
        _said("kind", identity.kind, "what sort of caller it is"),
        _said("mfa", identity.mfa, "whether a second factor was used, by amr or acr"),
        _said("authenticated-at", identity.authenticated_at, "when the caller signed in, by auth_time"),
        Step(name="actors", code="known", sentence=_acting(len(identity.actors))),
    )


def _groups(identity: Identity, profile: Profile, *, looked_up: bool) -> Step:
    if not looked_up:
        return _several("groups", identity.groups, profile.groups)
    if isinstance(identity.groups, Known):
        sentence = f"{_counted(len(identity.groups.value), 'group')} looked up by {profile.lookup}"
        return Step(name="groups", code="known", sentence=sentence)
    sentence = f"the token cannot carry the groups, and the look-up by {profile.lookup} failed"
    return Step(name="groups", code="unknown", sentence=sentence)


def _one(name: str, fact: Fact[str], reading: Reading) -> Step:
    return Step(name=name, code=code_of(fact), sentence=_where(name, fact, reading, "1 value"))


def _several(name: str, fact: Fact[frozenset[str]], reading: Reading) -> Step:
    count = _counted(len(fact.value), name.removesuffix("s")) if isinstance(fact, Known) else ""
    return Step(name=name, code=code_of(fact), sentence=_where(name, fact, reading, count))


def _where(name: str, fact: Fact[Any], reading: Reading, count: str) -> str:
    if not reading.paths and not isinstance(fact, Known):
        return f"this provider's tokens have no claim for {name}"
    places = " and ".join(".".join(path) for path in reading.paths) or "a claim for it"
    match fact:
        case Known(by_absence=True):
            return f"{places} is not there, which the settings or the preset take for no {name}"
        case Known():
            return f"{count} in {places}"
        case Missing.ABSENT:
            return f"{places} is not there, and nobody says what that means"
        case Missing.OVERFLOWED:
            return f"there are more {name} than the token lists"
        case Missing.UNKNOWN:
            return f"{places} has a form that cannot be read"


def _said(name: str, fact: Fact[Any], what: str) -> Step:
    said = "the token says" if isinstance(fact, Known) else "the token does not say"
    return Step(name=name, code=code_of(fact), sentence=f"{said} {what}")


def code_of(fact: Fact[Any]) -> str:
    """Say in a word what is known of *fact*."""
    if isinstance(fact, Missing):
        return fact.value
    return "empty-by-absence" if fact.by_absence else "known"


def _acting(count: int) -> str:
    if count == 0:
        return "nobody acts on the caller's behalf"
    return f"{_counted(count, 'actor')} between the subject and us"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
