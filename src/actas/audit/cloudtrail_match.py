"""Pair what our trail says was allowed as a role with what CloudTrail says was taken at AWS. Pure.

A session is used for many calls, so one event covers all decisions while it lasts. An event needs one decision right
before it: somebody who took the role otherwise has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from actas.audit.cloudtrail import Event, Taken
from actas.model.record import Decided

SKEW: Final = timedelta(seconds=60)
"""How far our clock and AWS's may differ, and how long a trade may take."""
_ALLOWED: Final = frozenset({"allow", "observe"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """A role that AWS gave out, and the calls that it was for."""

    event: Event
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A call that was allowed as a role of AWS's, and no event that the role was taken for it."""

    call: str
    at: datetime
    role: str
    refused: str | None
    """AWS's error, where it was asked and said no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What fits, and what does not."""

    matched: tuple[Paired, ...]
    missing: tuple[Missing, ...]
    unexpected: tuple[Event, ...]
    """A role of ours was taken, and no decision of ours was the cause."""
    others: int
    """Events that are none of our roles'."""

    @property
    def fits(self) -> bool:
        """Whether every issuance has its event and every event its issuance."""
        return not self.missing and not self.unexpected


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that is reported on; what lies around it can still be a cause, or cover what is in it."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, at: datetime) -> bool:
        """Say whether *at* is reported on."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


def match(
    decisions: Iterable[Decided],
    events: Sequence[Event],
    roles: Mapping[str, str],
    *,
    skew: timedelta = SKEW,
    window: Window = Window(),
) -> Report:
    """Pair *decisions* with *events*; *roles* gives the ARN of each role that is taken at AWS, by its name.

    Decisions outside the time that the events cover, give or take *skew*, are left out: of them nothing is known.
    """
    ours = set(roles.values())
    taken = [(one, one.taken) for one in events if one.taken is not None and one.taken.role in ours]
    if not events:
        return Report(matched=(), missing=(), unexpected=(), others=0)
    first, last = events[0].at - skew, events[-1].at + skew
    issued = [one for one in decisions if one.verdict in _ALLOWED and one.role in roles and first <= one.at <= last]
    index = _index(taken)
    covered: dict[int, list[str]] = {}
    caused: set[int] = set()
    missing = []
    for decision in issued:
        found = sorted({place for key in _keys_of(decision, roles) for place in index.get(key, ())})
        good = [place for place in found if _covers(decision, taken[place], skew)]
        near = [place for place in found if abs(taken[place][0].at - decision.at) <= skew + _SECOND]
        caused.update(near)
        if decision.at not in window:
            continue
        for place in good:
            covered.setdefault(place, []).append(decision.call)
        if not good:
            missing.append(_missing(decision, [taken[place][0] for place in near]))
    return Report(
        matched=tuple(
            Paired(event=event, calls=tuple(covered.get(place, ())))
            for place, (event, _) in enumerate(taken)
            if place in covered and (place in caused or event.at not in window)
        ),
        missing=tuple(missing),
        unexpected=tuple(event for place, (event, _) in enumerate(taken) if place not in caused and event.at in window),
        others=sum(one.at in window for one in events) - sum(event.at in window for event, _ in taken),
    )


_SECOND: Final = timedelta(seconds=1)  # CloudTrail's times have no fractions
_Key = tuple[str, str]


def _index(taken: Sequence[tuple[Event, Taken]]) -> Mapping[_Key, Sequence[int]]:
    """List the events by role and whose they are: by the assertion where there was one, else by the session's names."""
    found: dict[_Key, list[int]] = {}
    for place, (_, what) in enumerate(taken):
        names = {what.name, what.source_identity} - {None}
        if what.assertion is not None and what.issuer is not None:
            names = {sha256(f"{what.issuer}\n{what.assertion}".encode()).hexdigest()[:32]}  # as `identify` names it
        for name in names:
            found.setdefault((what.role, name or ""), []).append(place)
    return found


def _keys_of(decision: Decided, roles: Mapping[str, str]) -> Iterable[_Key]:
    arn = roles[decision.role or ""]
    return (arn, decision.subject), (arn, decision.evidence_id)


def _covers(decision: Decided, found: tuple[Event, Taken], skew: timedelta) -> bool:
    event, taken = found
    return event.outcome == "succeeded" and event.at - skew - _SECOND <= decision.at <= taken.until + skew


def _missing(decision: Decided, asked: Sequence[Event]) -> Missing:
    refused = next((one.error for one in asked if one.outcome != "succeeded"), None)
    return Missing(call=decision.call, at=decision.at, role=decision.role or "", refused=refused)
