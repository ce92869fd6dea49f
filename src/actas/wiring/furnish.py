"""Furnish the house as the settings of one moment say: rules, brokers, backends, doors."""

from collections.abc import Mapping
from datetime import datetime

from actas.assume.taking import Taker
from actas.decide.ruleset import RuleSet
from actas.house import House
from actas.http.calls import Front
from actas.http.errors import TooManyCalls
from actas.http.rates import Buckets
from actas.http.routes import Routes
from actas.invoke.interface import Backend
from actas.invoke.origins import Nesting
from actas.model.identity import Identity
from actas.settings.reader import Loaded
from actas.settings.schema import Function, RateLimits, Settings
from actas.wiring import load, start
from actas.wiring.brokers import brokers
from actas.wiring.parts import Parts


class CallerLimits:
    """How often one issuer's callers, and one caller, may call."""

    def __init__(self, rate: RateLimits) -> None:
        self._issuers = Buckets(rate=rate.issuer, burst=rate.burst)
        self._subjects = Buckets(rate=rate.subject, burst=rate.burst)

    def admit(self, identity: Identity, *, now: datetime) -> None:
        """Let the call pass, or raise `TooManyCalls`."""
        seconds = now.timestamp()
        if wait := self._subjects.take((identity.issuer, identity.subject), seconds):
            raise TooManyCalls(whose="caller", retry_after=wait)
        if wait := self._issuers.take(identity.issuer, seconds):
            raise TooManyCalls(whose="issuer", retry_after=wait)


class Furnished:
    """The house and the front of one moment, with what they were made of."""

    def __init__(self, loaded: Loaded, settings: Settings, parts: Parts, before: "Furnished | None" = None) -> None:
        """Make them; backends whose settings did not change are taken over from *before*.

        Raise `NeedsRestart` where only a start can take what these settings change.
        """
        self.loaded, self.settings = loaded, settings
        if before is not None:
            start.same(before.settings, settings)
            start.covered(loaded, settings, parts.hidden)
        self.rules = RuleSet(settings, load.policies(loaded, settings), load.trusts(loaded, settings))
        self.backends = _backends(loaded, settings, parts, before)
        self.managed = load.managed(loaded, settings)
        """Policies that may be passed by their ARN at STS."""
        self.reached: dict[str, Backend] = {**self.backends, **parts.admin}
        self.front = Front(settings=settings.gateway, routes=Routes(settings))
        limits = settings.gateway.limits
        self.house = House(
            identify=parts.identify,
            decider=self.rules,
            admits=CallerLimits(limits.rate),
            takes=parts.sessions,
            brokers=brokers(loaded, settings, parts),
            backends=self.reached,
            audit=parts.audit,
            envelope=parts.envelope,
            seals=Taker(parts.sealing, parts.audit, parts.marks),
            marks=parts.marks,
            issuer=settings.gateway.control_url,
            origins=parts.origins,
            nesting=Nesting(depth=limits.depth, calls=limits.calls_per_root),
        )

    def add_admin(self, admin: Mapping[str, Backend]) -> None:
        """Let admin actions be reached, which need a house to be made."""
        self.reached.update(admin)

    def left_over(self, after: "Furnished") -> list[Backend]:
        """List the backends that *after* does not use any more."""
        return [one for name, one in self.backends.items() if after.backends.get(name) is not one]


def _backends(loaded: Loaded, settings: Settings, parts: Parts, before: Furnished | None) -> dict[str, Backend]:
    found: dict[str, Backend] = {}
    for name, function in settings.functions.items():
        if before is not None and before.settings.functions.get(name) == function:
            found[name] = before.backends[name]
        else:
            found[name] = _backend(name, function, loaded, settings, parts)
    return found


def _backend(name: str, function: Function, loaded: Loaded, settings: Settings, parts: Parts) -> Backend:
    """Choose the backend; each kind is one visible line."""
    if function.http is not None:
        from actas.invoke.backends.http import HttpBackend

        return HttpBackend(name, function)
    if function.lambda_ is not None:
        from actas.invoke.backends.aws_lambda import AwsLambdaBackend

        return AwsLambdaBackend(name, function, log=parts.logs.line, flights=parts.flights)
    environment = load.environment(loaded, settings, name)
    return parts.pool.backend(name, function, loaded.path.parent, environment)
