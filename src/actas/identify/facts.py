"""Read facts about the caller from claims whose signature holds.

Pure. A fact is known, absent, overflowed or unknown (design.md, 1). A claim that is there but of a shape that
cannot be read leaves its fact unknown: guessing would be in somebody's favour.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from actas.identify.paths import NotThere, Path, find, first_text
from actas.identify.preset import Tell, Tells
from actas.identify.profile import Profile, Reading
from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Actor, Kind

Claims = Mapping[str, Any]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 253402300799  # 9999-12-31T23:59:59Z
_YES, _NO = Known(True), Known(False)  # made once: facts are made for every new token
_KINDS: Final = {kind: Known(kind) for kind in Kind}


def names(claims: Claims, reading: Reading, *, overage: tuple[str, ...] = ()) -> Fact[frozenset[str]]:
    """Read a set of names, such as groups or roles."""
    return _set(claims, reading, overage, spaced=False)


def scopes(claims: Claims, reading: Reading) -> Fact[frozenset[str]]:
    """Read scopes: a text with spaces between them, or a list (protocols.md, 1.0)."""
    return _set(claims, reading, (), spaced=True)


def text(claims: Claims, reading: Reading) -> Fact[str]:
    """Read a single text, such as the client's id."""
    found = first_text(claims, reading.paths)
    if isinstance(found, NotThere):
        return Missing.UNKNOWN
    return Missing.ABSENT if found is None else Known(found)


def address(claims: Claims, profile: Profile, kind: Fact[Kind]) -> str | None:
    """Read the address by which events may name a person; empty where none can be read, for it may be anybody's."""
    if profile.address is None or kind == _KINDS[Kind.SERVICE]:  # a program has none, and is nobody whom one names
        return None
    found = first_text(claims, (profile.address,))
    return found if isinstance(found, str) else ""


def mfa(claims: Claims, profile: Profile) -> Fact[bool]:
    """Say whether a second factor was used, as far as ``amr`` and ``acr`` tell."""
    methods, level = claims.get("amr"), claims.get("acr")
    methods = [methods] if isinstance(methods, str) else methods
    said = False
    if profile.amr and methods is not None:  # RFC 8176
        if not isinstance(methods, (list, tuple)) or not all(isinstance(one, str) for one in methods):
            return Missing.UNKNOWN
        if not profile.amr.isdisjoint(methods):
            return _YES
        said = True
    if profile.acr and level is not None:
        if not isinstance(level, str):
            return Missing.UNKNOWN
        if level in profile.acr:
            return _YES
        said = True
    return _NO if said else Missing.ABSENT


def authenticated_at(claims: Claims, *, now: datetime, leeway: timedelta) -> Fact[datetime]:
    """Read when the caller signed in; a time in the future is nothing to rely on."""
    found = claims.get("auth_time")
    if found is None:
        return Missing.ABSENT
    if type(found) not in (int, float) or not 0 <= found <= _LATEST:
        return Missing.UNKNOWN
    if now.timestamp() < found - leeway.total_seconds():
        return Missing.UNKNOWN
    return Known(_EPOCH + timedelta(seconds=found))


def kind(claims: Claims, profile: Profile, client: Fact[str], actors: tuple[Actor, ...]) -> Fact[Kind]:
    """Tell people, programs and agents apart; where the tells contradict or say nothing, it is unknown."""
    if _is_an_agent(client, actors, profile.agents):
        return _KINDS[Kind.AGENT]
    return person_or_program(claims, profile)


def person_or_program(claims: Claims, profile: Profile) -> Fact[Kind]:
    """Tell people and programs apart by the settings, else by the preset's tells."""
    preset = profile.preset
    if profile.service is not None:
        is_service = all(_says(claims, path, value) for path, value in profile.service)
        return _KINDS[Kind.SERVICE if is_service else Kind.HUMAN]
    if preset.kind is not None:
        return _KINDS[preset.kind]
    is_service = shows(claims, preset.service)
    if is_service and not shows(claims, preset.human):
        return _KINDS[Kind.SERVICE]
    if not is_service and (profile.takes == "id" or shows(claims, preset.human)):
        return _KINDS[Kind.HUMAN]  # an ID token tells of a person's sign-in (OpenID Connect Core 1.0, section 2)
    return Missing.UNKNOWN


def _says(claims: Claims, path: Path, value: str) -> bool:
    """Say whether a claim has the value that the settings name; they write true where JSON has it."""
    found = [one for _, one in find(claims, path)]
    return any(str(one).lower() == value if isinstance(one, bool) else one == value for one in found)


def shows(claims: Claims, tells: Tells) -> bool:
    """Say whether all tells of any group are to be seen."""
    for group in tells:
        for tell in group:
            if not _is_seen(claims, tell):
                break
        else:
            return True
    return False


def _is_seen(claims: Claims, tell: Tell) -> bool:
    value = claims.get(tell.claim)
    if not tell.present or value is None:
        return not tell.present and value is None
    if tell.same_as is not None:
        return bool(value == claims.get(tell.same_as))
    if tell.equals is not None:
        return bool(value == tell.equals)
    if not (tell.prefix or tell.suffix or tell.contains):
        return True
    return (
        isinstance(value, str)
        and value.startswith(tell.prefix)
        and value.endswith(tell.suffix)
        and tell.contains in value
    )


def _is_an_agent(client: Fact[str], actors: tuple[Actor, ...], agents: frozenset[str]) -> bool:
    if isinstance(client, Known) and client.value in agents:
        return True
    return any(actor.subject in agents or actor.client in agents for actor in actors)


def _set(claims: Claims, reading: Reading, overage: tuple[str, ...], *, spaced: bool) -> Fact[frozenset[str]]:
    if (overage or "_claim_names" in claims) and _is_overflowed(claims, reading.paths, overage):
        return Missing.OVERFLOWED
    found: set[str] = set()
    seen = False
    for path in reading.paths:
        for owner, value in find(claims, path):
            listed = _listed(value, spaced=spaced)
            if listed is None:
                return Missing.UNKNOWN
            seen = True
            found.update([_named(one, owner) for one in listed] if reading.qualified else listed)
    if not seen:
        return Known(frozenset(), by_absence=True) if reading.absent == "empty" else Missing.ABSENT
    if reading.full is not None and len(found) >= reading.full:
        return Missing.OVERFLOWED
    return Known(frozenset(found))


def _is_overflowed(claims: Claims, paths: tuple[Path, ...], overage: tuple[str, ...]) -> bool:
    elsewhere = claims.get("_claim_names")  # OpenID Connect Core 1.0, section 5.6.2; Entra's overage
    if elsewhere is not None and (
        not isinstance(elsewhere, dict) or any(path[0] in elsewhere for path in paths if path)
    ):
        return True
    return any(claims.get(mark) not in (None, False, "false") for mark in overage)


def _listed(value: object, *, spaced: bool) -> Sequence[str] | None:
    """Make a list of texts of a claim; None where it is none. A single value may come bare (protocols.md, 1.5)."""
    if isinstance(value, str):
        return [one for one in value.split(" ") if one] if spaced else (value,)
    if not isinstance(value, (list, tuple)):
        return None
    for one in value:
        if not isinstance(one, str) or not one:
            return None
    return value


def _named(name: str, owner: str | None) -> str:
    r"""Write a name so that no two meanings are equal: ``client:role``, and a colon of the realm's own as ``\:``."""
    return _escaped(name) if owner is None else f"{_escaped(owner)}:{name}"


def _escaped(text: str) -> str:
    if ":" not in text and "\\" not in text:
        return text
    return text.replace("\\", "\\\\").replace(":", "\\:")
