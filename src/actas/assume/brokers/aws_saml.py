"""Sessions of a real AWS role by the caller's own SAML assertion, passed on to STS.

In the settings file::

    roles:
      finance-reader:
        arn: arn:aws:iam::111122223333:role/finance-reader
        broker: aws-saml
        saml_provider: arn:aws:iam::111122223333:saml-provider/ping
    providers:
      ping: {preset: pingfederate-saml, …, passed_on: "https://signin.aws.amazon.com/saml"}

AWS trusts the identity provider itself, so whoever holds the assertion could go to STS without us: *bypassable*.
Rules that AWS cannot enforce by itself are refused with it.
"""

import json
from datetime import datetime
from typing import Final

from actas.assume import aws, sts
from actas.assume import key as keys
from actas.assume.aws import PseudonymOf, Wanted
from actas.assume.errors import EvidenceUnfit
from actas.assume.exchange import Asked, Exchange
from actas.assume.passed_on import PassedOn
from actas.assume.sts import Issued
from actas.model.decision import Grant
from actas.model.evidence import Evidence, SamlResponse
from actas.model.session import NO_ROLE, Sessions

NAME: Final = "aws-saml"


class AwsSamlBroker:
    """Trades at STS by ``AssumeRoleWithSAML``; the session's name and tags are the assertion's."""

    shows_evidence = True

    def __init__(
        self, *, exchange: Exchange, pseudonyms: PseudonymOf, endpoint: str, saml_provider: str, passed_on: PassedOn
    ) -> None:
        """Take STS's address, the ARN of the provider as IAM knows it, and what was shown for tokens of ours."""
        self._passed_on = passed_on
        self._exchange, self._pseudonyms, self._sts, self._provider = exchange, pseudonyms, endpoint, saml_provider
        self.shape = json.dumps([NAME, endpoint, saml_provider])

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:
        """Make the trade, twice: once to invoke, once to work."""
        if grant.role is None:
            return NO_ROLE
        shown = evidence
        if not isinstance(shown, SamlResponse):  # a token of ours, which stands for an assertion
            shown = self._passed_on.find(grant.identity.evidence_id, now=now)
        if shown is None:
            raise EvidenceUnfit(broker=NAME, wanted="the caller's own SAML assertion, for the minutes that it lasts")
        assertion = shown.shown.reveal()

        async def trade(wanted: Wanted) -> Issued:
            values = {**wanted.form(), "PrincipalArn": self._provider, "SAMLAssertion": assertion}
            asked = Asked(
                broker=NAME,
                url=self._sts,
                headers=sts.HEADERS,
                body=sts.form("AssumeRoleWithSAML", values),  # unsigned: the assertion is what vouches
                code=sts.error_code,
            )
            return sts.credentials(await self._exchange.ask(asked), broker=NAME)

        name = keys.name(keys.rests(grant, broker=self.shape, evidence=keys.shown(evidence)))
        return await aws.both(grant, trade, pseudonyms=self._pseudonyms, now=now, id=name)
