"""Signing, reading what was signed, and looking at headers without believing them."""

import base64
import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actas import jose
from actas.jose.algorithms import SIGNATURES, SYMMETRIC

ALGORITHMS = sorted(SIGNATURES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def is_unicode(value):
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_signed_verifies_and_what_is_changed_does_not(algorithm, keys, encode):
    key = keys[algorithm]
    token = jose.sign(b'{"sub":"ana"}', key, algorithm=algorithm)
    head, body, tail = token.split(".")

    found = jose.verify_jws(token, key, algorithms=[algorithm])

    assert found.payload == b'{"sub":"ana"}'
    assert found.header == {"alg": algorithm, "kid": "one"}
    assert found.key is key
    assert jose.verify_jws(token.encode(), key, algorithms=[algorithm]).payload == found.payload
    signature = base64.urlsafe_b64decode(tail + "==")
    for changed in (
        ".".join((head, encode(b'{"sub":"ben"}'), tail)),
        ".".join((encode(b'{"kid":"one","alg":"' + algorithm.encode() + b'"}'), body, tail)),
        ".".join((head, body, encode(bytes([signature[0] ^ 1]) + signature[1:]))),
        ".".join((head, body, encode(signature[:-1] + bytes([signature[-1] ^ 128])))),
        ".".join((head, body, encode(signature[:-1]))),
        ".".join((head, body, encode(signature + b"\0"))),
        ".".join((head, body, encode(b"\0" + signature))),
    ):
        with pytest.raises(jose.BadSignature):
            jose.verify_jws(changed, key, algorithms=[algorithm])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("other", ["RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519", "HS256"])
def test_a_key_of_another_algorithm_verifies_nothing(algorithm, other, keys):
    token = jose.sign(b"payload", keys[algorithm], algorithm=algorithm)
    same = algorithm == other or {algorithm, other} == {"EdDSA", "Ed25519"}

    if same and algorithm != "EdDSA":
        assert jose.verify_jws(token, keys[other], algorithms=SIGNATURES)
    else:
        with pytest.raises(jose.JoseError):
            jose.verify_jws(token, keys[other], algorithms=SIGNATURES)


@pytest.mark.parametrize("algorithm", sorted(SYMMETRIC))
def test_an_hmac_is_checked_only_where_it_is_named(algorithm, keys):
    token = jose.sign(b"payload", keys[algorithm], algorithm=algorithm)

    with pytest.raises(jose.AlgorithmRefused):
        jose.verify_jws(token, keys[algorithm])
    assert not SYMMETRIC & jose.ASYMMETRIC


def test_pss_takes_a_salt_of_the_hash_s_length_alone(keys, encode):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed = encode(b'{"alg":"PS256"}') + "." + encode(b"payload")
    for length in (0, 20, 31, 32, 33, 222):
        fill = padding.PSS(padding.MGF1(hashes.SHA256()), length)
        token = signed + "." + encode(keys["PS256"].material.private.sign(signed.encode(), fill, hashes.SHA256()))
        if length == 32:
            assert jose.verify_jws(token, keys["PS256"]).payload == b"payload"
        else:
            with pytest.raises(jose.BadSignature):
                jose.verify_jws(token, keys["PS256"])


KIDS = [
    ("both have it", "one", "one", None),
    ("neither has one", None, None, None),
    ("the token has none", None, "one", None),
    ("the key has none", "one", None, None),
    ("they differ, with a single key", "two", "one", jose.UnknownKey),
    ("they differ in case", "One", "one", jose.UnknownKey),
    ("the token's is empty", "", "one", jose.UnknownKey),
    ("both are empty", "", "", None),
]


@pytest.mark.parametrize(("in_token", "in_key", "error"), [row[1:] for row in KIDS], ids=[row[0] for row in KIDS])
def test_the_kid_of_token_and_key_must_agree_where_both_have_one(in_token, in_key, error, raw_token, key):
    header = {"alg": "ES256"} | ({} if in_token is None else {"kid": in_token})
    jwk = {name: value for name, value in key.to_json().items() if name != "kid"}
    keys = jose.KeySet.from_json(jwk | ({} if in_key is None else {"kid": in_key}))

    if error is None:
        assert jose.verify_jws(raw_token(header, b"payload"), keys)
    else:
        with pytest.raises(error):
            jose.verify_jws(raw_token(header, b"payload"), keys)


def test_a_token_without_kid_is_tried_with_each_key_that_fits(keys):
    made = [jose.Key.generate("ES256", kid=str(number)) for number in range(3)]
    anonymous = jose.Key.from_json(
        {name: value for name, value in made[2].to_json(private=True).items() if name != "kid"}
    )
    token = jose.sign(b"payload", anonymous, algorithm="ES256")

    assert jose.verify_jws(token, jose.KeySet((keys["RS256"], *made))).key is made[2]
    with pytest.raises(jose.BadSignature, match="none of the 2 keys"):
        jose.verify_jws(token, jose.KeySet((keys["RS256"], *made[:2])))


def test_a_key_that_has_the_kid_goes_before_keys_that_have_none(key):
    nameless = {name: value for name, value in jose.Key.generate("ES256").to_json().items() if name != "kid"}
    keys = jose.KeySet.from_json({"keys": [nameless, key.to_json()]})

    assert jose.verify_jws(jose.sign(b"payload", key, algorithm="ES256"), keys).key.kid == "one"
    assert "none of the 1 keys" in str(
        _refused(jose.sign(b"payload", jose.Key.generate("ES256", kid="one"), algorithm="ES256"), keys)
    )


def _refused(token, keys):
    with pytest.raises(jose.BadSignature) as refused:
        jose.verify_jws(token, keys)
    return refused.value


@given(payload=st.binary(min_size=1, max_size=200))
def test_any_bytes_can_be_signed(payload, key):
    assert jose.verify_jws(jose.sign(payload, key, algorithm="ES256"), key).payload == payload


@given(payload=st.dictionaries(st.text(), JSON, max_size=5).filter(is_unicode))
@example(payload={})
@example(payload={"a": 10**30, "b": -0.0, "c": 1e300, "d": [[], {}], "": "\u2028"})
def test_any_json_object_can_be_signed_and_means_the_same(payload, key):
    found = jose.verify_jws(jose.sign(payload, key, algorithm="ES256"), key)

    assert json.loads(found.payload) == payload


UNSIGNABLE = [
    ("no bytes", b""),
    ("a text", "payload"),
    ("a number", 1),
    ("None", None),
    ("a list", []),
    ("not a number", {"a": float("nan")}),
    ("infinity", {"a": [float("inf")]}),
    ("bytes inside", {"a": b"b"}),
    ("a set inside", {"a": {1}}),
    ("half a character", {"a": "\ud800"}),
    ("half a character in a name", {"\ud800": 1}),
    ("keys that become one text", {"1": 1, 1: 2}),
    ("keys that no text is made of", {(1, 2): 1}),
    ("depth", {"a": json.loads("[" * 40 + "]" * 40)}),
    ("a number of five thousand digits", {"a": 10**5000}),
    ("more than a token may have", {"a": "b" * 65536}),
]


@pytest.mark.parametrize("payload", [row[1] for row in UNSIGNABLE], ids=[row[0] for row in UNSIGNABLE])
def test_what_could_not_be_read_back_is_not_signed(payload, key):
    with pytest.raises(jose.JoseError):
        jose.sign(payload, key, algorithm="ES256")


HEADERS = [
    ("typ", {"typ": "at+jwt"}, None),
    ("the same alg and kid", {"alg": "ES256", "kid": "one"}, None),
    ("a jwk, as a DPoP proof has", {"jwk": {"kty": "EC"}}, None),
    ("another alg", {"alg": "none"}, jose.AskedWrongly),
    ("another kid", {"kid": "two"}, jose.AskedWrongly),
    ("crit", {"crit": ["b64"]}, jose.AskedWrongly),
    ("b64", {"b64": False}, jose.AskedWrongly),
    ("a typ that is no text", {"typ": 1}, jose.AskedWrongly),
    ("what JSON cannot say", {"a": b"b"}, jose.AskedWrongly),
    ("a list", ["typ"], jose.AskedWrongly),
]


@pytest.mark.parametrize(("header", "error"), [row[1:] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_a_header_can_be_added_to_but_not_contradicted(header, error, key):
    if error is None:
        found = jose.verify_jws(jose.sign(b"payload", key, algorithm="ES256", header=header), key).header
        assert found == {"alg": "ES256", "kid": "one"} | header
    else:
        with pytest.raises(error):
            jose.sign(b"payload", key, algorithm="ES256", header=header)


@pytest.mark.parametrize(
    ("change", "algorithm"),
    [
        ({"d": None}, "ES256"),
        ({}, "ES384"),
        ({}, "RS256"),
        ({}, "HS256"),
        ({"use": "enc", "alg": None}, "ES256"),
        ({"key_ops": ["verify"]}, "ES256"),
        ({"alg": "ECDH-ES", "use": None}, "ES256"),
    ],
    ids=["public", "another curve", "another type", "symmetric", "use enc", "key_ops verify", "alg for encryption"],
)
def test_a_key_signs_only_what_it_may(change, algorithm, key):
    jwk = key.to_json(private=True) | change
    other = jose.Key.from_json({name: value for name, value in jwk.items() if value is not None})

    with pytest.raises(jose.UnsuitableKey):
        jose.sign(b"payload", other, algorithm=algorithm)
    assert jose.sign(b"payload", key, algorithm="ES256")


@pytest.mark.parametrize("algorithm", ["none", "", "es256", None, 1, "RSA-OAEP", "ES256K"])
def test_an_unknown_algorithm_signs_nothing(algorithm, key):
    with pytest.raises(jose.AskedWrongly):
        jose.sign(b"payload", key, algorithm=algorithm)


class Vault:
    """Signs elsewhere, as a KMS does."""

    def __init__(self, key, algorithm, *, gives=None):
        self.algorithm, self.kid, self._key, self._gives = algorithm, key.kid, key, gives

    def sign(self, data, /):
        made = self._key.signer(self.algorithm)(data)
        return made if self._gives is None else self._gives(made)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signer_that_keeps_its_key_signs_as_the_key_would(algorithm, keys):
    vault = Vault(keys[algorithm], algorithm)

    assert isinstance(vault, jose.Signer)
    token = jose.sign({"sub": "ana"}, vault, algorithm=algorithm)
    assert jose.verify_jws(token, keys[algorithm], algorithms=[algorithm]).header == {"alg": algorithm, "kid": "one"}


def test_a_signer_signs_with_its_own_algorithm_alone(keys):
    with pytest.raises(jose.UnsuitableKey):
        jose.sign(b"payload", Vault(keys["RS256"], "RS256"), algorithm="PS256")


@pytest.mark.parametrize(
    "gives", [lambda made: b"\x30\x45" + made, lambda made: b"", lambda made: None, lambda made: made[:-1]]
)
def test_a_signature_in_another_form_is_not_passed_on(gives, keys):
    with pytest.raises(jose.UnsuitableKey, match="RFC 7518"):
        jose.sign(b"payload", Vault(keys["ES256"], "ES256", gives=gives), algorithm="ES256")


@pytest.mark.parametrize("key", [None, "secret", b"secret", {"kty": "oct"}, 1])
def test_what_is_no_key_signs_nothing(key):
    with pytest.raises(jose.AskedWrongly):
        jose.sign(b"payload", key, algorithm="HS256")


@pytest.mark.parametrize(
    "token",
    [
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJub25lIn0..",
        "eyJhbGciOiJub25lIn0.e30.AAAA",
        "eyJhbGciOiJub25lIn0....",
        b"eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_a_header_can_be_looked_at_also_where_it_says_none(token):
    assert jose.peek(token) == {"alg": "none"}


def test_a_header_that_was_looked_at_cannot_be_written(key):
    with pytest.raises(TypeError):
        jose.peek(jose.sign(b"payload", key, algorithm="ES256"))["alg"] = "none"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "e30",
        "e30.e30.",  # no alg
        "eyJhbGciOiJub25lIn0",
        "eyJhbGciOiJub25lIn0.e30",
        "eyJhbGciOiJub25lIn0.e30.A.A",
        "eyJhbGciOiJub25lIn0.e30.=",
        "eyJhbGciOiJub25lIn0=.e30.",
        "eyJhbGciOiJub25lIn0.e30. ",
        "eyJhbGciOiJub25lIn0.e30.\n",
        "eyJhbGciOiJub25lIn1.e30.",  # spare bits
        "eyJhbGciOjF9.e30.",  # alg is a number
        "W10.e30.",
        "eyJhbGciOiJub25lIiwiYWxnIjoibm9uZSJ9.e30.",  # alg twice
        '{"protected":"eyJhbGciOiJub25lIn0","payload":"e30","signature":""}',
        "a" * 65537,
        None,
        1,
        b"\xff",
        "\ud800",
    ],
)
def test_a_header_that_is_not_strict_is_not_looked_at(token):
    with pytest.raises(jose.JoseError):
        jose.peek(token)
    with pytest.raises(jose.JoseError):
        jose.peek_issuer(token)


def test_the_issuer_of_a_token_can_be_looked_at_for_choosing_a_provider(raw_token):
    assert jose.peek_issuer(raw_token({"alg": "ES256"}, {"iss": "https://a.example"})) == "https://a.example"
    assert jose.peek_issuer(raw_token({"alg": "ES256"}, {})) is None
    for payload in ({"iss": 1}, {"iss": ""}, {"iss": ["a"]}, b"[]", b'{"iss":"a","iss":"b"}', b"{"):
        with pytest.raises(jose.MalformedToken):
            jose.peek_issuer(raw_token({"alg": "ES256"}, payload))


def test_a_token_may_have_64_kilobytes_and_no_byte_more(key):
    length = next(length for length in range(48900, 49200) if len(_try(bytes(length), key)) in {65534, 65535, 65536})
    token = _try(bytes(length), key)

    assert jose.verify_jws(token, key).payload == bytes(length)
    for longer in (token + "A" * (65537 - len(token)), "A" * 10_000_000):
        with pytest.raises(jose.TokenTooLarge):
            jose.verify_jws(longer, key)
        with pytest.raises(jose.TokenTooLarge):
            jose.verify_jws(longer.encode(), key)


def _try(payload, key):
    try:
        return jose.sign(payload, key, algorithm="ES256")
    except jose.TokenTooLarge:
        return ""


def test_a_header_may_have_16_kilobytes(raw_token, keyset):
    assert jose.verify_jws(raw_token({"alg": "ES256", "x": "a" * 12_000}, b"payload"), keyset)
    with pytest.raises(jose.TokenTooLarge):
        jose.verify_jws(raw_token({"alg": "ES256", "x": "a" * 12_300}, b"payload"), keyset)


@settings(max_examples=300)
@given(data=st.data())
def test_what_a_key_set_remembers_never_changes_an_answer(data, key, claims, raw_token):
    good = [
        raw_token(header, claims)
        for header in ({"alg": "ES256"}, {"alg": "ES256", "kid": "one"}, {"alg": "ES256", "x": []})
    ]
    warm = jose.KeySet.from_json(key.to_json())
    for token in good:
        jose.verify_jws(token, warm)
    token = data.draw(st.sampled_from(good))
    start = data.draw(st.integers(0, len(token)))
    stop = data.draw(st.integers(start, min(len(token), start + 4)))
    changed = token[:start] + data.draw(st.text("A.=-_\n", max_size=3)) + token[stop:]
    if data.draw(st.booleans()):
        parts = changed.split(".")
        parts[data.draw(st.integers(0, len(parts) - 1))] = ""
        changed = ".".join(parts)

    assert answer(changed, warm) == answer(changed, jose.KeySet.from_json(key.to_json()))


def answer(token, keys):
    try:
        found = jose.verify_jws(token, keys)
    except jose.JoseError as refused:
        return (refused.code, refused.message)
    return (found.payload, dict(found.header))


@settings(max_examples=300)
@given(
    token=st.text(max_size=300)
    | st.binary(max_size=300)
    | st.from_regex(re.compile(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){0,5}"))
)
def test_whatever_comes_in_only_the_library_s_errors_come_out(token, keyset, verify):
    for attempt in (jose.peek, jose.peek_issuer, lambda one: jose.verify_jws(one, keyset), verify):
        with pytest.raises(jose.JoseError):
            attempt(token)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"a","\\u0069ss":"b"}',
        b'{"\\u0069ss":"b","iss":"a"}',
        b'{"iss":"a","x":{"iss":"b"},"iss":"c"}',
        b'{"iss":"a"} ,',
        b'{"iss":"a",}',
        b"[" * 5000 + b'"iss"' + b"]" * 5000,
        b'{"iss":"\xff"}',
    ],
    ids=["escaped", "escaped first", "beside a nested one", "more behind", "a comma", "deep", "no text"],
)
def test_an_issuer_that_could_be_read_in_two_ways_is_not_looked_at(raw_token, payload):
    with pytest.raises(jose.MalformedToken):
        jose.peek_issuer(raw_token({"alg": "ES256"}, payload))


def test_an_issuer_is_the_token_s_own_and_not_one_that_stands_inside_another_claim(raw_token):
    assert jose.peek_issuer(raw_token({"alg": "ES256"}, b'{"act":{"iss":"b"}}')) is None
    assert jose.peek_issuer(raw_token({"alg": "ES256"}, b'{"act":{"iss":"b"},"iss":"a"}')) == "a"
    assert jose.peek_issuer(raw_token({"alg": "ES256"}, b'{"name":"a\\"b","iss":"a"}')) == "a"
