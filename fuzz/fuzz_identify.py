"""Feed any claims, any key set and any answer of a provider to the room: only an IdentifyError may come out.

    python fuzz/fuzz_identify.py -max_total_time=180 [CORPUS]

The first byte chooses what the rest is: claims under a signature that holds, for one of the presets; a key set; a
discovery document and what follows it; or the text of a token. Without a corpus folder, the presets' own shapes are
the seeds.
"""

import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas import jose
    from actas.identify import Identify, errors
    from actas.identify.flow import Answer, find_keys
    from actas.identify.keyring import Ring
    from actas.identify.presets import PRESETS
    from actas.identify.profile import Source
    from actas.identify.registry import Registry
    from actas.model.evidence import BearerToken
    from actas.model.secret import Secret
    from actas.settings.schema import KeySource, Provider

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = jose.Key.generate("ES256", kid="one")
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
PLACES = {
    "auth0": "https://a.example/",
    "cognito": "https://c.example/eu-west-1_A",
    "keycloak": "https://k.example/realms/a",
    "kubernetes": "https://s.example",
    "oidc": "https://o.example",
    "okta": "https://t.example/oauth2/default",
    "pingfederate": "https://f.example",
    "pingone": "https://p.example/as",
}


def provider(name: str) -> Provider:
    """Configure one preset, with the fuzzer's own key."""
    return Provider(
        preset=name,
        issuer=PLACES.get(name),
        tenant=TENANT if name == "entra" else None,
        clients=("portal", "1") if name in ("cognito", "github-actions") else None,
        audience=None if name == "cognito" else "actas",
        algorithms="ES256",
        typ=("", "JWT", "at+jwt"),
        keys=KeySource(inline={"keys": [KEY.to_json()]}),
    )


PROVIDERS = {name: provider(name) for name in PRESETS}
ISSUERS = {issuer.profile.name: issuer for issuer in Registry.of(PROVIDERS).issuers.values()}
ROOM = Identify(PROVIDERS, base_dir=Path(), clock=lambda: NOW)
LOOP = asyncio.Runner()


def shown(token: str) -> None:
    """Show *token* at the front; what is believed must be known the next time."""
    try:
        identity = LOOP.run(ROOM.verify(BearerToken(shown=Secret(token)), now=NOW))
    except errors.IdentifyError as refused:
        str(refused).encode()
        assert ROOM.known(token, NOW) is None
        return
    assert identity.subject
    assert "email" not in repr(identity)
    assert ROOM.known(token, NOW) is identity


def claims(data: bytes) -> None:
    """Put what *data* says on top of a good token of some preset."""
    try:
        found = json.loads(data[1:])
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict):
        return
    name = sorted(PRESETS)[data[0] % len(PRESETS)] if data else "oidc"
    at = int(NOW.timestamp())
    whole = {"iss": ISSUERS[name].iss, "aud": "actas", "iat": at, "exp": at + 60} | found
    try:
        token = jose.sign(whole, KEY, algorithm="ES256")
    except jose.JoseError:
        return
    shown(token)
    try:
        ROOM.suppose(whole, now=NOW)
    except errors.IdentifyError as refused:
        str(refused).encode()


def key_set(data: bytes) -> None:
    """Have the provider publish *data*."""

    async def fetch(_wish: object) -> Answer:
        return Answer(status=200, body=data)

    source = Source(provider="x", url="https://k.example/certs")
    ring = Ring(source, fetch=fetch, base=Path(), clock=lambda: NOW)
    for issuer in (ISSUERS["keycloak"], ISSUERS["entra"]):
        try:
            LOOP.run(ring.key_set(issuer, now=NOW))
        except errors.IdentifyError as refused:
            str(refused).encode()
    ring.state(now=NOW)


def conversation(data: bytes) -> None:
    """Answer discovery with *data*."""
    flow = find_keys(Source(provider="x", discovery="https://k.example/d", issuer="https://k.example"))
    next(flow)
    try:
        flow.send(Answer(status=200, body=data))
    except errors.IdentifyError as refused:
        str(refused).encode()


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name that libFuzzer calls
    """Take *data* for one of the four."""
    match data[:1]:
        case b"k":
            key_set(data[1:])
        case b"d":
            conversation(data[1:])
        case b"t":
            shown(data[1:].decode("utf-8", "surrogateescape"))
        case _:
            claims(data[1:])


def seeds() -> list[bytes]:
    """Give good inputs of each kind."""
    person = {"sub": "ana", "oid": "ana", "uid": "ana", "tid": TENANT, "typ": "Bearer", "token_use": "access"}
    more = {
        "client_id": "portal",
        "repository_owner_id": "1",
        "realm_access": {"roles": ["a"]},
        "resource_access": {"c": {"roles": ["b"]}},
        "groups": ["g"],
        "scope": "a b",
        "act": {"sub": "x", "act": {"sub": "y"}},
        "amr": ["mfa"],
        "auth_time": int(NOW.timestamp()),
        "_claim_names": {"groups": "src1"},
        "kubernetes.io": {"namespace": "prod"},
    }
    found = [b"c" + bytes([number]) + json.dumps(person | more).encode() for number in range(len(PRESETS))]
    found.append(b"k" + json.dumps({"keys": [KEY.to_json() | {"issuer": "https://x.example/{tenantid}"}]}).encode())
    found.append(b"d" + json.dumps({"issuer": "https://k.example", "jwks_uri": "https://k.example/c"}).encode())
    found.append(b"t" + jose.sign({"iss": "https://o.example"}, KEY, algorithm="ES256").encode())
    return found


def main() -> None:
    """Hand over to libFuzzer; make a corpus of the seeds where none is given."""
    if not any(not argument.startswith("-") for argument in sys.argv[1:]):
        folder = Path(tempfile.mkdtemp(prefix="actas-fuzz-"))
        for number, seed in enumerate(seeds()):
            (folder / str(number)).write_bytes(seed)
        sys.argv.append(str(folder))
    atheris.Setup(sys.argv, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
