"""Groups of people and apps in Entra, by Microsoft Graph.

In the settings::

    groups: {lookup: graph}
    lookup: {id: 6e74172b-…, secret: {env: GRAPH_SECRET}}

The client needs the application permission Directory.Read.All (or User.Read.All and GroupMember.Read.All where only
people call), granted by an administrator. Groups are object ids, as in tokens; the list is transitive. Beyond 11,000
groups Graph refuses, and the fact stays unknown. The endpoint that a token's ``_claim_sources`` names is never
followed (protocols.md, 1.2).
"""

from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec

from actas.identify.flow import Flow, read
from actas.identify.lookup import Account, Lease, Lookup, ask_for_token, wish

_LOGIN: Final = {
    "global": "https://login.microsoftonline.com",
    "us-government": "https://login.microsoftonline.us",
    "china": "https://login.partner.microsoftonline.cn",
}
_GRAPH: Final = {
    "global": "https://graph.microsoft.com",
    "us-government": "https://graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
_SECURITY_GROUPS: Final = b'{"securityEnabledOnly":true}'


class _Groups(msgspec.Struct, frozen=True):
    value: tuple[str, ...]


def sign_in(account: Account, now: datetime) -> Flow[Lease]:
    """Get a token for Graph as the client itself."""
    graph = _GRAPH[account.cloud]
    url = account.token_url or f"{_LOGIN[account.cloud]}/{account.tenant}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": account.id,
        "client_secret": account.secret.reveal(),
        "scope": f"{graph}/.default",
    }
    return (yield from ask_for_token(account, url, form, now))


def groups(account: Account, lease: Lease, subject: str) -> Flow[frozenset[str]]:
    """Ask for all security groups, those inside groups included: ``directoryObject: getMemberGroups``."""
    base = (account.url or _GRAPH[account.cloud]).rstrip("/")
    url = f"{base}/v1.0/directoryObjects/{quote(subject, safe='')}/getMemberGroups"
    answer = yield wish(account, lease, url, body=_SECURITY_GROUPS)
    return frozenset(read(answer, _Groups, "Graph").value)


LOOKUP = Lookup(sign_in=sign_in, groups=groups)
