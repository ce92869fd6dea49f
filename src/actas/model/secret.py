"""A value that will not print, format or pickle."""

import hmac
from collections.abc import Callable
from typing import NoReturn


class Secret:
    """Holds a secret. Reading it takes a word you can grep for: ``reveal``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Hand the secret over. Every caller of this is worth a review."""
        return self._value

    def matches(self, other: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self._value.encode(), other.encode("utf-8", "surrogatepass"))

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "Secret(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class Deferred(Secret):
    """A secret that is made when it is first read: for what is dear to make and seldom read."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], str]) -> None:
        super().__init__("")
        self._make: Callable[[], str] | None = make

    def reveal(self) -> str:
        """Make it, the first time, and hand it over; raises whatever keeps it from being made."""
        if (make := self._make) is not None:
            self._value = make()
            self._make = None
        return self._value

    def matches(self, other: str) -> bool:
        """Make it, the first time, and compare in constant time."""
        self.reveal()
        return super().matches(other)
