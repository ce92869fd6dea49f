"""Say once how requests with the same headers' names become a canonical request, and keep it.

A plan holds nothing but what follows from the names, so that it never changes an answer; whatever is out of the
ordinary has none and takes the long way (`canonical`). It is what makes signing with kept keys fast: one template,
and one look at all octets of the headers' values instead of one at each of them.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from actas.sigv4.canonical import is_name

METHOD, PATH, QUERY, PAYLOAD, TIME, TOKEN, FIRST = range(7)
"""Where the values stand that a plan picks from; the given headers' values follow."""
_MOST_LISTS: Final = 8
_NEVER: Final = frozenset(("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"))


class Plan(NamedTuple):
    """How the canonical request of one set of names is written."""

    pieces: tuple[str, ...]
    """What stands between the values, with a place for each of them."""
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    signed: str
    """The names, in lower case and sorted."""
    host: int
    """Where Host stands among the given headers."""

    def write(self, values: Sequence[str]) -> str:
        """Write the canonical request of values that were looked at."""
        pieces = list(self.pieces)
        pieces[1::2] = self.pick(values)
        return "".join(pieces)


class Where(NamedTuple):
    """Where in the given headers a verifier finds what it needs; -1 for what is not there."""

    names: tuple[str, ...]
    authorization: int
    date: int
    token: int
    payload: int
    host: int
    plans: dict[str, Plan | None]
    """What was planned for the lists of signed names that came with these headers: a few of them."""

    def plan(self, signed: str) -> Plan | None:
        """Plan the verifying, now or before."""
        try:
            return self.plans[signed]
        except KeyError:
            pass
        made = to_verify(self.names, signed)
        if len(self.plans) < _MOST_LISTS:
            self.plans[signed] = made
        return made


def to_sign(names: tuple[str, ...], token: bool, payload: bool) -> Plan | None:  # noqa: FBT001 - on the hot path
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
    authorization, date, token, payload, host = (lower.index(name) if name in lower else -1 for name in needed)
    return Where(lower, authorization, date, token, payload, host, {})


def must_be_signed(name: str) -> bool:
    """Tell whether a header, in lower case, matters and so must be signed.

    An underscore counts as a dash, since some that are behind read it so. The body's hash needs no signature of its
    own: a verifier compares it with the body, whose hash is the last line of what is signed.
    """
    return name.replace("_", "-").startswith("x-amz-") and name != "x-amz-content-sha256"


def to_verify(names: tuple[str, ...], signed: str) -> Plan | None:
    """Plan the verifying of given headers of which *signed* are signed; None where that is not all that must be."""
    listed = signed.split(";")
    places = {name: FIRST + at for at, name in enumerate(names)}
    must = {name for name in names if name == "host" or must_be_signed(name)}
    if listed != sorted(set(listed)) or not set(listed) <= places.keys() or not must <= set(listed):
        return None
    if "authorization" in listed:
        return None
    return _plan([(name, places[name]) for name in listed], names.index("host"))


def _plan(places: Sequence[tuple[str, int]], host: int) -> Plan:
    signed = ";".join(name for name, _ in places)
    between = ["", "\n", "\n", *(f"\n{name}:" for name, _ in places), f"\n\n{signed}\n"]
    pieces = tuple(part for text in between for part in (text, ""))
    pick = itemgetter(METHOD, PATH, QUERY, *(place for _, place in places), PAYLOAD)
    return Plan(pieces, pick, signed, host)


def _lowered(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Give the names in lower case; None where one is no name or is there twice."""
    if not all(is_name(name) for name in names):
        return None
    lower = tuple(name.lower() for name in names)
    return lower if len(set(lower)) == len(lower) else None
