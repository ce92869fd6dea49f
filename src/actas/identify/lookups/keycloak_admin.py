"""Groups of a Keycloak user, by the realm's admin REST API.

In the settings::

    groups: {lookup: keycloak-admin}
    lookup: {id: actas-lookup, secret: {env: KEYCLOAK_LOOKUP_SECRET}}

The client needs a service account with the role ``view-users`` of ``realm-management``. Groups are full paths
(``/finance/analysts``), as the mapper writes them with ``full.path``.
"""

from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec

from actas.identify.errors import UnexpectedAnswer
from actas.identify.flow import Flow, read
from actas.identify.lookup import MOST_PAGES, Account, Lease, Lookup, ask_for_token, wish

_PAGE: Final = 100


class _Group(msgspec.Struct, frozen=True):
    path: str


def sign_in(account: Account, now: datetime) -> Flow[Lease]:
    """Get a token as the client's service account."""
    url = account.token_url or f"{account.issuer}/protocol/openid-connect/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": account.id,
        "client_secret": account.secret.reveal(),
    }
    return (yield from ask_for_token(account, url, form, now))


def groups(account: Account, lease: Lease, subject: str) -> Flow[frozenset[str]]:
    """Ask for the user's groups, page by page (protocols.md, 6.4)."""
    base, _, realm = account.issuer.rpartition("/realms/")
    where = f"{(account.url or base).rstrip('/')}/admin/realms/{realm}/users/{quote(subject, safe='')}/groups"
    found: set[str] = set()
    for page in range(MOST_PAGES):
        answer = yield wish(account, lease, f"{where}?first={page * _PAGE}&max={_PAGE}&briefRepresentation=true")
        listed = read(answer, tuple[_Group, ...], "the list of groups")
        found.update(group.path for group in listed)
        if len(listed) < _PAGE:
            return frozenset(found)
    raise UnexpectedAnswer(what="the list of groups", why=f"has more than {MOST_PAGES} pages")


LOOKUP = Lookup(sign_in=sign_in, groups=groups)
