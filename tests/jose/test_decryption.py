"""Opening what was encrypted for us, by another library, and refusing everything else alike."""

import base64
import functools
import hmac
import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as other_library
from joserfc import jwk as other_keys

from actas import jose
from actas.jose.algorithms import CONTENT_ALGORITHMS, KEY_ALGORITHMS

PAYLOAD = b"what only the two of us may know"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def recipients():
    """One private key for each way of finding the content key."""
    rsa = jose.Key.generate("RS256").to_json(private=True)
    curves = {
        crv: {
            name: value for name, value in jose.Key.generate(algorithm).to_json(private=True).items() if name != "alg"
        }
        for crv, algorithm in (("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512"))
    }
    curves["X25519"] = {
        "kty": "OKP",
        "crv": "X25519",
        "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08",
        "d": "XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os",
    }
    return {
        "RSA": {name: value for name, value in rsa.items() if name not in {"alg", "use"}},
        **{crv: {name: value for name, value in jwk.items() if name != "use"} for crv, jwk in curves.items()},
        **{str(length): {"kty": "oct", "k": b64(bytes(range(length)))} for length in (16, 24, 32, 48, 64)},
    }


def pairs():
    wrapping = {"A128": "16", "A192": "24", "A256": "32"}
    for alg in sorted(KEY_ALGORITHMS):
        for enc in sorted(CONTENT_ALGORITHMS):
            if alg == "dir":
                yield alg, enc, str(CONTENT_ALGORITHMS[enc])
            elif alg.startswith("RSA"):
                yield alg, enc, "RSA"
            elif alg.startswith("ECDH"):
                for crv in ("P-256", "P-384", "P-521", "X25519"):
                    yield alg, enc, crv
            else:
                yield alg, enc, wrapping[alg[:4]]


def encrypt(jwk, header, payload=PAYLOAD):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return other_library.encrypt_compact(
            header, payload, other_keys.import_key(jwk), algorithms=[header["alg"], header["enc"]]
        )


@functools.cache
def key_set(text):
    """Read a key set once; a private RSA key takes long to check."""
    return jose.KeySet.from_json(text)


def opened(token, keys, **only):
    asked = {"key_algorithms": KEY_ALGORITHMS, "content_algorithms": CONTENT_ALGORITHMS} | only
    return jose.decrypt(token, keys if isinstance(keys, jose.KeySet) else key_set(json.dumps(keys)), **asked)


