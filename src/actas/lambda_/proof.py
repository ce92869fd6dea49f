"""The proof that a request comes from a function's execution role: a `GetCallerIdentity` that it signed. Pure.

The function sends the signature, the gateway hands it on to STS, and STS says whose it is; no secret leaves the
function. Two of the signed headers name the gateway and the call's envelope, so that nobody can use the proof
elsewhere or for another call.
"""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Final

import msgspec

from actas import sigv4

PATH: Final = "/work-sessions"
"""Where the gateway's control origin takes proofs."""
BODY: Final = b"Action=GetCallerIdentity&Version=2011-06-15"
LASTS: Final = timedelta(seconds=60)
"""How far from its time a proof counts, before and after."""
FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"
SIGNED: Final = "content-type;host;x-actas-envelope;x-actas-gateway;x-amz-date;x-amz-security-token"
REGION: Final = re.compile(r"[a-z0-9-]{1,30}")
_AUTHORIZATION: Final = re.compile(
    rf"AWS4-HMAC-SHA256 Credential=[A-Z0-9]{{16,128}}/([0-9]{{8}})/({REGION.pattern})/sts/aws4_request,"
    rf" SignedHeaders={SIGNED}, Signature=([0-9a-f]{{64}})"
)
_STAMP: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,8192}")


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a function shows for the work session of its call."""

    envelope: str
    date: str
    authorization: str
    token: str

    def __repr__(self) -> str:
        return "Proof(...)"


class Read(msgspec.Struct, frozen=True):
    """A proof whose form holds; whether it is true, STS says."""

    region: str
    signature: str
    headers: tuple[tuple[str, str], ...]
    """What STS must be shown, letter by letter."""

    def __repr__(self) -> str:
        return f"Read({self.region})"


def host(region: str) -> str:
    """Name the STS of a region, as it stands in ``Host``."""
    return f"sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def prove(credentials: sigv4.Credentials, *, envelope: str, gateway: str, region: str, now: datetime) -> Proof:
    """Sign the question who we are, for this gateway and this call alone."""
    headers = [("Content-Type", FORM), ("Host", host(region)), *_bound(gateway, envelope)]
    url = f"https://{host(region)}/"
    signed = sigv4.sign("POST", url, headers, BODY, credentials, region=region, service="sts", now=now)
    sent = dict(signed.headers)
    return Proof(
        envelope=envelope,
        date=sent["X-Amz-Date"],
        authorization=sent["Authorization"],
        token=credentials.session_token or "",
    )


def read(proof: Proof, *, gateway: str, now: datetime) -> Read | str:
    """Read a proof that must be for *gateway* and about now; a text back is what is wrong with it."""
    found = _AUTHORIZATION.fullmatch(proof.authorization)
    if found is None or not _STAMP.fullmatch(proof.date) or not _TOKEN.fullmatch(proof.token):
        return "it is not in the form that actas.lambda_ writes"
    try:
        at = datetime.fromisoformat(proof.date)
    except ValueError:
        return "it is not in the form that actas.lambda_ writes"
    day, region, signature = found.groups()
    if day != proof.date[:8] or not -LASTS <= now - at <= LASTS:
        return "it is not of this minute"
    headers = (
        ("Content-Type", FORM),
        ("Host", host(region)),
        *_bound(gateway, proof.envelope),
        ("X-Amz-Date", proof.date),
        ("X-Amz-Security-Token", proof.token),
        ("Authorization", proof.authorization),
    )
    return Read(region=region, signature=signature, headers=headers)


def _bound(gateway: str, envelope: str) -> list[tuple[str, str]]:
    digest = hashlib.sha256(envelope.encode("utf-8", "surrogatepass")).hexdigest()
    return [("X-Actas-Gateway", gateway), ("X-Actas-Envelope", digest)]
