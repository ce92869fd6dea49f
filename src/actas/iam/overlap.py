"""Compare patterns with patterns: can two match one text, and does one match all that another does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from actas.iam import arns
from actas.iam.wildcards import Matcher, glob, tokens_of


def overlap(one: str, other: str) -> bool:
    """Tell whether some text is matched by both globs; walks both at once, a column at a time."""
    if "*" not in one and "?" not in one:
        return glob(tokens_of(other))(one)
    if "*" not in other and "?" not in other:
        return glob(tokens_of(one))(other)
    states = _past_stars({0}, other)
    for char in one:
        states = _step(states, char, other)
        if not states:
            return False
    return len(other) in states


def _past_stars(states: Iterable[int], pattern: str) -> set[int]:
    """Step over stars, which can stand for nothing."""
    reached = set()
    for state in states:
        place = state
        reached.add(place)
        while place < len(pattern) and pattern[place] == "*":
            place += 1
            reached.add(place)
    return reached


def _step(states: set[int], char: str, pattern: str) -> set[int]:
    if char == "*":  # any run: every later place of the other pattern can be reached
        return set(range(min(states), len(pattern) + 1))
    moved = set()
    for state in states:
        if state == len(pattern):
            continue
        wanted = pattern[state]
        if wanted == "*":
            moved.add(state)
        elif char in ("?", wanted) or wanted == "?":
            moved.add(state + 1)
    return _past_stars(moved, pattern)


def covers(wide: str, narrow: str) -> bool:
    """Tell whether the glob *wide* surely matches whatever the glob *narrow* does."""
    if wide in ("*", narrow):
        return True
    if "?" in wide and "*" in narrow:
        return False
    return _glob(wide)(narrow)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Matcher:
    """Compile a pattern that is compared with many."""
    return glob(tokens_of(pattern))


@lru_cache(maxsize=4096)
def _resource(pattern: str) -> Matcher:
    return arns.resource(tokens_of(pattern))


def covers_resource(wide: str, narrow: str) -> bool:
    """Tell whether the Resource entry *wide* surely matches whatever *narrow* does."""
    if wide in ("*", narrow):
        return True
    if narrow == "*" or "${" in wide or ("?" in wide and "*" in narrow):
        return False
    # Stars of the narrow one that cross no colon are compared part by part, as text.
    return _resource(wide)(narrow)


def needless(entries: tuple[str, ...], covers_one: Callable[[str, str], bool], part: int) -> list[int]:
    """Return the places of the entries that another one covers; *part* is the colon part that names the service."""
    wild: dict[str, list[str]] = {}
    for entry in entries:
        if "*" in entry or "?" in entry:
            wild.setdefault(_service(entry, part), []).append(entry)
    seen: set[str] = set()
    found = []
    for place, entry in enumerate(entries):
        wider = [*wild.get(_service(entry, part), []), *wild.get("", [])]
        if entry in seen or any(other != entry and covers_one(other, entry) for other in wider):
            found.append(place)
        seen.add(entry)
    return found


def _service(entry: str, part: int) -> str:
    """Name the service of an entry; nothing where it may be any."""
    service = entry.split(":", part + 1)[part] if entry.count(":") > part else ""
    return "" if "*" in service or "?" in service else service


def overlap_resource(one: str, other: str) -> bool:
    """Tell whether some resource is matched by both Resource entries; a variable counts as a star."""
    if "*" in (one, other):
        return True
    parts, others = _parts(one), _parts(other)
    if all(overlap(part, against) for part, against in zip(parts, others, strict=True)):
        return True
    if overlap(parts[2], others[2]) and (_runs_on(parts) or _runs_on(others)):
        return overlap(":".join(parts), ":".join(others))
    return False


def _runs_on(parts: list[str]) -> bool:
    """Tell whether a star before the account has to stand for more than its part."""
    account = parts[4]
    return parts[3].endswith("*") and bool(account) and not arns.is_account(account) and "*" not in account


def _parts(resource: str) -> list[str]:
    resource = opened(resource)
    parts = resource.split(":", arns.PARTS - 1)
    return parts + ["*"] * (arns.PARTS - len(parts))


def opened(text: str) -> str:
    """Put a star for each ``${…}``."""
    while "${" in text:
        before, _, rest = text.partition("${")
        _, closed, after = rest.partition("}")
        text = before + "*" + (after if closed else "")
    return text
