"""Ask a provider's API, with one token for as long as it is good: some providers write an event for each new one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from actas.events.interface import Making
from actas.events.sources.errors import (
    DeliveryTooLarge,
    MalformedDelivery,
    ProviderBusy,
    ProviderRefused,
    ProviderUnreadable,
)
from actas.events.sources.reading import strict
from actas.identify.flow import Answer, Flow, Wish, drive
from actas.identify.lookup import Lease
from actas.model.secret import Secret

LARGEST: Final = 8 * 1024 * 1024
"""How many bytes an answer may have: a page of events with all their details."""
_LATER: Final = 30
_LATEST: Final = 3600

SignIn = Callable[[datetime], Flow[Lease]]


class Client:
    """One client at one provider."""

    def __init__(self, making: Making, sign_in: SignIn, *, private: bool, ca: str | None) -> None:
        self._making, self._sign_in, self._private, self._ca = making, sign_in, private, ca
        self._lease: Lease | None = None
        self._resting: dict[str, datetime] = {}
        """Until when what is not asked for, because the provider said so."""

    async def token(self, *, now: datetime) -> Secret:
        """Give the token, a new one where the last is about to end."""
        if self._lease is None or now >= self._lease.until:
            self._lease = await drive(self._sign_in(now), self._making.fetch)
        return self._lease.token

    async def json(
        self,
        what: str,
        url: str,
        *,
        now: datetime,
        method: str = "GET",
        body: bytes | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Any:
        """Ask at *url* and give the JSON of the answer; *what* is what errors call it."""
        return read(what, await self.ask(what, url, now=now, method=method, body=body, headers=headers))

    async def ask(
        self,
        what: str,
        url: str,
        *,
        now: datetime,
        method: str = "GET",
        body: bytes | None = None,
        scheme: str = "Bearer",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """Ask at *url*; a token that is refused is tried once more as a new one.

        Where the provider said when to come again, it is not asked for *what* before that.
        """
        if now < (until := self._resting.get(what, now)):
            raise ProviderBusy(what=what, status=429, retry_after=ceil((until - now).total_seconds()))
        for last in (False, True):
            shown = await self.token(now=now)
            answer = await self.once(url, shown, method=method, body=body, scheme=scheme, headers=headers)
            if answer.status != 401 or last:
                break
            self._lease = None
        if answer.status in (429, 503) and answer.header("retry-after") is not None:
            self._resting[what] = now + timedelta(seconds=retry_after(answer))
        check(what, answer)
        return answer

    async def once(
        self,
        url: str,
        shown: Secret,
        *,
        method: str = "GET",
        body: bytes | None = None,
        scheme: str = "Bearer",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """Ask at *url* with the token *shown*, whoever's it is."""
        headers = (("Authorization", f"{scheme} {shown.reveal()}"), *headers)
        if body is not None:
            # What is said of tokens that were refused is in a language (RFC 8936, section 2.4).
            headers = (*headers, ("Content-Type", "application/json"), ("Content-Language", "en"))
        wish = Wish(
            url=url, method=method, headers=headers, body=body, private=self._private, ca=self._ca, limit=LARGEST
        )
        return await self._making.fetch(wish)


def check(what: str, answer: Answer) -> None:
    """Raise where *answer* is none."""
    if answer.status == 429 or answer.status >= 500:
        raise ProviderBusy(what=what, status=answer.status, retry_after=retry_after(answer))
    if answer.status >= 300:
        raise ProviderRefused(what=what, status=answer.status)


def read(what: str, answer: Answer) -> Any:
    """Read the JSON of *answer*."""
    try:
        return strict.json_of(answer.body, limit=LARGEST)
    except MalformedDelivery as wrong:
        raise ProviderUnreadable(what=what, why=f"gave what cannot be read: {wrong.why}") from wrong
    except DeliveryTooLarge as wrong:
        raise ProviderUnreadable(
            what=what, why=f"gave {wrong.found} bytes; at most {wrong.allowed} are read"
        ) from wrong


def retry_after(answer: Answer) -> int:
    """Read ``Retry-After`` in seconds (RFC 9110, section 10.2.3); a date is not worth the reading."""
    said = answer.header("retry-after") or ""
    return min(int(said), _LATEST) if said.isascii() and said.isdigit() and len(said) < 7 else _LATER
