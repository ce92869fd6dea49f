"""What others have written down about tokens, and what this library says to each of their cases."""

import base64
import json
from collections import Counter

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from actas import jose
from actas.jose.algorithms import CONTENT_ALGORITHMS, KEY_ALGORITHMS, SIGNATURES

LEFT_OUT = {"RSA1_5", "PBES2-HS512+A256KW"}  # api.md: never decrypted


def decrypt(token, keys):
    return jose.decrypt(token, keys, key_algorithms=KEY_ALGORITHMS, content_algorithms=CONTENT_ALGORITHMS).payload


def read(path):
    return json.loads(path.read_text())


def test_wycheproof_jwe(corpus):
    vectors = read(corpus("wycheproof-jwe/json_web_encryption_test.json"))
    seen = Counter()

    for group in vectors["testGroups"]:
        keys = jose.KeySet.from_json(group["private"])
        for case in group["tests"]:
            algorithm = "RSA1_5" if group["private"].get("alg") == "RSA1_5" else ""
            compressed = "CompressedPlaintext" in case["flags"]
            if case["result"] == "valid" and not algorithm and not compressed:
                seen["opened"] += 1
                assert decrypt(case["jwe"], keys).hex() == case["pt"], case["comment"]
            else:
                # eight valid cases use RSA1_5 and one is compressed: both are refused by design
                seen["refused" if case["result"] == "invalid" else "left out"] += 1
                with pytest.raises(jose.JoseError):
                    decrypt(case["jwe"], keys)

    assert seen == {"opened": 56, "refused": 74, "left out": 9}
    assert seen.total() == vectors["numberOfTests"] == 139


def test_the_cookbook_signatures(corpus):
    seen = Counter()

    for path in sorted(
        [*corpus("jose-cookbook-rfc7520/jws").iterdir(), *corpus("jose-cookbook-rfc7520/rfc7797").iterdir()]
    ):
        case = read(path)
        payload, output = case["input"]["payload"].encode(), case["output"]
        single = not isinstance(case["input"]["key"], list)
        keys = jose.KeySet.from_json(case["input"]["key"] if single else {"keys": case["input"]["key"]})
        for form, token in output.items():
            # Detached content, b64 and the JSON serialisations are refused by design.
            plain = form == "compact" and "detached" not in path.name and "b64" not in path.name
            seen["verified" if plain else "left out"] += 1
            if plain:
                found = jose.verify_jws(token, keys, algorithms=[case["input"]["alg"]])
                assert found.payload == payload
                if case.get("reproducible"):
                    seen["reproduced"] += 1
                    assert jose.sign(payload, keys.keys[0], algorithm=case["input"]["alg"]) == token
            else:
                with pytest.raises(jose.JoseError):
                    jose.verify_jws(token if form == "compact" else json.dumps(token), keys, algorithms=SIGNATURES)

    assert seen == {"verified": 4, "reproduced": 2, "left out": 21}


def test_the_cookbook_encryptions(corpus):
    seen = Counter()

    for path in sorted(corpus("jose-cookbook-rfc7520/jwe").iterdir()):
        case = read(path)
        given = case["input"].get("key", {"kty": "oct", "k": "QUFB"})
        keys = jose.KeySet.from_json(given if isinstance(given, dict) else {"keys": given})
        for form, token in case["output"].items():
            plain = form == "compact" and case["input"]["alg"] not in LEFT_OUT and "zip" not in case["input"]
            seen["opened" if plain else "left out"] += 1
            if plain:
                assert decrypt(token, keys) == case["input"]["plaintext"].encode()
            else:
                with pytest.raises(jose.JoseError):
                    decrypt(token if form == "compact" else json.dumps(token), keys)

    assert seen == {"opened": 6, "left out": 28}


def test_the_cookbook_keys(corpus):
    sets = [jose.KeySet.from_json(path.read_bytes()) for path in sorted(corpus("jose-cookbook-rfc7520/jwk").iterdir())]

    assert [len(one.keys) for one in sets] == [1] * 6
    assert [one.keys[0].is_private for one in sets] == [False, True, False, True, True, True]


def test_the_cookbook_curve25519(corpus):
    signed, sealed = (read(corpus(f"jose-cookbook-rfc7520/curve25519/{name}.json")) for name in ("jws", "ecdh-es"))
    key = jose.Key.from_json(signed["input"]["key"])

    assert jose.sign(signed["input"]["payload"].encode(), key, algorithm="EdDSA") == signed["output"]["compact"]
    assert jose.verify_jws(signed["output"]["compact"], key).payload == signed["input"]["payload"].encode()
    assert decrypt(sealed["output"]["compact"], jose.KeySet.from_json(sealed["input"]["key"])) == (
        sealed["input"]["plaintext"].encode()
    )


