"""What the tests of the token library share: one moment, one key of each kind, and the corpora."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from actas import jose

# The same cases each time, and no limit of time: these tests run beside others on two cores.

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256", "HS384", "HS512"),
)


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def keys() -> dict[str, jose.Key]:
    rsa = jose.Key.generate("RS256", kid="one").to_json(private=True)
    made = {name: jose.Key.from_json(rsa | {"alg": name}) for name in ALGORITHMS if name[:2] in {"RS", "PS"}}
    return made | {name: jose.Key.generate(name, kid="one") for name in ALGORITHMS if name not in made}


@pytest.fixture(scope="session")
def claims(now) -> dict[str, Any]:
    at = int(now.timestamp())
    return {
        "iss": "https://issuer.example",
        "aud": "actas",
        "sub": "ana",
        "exp": at + 300,
        "iat": at - 10,
        "nbf": at - 10,
        "jti": "a-1",
    }


@pytest.fixture(scope="session")
def key(keys) -> jose.Key:
    return keys["ES256"]


@pytest.fixture(scope="session")
def keyset(key) -> jose.KeySet:
    return jose.KeySet.from_json(key.to_json())


@pytest.fixture(scope="session")
def verify(keyset, now) -> Callable[..., jose.Claims]:
    def run(token: bytes | str, keys: Any = keyset, **other: Any) -> jose.Claims:
        asked = {"issuer": "https://issuer.example", "audience": "actas", "now": now} | other
        return jose.verify_jwt(token, keys, **asked)

    return run


@pytest.fixture(scope="session")
def raw_token(key) -> Callable[..., str]:
    """Sign any header and payload at all, as an issuer without our scruples would."""

    def make(
        header: bytes | str | dict, payload: bytes | str | dict, signer: jose.Key = key, alg: str = "ES256"
    ) -> str:
        parts = [part if isinstance(part, bytes) else _text(part).encode() for part in (header, payload)]
        signed = ".".join(b64(part) for part in parts)
        return f"{signed}.{b64(signer.signer(alg)(signed.encode()))}"

    return make


def _text(value: str | dict) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def encode() -> Callable[[bytes], str]:
    return b64


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        path = CORPORA / name
        if not path.exists():
            pytest.skip(f"the corpus {name} is not beside the repository")
        return path

    return find