@pytest.mark.parametrize(("alg", "enc", "name"), list(pairs()))
def test_what_another_library_encrypted_opens_and_what_was_changed_does_not(alg, enc, name, recipients):
    token = encrypt(recipients[name], {"alg": alg, "enc": enc})

    found = opened(token, recipients[name], key_algorithms=[alg], content_algorithms=[enc])

    assert found.payload == PAYLOAD
    assert found.header["alg"] == alg
    parts = [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
    for number, part in enumerate(parts[1:], 1):
        if part:
            changed = [*parts[:number], bytes([part[0] ^ 1]) + part[1:], *parts[number + 1 :]]
            with pytest.raises(jose.DecryptionFailed):
                opened(".".join(map(b64, changed)), recipients[name])
            for cut in (part[:-1], part + b"\0", part[: len(part) // 2]):
                changed = [*parts[:number], cut, *parts[number + 1 :]]
                with pytest.raises(jose.JoseError):
                    opened(".".join(map(b64, changed)), recipients[name])
    header = json.dumps(json.loads(parts[0]) | {"x": 1}).encode()
    with pytest.raises(jose.DecryptionFailed):  # the header is authenticated
        opened(".".join(map(b64, [header, *parts[1:]])), recipients[name])


@pytest.mark.parametrize(
    ("alg", "enc", "name", "wrong"),
    [
        ("RSA-OAEP", "A128GCM", "RSA", "P-256"),
        ("ECDH-ES", "A128GCM", "P-256", "RSA"),
        ("A128KW", "A128GCM", "16", "32"),
        ("A256GCMKW", "A128GCM", "32", "16"),
        ("dir", "A128GCM", "16", "32"),
        ("dir", "A256CBC-HS512", "64", "32"),
    ],
)
def test_a_key_of_another_type_or_length_is_not_tried(alg, enc, name, wrong, recipients):
    token = encrypt(recipients[name], {"alg": alg, "enc": enc})

    with pytest.raises(jose.UnknownKey):
        opened(token, recipients[wrong])


@pytest.mark.parametrize("crv", ["P-256", "P-384", "P-521", "X25519"])
@pytest.mark.parametrize("other", ["P-256", "P-521", "X25519"])
def test_a_key_on_another_curve_opens_nothing(crv, other, recipients):
    token = encrypt(recipients[other], {"alg": "ECDH-ES", "enc": "A128GCM"})

    if crv == other:
        assert opened(token, recipients[crv]).payload == PAYLOAD
        return
    with pytest.raises(jose.DecryptionFailed):
        opened(token, recipients[crv])


@pytest.mark.parametrize(
    ("marks", "opens"),
    [
        ({}, True),
        ({"use": "enc"}, True),
        ({"alg": "RSA-OAEP"}, True),
        ({"key_ops": ["unwrapKey"]}, True),
        ({"key_ops": ["decrypt", "encrypt"]}, True),
        ({"alg": "RSA-OAEP-256"}, False),
        ({"alg": "RS256"}, False),
        ({"use": "sig"}, False),
        ({"key_ops": ["wrapKey"]}, False),
        ({"key_ops": ["sign"]}, False),
        ({"kid": "other"}, False),
    ],
)
def test_a_key_opens_only_what_it_says_it_is_for(marks, opens, recipients):
    token = encrypt(recipients["RSA"], {"alg": "RSA-OAEP", "enc": "A128GCM", "kid": "one"})

    if opens:
        assert opened(token, recipients["RSA"] | marks).payload == PAYLOAD
    else:
        with pytest.raises(jose.UnknownKey):
            opened(token, recipients["RSA"] | marks)


@pytest.mark.parametrize(
    ("operations", "opens"),
    [(["deriveKey"], True), (["deriveBits"], True), (["unwrapKey"], False), (["decrypt"], False)],
)
@pytest.mark.parametrize("crv", ["P-256", "X25519"])
def test_a_key_agrees_only_where_it_may_derive(operations, opens, crv, recipients):
    token = encrypt(recipients[crv], {"alg": "ECDH-ES+A128KW", "enc": "A128GCM"})

    if opens:
        assert opened(token, recipients[crv] | {"key_ops": operations}).payload == PAYLOAD
    else:
        with pytest.raises(jose.UnknownKey):
            opened(token, recipients[crv] | {"key_ops": operations})


def test_a_public_key_opens_nothing(recipients):
    token = encrypt(recipients["RSA"], {"alg": "RSA-OAEP", "enc": "A128GCM"})

    with pytest.raises(jose.UnknownKey):
        opened(token, {name: recipients["RSA"][name] for name in ("kty", "n", "e")})


def test_a_key_for_direct_use_may_name_the_content_algorithm(recipients):
    token = encrypt(recipients["16"], {"alg": "dir", "enc": "A128GCM"})

    assert opened(token, recipients["16"] | {"alg": "A128GCM"}).payload == PAYLOAD
    with pytest.raises(jose.UnknownKey):
        opened(token, recipients["32"] | {"alg": "A256GCM"})


def test_the_names_of_the_parties_are_part_of_the_key(recipients, encode):
    names = {"apu": encode(b"Ana"), "apv": encode(b"Ben")}
    token = encrypt(recipients["P-256"], {"alg": "ECDH-ES", "enc": "A128GCM"} | names)

    assert opened(token, recipients["P-256"]).payload == PAYLOAD
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    for change in ({"apu": encode(b"Eve")}, {"apv": ""}):
        changed = encode(json.dumps(header | change).encode()) + token[token.index(".") :]
        with pytest.raises(jose.DecryptionFailed):
            opened(changed, recipients["P-256"])


HEADERS = [
    ("no epk", {"epk": None}),
    ("an epk that is a text", {"epk": "AAAA"}),
    ("an epk without a point", {"epk": {"kty": "EC", "crv": "P-256"}}),
    ("an epk off the curve", {"epk": {"kty": "EC", "crv": "P-256", "x": b64(b"\1" * 32), "y": b64(b"\1" * 32)}}),
    ("an epk that is symmetric", {"epk": {"kty": "oct", "k": "AAAA"}}),
    ("an epk of small order", {"epk": {"kty": "OKP", "crv": "X25519", "x": b64(bytes(32))}}),
    ("an epk for signatures", {"epk": jose.Key.generate("Ed25519").to_json()}),
    ("apu that is no text", {"apu": 1}),
    ("apu with padding", {"apu": "QQ=="}),
    ("apv that is no text", {"apv": ["a"]}),
    ("apv of two kilobytes", {"apv": b64(bytes(2048))}),
    ("zip", {"zip": "DEF"}),
    ("crit", {"crit": ["exp"]}),
    ("b64", {"b64": True}),
    ("enc that is no text", {"enc": 1}),
    ("no enc", {"enc": None}),
    ("an enc that is not known", {"enc": "A128CBC"}),
    ("an alg that is not known", {"alg": "ECDH-1PU"}),
    ("RSA1_5", {"alg": "RSA1_5"}),
    ("PBES2", {"alg": "PBES2-HS256+A128KW", "p2s": "AAAA", "p2c": 1000}),
    ("alg none", {"alg": "none"}),
    ("an alg that is no text", {"alg": ["ECDH-ES"]}),
    ("a kid that is no text", {"kid": 1}),
]


@pytest.mark.parametrize("change", [row[1] for row in HEADERS], ids=[row[0] for row in HEADERS])
@pytest.mark.parametrize("name", ["P-256", "X25519"])
def test_a_header_that_is_not_right_is_refused(change, name, recipients, encode):
    token = encrypt(recipients[name], {"alg": "ECDH-ES", "enc": "A128GCM"})
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "==")) | change
    header = {name: value for name, value in header.items() if value is not None}
    changed = encode(json.dumps(header).encode()) + token[token.index(".") :]

    with pytest.raises(jose.JoseError):
        opened(changed, recipients[name])


def test_a_private_epk_is_refused(recipients, encode):
    token = encrypt(recipients["P-256"], {"alg": "ECDH-ES", "enc": "A128GCM"})
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    header["epk"]["d"] = recipients["P-256"]["d"]

    with pytest.raises(jose.MalformedToken, match="private"):
        opened(encode(json.dumps(header).encode()) + token[token.index(".") :], recipients["P-256"])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"key_algorithms": ["RSA-OAEP"]}, jose.AlgorithmRefused),
        ({"content_algorithms": ["A256GCM"]}, jose.AlgorithmRefused),
        ({"key_algorithms": ()}, jose.AskedWrongly),
        ({"content_algorithms": ()}, jose.AskedWrongly),
        ({"key_algorithms": "dir"}, jose.AskedWrongly),
        ({"key_algorithms": ["dir", "RSA1_5"]}, jose.AskedWrongly),
        ({"key_algorithms": ["RS256"]}, jose.AskedWrongly),
        ({"key_algorithms": ["ECDH-1PU"]}, jose.AskedWrongly),
        ({"content_algorithms": ["A128CBC"]}, jose.AskedWrongly),
        ({"content_algorithms": ["dir"]}, jose.AskedWrongly),
        ({"key_algorithms": None}, jose.AskedWrongly),
    ],
)
def test_only_algorithms_that_were_named_are_used(given, wanted, recipients):
    token = encrypt(recipients["16"], {"alg": "dir", "enc": "A128GCM"})

    with pytest.raises(wanted):
        opened(token, recipients["16"], **given)