def test_the_cookbook_nested_token(corpus):
    case = read(corpus("jose-cookbook-rfc7520/6.nesting_signatures_and_encryption.json"))
    outer, inner = case["encrypt"], case["sign"]

    opened = decrypt(outer["output"]["compact"], jose.KeySet.from_json(outer["input"]["key"]))
    found = jose.verify_jws(opened, jose.Key.from_json(inner["input"]["key"]), algorithms=[inner["input"]["alg"]])

    assert json.loads(found.payload) == json.loads(inner["input"]["payload"])


RFC_SIGNED = {
    "rfc7515_A.1": "HS256",
    "rfc7515_A.2": "RS256",
    "rfc7515_A.3": "ES256",
    "rfc7515_A.4": "ES512",
    "rfc7520_4.1": "RS256",
    "rfc7520_4.2": "PS384",
    "rfc7520_4.3": "ES512",
    "rfc7520_4.4": "HS256",
}
RFC_SEALED = ("rfc7520_5.2", "rfc7520_5.4", "rfc7520_5.5", "rfc7520_5.6", "rfc7520_5.7", "rfc7520_5.8")


def test_the_rfc_vectors_in_compact_form(corpus):
    folder = corpus("jose-rfc-vectors")
    signed = {path.stem: path.read_text().strip() for path in folder.glob("*.jwsc")}
    sealed = {path.stem: path.read_text().strip() for path in folder.glob("*.jwec")}

    for stem, algorithm in RFC_SIGNED.items():
        keys = jose.KeySet.from_json((folder / f"{stem}.jwk").read_bytes())
        assert jose.verify_jws(signed.pop(stem), keys, algorithms=[algorithm]).key is keys.keys[0]
    for stem in RFC_SEALED:
        keys = jose.KeySet.from_json((folder / f"{stem}.jwk").read_bytes())
        assert decrypt(sealed.pop(stem), keys) == (folder / f"{stem}.pt").read_bytes()

    # A.5 is alg none, 4.5 has detached content; 5.1 is RSA1_5, 5.3 PBES2, 5.9 compressed
    assert sorted(signed) == ["rfc7515_A.5", "rfc7520_4.5"]
    assert sorted(sealed) == ["rfc7520_5.1", "rfc7520_5.3", "rfc7520_5.9"]


@pytest.mark.parametrize("stem", ["rfc7515_A.5", "rfc7520_4.5"])
def test_the_rfc_vectors_left_out_do_not_verify(corpus, stem):
    token = (corpus("jose-rfc-vectors") / f"{stem}.jwsc").read_text().strip()
    keys = jose.KeySet.from_json((corpus("jose-rfc-vectors") / "rfc7520_4.5.jwk").read_bytes())

    with pytest.raises(jose.JoseError):
        jose.verify_jws(token, keys, algorithms=SIGNATURES)


@pytest.mark.parametrize("stem", ["rfc7520_5.1", "rfc7520_5.3", "rfc7520_5.9"])
def test_the_rfc_vectors_left_out_do_not_open(corpus, stem):
    token = (corpus("jose-rfc-vectors") / f"{stem}.jwec").read_text().strip()
    keys = jose.KeySet.from_json((corpus("jose-rfc-vectors") / f"{stem}.jwk").read_bytes())

    with pytest.raises(jose.JoseError):
        decrypt(token, keys)


def test_the_rfc_vectors_in_json_form_are_refused_as_malformed(corpus):
    folder = corpus("jose-rfc-vectors")
    tokens = [path.read_text() for suffix in ("jwsf", "jwsg", "jwef", "jweg") for path in folder.glob(f"*.{suffix}")]
    keys = jose.KeySet.from_json((folder / "rfc7520_4.1.jwk").read_bytes())

    for token in tokens:
        with pytest.raises(jose.MalformedToken):
            jose.verify_jws(token, keys)
        with pytest.raises(jose.MalformedToken):
            decrypt(token, keys)

    assert len(tokens) == 40


def test_the_rfc_key_sets(corpus):
    folder = corpus("jose-rfc-vectors")
    sets = {path.name: jose.KeySet.from_json(path.read_bytes()) for path in sorted(folder.glob("*.jwkset"))}

    assert {name: (len(one.keys), len(one.refused)) for name, one in sets.items()} == {
        "rfc7515_A.6.jwkset": (2, 0),
        "rfc7517_A.1.jwkset": (2, 0),
        "rfc7517_A.2.jwkset": (2, 0),
        "rfc7517_A.3.jwkset": (2, 0),
        "rfc7520_4.8.jwkset": (1, 2),  # an RSA key and an EC key share one kid
    }


