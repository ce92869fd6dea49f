"""Sessions of a real AWS role: our own issuer's token, traded at STS (design.md, 8.2).

In the settings file::

    roles:
      finance-reader:
        arn: arn:aws:iam::111122223333:role/finance-reader
        broker: aws-web-identity

AWS trusts this gateway's issuer, never the caller's token. The token that STS is shown lives for 60 seconds, and the
caller never sees it; tags and source identity are claims in it, because the call has no parameters for them.
"""

import re
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import aiohttp
import anyio

from actas import jose
from actas.assume import key as keys
from actas.assume import policies
from actas.assume.brokers.local import PseudonymOf, lasts_until
from actas.assume.errors import AssumeError, BrokerRefused, BrokerUnreachable
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.secret import Secret
from actas.model.session import NO_ROLE, Session, Sessions

NAME: Final = "aws-web-identity"
AUDIENCE: Final = "sts.amazonaws.com"
TOKEN_LIVES: Final = timedelta(seconds=60)
PATIENCE: Final = 10.0
SHORTEST: Final = 900
"""Seconds; STS hands out nothing shorter (protocols of STS, DurationSeconds), so their policies end them sooner."""
LONGEST_POLICY: Final = 2048
_LARGEST: Final = 64 * 1024
_NAMESPACE: Final = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_CODE: Final = re.compile(r"[A-Za-z.]{1,64}")


class AwsWebIdentityBroker:
    """Trades at STS by ``AssumeRoleWithWebIdentity``."""

    def __init__(
        self,
        *,
        newest: Callable[[], jose.Key | jose.Signer],
        pseudonyms: PseudonymOf,
        issuer: str,
        sts: str | None = None,
        region: str = "us-east-1",
    ) -> None:
        self._newest, self._pseudonyms, self._issuer = newest, pseudonyms, issuer
        self._sts = sts or f"https://sts.{region}.amazonaws.com/"
        self.shape, self.shows_evidence = f"{NAME} {self._sts} {issuer}", False

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:  # noqa: ARG002 - nothing is passed on
        """Make the trade, twice: once to invoke, once to work."""
        if grant.role is None:
            return NO_ROLE
        ends = lasts_until(grant, now=now)
        name = await self._pseudonyms.of(grant.identity.issuer, grant.identity.subject)
        until = ends if ends - now < timedelta(seconds=SHORTEST) else None
        policy = {
            "invoke": policies.invoke_policy(grant.function_arn, until=until),
            "work": policies.work_policy(grant.fence, grant.role.policy, until=until),
        }
        made: dict[str, Session] = {}

        async def trade(purpose: Literal["invoke", "work"]) -> None:
            made[purpose] = await self._trade(grant, purpose, policy[purpose], name=name, now=now, ends=ends)

        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(trade, "invoke")
                tasks.start_soon(trade, "work")
        except ExceptionGroup as several:
            ours = several.subgroup(AssumeError)
            if ours is None:
                raise
            raise ours.exceptions[0] from several  # either is enough: without one of the two there is no call
        return Sessions(invoke=made["invoke"], work=made["work"], id=keys.name(keys.rests(grant, broker=self.shape)))

    async def _trade(
        self, grant: Grant, purpose: Literal["invoke", "work"], policy: str, *, name: str, now: datetime, ends: datetime
    ) -> Session:
        assert grant.role is not None
        if len(policy) > LONGEST_POLICY:
            raise BrokerRefused(
                broker=NAME, found=f"a session policy of {len(policy)} characters, {LONGEST_POLICY} fit"
            )
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": grant.role.arn,
            "RoleSessionName": name[:64],
            "WebIdentityToken": self._token(grant, name, now),
            "DurationSeconds": str(max(SHORTEST, int((ends - now).total_seconds()))),
            "Policy": policy,
        }
        found = _read(await self._post(urlencode(form)))
        return Session(
            purpose=purpose,
            role_arn=grant.role.arn,
            access_key_id=found["AccessKeyId"],
            secret_access_key=Secret(found["SecretAccessKey"]),
            session_token=Secret(found["SessionToken"]),
            expires_at=min(ends, datetime.fromisoformat(found["Expiration"])),
        )

    def _token(self, grant: Grant, name: str, now: datetime) -> str:
        """Vouch for the caller: under a pseudonym, with what AWS may decide by as tags (protocols of STS, 2.4)."""
        issued = int(now.timestamp())
        tags = {"provider": [grant.identity.provider], "kind": [keys.kind_of(grant.identity)]}
        if grant.identity.actors:
            tags["actor"] = [grant.identity.actors[0].client or "yes"]
        claims = {
            "iss": self._issuer,
            "sub": name,
            "aud": AUDIENCE,
            "iat": issued,
            "exp": issued + int(TOKEN_LIVES.total_seconds()),
            "https://aws.amazon.com/tags": {"principal_tags": tags, "transitive_tag_keys": list(tags)},
            "https://aws.amazon.com/source_identity": name[:64],
        }
        return jose.sign(claims, self._newest(), algorithm="ES256")

    async def _post(self, form: str) -> bytes:
        """Ask STS; its calls for web identities are unsigned."""
        head = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Accept": "application/xml"}
        try:
            with anyio.fail_after(PATIENCE):
                async with (
                    aiohttp.ClientSession(trust_env=False) as client,
                    client.post(self._sts, data=form, headers=head, allow_redirects=False) as answer,
                ):
                    content = await answer.content.read(_LARGEST)
                    status = answer.status
        except TimeoutError as late:
            raise BrokerUnreachable(broker=NAME, why=f"no answer within {PATIENCE:g} s") from late
        except (aiohttp.ClientError, OSError, ssl.SSLError) as wrong:
            raise BrokerUnreachable(broker=NAME, why=type(wrong).__name__) from wrong
        if status != 200:
            raise BrokerRefused(broker=NAME, found=_code(content, status))
        return content


def _tree(content: bytes) -> ET.Element:
    if b"<!" in content:  # no document type, so no entities
        raise BrokerRefused(broker=NAME, found="an answer with a document type")
    try:
        return ET.fromstring(content)  # noqa: S314 - a document without a document type expands nothing
    except ET.ParseError as wrong:
        raise BrokerRefused(broker=NAME, found="an answer that is no XML") from wrong


def _read(content: bytes) -> dict[str, str]:
    """Read the credentials out of STS's answer."""
    found = _tree(content).find(f".//{_NAMESPACE}Credentials")
    values = {} if found is None else {one.tag.removeprefix(_NAMESPACE): one.text or "" for one in found}
    if not all(values.get(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")):
        raise BrokerRefused(broker=NAME, found="an answer without credentials")
    return values


def _code(content: bytes, status: int) -> str:
    """Give the error's code and nothing else of it: its message may name people."""
    try:
        code = _tree(content).findtext(f".//{_NAMESPACE}Code") or ""
    except BrokerRefused:
        code = ""
    return code if _CODE.fullmatch(code) else f"status {status}"
