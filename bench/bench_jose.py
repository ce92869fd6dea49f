"""Verify the same access token with actas.jose, with the bare OpenSSL call, and with three other libraries.

    python bench/bench_jose.py [ROUNDS]

Each library does what it takes to believe the token: signature, issuer, audience, expiry. Processor time counts.
The rounds of all are interleaved, so that a busy machine slows them alike; the fastest of each is compared.
"""

import gc
import json
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import jwt as pyjwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

from actas import jose
from actas.jose import base64url
from actas.model import clock

RESULTS = Path(__file__).parent / "results" / "jose.json"
ISSUER, AUDIENCE = "https://sso.example/realms/corp", "actas"
ALGORITHMS = ("RS256", "ES256", "EdDSA")
CALLS = 100


def claims() -> dict:
    """Claims of the size and shape that a Keycloak realm issues."""
    at = int(clock.now().timestamp())
    return {
        "exp": at + 3600,
        "iat": at,
        "auth_time": at - 10,
        "jti": "onrtac:0b4e3c1e-5c7e-4b1e-9a55-1d7e9a3d6b10",
        "iss": ISSUER,
        "aud": [AUDIENCE, "account"],
        "sub": "7f0c3f0e-6d0e-4d2a-8a53-6a3f7f1f2c11",
        "typ": "Bearer",
        "azp": "web-portal",
        "sid": "f2b1c9d6-4f0e-4c52-b4b8-bb6a1c2f7d11",
        "acr": "1",
        "allowed-origins": ["https://portal.example.com"],
        "realm_access": {"roles": ["default-roles-actas", "invoker", "offline_access"]},
        "resource_access": {"actas": {"roles": ["fn.reports.run"]}, "account": {"roles": ["view-profile"]}},
        "scope": "openid profile email",
        "email_verified": True,
        "preferred_username": "ana",
        "groups": ["/finance/analysts"],
    }


def bare(key: jose.Key, token: str) -> Callable[[], object]:
    """Verify the signature alone, all of it decoded before."""
    head, body, tail = token.split(".")
    signed, signature, public = f"{head}.{body}".encode(), base64url.decode_text(tail), key.material.public
    if key.kty == "RSA":
        fill, digest = padding.PKCS1v15(), hashes.SHA256()
        return lambda: public.verify(signature, signed, fill, digest)
    if key.kty == "EC":
        method = ec.ECDSA(hashes.SHA256())
        der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        return lambda: public.verify(der, signed, method)
    return lambda: public.verify(signature, signed)


def ours(keys: jose.KeySet, token: str) -> Callable[[], object]:
    """Verify with actas.jose; the token's verdict is not cached."""
    now = clock.now()
    return lambda: jose.verify_jwt(token, keys, issuer=ISSUER, audience=AUDIENCE, now=now)


def by_pyjwt(public: dict, token: str, algorithm: str) -> Callable[[], object]:
    """Verify with PyJWT, its key loaded before."""
    key = pyjwt.PyJWK(public).key
    return lambda: pyjwt.decode(token, key, algorithms=[algorithm], issuer=ISSUER, audience=AUDIENCE)


def by_joserfc(public: dict, token: str, algorithm: str) -> Callable[[], object]:
    """Verify with joserfc and its claims registry."""
    key = joserfc_jwk.import_key(public)
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True}
    )

    def run() -> None:
        registry.validate(joserfc_jwt.decode(token, key, algorithms=[algorithm]).claims)

    return run


def by_authlib(public: dict, token: str, algorithm: str) -> Callable[[], object]:
    """Verify with Authlib."""
    with warnings.catch_warnings(record=True):  # it points to joserfc, which is measured too
        from authlib.jose import JsonWebKey, JsonWebToken
    key, reader = JsonWebKey.import_key(public), JsonWebToken([algorithm])
    options = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE}}
    return lambda: reader.decode(token, key, claims_options=options).validate()


def contenders(algorithm: str) -> dict[str, Callable[[], object]]:
    """Set up everybody who verifies *algorithm*."""
    key = jose.Key.generate(algorithm, kid="2026-11")
    token = jose.sign(claims(), key, algorithm=algorithm, header={"typ": "JWT"})
    public = key.to_json()
    return {
        "cryptography": bare(key, token),
        "actas.jose": ours(jose.KeySet.from_json({"keys": [public]}), token),
        "pyjwt": by_pyjwt(public, token, algorithm),
        "joserfc": by_joserfc(public, token, algorithm),
        "authlib": by_authlib(public, token, algorithm),
    }


def microseconds(run: Callable[[], object]) -> float:
    """Time one round: of the processor, so that another program's turn does not count."""
    started = time.process_time_ns()
    for _ in range(CALLS):
        run()
    return (time.process_time_ns() - started) / CALLS / 1000


def measure(algorithm: str, rounds: int) -> dict[str, dict[str, float]]:
    """Time everybody, interleaved."""
    runs = contenders(algorithm)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    gc.disable()
    for _ in range(rounds):
        for name, run in runs.items():
            spent[name].append(microseconds(run))
        gc.collect()
    gc.enable()
    best = {name: min(times) for name, times in spent.items()}
    return {
        name: {
            "best_us": round(best[name], 2),
            "median_us": round(statistics.median(spent[name]), 2),
            "times_bare": round(best[name] / best["cryptography"], 2),
            "times_ours": round(best[name] / best["actas.jose"], 2),
        }
        for name in runs
    }


def main() -> None:
    """Print the table and keep it."""
    warnings.simplefilter("ignore")  # joserfc: EdDSA is deprecated via RFC 9864
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    table = {algorithm: measure(algorithm, rounds) for algorithm in ALGORITHMS}
    for algorithm, rows in table.items():
        print(f"{algorithm}  ({rounds} rounds of {CALLS} calls)")
        for name, row in rows.items():
            print(
                f"  {name:<13}{row['best_us']:9.1f} us   median {row['median_us']:9.1f}"
                f"   {row['times_bare']:6.2f} x bare   {row['times_ours']:6.2f} x ours"
            )
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {
        "date": clock.now().date().isoformat(),
        "machine": {"cpus": os.cpu_count(), "arch": platform.machine(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("cryptography", "msgspec", "pyjwt", "joserfc", "authlib")},
        "rounds": rounds,
        "calls": CALLS,
        "verify": table,
    }
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
