"""Where a call comes from: from outside, or from a function whose own call is in flight; and what that costs its root.

A door asks `of` about each request's ASGI scope. A call from inside a function arrives by the relay (`local.relay`),
which hands its request to the door in this very process and puts the origin into the scope itself: no header, no
port and no address says it, so nobody outside can.

Below a root call there may be so many calls in all, so deep, and none begins when the root is over (design.md, 8.8).
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from actas.invoke.errors import RootOver, TooDeep, TooManyNested
from actas.model.call import Address, Call
from actas.model.facts import Fact, Missing
from actas.model.identity import Identity

SCOPE_KEY: Final = "actas.origin"
_MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What caused a request."""

    root: str | None = None
    """The call at the root of the chain; None where the request came from outside."""
    depth: int = 0
    address: Fact[Address] = field(default=Missing.UNKNOWN, repr=False)
    """Where the root call came from; said of calls from inside only."""


OUTSIDE: Final = Origin()


def of(scope: Mapping[str, Any]) -> Origin:
    """Say what caused the request of an ASGI *scope*."""
    found = scope.get(SCOPE_KEY, OUTSIDE)
    assert isinstance(found, Origin)
    return found


def below(call: Call) -> Origin:
    """Give the origin of what *call*'s function calls while it runs."""
    return Origin(root=call.root or call.id, depth=call.depth + 1, address=call.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nesting:
    """How far calls may go on from a root call."""

    depth: int = 5
    calls: int = 100
    """Calls below one root, however deep, in all."""


@dataclass(slots=True, kw_only=True)
class _Chain:
    payer: Identity
    """Who called the root: what is called below it counts against their limits."""
    calls: int = 0
    trunks: set[str] = field(default_factory=set)
    """The root, and calls that were queued below it and run by themselves."""


class Origins:
    """The ledger of root calls in flight and of what is called below them."""

    def __init__(self) -> None:
        self._chains: dict[str, _Chain] = {}
        self._over: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._chains)

    @staticmethod
    def of(scope: Mapping[str, Any]) -> Origin:
        """Say what caused the request of an ASGI *scope*."""
        return of(scope)

    def payer(self, call: Call, identity: Identity) -> Identity:
        """Say against whose limits *call* counts, which *identity* makes: a nested call counts against its root."""
        chain = None if call.root is None else self._chains.get(call.root)
        return identity if chain is None else chain.payer

    def begin(self, call: Call, identity: Identity, nesting: Nesting) -> None:
        """Enter *call* before its function runs, or raise why it must not."""
        if call.root is None:
            self._chains[call.id] = _Chain(payer=identity, trunks={call.id})
            return
        if call.depth > nesting.depth:
            raise TooDeep(function=call.function, depth=call.depth, allowed=nesting.depth)
        self.need_root(call)
        chain = self._chains.get(call.root) or _Chain(payer=identity, calls=self._over.pop(call.root, 0))
        if call.depth:  # else it is what the root itself put off: an event from outside
            if chain.calls >= nesting.calls:
                self._leave(call.root, chain)
                raise TooManyNested(function=call.function, allowed=nesting.calls)
            chain.calls += 1
        self._chains[call.root] = chain
        if call.is_detached:
            chain.trunks.add(call.id)

    def need_root(self, call: Call) -> None:
        """Raise `RootOver` where *call* is made for a root that is over, unless it runs by itself."""
        if call.root is not None and not call.is_detached and call.root not in self._chains:
            raise RootOver(function=call.function)

    def end(self, call: Call) -> None:
        """Take note that *call* is over; a no-op where it never began."""
        root = call.root or call.id
        if (chain := self._chains.get(root)) is not None:
            chain.trunks.discard(call.id)
            self._leave(root, chain)

    def _leave(self, root: str, chain: _Chain) -> None:
        """Let go of a chain that has no trunk left; what was queued below it may go on, with the same budget."""
        if chain.trunks:
            return
        self._chains.pop(root, None)
        if chain.calls:
            self._over[root] = chain.calls
            if len(self._over) > _MOST_REMEMBERED:
                self._over.popitem(last=False)
