"""Whose credentials the gateway itself has at AWS: given by reference, found by AWS's own chain, or a role of its own.

They take roles (`aws-assume-role`) and hand in the trail (`cloudwatch`). No call of a caller's is ever made with them.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import anyio
import anyio.to_thread

from actas import sigv4
from actas.assume import sts
from actas.assume.errors import BaseIdentityMissing
from actas.assume.exchange import Asked, Exchange
from actas.assume.vouching import Voucher
from actas.model.secret import Secret

Base = Callable[[datetime], Awaitable[sigv4.Credentials]]
AHEAD: Final = timedelta(minutes=5)
NAME: Final = "base identity"
OURSELVES: Final = "actas-gateway"
"""The subject of a token about the gateway itself; no pseudonym has this form."""


def given(access_key_id: Secret, secret_access_key: Secret, session_token: Secret | None) -> Base:
    """Give credentials that the settings refer to."""
    try:
        found = sigv4.Credentials(
            access_key_id.reveal(), secret_access_key.reveal(), session_token.reveal() if session_token else None
        )
    except sigv4.SigV4Error as wrong:
        raise BaseIdentityMissing(why="what the settings refer to is no access key") from wrong

    async def base(_now: datetime) -> sigv4.Credentials:
        return found

    return base


class Chain:
    """What AWS's own clients would find: variables, files, a profile's ``sso`` or ``role_arn``, the machine's role."""

    def __init__(self, profile: str | None = None) -> None:
        self._profile = profile
        self._found: Any = None

    async def __call__(self, _now: datetime) -> sigv4.Credentials:
        """Give them; botocore makes them anew when they are about to end."""
        return await anyio.to_thread.run_sync(self._now)

    def _now(self) -> sigv4.Credentials:
        try:
            import botocore.exceptions
            import botocore.session
        except ImportError as absent:
            raise BaseIdentityMissing(why="botocore is not installed") from absent
        try:
            if self._found is None:
                self._found = botocore.session.Session(profile=self._profile).get_credentials()
            frozen = None if self._found is None else self._found.get_frozen_credentials()
        except (botocore.exceptions.BotoCoreError, OSError) as wrong:
            raise BaseIdentityMissing(why=f"botocore says {type(wrong).__name__}") from wrong
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise BaseIdentityMissing(why="AWS's own chain finds none")
        return sigv4.Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)


class OwnRole:
    """A role that trusts our issuer about the gateway itself: no long-lived key anywhere."""

    def __init__(self, *, exchange: Exchange, voucher: Voucher, role_arn: str, endpoint: str) -> None:
        self._exchange, self._voucher, self._role_arn, self._sts = exchange, voucher, role_arn, endpoint
        self._held: tuple[sigv4.Credentials, datetime] | None = None
        self._turn = anyio.Lock()

    async def __call__(self, now: datetime) -> sigv4.Credentials:
        """Give its session; one is made for all who ask at once, some minutes before the last one ends."""
        async with self._turn:
            if self._held is None or self._held[1] - now < AHEAD:
                self._held = await self._make(now)
            return self._held[0]

    async def _make(self, now: datetime) -> tuple[sigv4.Credentials, datetime]:
        token = self._voucher.token(subject=OURSELVES, audience="sts.amazonaws.com", now=now)
        values = {
            "RoleArn": self._role_arn,
            "RoleSessionName": OURSELVES,
            "WebIdentityToken": token,
            "DurationSeconds": "3600",
        }
        asked = Asked(
            broker=NAME,
            url=self._sts,
            headers=sts.HEADERS,
            body=sts.form("AssumeRoleWithWebIdentity", values),
            code=sts.error_code,
        )
        issued = sts.credentials(await self._exchange.ask(asked), broker=NAME)
        credentials = sigv4.Credentials(
            issued.access_key_id, issued.secret_access_key.reveal(), issued.session_token.reveal()
        )
        return credentials, issued.expires_at
