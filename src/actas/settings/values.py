"""The small values of the settings file: spans, sizes, networks, clock hours, references to secrets.

Each reads one text form and refuses everything else with ``ValueError``, which the reader turns into a mistake
with file, line and column.
"""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import ClassVar, Self

_SPAN = re.compile(r"(0|[1-9][0-9]{0,8})(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(0|[1-9][0-9]{0,11})(B|KB|MB|GB)")
_POWERS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(24:00|([01][0-9]|2[0-3]):([0-5][0-9]))")


class Scalar:
    """A value with one text form. Not a dataclass, so that msgspec hands its text to us."""

    __slots__: tuple[str, ...] = ()
    pattern: ClassVar[str]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read *text*; raise ValueError where it is no such value."""
        raise NotImplementedError

    def _parts(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._parts() == self._parts()

    def __hash__(self) -> int:
        return hash((type(self), self._parts()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._parts()}"

    def __str__(self) -> str:
        """Write the value as a settings file would."""
        raise NotImplementedError


class Span(Scalar):
    """A length of time: ``500ms``, ``10s``, ``15m``, ``24h``, ``7d``."""

    __slots__ = ("time",)
    pattern = _SPAN.pattern

    def __init__(self, time: timedelta) -> None:
        self.time = time

    @classmethod
    def read(cls, text: str) -> Self:
        """Read *text*; raise ValueError where it is no span."""
        if not (found := _SPAN.fullmatch(text)):
            raise ValueError("a span of time is a whole number and a unit: 500ms, 10s, 15m, 24h or 7d")
        return cls(timedelta(seconds=int(found[1]) * _UNITS[found[2]]))

    def __str__(self) -> str:
        """Write the span in the largest unit that leaves no fraction."""
        whole = round(self.seconds * 1000)
        for unit in ("d", "h", "m", "s"):
            if whole and whole % (length := round(_UNITS[unit] * 1000)) == 0:
                return f"{whole // length}{unit}"
        return f"{whole}ms"

    @property
    def seconds(self) -> float:
        """The whole span in seconds."""
        return self.time.total_seconds()


class Size(Scalar):
    """An amount of bytes: ``512B``, ``64KB``, ``256MB``, ``1GB`` (of 1,024)."""

    __slots__ = ("bytes",)
    pattern = _SIZE.pattern

    def __init__(self, number: int) -> None:
        self.bytes = number

    @classmethod
    def read(cls, text: str) -> Self:
        """Read *text*; raise ValueError where it is no size."""
        if not (found := _SIZE.fullmatch(text)):
            raise ValueError("a size is a whole number and a unit: 512B, 64KB, 256MB or 1GB")
        return cls(int(found[1]) * _POWERS[found[2]])

    def __str__(self) -> str:
        """Write the size in the largest unit that leaves no fraction."""
        for unit in ("GB", "MB", "KB"):
            if self.bytes and self.bytes % _POWERS[unit] == 0:
                return f"{self.bytes // _POWERS[unit]}{unit}"
        return f"{self.bytes}B"


class Network(Scalar):
    """An IP network in CIDR form, ``10.0.0.0/8`` or ``2001:db8::/32``; a bare address is a network of one."""

    __slots__ = ("net",)
    pattern = r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?"

    def __init__(self, net: IPv4Network | IPv6Network) -> None:
        self.net = net

    @classmethod
    def read(cls, text: str) -> Self:
        """Read *text*; raise ValueError where it is no network or has host bits set."""
        if not re.fullmatch(cls.pattern, text):
            raise ValueError("a network is written 10.0.0.0/8 or 2001:db8::/32")
        try:
            return cls(ip_network(text, strict=True))
        except ValueError as wrong:
            raise ValueError(f"a network is written 10.0.0.0/8 or 2001:db8::/32: {wrong}") from wrong

    def __str__(self) -> str:
        """Write the network in CIDR form."""
        return str(self.net)


class Hours(Scalar):
    """A part of the day, ``07:00-19:00``, the end not included; ``22:00-06:00`` goes over midnight.

    ``start`` and ``end`` are minutes after midnight, 1,440 for 24:00.
    """

    __slots__ = ("end", "start")
    pattern = _HOURS.pattern

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    @classmethod
    def read(cls, text: str) -> Self:
        """Read *text*; raise ValueError where it is no part of a day."""
        if not (found := _HOURS.fullmatch(text)):
            raise ValueError("hours are written 07:00-19:00 (24:00 is the day's end; 22:00-06:00 goes over midnight)")
        start = int(found[1]) * 60 + int(found[2])
        end = 1440 if found[3] == "24:00" else int(found[4]) * 60 + int(found[5])
        if start == end:
            raise ValueError(
                "hours that start and end at the same minute say nothing; leave them out or mean 00:00-24:00"
            )
        return cls(start, end)

    def __str__(self) -> str:
        """Write the hours as they were read."""
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.start, self.end))


SCALARS: tuple[type[Scalar], ...] = (Span, Size, Network, Hours)
