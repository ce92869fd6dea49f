"""Which functions an event runs, and what each is told. Pure."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from actas.events.normal import IdentityEvent
from actas.settings.schema import On, many

Fact = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One entry of ``on``."""

    id: str
    """A digest of what makes it this one: a change of it is another subscription, with keys of its own."""
    kinds: frozenset[str]
    where: tuple[tuple[str, frozenset[str]], ...]
    function: str
    role: str | None
    payload: tuple[str, ...]
    own: bool
    format: Literal["cloudevents", "eventbridge"]

    def wants(self, event: IdentityEvent, *, own: bool) -> bool:
        """Tell whether *event* runs it; *own* says that our own clients caused the event."""
        if event.kind.value not in self.kinds or (own and not self.own):
            return False
        return all(not wanted.isdisjoint(_values(event, name)) for name, wanted in self.where)


def subscription(settings: On) -> Subscription:
    """Make one of its settings."""
    where = {name: sorted(many(value)) for name, value in sorted(settings.where.items())}
    about = [sorted(many(settings.event)), where, settings.run, settings.as_]
    return Subscription(
        id=hashlib.sha256(msgspec.json.encode(about)).hexdigest()[:12],
        kinds=frozenset(many(settings.event)),
        where=tuple((name, frozenset(values)) for name, values in where.items()),
        function=settings.run,
        role=settings.as_,
        payload=settings.payload,
        own=settings.own,
        format=settings.format,
    )


def is_own(event: IdentityEvent, clients: Sequence[str]) -> bool:
    """Tell whether one of our own clients caused it."""
    return event.client in clients or event.actor in clients


def facts(event: IdentityEvent, names: Sequence[str]) -> dict[str, Fact]:
    """Give what was asked for and nothing more; what the provider did not say is null."""
    return {name: _FACTS[name](event) for name in names}


def _values(event: IdentityEvent, name: str) -> Sequence[str]:
    match name:
        case "role":
            return event.roles
        case "group":
            return event.groups
        case _:
            found = _FACTS[name](event)
            return (found,) if isinstance(found, str) else ()


_FACTS: Final[Mapping[str, Callable[[IdentityEvent], Fact]]] = {
    "id": lambda event: event.id,
    "source": lambda event: event.source,
    "provider": lambda event: event.provider,
    "kind": lambda event: event.kind.value,
    "type": lambda event: event.type,
    "subject": lambda event: event.subject,
    "actor": lambda event: event.actor,
    "client": lambda event: event.client,
    "session": lambda event: event.session,
    "happened_at": lambda event: event.happened_at.isoformat(),
    "heard_at": lambda event: event.heard_at.isoformat(),
    "roles": lambda event: event.roles,
    "groups": lambda event: event.groups,
    "role": lambda event: event.roles[0] if len(event.roles) == 1 else None,
    "group": lambda event: event.groups[0] if len(event.groups) == 1 else None,
    "reason": lambda event: event.reason,
    "named": lambda event: event.named,
}
