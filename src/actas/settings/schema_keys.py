"""What every part of the schema is made of: names, texts, counts, references to secrets."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$", description="lower-case name")]
Texts = str | tuple[str, ...]
"""One text or a list of them; `many` makes a tuple of either."""
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Count0 = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


def many(value: Texts | None) -> tuple[str, ...]:
    """Give a list of texts for one text, a list or nothing."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of every mapping in the file: a key we do not know is a mistake."""


class SecretRef(Keys, frozen=True):
    """Where a secret is kept: exactly one of an environment variable or a file. It never stands in the file."""

    env: str | None = None
    """The name of the environment variable that holds it."""
    file: str | None = None
    """The file that holds it, relative to the settings file; one line break at its end does not count."""
