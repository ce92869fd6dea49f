"""Events, deliveries and what is missing, as data for people's programs. Pure."""

from typing import Any

from actas.events.desk import Compared, Letter
from actas.events.normal import IdentityEvent
from actas.store.heard_rows import Heard


def heard_data(one: Heard) -> dict[str, Any]:
    """Give one event, naming nobody."""
    return {
        "number": one.sequence,
        "source": one.source,
        "kind": one.kind,
        "happened_at": one.happened_at.isoformat(),
        "heard_at": one.heard_at.isoformat(),
        "ended": one.ended or None,
        "deliveries": one.deliveries,
    }


def event_data(row: Heard, found: IdentityEvent) -> dict[str, Any]:
    """Give one event as data, with whom it is about."""
    return heard_data(row) | {
        "id": found.id,
        "provider": found.provider,
        "type": found.type,
        "subject": found.subject,
        "actor": found.actor,
        "client": found.client,
        "session": found.session,
        "roles": list(found.roles),
        "groups": list(found.groups),
        "reason": found.reason,
        "named": list(found.named),
        "raw": found.raw is not None,
    }


def letter_data(one: Letter) -> dict[str, Any]:
    """Give a delivery that is set apart."""
    return {
        "id": one.id,
        "key": one.key,
        "source": one.source,
        "kind": one.kind,
        "function": one.function,
        "attempts": one.attempts,
        "why": one.why,
        "died_at": one.died_at.isoformat(),
    }


def compared_data(one: Compared) -> dict[str, Any]:
    """Give what a provider lists beside what was heard."""
    return {
        "source": one.source,
        "asked": one.asked.isoformat(),
        "since": one.since.isoformat(),
        "until": one.until.isoformat(),
        "listed": one.listed,
        "missing": one.missing,
        "bound": one.bound,
        "trouble": one.trouble,
        "examples": [
            {"id": each.id, "kind": each.kind, "happened_at": each.happened_at.isoformat()} for each in one.examples
        ],
    }
