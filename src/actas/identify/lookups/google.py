"""Groups of a Workspace account, by Google's Directory API.

In the settings::

    groups: {lookup: google}
    lookup:
      id: directory@project.iam.gserviceaccount.com
      secret: {file: directory-key.json}      # the key file, or the private key in it as PEM
      admin: reader@example.com

The service account needs domain-wide delegation for the scope admin.directory.group.readonly, and an administrator
who may read groups. Groups are their e-mail addresses, which is what the directory calls them. Only direct
memberships are listed: a group inside a group is not followed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from actas import jose
from actas.identify.errors import UnexpectedAnswer
from actas.identify.flow import Flow, read
from actas.identify.lookup import MOST_PAGES, Account, Lease, Lookup, ask_for_token, wish
from actas.model.secret import Secret

_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens are had
_API: Final = "https://admin.googleapis.com"
_SCOPE: Final = "https://www.googleapis.com/auth/admin.directory.group.readonly"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523, section 2.1
_LASTS: Final = 300


class _KeyFile(msgspec.Struct, frozen=True):
    private_key: str
    private_key_id: str | None = None


class _Group(msgspec.Struct, frozen=True):
    email: str


class _Page(msgspec.Struct, frozen=True):
    groups: tuple[_Group, ...] = ()
    next_page: str | None = msgspec.field(default=None, name="nextPageToken")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ServiceAccountKey:
    """Signs as the service account."""

    key: RSAPrivateKey
    kid: str | None
    algorithm: str = "RS256"

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, PKCS1v15(), SHA256())


def sign_in(account: Account, now: datetime) -> Flow[Lease]:
    """Show an assertion in the administrator's name, get a token for the directory."""
    url = account.token_url or _TOKEN_URL
    at = int(now.timestamp())
    claims = {"iss": account.id, "sub": account.admin, "scope": _SCOPE, "aud": url, "iat": at, "exp": at + _LASTS}
    assertion = jose.sign(claims, service_account_key(account.secret), algorithm="RS256", header={"typ": "JWT"})
    form = {"grant_type": _GRANT, "assertion": assertion}
    return (yield from ask_for_token(account, url, form, now))


def groups(account: Account, lease: Lease, subject: str) -> Flow[frozenset[str]]:
    """Ask for the groups that list the account as a member, page by page."""
    base = (account.url or _API).rstrip("/")
    found: set[str] = set()
    query = {"userKey": subject, "maxResults": "200"}
    for _ in range(MOST_PAGES):
        answer = yield wish(account, lease, f"{base}/admin/directory/v1/groups?{urlencode(query)}")
        page = read(answer, _Page, "the directory")
        found.update(group.email for group in page.groups)
        if not page.next_page:
            return frozenset(found)
        query = query | {"pageToken": page.next_page}
    raise UnexpectedAnswer(what="the directory", why=f"has more than {MOST_PAGES} pages")


def service_account_key(secret: Secret) -> _ServiceAccountKey:
    """Read the key of a service account: its key file, or the private key in it as PEM."""
    text, kid = secret.reveal(), None
    try:
        if text.lstrip().startswith("{"):
            file = msgspec.json.decode(text, type=_KeyFile)
            text, kid = file.private_key, file.private_key_id
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, msgspec.DecodeError) as wrong:
        raise UnexpectedAnswer(what="the service account's key", why="is neither a key file nor a PEM key") from wrong
    if not isinstance(key, RSAPrivateKey):
        raise UnexpectedAnswer(what="the service account's key", why="is no RSA key")
    return _ServiceAccountKey(key=key, kid=kid)


LOOKUP = Lookup(sign_in=sign_in, groups=groups)
