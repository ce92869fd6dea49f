"""Talk to a provider: small answers, no redirects, encrypted or on this machine, each wait with an end."""

import contextlib
import ipaddress
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from actas.cli.login_errors import ProviderNotUsable, ProviderRefused, ProviderSilent

LARGEST = 1024 * 1024
"""Bytes of one answer."""
PATIENCE = 15.0
"""Seconds for one request."""
ERROR_CODE = re.compile(r"[a-z_]{1,64}")
T = TypeVar("T", bound=msgspec.Struct)


class Refusal(msgspec.Struct, frozen=True):
    """An error of RFC 6749, section 5.2; its description may hold anything and is not shown."""

    error: str = "unknown"


def is_on_this_machine(url: str) -> bool:
    """Say whether the address is loopback."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe(url: str) -> bool:
    """Say whether what is sent there is seen by its receiver alone."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
    return has_host and (parts.scheme == "https" or (parts.scheme == "http" and is_on_this_machine(url)))


@dataclass(frozen=True, slots=True)
class Web:
    """A client for one conversation."""

    client: httpx.AsyncClient

    async def get(self, url: str) -> tuple[httpx.Response, bytes]:
        """Fetch, whatever the status."""
        return await self._send("GET", url, None, None)

    async def read(self, url: str, shape: type[T]) -> T:
        """Fetch a JSON document."""
        response, body = await self.get(url)
        if response.status_code != 200:
            raise ProviderSilent(url=url, why=f"status {response.status_code}")
        return decode(url, body, shape)

    async def post(self, url: str, form: Mapping[str, str]) -> httpx.Response:
        """Send a form and give the answer's head, whatever the status."""
        return (await self._send("POST", url, form, None))[0]

    async def submit(
        self, url: str, form: Mapping[str, str], shape: type[T], *, doing: str, basic: tuple[str, str] | None = None
    ) -> T:
        """Send a form and read its JSON answer; an error answer raises `ProviderRefused`."""
        response, body = await self._send("POST", url, form, basic)
        if response.status_code == 200:
            return decode(url, body, shape)
        if response.status_code >= 500:
            raise ProviderSilent(url=url, why=f"status {response.status_code}")
        error = decode(url, body, Refusal).error
        raise ProviderRefused(error=error if ERROR_CODE.fullmatch(error) else "an unknown error", doing=doing)

    async def _send(
        self, method: str, url: str, form: Mapping[str, str] | None, basic: tuple[str, str] | None
    ) -> tuple[httpx.Response, bytes]:
        if not is_safe(url):
            raise ProviderNotUsable(issuer=urlsplit(url).hostname or "the provider", why="an address is not https")
        headers = {"Accept": "application/json"}
        try:
            async with self.client.stream(method, url, data=form, headers=headers, auth=basic) as response:
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise ProviderSilent(url=url, why=f"the answer is longer than {LARGEST} bytes")
        except httpx.HTTPError as wrong:
            raise ProviderSilent(url=url, why=type(wrong).__name__) from wrong
        return response, bytes(body)


def decode(url: str, body: bytes, shape: type[T]) -> T:
    """Read a JSON answer."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise ProviderSilent(url=url, why="the answer is not as the standard has it") from wrong


@contextlib.asynccontextmanager
async def web(issuer: str, *, ca: str | None = None) -> AsyncIterator[Web]:
    """Open a client; for a provider on this machine no proxy of the environment gets a say."""
    client = httpx.AsyncClient(
        verify=_trust(issuer, ca), follow_redirects=False, timeout=PATIENCE, trust_env=not is_on_this_machine(issuer)
    )
    async with client:
        yield Web(client)


def _trust(issuer: str, ca: str | None) -> ssl.SSLContext:
    """Trust the system's authorities or *ca*; a plain provider on this machine needs none, and gets none.

    Reading the authorities takes longer than a whole sign-in at the demo.
    """
    if ca is None and issuer.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(cafile=ca)
