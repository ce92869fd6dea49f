"""What believing a caller costs: a token seen before, a token seen for the first time, and their parts.

    python bench/bench_identify.py

Prints a table and writes bench/results/identify.json. The signature check of `cryptography` alone runs beside it.
"""

import asyncio
import gc
import json
import platform
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from actas import jose
from actas.identify import Identify
from actas.model import clock
from actas.model.evidence import BearerToken
from actas.model.secret import Secret
from actas.settings.schema import KeySource, Provider

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ISSUER = "https://sso.example.com/realms/corp"


def claims(number):
    at = int(NOW.timestamp())
    return {
        "iss": ISSUER,
        "aud": ["actas", "account"],
        "sub": f"7f0c3f0e-6d0e-4d2a-8a53-{number:012d}",
        "typ": "Bearer",
        "azp": "portal",
        "sid": "f2b1c9d6-4f0e-4c52-b4b8-bb6a1c2f7d11",
        "jti": f"onrtac:{number}",
        "iat": at,
        "exp": at + 3600,
        "auth_time": at,
        "scope": "openid profile reports.read",
        "realm_access": {"roles": ["default-roles-corp", "invoker", "offline_access"]},
        "resource_access": {"reports": {"roles": ["run"]}, "account": {"roles": ["view-profile"]}},
        "groups": ["/finance/analysts", "/everybody"],
    }


def median(work, count, rounds=15):
    """Give the median of *rounds* of the mean of *count* runs, in microseconds of CPU time."""
    spans = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(count):
            work()
        spans.append((time.process_time() - start) / count * 1e6)
    return statistics.median(spans)


async def measure():
    gc.freeze()  # what stands at the start is not looked through again, as in a gateway that serves
    key = jose.Key.generate("RS256", kid="one")
    keys = KeySource(inline={"keys": [key.to_json()]})
    provider = Provider(preset="keycloak", issuer=ISSUER, audience="actas", keys=keys)
    room = Identify({"corp": provider}, base_dir=Path(), clock=lambda: NOW)
    tokens = [jose.sign(claims(one), key, algorithm="RS256", header={"typ": "JWT"}) for one in range(300)]
    token, now = tokens[0], NOW + timedelta(seconds=5)
    shown = [BearerToken(shown=Secret(one)) for one in tokens]
    await room.verify(shown[0], now=now)

    async def fresh():
        room.replace({"corp": provider})  # forgets what was verified, keeps the keys
        await room.verify(shown[0], now=now)
        start = time.process_time()
        for one in shown[1:]:
            await room.verify(one, now=now)
        return (time.process_time() - start) / (len(shown) - 1) * 1e6

    data = token.encode()
    raw = generate_private_key(65537, 2048)
    signature, public = raw.sign(data, PKCS1v15(), SHA256()), raw.public_key()
    rows = {
        "known token": median(lambda: room.known(token, now), 20_000),
        "sha256 of it alone": median(lambda: sha256(token.encode()).digest(), 20_000),
        "new token, whole": statistics.median([await fresh() for _ in range(9)]),
        "RS256 by cryptography alone": median(lambda: public.verify(signature, data, PKCS1v15(), SHA256()), 300),
    }
    return len(token), rows


def main():
    size, rows = asyncio.run(measure())
    print(f"token of {size} bytes, Python {platform.python_version()}, CPU microseconds, median")
    for name, value in rows.items():
        print(f"  {name:32} {value:8.2f}")
    result = {
        "machine": f"{platform.machine()} {platform.system()}",
        "python": sys.version.split()[0],
        "date": clock.now().date().isoformat(),
        "token_bytes": size,
        "median_cpu_us": {name: round(value, 3) for name, value in rows.items()},
        "ratios": {
            "known token / sha256 alone": round(rows["known token"] / rows["sha256 of it alone"], 2),
            "new token / RS256 alone": round(rows["new token, whole"] / rows["RS256 by cryptography alone"], 2),
        },
    }
    path = Path(__file__).parent / "results" / "identify.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(json.dumps(result).encode(), indent=2) + b"\n")


if __name__ == "__main__":
    main()
