"""What an event means by the settings of one moment: which functions it runs, what it ends. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from actas.events.ends import Cut, Reach, cut
from actas.events.normal import IdentityEvent
from actas.events.subscriptions import Subscription, is_own, subscription
from actas.settings.schema import Provider, Settings, many
from actas.settings.schema_events import EventSource


class Meaning:
    """The settings, as the inbox asks them."""

    def __init__(self, settings: Settings) -> None:
        self.backlog = settings.events.backlog
        self._subscriptions: tuple[Subscription, ...] = tuple(subscription(one) for one in settings.on)
        self._reach: Mapping[str, Reach] = {
            name: _reach(source, settings.providers.get(source.provider))
            for name, source in settings.events.sources.items()
        }
        self._own = {name: _ours(source) for name, source in settings.events.sources.items()}
        self._cuts = {
            name: frozenset(many(role.cut.on)) for name, role in settings.roles.items() if role.cut is not None
        }

    def deliveries(self, event: IdentityEvent) -> Sequence[Subscription]:
        """Give the subscriptions that it runs; none of what our own clients caused, unless they say so."""
        own = is_own(event, self._own.get(event.source, ()))
        return [one for one in self._subscriptions if one.wants(event, own=own)]

    def cuts(self, event: IdentityEvent) -> Sequence[str]:
        """Name the roles whose sessions at AWS *event* cuts: all of them, whosever they are."""
        return [name for name, kinds in self._cuts.items() if event.kind.value in kinds]

    def cut(self, event: IdentityEvent) -> Cut | None:
        """Say what it ends; also what our own clients caused ends what it ends."""
        reach = self._reach.get(event.source)
        return None if reach is None else cut(event, reach)

    def is_lost(self, event: IdentityEvent) -> bool:
        """Tell whether it takes access away from somebody whom nothing here is matched by."""
        reach = self._reach.get(event.source)
        return reach is not None and reach.ends(event) and cut(event, reach) is None


def _ours(source: EventSource) -> tuple[str, ...]:
    """List the clients whose doings are ours: also the one that asks, or its own sign-ins would run functions."""
    asks = () if source.client is None else (source.client.id,)
    return (*many(source.own_clients), *asks)


def _reach(source: EventSource, provider: Provider | None) -> Reach:
    return Reach(
        kinds=frozenset(many(source.ends)),
        leeway=timedelta() if provider is None else provider.leeway.time,
        addresses=provider is not None and provider.address is not None,
        everybody=source.unmatched == "everybody",
    )
