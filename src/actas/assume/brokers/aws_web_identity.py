"""Sessions of a real AWS role: our own issuer's token, traded at STS (design.md, 8.2).

In the settings file::

    roles:
      finance-reader:
        arn: arn:aws:iam::111122223333:role/finance-reader
        broker: aws-web-identity

AWS trusts this gateway's issuer, never the caller's token. The token that STS is shown lives for 60 seconds, and the
caller never sees it; tags and source identity are claims in it, because the call has no parameters for them.

With ``caller_token: true`` the caller's own token is shown instead. That is *bypassable*: the caller could go to STS
without us, so rules that AWS cannot enforce by itself are refused with it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from actas.assume import aws, sts
from actas.assume import key as keys
from actas.assume.aws import PseudonymOf, Wanted
from actas.assume.errors import EvidenceUnfit
from actas.assume.exchange import Asked, Exchange
from actas.assume.sts import Issued
from actas.assume.vouching import Voucher
from actas.model.decision import Grant
from actas.model.evidence import BearerToken, Evidence
from actas.model.session import NO_ROLE, Sessions

NAME: Final = "aws-web-identity"
AUDIENCE: Final = "sts.amazonaws.com"


class AwsWebIdentityBroker:
    """Trades at STS by ``AssumeRoleWithWebIdentity``."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        voucher: Voucher,
        pseudonyms: PseudonymOf,
        endpoint: str,
        tags: Mapping[str, str] | None = None,
        caller_token: bool = False,
    ) -> None:
        """Take who vouches; *endpoint* is the address of STS. With *caller_token* the caller's own token is shown."""
        self._exchange, self._voucher, self._pseudonyms, self._sts = exchange, voucher, pseudonyms, endpoint
        self._tags, self.shows_evidence = dict(tags or {}), caller_token
        self.shape = json.dumps([NAME, endpoint, voucher.issuer, sorted(self._tags.items()), caller_token])

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:
        """Make the trade, twice: once to invoke, once to work."""
        if grant.role is None:
            return NO_ROLE
        if self.shows_evidence and not isinstance(evidence, BearerToken):
            raise EvidenceUnfit(broker=NAME, wanted="the caller's own bearer token")

        async def trade(wanted: Wanted) -> Issued:
            own = evidence.shown.reveal() if self.shows_evidence and evidence is not None else None
            token = self._token(grant, wanted.name, now) if own is None else own
            values = {**wanted.form(), "RoleSessionName": wanted.name, "WebIdentityToken": token}
            asked = Asked(
                broker=NAME,
                url=self._sts,
                headers=sts.HEADERS,
                body=sts.form("AssumeRoleWithWebIdentity", values),  # unsigned: the token is what vouches
                code=sts.error_code,
            )
            return sts.credentials(await self._exchange.ask(asked), broker=NAME)

        shown = keys.shown(evidence) if self.shows_evidence else ""
        name = keys.name(keys.rests(grant, broker=self.shape, evidence=shown))
        return await aws.both(grant, trade, pseudonyms=self._pseudonyms, now=now, id=name)

    def _token(self, grant: Grant, name: str, now: datetime) -> str:
        """Vouch for the caller: under a pseudonym, with what AWS may decide by as tags (AWS STS, session tags)."""
        found = aws.tags(grant, self._tags)
        more = {
            "https://aws.amazon.com/tags": {
                "principal_tags": {key: [value] for key, value in found.items()},
                "transitive_tag_keys": list(found),
            },
            "https://aws.amazon.com/source_identity": name,
        }
        return self._voucher.token(subject=name, audience=AUDIENCE, now=now, more=more)
