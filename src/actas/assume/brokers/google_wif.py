"""A token for Google Cloud, by workload identity federation: our issuer's token, exchanged, then a service account's.

In the settings file::

    roles:
      bucket-reader:
        arn: arn:aws:iam::000000000000:role/bucket-reader      # its name here
        broker: google-wif
        google:
          audience: //iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/actas/providers/actas
          service_account: bucket-reader@example-project.iam.gserviceaccount.com

Google sees the caller's pseudonym as the federated subject, and provider, kind and role as attributes. The token goes
to the function in its environment, or to an HTTP function as a header.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from actas.assume import aws, bearers
from actas.assume import key as keys
from actas.assume.aws import PseudonymOf
from actas.assume.brokers.local import lasts_until
from actas.assume.errors import BrokerRefused
from actas.assume.exchange import Exchange
from actas.assume.interface import Broker
from actas.assume.vouching import Voucher
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.secret import Secret
from actas.model.session import NO_ROLE, Sessions

NAME: Final = "google-wif"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
PLATFORM: Final = "https://www.googleapis.com/auth/cloud-platform"


class GoogleWifBroker:
    """Trades at Google's STS (RFC 8693), then as the federated identity at the IAM Credentials API."""

    shows_evidence = False

    def __init__(
        self,
        *,
        exchange: Exchange,
        voucher: Voucher,
        local: Broker,
        pseudonyms: PseudonymOf,
        audience: str,
        service_account: str,
        scopes: Sequence[str],
        sts: str,
        iam: str,
    ) -> None:
        """Take the pool's provider and the account; *sts* and *iam* are addresses, *local* seals our own sessions."""
        self._exchange, self._voucher, self._local, self._pseudonyms = exchange, voucher, local, pseudonyms
        self._audience, self._scopes = audience, tuple(scopes)
        self._sts = f"{sts.rstrip('/')}/v1/token"
        account = quote(service_account, safe="@")
        self._iam = f"{iam.rstrip('/')}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        self.shape = json.dumps([NAME, self._sts, self._iam, audience, self._scopes, voucher.issuer])

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:
        """Make both trades, and the sessions that this gateway seals beside them."""
        if grant.role is None:
            return NO_ROLE
        sessions = await self._local.issue(grant, now=now, evidence=evidence)
        ends = lasts_until(grant, now=now)
        federated = await self._federated(grant, now)
        found, until = await self._impersonated(federated, int((ends - now).total_seconds()))
        name = keys.name(keys.rests(grant, broker=self.shape))
        return bearers.carried(sessions, "google", found, until, id=name)

    async def _federated(self, grant: Grant, now: datetime) -> Secret:
        """Exchange our token for one of the pool."""
        assert grant.role is not None
        pseudonym = await aws.whose(grant, self._pseudonyms)
        said = {"actas": {**aws.tags(grant, {}), "role": grant.role.name}}
        # The audience that a provider takes unless it was told others: its own name, as a URL.
        audience = f"https:{self._audience}"
        form = {
            "grant_type": EXCHANGE,
            "audience": self._audience,
            "scope": PLATFORM,
            "requested_token_type": ACCESS,
            "subject_token": self._voucher.token(subject=pseudonym, audience=audience, now=now, more=said),
            "subject_token_type": JWT,
        }
        found = await bearers.asked(self._exchange, NAME, self._sts, urlencode(form).encode())
        return bearers.token(found, "access_token", broker=NAME)

    async def _impersonated(self, federated: Secret, seconds: int) -> tuple[Secret, datetime]:
        """Get a token of the service account that lives as long as the session may, to the second."""
        body = json.dumps({"scope": self._scopes, "lifetime": f"{seconds}s"}, separators=(",", ":")).encode()
        head = {"Authorization": f"Bearer {federated.reveal()}", "Content-Type": "application/json"}
        found = await bearers.asked(self._exchange, NAME, self._iam, body, headers=head)
        return bearers.token(found, "accessToken", broker=NAME), _moment(found.get("expireTime"))


def _moment(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(text if isinstance(text, str) else "")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise BrokerRefused(broker=NAME, found="a token without an end") from wrong
