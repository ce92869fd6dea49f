"""What an event means by the settings of one moment: which functions it runs, what it ends. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from actas.events.ends import Cut, cut
from actas.events.normal import IdentityEvent
from actas.events.subscriptions import Subscription, is_own, subscription
from actas.settings.schema import Settings, many


class Meaning:
    """The settings, as the inbox asks them."""

    def __init__(self, settings: Settings) -> None:
        self.backlog = settings.events.backlog
        self._subscriptions: tuple[Subscription, ...] = tuple(subscription(one) for one in settings.on)
        self._ends: Mapping[str, frozenset[str]] = {
            name: frozenset(many(source.ends)) for name, source in settings.events.sources.items()
        }
        self._own = {name: many(source.own_clients) for name, source in settings.events.sources.items()}
        self._cuts = {
            name: frozenset(many(role.cut.on)) for name, role in settings.roles.items() if role.cut is not None
        }
        self._leeway = {name: provider.leeway.time for name, provider in settings.providers.items()}

    def deliveries(self, event: IdentityEvent) -> Sequence[Subscription]:
        """Give the subscriptions that it runs; none of what our own clients caused, unless they say so."""
        own = is_own(event, self._own.get(event.source, ()))
        return [one for one in self._subscriptions if one.wants(event, own=own)]

    def cuts(self, event: IdentityEvent) -> Sequence[str]:
        """Name the roles whose sessions at AWS *event* cuts: all of them, whosever they are."""
        return [name for name, kinds in self._cuts.items() if event.kind.value in kinds]

    def cut(self, event: IdentityEvent) -> Cut | None:
        """Say what it ends; also what our own clients caused ends what it ends."""
        leeway = self._leeway.get(event.provider, timedelta())
        return cut(event, self._ends.get(event.source, frozenset()), leeway=leeway)