def test_the_rfc_thumbprint(corpus):
    folder = corpus("jose-rfc-vectors")
    key = jose.Key.from_json((folder / "rfc7638_3.1.jwk").read_bytes())

    assert key.thumbprint() == (folder / "rfc7638_3.1.thp").read_text().strip()


def jwk_of(path):
    """Read a key file of whatever form as a JWK."""
    text = path.read_bytes()
    if path.suffix == ".json":
        return json.loads(text)
    loaded = load_pem_private_key(text, None) if b"PRIVATE" in text else load_pem_public_key(text)
    public = loaded.public_key() if hasattr(loaded, "public_key") else loaded

    def number(value, width=None):
        width = width or (value.bit_length() + 7) // 8
        return base64.urlsafe_b64encode(value.to_bytes(width, "big")).rstrip(b"=").decode()

    match public:
        case rsa.RSAPublicKey():
            numbers = public.public_numbers()
            return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        case ec.EllipticCurvePublicKey():
            numbers, width = public.public_numbers(), (public.key_size + 7) // 8
            crv = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(public.curve.name, "other")
            return {"kty": "EC", "crv": crv, "x": number(numbers.x, width), "y": number(numbers.y, width)}
        case ed25519.Ed25519PublicKey():
            return {"kty": "OKP", "crv": "Ed25519", "x": number(int.from_bytes(public.public_bytes_raw(), "big"), 32)}
        case _:
            return {"kty": "OKP", "crv": "Ed448", "x": "AAAA"}


def test_the_joserfc_signatures(corpus, encode):
    folder = corpus("joserfc-fixtures")
    seen = Counter()

    for name in ("jws_examples", "jwt_use_jws", "jws_rfc7520", "jws_rfc7797"):
        fixture = read(folder / "fixtures" / f"{name}.json")
        for case in fixture["tests"]:
            header = case.get("protected") or case.get("header") or {}
            token = case.get("compact") or case.get("token")
            if token is None:
                seen["has no compact form"] += 1
                continue
            keys = joserfc_key(case, folder, encode, name)
            try:
                found = jose.verify_jws(token, keys, algorithms=[header["alg"]])
            except jose.JoseError:
                seen[joserfc_reason(case, header)] += 1
            else:
                seen["verified"] += 1
                wanted = fixture["payload"]
                assert (json.loads(found.payload) if isinstance(wanted, dict) else found.payload.decode()) == wanted

    assert seen == {
        "verified": 11,
        "the secret is shorter than the hash": 6,
        "it has b64 and crit": 3,
        "has no compact form": 9,
    }


def joserfc_key(case, folder, encode, name):
    if "secret" in case:
        return jose.KeySet.from_json({"kty": "oct", "k": encode(case["secret"].encode())})
    if name == "jws_rfc7797":
        return jose.KeySet.from_json((folder.parent / "jose-rfc-vectors/rfc7515_A.1.jwk").read_bytes())
    return jose.KeySet.from_json(jwk_of(folder / "keys" / (case.get("public_key") or case["key"])))


def joserfc_reason(case, header):
    if "secret" in case:
        return "the secret is shorter than the hash"
    return "it has b64 and crit" if "crit" in header else "other"


def test_the_joserfc_encryptions(corpus):
    folder = corpus("joserfc-fixtures")
    seen = Counter()

    for case in read(folder / "fixtures/jwe_rfc7520.json")["tests"]:
        keys = jose.KeySet.from_json(jwk_of(folder / "keys" / case["key"]))
        if case["protected"]["alg"] in LEFT_OUT:
            seen["left out"] += 1
            with pytest.raises(jose.JoseError):
                decrypt(case["compact"], keys)
        else:
            seen["opened"] += 1
            assert decrypt(case["compact"], keys)
    for case in read(folder / "fixtures/jwe_compact_ecdh_1pu.json")["tests"]:
        seen["ECDH-1PU"] += 1
        with pytest.raises(jose.AlgorithmRefused):
            decrypt(case["value"], jose.KeySet.from_json(jwk_of(folder / "keys/ec-p256-bob.json")))

    assert seen == {"opened": 4, "left out": 1, "ECDH-1PU": 9}


def test_the_joserfc_keys(corpus):
    seen = Counter()
    for path in sorted(corpus("joserfc-fixtures/keys").iterdir()):
        if "ssh" in path.name or "firebase" in path.name:
            seen["no JWK and no plain PEM"] += 1
            continue
        keys = jose.KeySet.from_json(jwk_of(path))
        seen["usable" if keys.keys else keys.refused[0].reason] += 1

    assert seen == {
        "usable": 28,
        "no JWK and no plain PEM": 5,
        "its crv is missing or not one of P-256, P-384 and P-521": 2,  # secp256k1
        "its crv is missing or not one of Ed25519 and X25519": 2,  # Ed448
    }
