"""Sessions of a real AWS role, taken from a base identity by ``AssumeRole``: for accounts without an OIDC provider.

In the settings file::

    roles:
      partner-reader:
        arn: arn:aws:iam::444455556666:role/partner-reader
        broker: aws-assume-role
        base: {role: "arn:aws:iam::111122223333:role/actas-base"}   # or profile, chain, or keys by reference
        external_id: {env: PARTNER_EXTERNAL_ID}

The base identity signs this one question and nothing else: no call of a caller's is ever made with it. The sessions
are named for the caller, carry tags about them that go on when roles are chained, and their source identity.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from actas import sigv4
from actas.assume import aws, sts
from actas.assume import key as keys
from actas.assume.aws import PseudonymOf, Wanted
from actas.assume.exchange import Asked, Exchange
from actas.assume.sts import Issued
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.secret import Secret
from actas.model.session import NO_ROLE, Sessions

NAME: Final = "aws-assume-role"
Base = Callable[[datetime], Awaitable[sigv4.Credentials]]
"""Gives the base identity's credentials for now."""


class AwsAssumeRoleBroker:
    """Trades at STS by ``AssumeRole``, signed by the base identity."""

    shows_evidence = False

    def __init__(
        self,
        *,
        exchange: Exchange,
        base: Base,
        base_name: str,
        pseudonyms: PseudonymOf,
        endpoint: str,
        region: str,
        external_id: Secret | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Take the base; *base_name* tells it from others, without a secret."""
        self._exchange, self._base, self._pseudonyms = exchange, base, pseudonyms
        self._sts, self._region = endpoint, region
        self._external_id, self._tags = external_id, dict(tags or {})
        self._keys = sigv4.SigningKeys(4)
        outside = keys.digest(external_id.reveal()) if external_id else ""
        self.shape = json.dumps([NAME, endpoint, base_name, outside, sorted(self._tags.items())])

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:  # noqa: ARG002 - nothing is passed on
        """Make the trade, twice: once to invoke, once to work."""
        if grant.role is None:
            return NO_ROLE
        credentials = await self._base(now)
        more = self._said_of(grant)

        async def trade(wanted: Wanted) -> Issued:
            named = {"RoleSessionName": wanted.name, "SourceIdentity": wanted.name}
            body = sts.form("AssumeRole", {**wanted.form(), **named, **more})
            asked = Asked(
                broker=NAME, url=self._sts, headers=self._signed(body, credentials, now), body=body, code=sts.error_code
            )
            return sts.credentials(await self._exchange.ask(asked), broker=NAME)

        name = keys.name(keys.rests(grant, broker=self.shape))
        return await aws.both(grant, trade, pseudonyms=self._pseudonyms, now=now, id=name)

    def _said_of(self, grant: Grant) -> dict[str, str]:
        """Write tags and the external id as the query protocol flattens them."""
        said: dict[str, str] = {}
        for number, (key, value) in enumerate(aws.tags(grant, self._tags).items(), start=1):
            said[f"Tags.member.{number}.Key"], said[f"Tags.member.{number}.Value"] = key, value
            said[f"TransitiveTagKeys.member.{number}"] = key
        if self._external_id is not None:
            said["ExternalId"] = self._external_id.reveal()
        return said

    def _signed(self, body: bytes, credentials: sigv4.Credentials, now: datetime) -> dict[str, str]:
        headers = [("Host", urlsplit(self._sts).netloc), *sts.HEADERS.items()]
        signed = sigv4.sign(
            "POST", self._sts, headers, body, credentials, region=self._region, service="sts", now=now, keys=self._keys
        )
        return dict(signed.headers)
