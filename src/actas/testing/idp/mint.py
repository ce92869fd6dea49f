"""Make a signed token from facts, in a shape, with the faults that are on."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from actas import jose
from actas.testing.idp.facts import Claims, Facts, Shape, Use
from actas.testing.idp.faults import Faults
from actas.testing.idp.keys import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a test wants otherwise than the shape has it."""

    claims: Mapping[str, Any]
    drop: tuple[str, ...] = ()
    header: Mapping[str, Any] | None = None
    """Header parameters; one that is None is left out."""


AS_IT_IS = Wish(claims={})


def _wire(value: object) -> object:
    """Write times as tokens have them."""
    return int(value.timestamp()) if isinstance(value, datetime) else value


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def half_hash(token: str) -> str:
    """Give ``at_hash`` (OpenID Connect Core 1.0, section 3.1.3.6), for algorithms that hash by SHA-256."""
    return base64.urlsafe_b64encode(sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def claims_of(facts: Facts, shape: Shape, use: Use, faults: Faults) -> Claims:
    """Write what the token says."""
    overflowed = faults.overage or (shape.most_groups is not None and len(facts.groups) > shape.most_groups)
    facts = replace(facts, overflowed=overflowed and facts.person is not None)
    said = shape.access(facts) if use == "access" else shape.identity(facts)
    if faults.token_issuer is not None and "iss" in said:
        said["iss"] = faults.token_issuer
    if faults.nonce is not None and use == "id":
        said["nonce"] = faults.nonce
    return said


def mint(facts: Facts, shape: Shape, use: Use, *, ring: KeyRing, faults: Faults, wish: Wish = AS_IT_IS) -> str:
    """Write, change as wished, and sign."""
    said = claims_of(facts, shape, use, faults) | {name: _wire(value) for name, value in wish.claims.items()}
    said = {name: value for name, value in said.items() if name not in wish.drop}
    key = ring.signer(identity=use == "id" and shape.own_identity_key, foreign=faults.foreign_key)
    typ = faults.typ or (shape.typ if use == "access" else shape.identity_typ)
    named = {"kid": key.kid, "typ": typ, "x5t": key.kid if shape.thumbprint_header else None, **(wish.header or {})}
    header = {name: value for name, value in named.items() if value is not None}
    if faults.algorithm == "none":
        return f"{_part({'alg': 'none', **header})}.{_part(said)}."
    token = jose.sign(said, key, algorithm=ring.algorithm, header=header)
    if faults.algorithm is None:
        return token
    _, payload, signature = token.split(".")
    return f"{_part({'alg': faults.algorithm, **header})}.{payload}.{signature}"
