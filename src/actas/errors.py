"""Every way Actas fails has a code that never changes, a sentence of facts, and a hint.

A "no" is not an error: `decide` returns it as a value. An error means that we could not decide or could
not act.

A concrete error states ``code`` and ``hint`` in its class body; one that does not is an abstract base and
cannot be raised. Codes are API: ``docs/errors.md`` lists each, and a test compares.
"""

from typing import Any, ClassVar, Self

CATALOGUE: dict[str, type["ActasError"]] = {}
"""Each code and the class that owns it; filled when classes are defined, read by docs and tests."""


class ActasError(Exception):
    """The root of every error that Actas raises."""

    code: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    status: ClassVar[int] = 500
    """The HTTP status a front door answers with."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Enter a concrete class into the catalogue; refuse a code that is taken."""
        super().__init_subclass__(**more)
        if "code" not in cls.__dict__:
            return
        room, _, name = cls.code.partition(".")
        if not (room and name and cls.hint.endswith(".")):
            raise TypeError(f"{cls.__name__} needs a code 'room.what-went-wrong' and a hint that is a sentence")
        if CATALOGUE.setdefault(cls.code, cls).__qualname__ != cls.__qualname__:
            raise TypeError(f"{cls.code} is the code of {CATALOGUE[cls.code].__name__} already")

    def __new__(cls, *_facts: Any, **_named: Any) -> Self:
        """Refuse to make an error that has no code of its own."""
        if not cls.code:
            raise TypeError(f"{cls.__name__} is abstract; raise one of its concrete errors")
        return super().__new__(cls)

    @property
    def message(self) -> str:
        """The facts of this case, one line."""
        return str(self)

    def again(self) -> Self:
        """Make the same error for another caller: one instance raised twice would mix two tracebacks."""
        fresh = type(self).__new__(type(self))
        fresh.args = self.args
        fresh.__dict__.update(self.__dict__)
        return fresh
