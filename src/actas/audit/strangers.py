"""Count calls that never became an identity: by reason, network and minute, in bounded memory. Pure."""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from actas.audit.records import Counted
from actas.model.call import Address
from actas.model.facts import Fact, Known

MOST = 1000
"""Lines that strangers can cause at most between two times the counts are taken; the rest is one line a minute."""
_MINUTE = timedelta(minutes=1)
_Place = tuple[int, int]
"""IP version and the leading bits: 24 of an IPv4 address, 48 of an IPv6 address."""
_UNKNOWN: _Place = (0, 0)
_OTHERS: _Place = (-1, 0)


class Strangers:
    """The counts since they were last taken."""

    def __init__(self) -> None:
        self._counts: dict[tuple[datetime, str, _Place], int] = {}

    def count(self, reason: str, address: Fact[Address], now: datetime) -> None:
        """Count one stranger."""
        minute = now.replace(second=0, microsecond=0)
        key = (minute, reason, _place(address))
        if key not in self._counts and len(self._counts) >= MOST:
            key = (minute, "others", _OTHERS)
        self._counts[key] = self._counts.get(key, 0) + 1

    def take(self, before: datetime) -> list[Counted]:
        """Give and forget the counts of the minutes that ended before then."""
        over = sorted(key for key in self._counts if key[0] + _MINUTE <= before)
        return [
            Counted(at=key[0], reason=key[1], network=_written(key[2]), count=self._counts.pop(key)) for key in over
        ]


def _place(address: Fact[Address]) -> _Place:
    if not isinstance(address, Known):
        return _UNKNOWN
    found = address.value
    return (4, int(found) >> 8) if isinstance(found, IPv4Address) else (6, int(found) >> 80)


def _written(place: _Place) -> str:
    match place:
        case (4, bits):
            return f"{IPv4Address(bits << 8)}/24"
        case (6, bits):
            return f"{IPv6Address(bits << 80)}/48"
        case _:
            return "others" if place == _OTHERS else "unknown"
