"""Read the signature that a request shows: from its Authorization header or from its query, never from both."""

import re
from datetime import timedelta
from typing import Final, NamedTuple
from urllib.parse import unquote

from actas.sigv4.canonical import Gathered
from actas.sigv4.errors import IncompleteSignature, MissingSignature, UnsupportedAlgorithm
from actas.sigv4.keys import Shown
from actas.sigv4.scope import ALGORITHM, LONGEST

Pairs = list[tuple[str, str]]

_SCOPE: Final = r"([A-Za-z0-9._\-]{1,128})/([0-9]{8})/([A-Za-z0-9._\-]{1,128})/([A-Za-z0-9._\-]{1,128})/aws4_request"
_CREDENTIAL: Final = re.compile(_SCOPE)
_HEADER: Final = re.compile(
    rf"{ALGORITHM} Credential={_SCOPE}, ?SignedHeaders=([^,\s]{{1,8192}}), ?Signature=([0-9a-f]{{64}})"
)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,5}")
_PARAMETERS: Final = (
    *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"),
)
TOKEN_PARAMETER: Final = "X-Amz-Security-Token"  # noqa: S105 - a parameter's name
_SAID_LOWER: Final = frozenset(name.lower() for name in (*_PARAMETERS, TOKEN_PARAMETER))


class Claim(NamedTuple):  # on the hot path; it goes no further than the verifier
    """What a request says of its own signature; nothing of it is believed yet."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed: str
    """The names of the signed headers, as they were shown."""
    signature: str
    time: str
    token: str | None
    expires: timedelta | None
    """None in the header form."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the signed headers."""
        return tuple(self.signed.split(";"))

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read(headers: Gathered, pairs: Pairs) -> tuple[Claim, Pairs]:
    """Give the claim and the query's pairs that were signed."""
    shown = headers.values.get("authorization", "")
    in_query = [name for name, _ in pairs if name.lower() in _SAID_LOWER]
    if shown[:5].upper() == "AWS4-" or (headers.repeated and "AWS4-" in shown.upper()):
        if in_query:
            raise IncompleteSignature(part="place", why="is both a header and the query")
        headers.once("authorization")
        return _from_header(headers, shown), pairs
    if not in_query:
        raise MissingSignature
    return _from_query(headers, pairs)


def _from_header(headers: Gathered, value: str) -> Claim:
    """Read the Authorization header, strictly as it is written by AWS's clients."""
    time, token = headers.once("x-amz-date"), headers.once("x-amz-security-token")
    claim = from_header(value, time or "", token)
    if claim is None:
        if not value.startswith(f"{ALGORITHM} "):
            raise UnsupportedAlgorithm
        raise IncompleteSignature(part="header Authorization", why="is not Credential, SignedHeaders and Signature")
    if time is None:
        raise IncompleteSignature(part="header x-amz-date", why="is not there")
    _check_names(claim)
    return claim


def from_header(value: str, time: str, token: str | None) -> Claim | None:
    """Read a whole Authorization header; None where it is not as AWS's clients write it."""
    found = _HEADER.fullmatch(value)
    if found is None:
        return None
    access_key_id, date, region, service, signed, signature = found.groups()
    return Claim(access_key_id, date, region, service, signed, signature, time, token, None)


def is_signature(text: str) -> bool:
    """Tell whether it has the form of a signature."""
    return _SIGNATURE.fullmatch(text) is not None


def shown(value: str) -> Shown | None:
    """Read a whole Authorization header but for its signature, which is its last 64 characters."""
    found = _HEADER.fullmatch(value)
    return None if found is None else (found[1], found[2], found[3], found[4], found[5])


def _from_query(headers: Gathered, pairs: Pairs) -> tuple[Claim, Pairs]:
    """Read a presigned URL's parameters; each must be there once, spelt as AWS spells it."""
    said: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() in _SAID_LOWER:
            if name in said or name not in (*_PARAMETERS, TOKEN_PARAMETER):
                raise IncompleteSignature(part="query", why="has a parameter twice or misspelt")
            said[name] = unquote(value, errors="surrogateescape")
    if said.get("X-Amz-Algorithm", ALGORITHM) != ALGORITHM:
        raise UnsupportedAlgorithm
    for name in _PARAMETERS:
        if name not in said:
            raise IncompleteSignature(part=f"parameter {name}", why="is not there")
    if "x-amz-security-token" in headers.values or "x-amz-date" in headers.values:
        raise IncompleteSignature(part="time or token", why="is both a header and in the query")
    if not _SIGNATURE.fullmatch(said["X-Amz-Signature"]):
        raise IncompleteSignature(part="parameter X-Amz-Signature", why="is not 64 hexadecimal digits in lower case")
    claim = Claim(
        *_credential(said["X-Amz-Credential"]),
        said["X-Amz-SignedHeaders"],
        said["X-Amz-Signature"],
        said["X-Amz-Date"],
        said.get(TOKEN_PARAMETER),
        _life(said["X-Amz-Expires"]),
    )
    _check_names(claim)
    return claim, [pair for pair in pairs if pair[0] != "X-Amz-Signature"]


def _credential(text: str) -> tuple[str, str, str, str]:
    """Read the access key id and the scope."""
    found = _CREDENTIAL.fullmatch(text)
    if found is None:
        raise IncompleteSignature(part="Credential", why="is not KEY/YYYYMMDD/region/service/aws4_request")
    access_key_id, date, region, service = found.groups()
    return access_key_id, date, region, service


def _check_names(claim: Claim) -> None:
    """See that the signed names are sorted, each once; the verifier sees that they are headers' names."""
    if list(claim.names) != sorted(set(claim.names)):
        raise IncompleteSignature(part="SignedHeaders", why="are not sorted, each once")


def _life(text: str) -> timedelta:
    """Read a presigned URL's life."""
    if not _SECONDS.fullmatch(text) or timedelta(seconds=int(text)) > LONGEST:
        raise IncompleteSignature(part="parameter X-Amz-Expires", why="is not between 1 and 604800 seconds")
    return timedelta(seconds=int(text))