@pytest.mark.parametrize("alg", ["dir", "ECDH-ES"])
def test_an_encrypted_key_where_there_is_none_is_refused(alg, recipients):
    name = "16" if alg == "dir" else "P-256"
    parts = encrypt(recipients[name], {"alg": alg, "enc": "A128GCM"}).split(".")

    with pytest.raises(jose.MalformedToken, match="encrypted key"):
        opened(".".join([parts[0], "AAAA", *parts[2:]]), recipients[name])


@pytest.mark.parametrize("alg", ["A128KW", "A128GCMKW", "RSA-OAEP", "ECDH-ES+A128KW"])
def test_no_encrypted_key_where_there_is_one_opens_nothing(alg, recipients):
    name = {"RSA-OAEP": "RSA", "ECDH-ES+A128KW": "P-256"}.get(alg, "16")
    parts = encrypt(recipients[name], {"alg": alg, "enc": "A128GCM"}).split(".")

    with pytest.raises(jose.DecryptionFailed):
        opened(".".join([parts[0], "", *parts[2:]]), recipients[name])


def test_a_content_key_of_another_length_opens_nothing(recipients, encode):
    from cryptography.hazmat.primitives.keywrap import aes_key_wrap

    header = encode(b'{"alg":"A128KW","enc":"A128GCM"}')
    for length in (16, 24, 32, 64):
        wrapped = aes_key_wrap(bytes(range(16)), bytes(length))
        token = f"{header}.{encode(wrapped)}.{encode(bytes(12))}.AAAA.{encode(bytes(16))}"
        with pytest.raises(jose.DecryptionFailed):
            opened(token, recipients["16"])


