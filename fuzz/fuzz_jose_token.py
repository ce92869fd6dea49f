"""Feed anything at all to the readers of tokens: only a JoseError may come out.

    python fuzz/fuzz_jose_token.py -max_total_time=180 [CORPUS]

Half of the inputs are taken as they are. The other half are a header and a payload that we sign, so that what lies
behind the signature is reached as well. Without a corpus folder, good tokens of each kind are the seeds.
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas import jose
    from actas.jose import base64url
    from actas.jose.algorithms import CONTENT_ALGORITHMS, KEY_ALGORITHMS, SIGNATURES

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECRET = jose.Key.from_json(
    {"kty": "oct", "k": base64url.encode_text(b"a secret of more than 64 bytes, which is what HS512 asks for....")}
)
SEALED = jose.Key.from_json({"kty": "oct", "k": base64url.encode_text(b"sixteen bytes ..")})
CURVE = jose.KeySet((jose.Key.generate("ES256", kid="one"), jose.Key.generate("Ed25519", kid="two")))
KEYS = jose.KeySet((SECRET,))


def read(token: bytes) -> None:
    """Do with *token* everything that can be done with one."""
    for attempt in (
        lambda: jose.peek(token),
        lambda: jose.peek_issuer(token),
        lambda: jose.verify_jws(token, CURVE),
        lambda: jose.verify_jws(token, KEYS, algorithms=SIGNATURES),
        lambda: jose.decrypt(token, SEALED, key_algorithms=KEY_ALGORITHMS, content_algorithms=CONTENT_ALGORITHMS),
        lambda: verify(token),
    ):
        try:
            attempt()
        except jose.JoseError as refused:
            str(refused).encode()


def verify(token: bytes) -> None:
    """Verify *token* as a JWT and read what is computed from it."""
    claims = jose.verify_jwt(
        token,
        KEYS,
        issuer=jose.UNCHECKED,
        audience=jose.UNCHECKED,
        client_id="actas",
        now=NOW,
        algorithms=SIGNATURES,
        typ=None,
        require_exp=False,
        max_age=timedelta(days=1),
    )
    assert claims.issued_at is not None
    assert claims.expires_at is None or claims.expires_at.tzinfo is UTC
    assert claims.not_before is None or claims.not_before.tzinfo is UTC
    again = jose.sign(claims, SECRET, algorithm="HS256")
    assert jose.verify_jws(again, KEYS, algorithms=["HS256"]).key is SECRET


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name that libFuzzer calls
    """Read *data* as a token, or sign its two halves and read that."""
    if data[:1] != b"\x00":
        read(data)
        return
    head, _, body = data[1:].partition(b"\x00")
    signed = base64url.encode(head) + b"." + base64url.encode(body)
    read(signed + b"." + base64url.encode(SECRET.signer("HS256")(signed)))


def seeds() -> list[bytes]:
    """Make one good input of each kind."""
    claims = (
        b'{"iss":"https://issuer.example","aud":["actas"],"azp":"actas","sub":"ana","exp":1795424700,"iat":1795424390}'
    )
    good = jose.sign(claims, SECRET, algorithm="HS256").encode()
    curve = jose.sign(claims, CURVE.keys[0], algorithm="ES256").encode()
    behind = b'\x00{"alg":"HS256","typ":"at+jwt","kid":null}\x00' + claims
    sealed = b".".join(
        base64url.encode(part) for part in (b'{"alg":"dir","enc":"A128GCM"}', b"", bytes(12), b"A", bytes(16))
    )
    return [good, curve, behind, sealed, behind.replace(b',"kid":null', b""), b"\x00{}\x00{}"]


def main() -> None:
    """Run with libFuzzer's own arguments."""
    arguments = sys.argv
    if all(one.startswith("-") for one in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="fuzz-jose-token-"))
        for number, seed in enumerate(seeds()):
            (folder / str(number)).write_bytes(seed)
        arguments = [*arguments, str(folder)]
    atheris.Setup(arguments, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
