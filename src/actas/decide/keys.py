"""The condition keys that rules are compiled to: where each comes from, and when it is unknown.

This table is the whole vocabulary: `context` fills it, `statements` uses it, and ``docs/rules/keys.md`` shows it.
"""

from dataclasses import dataclass
from typing import Literal

Where = Literal["aws", "gateway"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One condition key."""

    name: str
    type: str
    source: str
    unknown: str
    """When a condition on it can be neither true nor false."""
    enforced_by: Where = "gateway"
    """Who can evaluate it: AWS itself, or only the gateway."""


PROVIDER = "actas:provider"
SUBJECT = "actas:subject"
CLIENT = "actas:client"
TENANT = "actas:tenant"
KIND = "actas:kind"
GROUPS = "actas:groups"
ROLES = "actas:roles"
SCOPES = "actas:scopes"
ACTORS = "actas:actors"
MFA = "actas:mfa"
AUTH_AGE = "actas:auth-age"
WEEKDAY = "actas:weekday/"
YESTERDAY = "actas:yesterday/"
MINUTE = "actas:minute/"
DATE = "actas:date/"
ADDRESS = "aws:sourceip"

_MISSING = "the token says nothing of it, says there were too many, or a look-up failed"

TABLE: tuple[Key, ...] = (
    Key(name=PROVIDER, type="string", source="the provider whose key verified the caller", unknown="never"),
    Key(name=SUBJECT, type="string", source="the provider's stable identifier of the caller", unknown="never"),
    Key(name=CLIENT, type="string", source="the client that the token was issued to", unknown=_MISSING),
    Key(name=TENANT, type="string", source="the provider's tenant", unknown=_MISSING),
    Key(name=KIND, type="string", source="human, service or agent", unknown=_MISSING),
    Key(name=GROUPS, type="list of strings", source="the caller's groups", unknown=_MISSING),
    Key(name=ROLES, type="list of strings", source="the caller's roles at the provider", unknown=_MISSING),
    Key(name=SCOPES, type="list of strings", source="the scopes of the token", unknown=_MISSING),
    Key(
        name=ACTORS,
        type="list of strings",
        source="who acts for the caller: subjects and clients of the `act` chain; `none` where nobody does",
        unknown="somebody in the chain is called `none`",
    ),
    Key(name=MFA, type="boolean", source="whether a second factor was used (`amr`, `acr`)", unknown=_MISSING),
    Key(name=AUTH_AGE, type="number", source="seconds since the caller signed in (`auth_time`)", unknown=_MISSING),
    Key(name=WEEKDAY + "ZONE", type="string", source="mon to sun, in the rule's zone", unknown="never"),
    Key(
        name=YESTERDAY + "ZONE",
        type="string",
        source="the day before, for hours that go over midnight",
        unknown="never",
    ),
    Key(name=MINUTE + "ZONE", type="number", source="minutes after midnight, in the rule's zone", unknown="never"),
    Key(name=DATE + "ZONE", type="number", source="the date as yyyymmdd, in the rule's zone", unknown="never"),
    Key(
        name=ADDRESS,
        type="IP address",
        source="the client's address, from the connection or a declared proxy",
        unknown="the peer is private and no proxy is declared",
        enforced_by="aws",
    ),
)
