"""Conversations with a provider that read like the standard's paragraphs: each wish is yielded, its answer sent in.

No socket here. `drive` does the wishing against whatever fetches: the network, or a table in a test.
"""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from actas.identify.errors import UnexpectedAnswer, WrongDiscovery
from actas.identify.profile import Source

T = TypeVar("T")
Shape = TypeVar("Shape")
LARGEST: Final = 1024 * 1024
"""How many bytes an answer may have (protocols.md, 9.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One request that we would like made."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    private: bool = False
    """A private address may be connected to."""
    ca: str | None = None
    limit: int = LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """Give the first header called *name*, in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)


Flow = Generator[Wish, Answer, T]
Fetch = Callable[[Wish], Awaitable[Answer]]


async def drive(flow: Flow[T], fetch: Fetch) -> T:
    """Run *flow* to its end, doing its fetching for it."""
    try:
        wish = next(flow)
        while True:
            wish = flow.send(await fetch(wish))
    except StopIteration as end:
        result: T = end.value
        return result


class Discovery(msgspec.Struct, frozen=True):
    """What we read of a discovery document; providers add much more."""

    issuer: str
    jwks_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A key set as the provider sent it, and for how long the provider says it is good."""

    document: bytes = field(repr=False)
    max_age: int | None = None


def find_keys(source: Source) -> Flow[Published]:
    """Ask the provider where its keys are, then for its keys (OpenID Connect Discovery 1.0, sections 4 and 3)."""
    url = source.url
    if url is None:
        asked = Wish(url=source.discovery or "", private=source.private, ca=source.ca)
        answer = yield asked
        discovery = read(answer, Discovery, "the discovery document")
        if discovery.issuer != source.issuer:  # section 4.3: identical, code point by code point
            raise WrongDiscovery(found=_shown(discovery.issuer), wanted=source.issuer or "")
        url = discovery.jwks_uri
    answer = yield Wish(url=url, private=source.private, ca=source.ca)
    if answer.status != 200:
        raise UnexpectedAnswer(what="the key set", why=f"was answered with status {answer.status}")
    return Published(document=answer.body, max_age=max_age(answer))


def read(answer: Answer, shape: type[Shape], what: str) -> Shape:
    """Read the JSON of *answer*, or say what is wrong with it."""
    if answer.status != 200:
        raise UnexpectedAnswer(what=what, why=f"was answered with status {answer.status}")
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as wrong:
        raise UnexpectedAnswer(what=what, why="is not the JSON that the standard says") from wrong


def max_age(answer: Answer) -> int | None:
    """Read how long the answer is good (RFC 9111, section 5.2.2.1)."""
    for directive in (answer.header("cache-control") or "").lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name == "max-age" and value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
    return None


def _shown(issuer: str) -> str:
    return issuer if issuer.isascii() and issuer.isprintable() and len(issuer) <= 200 else "something else"
