"""Feed anything at all to the readers of keys: only a JoseError may come out, and what is usable works.

    python fuzz/fuzz_jose_keyset.py -max_total_time=180 [CORPUS]

Without a corpus folder, a good key of each type is the seed.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas import jose
    from actas.jose import strict_json

TOKEN = jose.sign(b"{}", jose.Key.generate("ES256", kid="one"), algorithm="ES256")


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name that libFuzzer calls
    """Read *data* as a key set and do with its keys what can be done with keys."""
    try:
        keys = jose.KeySet.from_json(data)
    except jose.BadKeySet as refused:
        str(refused).encode()
        return
    for key in keys.keys:
        use(key)
    try:
        jose.verify_jws(TOKEN, keys)
    except jose.JoseError as refused:
        str(refused).encode()


def use(key: jose.Key) -> None:
    """Write *key*, read it back, and sign with it."""
    again = jose.Key.from_json(key.to_json(private=key.is_private))
    assert again.thumbprint() == key.thumbprint()
    assert again.verifiers.keys() == key.verifiers.keys()
    if not key.is_private:
        return
    for algorithm in key.verifiers:
        try:
            token = jose.sign(b"payload", key, algorithm=algorithm)
        except jose.UnsuitableKey:  # a key may be for verifying alone
            continue
        assert jose.verify_jws(token, key, algorithms=[algorithm]).payload == b"payload"


def seeds() -> list[bytes]:
    """Make one good input of each kind."""
    made = [jose.Key.generate(name, kid="one") for name in ("RS256", "ES256", "ES512", "Ed25519", "HS256")]
    single = [key.to_json(private=private) for key in made for private in (False, True) if private or key.kty != "oct"]
    single.append(
        {"kty": "OKP", "crv": "X25519", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08", "key_ops": ["deriveKey"]}
    )
    whole = {"keys": [*single[:4], {"kty": "oct", "k": ""}, 1]}
    return [strict_json.dumps(one) for one in (*single, whole)]


def main() -> None:
    """Run with libFuzzer's own arguments."""
    arguments = sys.argv
    if all(one.startswith("-") for one in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="fuzz-jose-keyset-"))
        for number, seed in enumerate(seeds()):
            (folder / str(number)).write_bytes(seed)
        arguments = [*arguments, str(folder)]
    atheris.Setup(arguments, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
