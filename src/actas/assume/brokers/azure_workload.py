"""A token for Azure, by workload identity federation: our issuer's token, traded at Entra ID for one of an application.

In the settings file::

    roles:
      storage-reader:
        arn: arn:aws:iam::000000000000:role/storage-reader      # its name here
        broker: azure-workload
        azure:
          tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47
          client: 6e74172b-be56-4843-9ff4-e66a39bb12e3
          scope: https://storage.azure.com/.default

The application trusts one subject of our issuer, so Azure sees the application and not the caller: who it was stands
in our trail. The token goes to the function in its environment, or to an HTTP function as a header.
"""

import json
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from actas.assume import bearers
from actas.assume import key as keys
from actas.assume.exchange import Exchange
from actas.assume.interface import Broker
from actas.assume.vouching import Voucher
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.session import NO_ROLE, Sessions

NAME: Final = "azure-workload"
AUDIENCE: Final = "api://AzureADTokenExchange"
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def subject(role: str) -> str:
    """Name the subject that the application's federated credential must trust."""
    return f"actas:role:{role}"


class AzureWorkloadBroker:
    """Trades at Entra ID's token endpoint (RFC 7523, section 2.2, client credentials)."""

    shows_evidence = False

    def __init__(
        self,
        *,
        exchange: Exchange,
        voucher: Voucher,
        local: Broker,
        authority: str,
        tenant: str,
        client: str,
        scope: str,
    ) -> None:
        """Take the application; *local* makes the sessions by which functions call each other."""
        self._exchange, self._voucher, self._local = exchange, voucher, local
        self._url = f"{authority.rstrip('/')}/{quote(tenant, safe='')}/oauth2/v2.0/token"
        self._client, self._scope = client, scope
        self.shape = json.dumps([NAME, self._url, client, scope, voucher.issuer])

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:
        """Make the trade, and the sessions that this gateway seals beside it."""
        if grant.role is None:
            return NO_ROLE
        sessions = await self._local.issue(grant, now=now, evidence=evidence)
        assertion = self._voucher.token(subject=subject(grant.role.name), audience=AUDIENCE, now=now)
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client,
            "scope": self._scope,
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion,
        }
        found = await bearers.asked(self._exchange, NAME, self._url, urlencode(form).encode())
        name = keys.name(keys.rests(grant, broker=self.shape))
        ends = bearers.end(found, now=now, broker=NAME)
        return bearers.carried(sessions, "azure", bearers.token(found, "access_token", broker=NAME), ends, id=name)
