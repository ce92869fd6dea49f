"""Cut the sessions of a role that AWS has handed out: a deny on everything that was issued before a moment.

It is what AWS's own console does to revoke active sessions: an inline policy of the role, with ``aws:TokenIssueTime``.
The role's sessions of everybody end, and whoever may still take it takes it again.
"""

import json
import re
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from actas import sigv4
from actas.assume.base_identity import Base
from actas.assume.exchange import Asked, Exchange

NAME: Final = "cutting sessions"
POLICY: Final = "ActasCutOlderSessions"
_HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    "Accept": "application/xml",
}
_CODE: Final = re.compile(rb"<Code>([A-Za-z][A-Za-z0-9.]{0,63})</Code>")
_ENDPOINTS: Final = {
    "aws": ("https://iam.amazonaws.com/", "us-east-1"),
    "aws-cn": ("https://iam.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
    "aws-us-gov": ("https://iam.us-gov.amazonaws.com/", "us-gov-west-1"),
}
"""IAM has one endpoint for each partition, which signs for one region."""


def document(before: datetime) -> str:
    """Write the policy that denies everything to sessions issued before a moment."""
    statement = {
        "Sid": POLICY,
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": before.strftime("%Y-%m-%dT%H:%M:%SZ")}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


class Cutter:
    """Cuts the sessions of one role."""

    def __init__(self, *, exchange: Exchange, base: Base, role_arn: str, endpoint: str | None = None) -> None:
        """Take whose credentials put the policy, and another address of IAM where there is one."""
        address, self._region = _ENDPOINTS[role_arn.split(":")[1]]
        self._exchange, self._base, self._iam = exchange, base, endpoint or address
        self.role_arn = role_arn
        self._keys = sigv4.SigningKeys(4)

    async def cut(self, before: datetime, *, now: datetime) -> None:
        """Deny everything to sessions issued before; raise an `AssumeError` where IAM does not take it."""
        values = {
            "Action": "PutRolePolicy",
            "Version": "2010-05-08",
            "RoleName": self.role_arn.rpartition("/")[2],
            "PolicyName": POLICY,
            "PolicyDocument": document(before),
        }
        body = urlencode(values).encode()
        headers = [("Host", urlsplit(self._iam).netloc), *_HEADERS.items()]
        signed = sigv4.sign(
            "POST", self._iam, headers, body, await self._base(now), region=self._region, service="iam", now=now,
            keys=self._keys,
        )  # fmt: skip
        asked = Asked(broker=NAME, url=self._iam, headers=dict(signed.headers), body=body, code=_code)
        await self._exchange.ask(asked)


def _code(content: bytes) -> str:
    """Give an error's code; its message may name people, and is left."""
    found = _CODE.search(content)
    return "" if found is None else found[1].decode()