def cbc_by_hand(block, iv, encode):
    """Encrypt blocks as they are, with the right tag, as an honest writer never would."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key, header = bytes(range(32)), encode(b'{"alg":"dir","enc":"A128CBC-HS256"}')
    writer = Cipher(algorithms.AES(key[16:]), modes.CBC(bytes(16))).encryptor()
    sealed = writer.update(block) + writer.finalize() if len(block) % 16 == 0 else block
    signed = header.encode() + iv + sealed + (8 * len(header)).to_bytes(8, "big")
    tag = hmac.digest(key[:16], signed, "sha256")[:16]
    return ".".join([header, "", *map(encode, (iv, sealed, tag))])


@pytest.mark.parametrize(
    ("block", "iv", "payload"),
    [
        (b"a" * 15 + b"\1", bytes(16), b"a" * 15),
        (b"\x10" * 16, bytes(16), b""),
        (b"a" * 15 + b"\0", bytes(16), None),
        (b"a" * 15 + b"\x11", bytes(16), None),
        (b"a" * 14 + b"\3\2", bytes(16), None),
        (b"", bytes(16), None),
        (b"a" * 15, bytes(16), None),
        (b"a" * 15 + b"\1", bytes(12), None),
    ],
    ids=["one byte", "a whole block", "zero", "too long", "mixed", "no block", "half a block", "a short iv"],
)
def test_padding_that_is_not_right_opens_nothing_even_where_the_tag_is(block, iv, payload, recipients, encode):
    token = cbc_by_hand(block, iv, encode)

    if payload is None:
        with pytest.raises(jose.DecryptionFailed):
            opened(token, recipients["32"])
    else:
        assert opened(token, recipients["32"]).payload == payload


@pytest.mark.parametrize("enc", sorted(CONTENT_ALGORITHMS))
@pytest.mark.parametrize("payload", [b"", b"a", b"a" * 16, b"a" * 1000])
def test_a_payload_of_any_length_opens(enc, payload, recipients):
    token = encrypt(recipients["32"], {"alg": "A256KW", "enc": enc}, payload)

    assert opened(token, recipients["32"]).payload == payload


@pytest.mark.parametrize("length", range(16))
def test_a_tag_that_was_cut_opens_nothing(length, recipients):
    for enc, name in (("A128GCM", "16"), ("A128CBC-HS256", "32")):
        parts = encrypt(recipients[name], {"alg": "dir", "enc": enc}).split(".")
        tag = base64.urlsafe_b64decode(parts[4] + "==")[:length]
        with pytest.raises(jose.DecryptionFailed):
            opened(".".join([*parts[:4], b64(tag)]), recipients[name])


def test_each_key_without_a_kid_is_tried(recipients):
    other = {"kty": "oct", "k": b64(bytes(16))}
    token = encrypt(recipients["16"], {"alg": "dir", "enc": "A128GCM"})

    assert opened(token, {"keys": [other, recipients["16"]]}).payload == PAYLOAD
    with pytest.raises(jose.DecryptionFailed):
        opened(token, {"keys": [other]})


def test_a_kid_that_two_keys_share_opens_nothing(recipients):
    keys = {"keys": [recipients["16"] | {"kid": "one"}, {"kty": "oct", "k": b64(bytes(16)), "kid": "one"}]}
    token = encrypt(recipients["16"], {"alg": "dir", "enc": "A128GCM", "kid": "one"})

    with pytest.raises(jose.AmbiguousKey):
        opened(token, keys)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + ".",
        lambda token: token.rsplit(".", 1)[0],
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token.replace(".", "..", 1),
        lambda token: "." + token.split(".", 1)[1],
        lambda token: "",
        lambda token: "....",
        lambda token: None,
        lambda token: token + "A" * 65536,
    ],
)
def test_a_token_in_another_form_is_refused(change, recipients):
    token = encrypt(recipients["16"], {"alg": "dir", "enc": "A128GCM"})

    with pytest.raises((jose.MalformedToken, jose.TokenTooLarge)):
        opened(change(token), recipients["16"])


def test_every_failure_to_open_reads_alike(recipients):
    messages = set()
    for alg, enc, name in (
        ("RSA-OAEP", "A128GCM", "RSA"),
        ("A128KW", "A128CBC-HS256", "16"),
        ("ECDH-ES", "A256GCM", "P-256"),
    ):
        parts = encrypt(recipients[name], {"alg": alg, "enc": enc}).split(".")
        for number in (1, 2, 3, 4):
            if parts[number]:
                data = bytearray(base64.urlsafe_b64decode(parts[number] + "=="))
                data[0] ^= 1
                with pytest.raises(jose.DecryptionFailed) as refused:
                    opened(".".join([*parts[:number], b64(bytes(data)), *parts[number + 1 :]]), recipients[name])
                messages.add((refused.value.code, refused.value.message, str(refused.value.__cause__)))

    assert messages == {("jose.decryption-failed", "the token cannot be decrypted with the keys given", "None")}


@settings(max_examples=200)
@given(parts=st.lists(st.binary(max_size=40), min_size=4, max_size=4), alg=st.sampled_from(sorted(KEY_ALGORITHMS)))
def test_whatever_comes_in_only_the_library_s_errors_come_out(parts, alg, recipients):
    keys = jose.KeySet.from_json({"keys": [recipients[name] for name in ("P-256", "X25519", "16", "32")]})
    header = b64(json.dumps({"alg": alg, "enc": "A128CBC-HS256", "iv": "AAAA", "tag": "AAAA"}).encode())

    with pytest.raises(jose.JoseError):
        opened(".".join([header, *map(b64, parts)]), keys)
