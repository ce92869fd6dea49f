"""Sign in on another device: a code to type there, and asking here until somebody did (RFC 8628)."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import anyio
import msgspec

from actas.cli.login_errors import NobodyCame, ProviderNotUsable, ProviderRefused, ProviderSilent
from actas.cli.login_pkce import challenge_of
from actas.cli.login_provider import LoginClient, Metadata, wanted_scopes
from actas.cli.login_tokens import Tokens, from_device, own_parameters
from actas.cli.login_web import Web, is_safe

_SLOWER = 5.0
"""Seconds that each ``slow_down`` adds for good (RFC 8628, section 3.5)."""
_LONGEST_WAIT = 1800.0
_LONGEST_INTERVAL = 60.0
Sleep = Callable[[float], Awaitable[None]]


class DeviceAnswer(msgspec.Struct, frozen=True):
    """What the provider gives a device (RFC 8628, section 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: float
    verification_uri_complete: str | None = None
    interval: float = 5.0

    def __repr__(self) -> str:
        return "DeviceAnswer(...)"


async def begin(client: LoginClient, found: Metadata, web: Web, *, verifier: str) -> DeviceAnswer:
    """Ask for the codes; who has no use for a challenge leaves it unread (RFC 6749, section 3.1)."""
    where = found.device_authorization_endpoint
    if where is None:
        raise ProviderNotUsable(issuer=client.issuer, why="it has no sign-in by device")
    form = {
        **own_parameters(client),
        "scope": wanted_scopes(client, found),
        "code_challenge": challenge_of(verifier),  # some providers hold every flow of a client to PKCE
        "code_challenge_method": "S256",
    }
    answer = await web.submit(where, form, DeviceAnswer, doing="the device")
    shown = (answer.verification_uri, answer.verification_uri_complete or answer.verification_uri)
    printable = answer.user_code.isascii() and answer.user_code.isprintable() and len(answer.user_code) <= 64
    if not printable or not all(is_safe(address) and address.isprintable() for address in shown):
        raise ProviderSilent(url=where, why="its code or its address is not fit to be shown")
    return answer


async def wait(
    client: LoginClient,
    found: Metadata,
    answer: DeviceAnswer,
    web: Web,
    *,
    verifier: str,
    clock: Callable[[], datetime],
    sleep: Sleep = anyio.sleep,
) -> Tokens:
    """Ask until somebody connected the device, refused it, or the codes are too old."""
    interval = min(max(answer.interval, 1.0), _LONGEST_INTERVAL)
    limit = min(answer.expires_in, _LONGEST_WAIT)
    waited = 0.0
    while waited + interval <= limit:
        await sleep(interval)
        waited += interval
        try:
            return await from_device(client, found, answer.device_code, web, verifier=verifier, now=clock())
        except ProviderSilent:
            interval = min(interval * 2, _LONGEST_INTERVAL)  # section 3.5: back off where nobody answers
        except ProviderRefused as refused:
            if refused.error == "slow_down":
                interval += _SLOWER
            elif refused.error == "expired_token":
                raise NobodyCame(seconds=waited) from refused
            elif refused.error != "authorization_pending":
                raise
    raise NobodyCame(seconds=limit)
