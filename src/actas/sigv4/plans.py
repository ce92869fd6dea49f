"""Say once how requests with the same headers' names become a canonical request, and keep it.

A plan holds nothing but what follows from the names, so that it never changes an answer; whatever is out of the
ordinary has none and takes the long way (`canonical`). It is what makes signing with kept keys fast: one template,
and one look at all octets of the canonical request instead of one at each header.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from actas.sigv4.canonical import is_name, plain

METHOD, PATH, QUERY, PAYLOAD, TIME, TOKEN, FIRST = range(7)
"""Where the values stand that a plan picks from; the given headers' values follow."""
_NEVER: Final = frozenset(("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"))


class Plan(NamedTuple):
    """How the canonical request of one set of names is written."""

    template: str
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    breaks: int
    """Line breaks that the canonical request has if no value brings one."""
    signed: str
    """The names, in lower case and sorted."""
    host: int
    """Where Host stands among the given headers."""
    rest: tuple[int, ...] = ()
    """Where the values of the others stand, which are not signed."""

    def write(self, values: Sequence[str]) -> str | None:
        """Write the canonical request; None where a value has a character that needs a closer look."""
        text = self.template % self.pick(values)
        if not plain(text, self.breaks) or (self.rest and not plain("".join([values[at] for at in self.rest]), 0)):
            return None
        return text


class Where(NamedTuple):
    """Where in the given headers a verifier finds what it needs; -1 for what is not there."""

    names: tuple[str, ...]
    authorization: int
    date: int
    token: int
    payload: int
    host: int


def to_sign(names: tuple[str, ...], *, token: bool, payload: bool) -> Plan | None:
    """Plan the signing of given headers, the date, and a token and the body's hash where they are to be signed."""
    lower = _lowered(names)
    if lower is None or "host" not in lower or not _NEVER.isdisjoint(lower):
        return None
    places = {name: FIRST + at for at, name in enumerate(lower)} | {"x-amz-date": TIME}
    if token:
        places["x-amz-security-token"] = TOKEN
    if payload:
        places["x-amz-content-sha256"] = PAYLOAD
    return _plan(sorted(places.items()), lower.index("host"))


def where(names: tuple[str, ...]) -> Where | None:
    """Find what a verifier needs; None where a name is there twice, or Host, the date or the signature is not."""
    lower = _lowered(names)
    if lower is None or not {"host", "authorization", "x-amz-date"} <= set(lower):
        return None
    needed = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "host")
    return Where(lower, *(lower.index(name) if name in lower else -1 for name in needed))


def to_verify(names: tuple[str, ...], signed: str) -> Plan | None:
    """Plan the verifying of given headers of which *signed* are signed; None where that is not all that must be."""
    listed = signed.split(";")
    places = {name: FIRST + at for at, name in enumerate(names)}
    must = {name for name in names if name == "host" or name.startswith("x-amz-")}
    if listed != sorted(set(listed)) or not set(listed) <= places.keys() or not must <= set(listed):
        return None
    rest = tuple(place for name, place in places.items() if name not in listed and name != "authorization")
    return _plan([(name, places[name]) for name in listed], names.index("host"))._replace(rest=rest)


def _plan(places: Sequence[tuple[str, int]], host: int) -> Plan:
    signed = ";".join(name for name, _ in places)
    lines = "".join(f"{name.replace('%', '%%')}:%s\n" for name, _ in places)
    template = f"%s\n%s\n%s\n{lines}\n{signed.replace('%', '%%')}\n%s"
    pick = itemgetter(METHOD, PATH, QUERY, *(place for _, place in places), PAYLOAD)
    return Plan(template, pick, template.count("\n"), signed, host)


def _lowered(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Give the names in lower case; None where one is no name or is there twice."""
    if not all(is_name(name) for name in names):
        return None
    lower = tuple(name.lower() for name in names)
    return lower if len(set(lower)) == len(lower) else None
