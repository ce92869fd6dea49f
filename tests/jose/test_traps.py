"""The traps of tokens that libraries have fallen into; each test is named for one of them."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from actas import jose
from actas.jose.algorithms import SIGNATURES

ISSUER = "https://issuer.example"


def test_algorithm_confusion_a_public_key_is_never_an_hmac_secret(keys, claims, verify, encode):
    public = keys["RS256"].material.public
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    forger = jose.KeySet.from_json({"kty": "oct", "k": encode(b"x" * 64)}).keys[0]
    token = jose.sign(claims, forger, algorithm="HS256")
    mixed = {"keys": [keys["RS256"].to_json(), {"kty": "oct", "k": encode(b"x" * 64)}]}

    assert jose.KeySet.from_json({"kty": "oct", "k": encode(pem)}).refused[0].reason.endswith("of a published key")
    with pytest.raises(jose.AlgorithmRefused):
        verify(token, jose.KeySet.from_json(mixed))
    with pytest.raises(jose.SymmetricRefused):
        verify(token, jose.KeySet.from_json(mixed), algorithms=SIGNATURES)
    assert verify(token, forger, algorithms=["HS256"])["sub"] == "ana"


def test_an_allow_list_is_not_ignored_when_the_key_carries_its_own_alg(keys, claims, verify):
    token = jose.sign(claims, keys["ES384"], algorithm="ES384")

    with pytest.raises(jose.AlgorithmRefused):
        verify(token, keys["ES384"], algorithms=["ES256"])
    assert verify(token, keys["ES384"], algorithms=["ES384"])


@pytest.mark.parametrize(
    "odd",
    [
        {
            "kty": "oct",
            "k": base64.urlsafe_b64encode(b'{"kty": "RSA", "n": "AQAB", "e": "AQAB"}').rstrip(b"=").decode(),
        },
        {"kty": ["oct"], "k": "AAAA"},
        {"kty": {"kty": "oct"}, "k": "AAAA"},
        {"kty": "RSA", "n": 5, "e": 3},
        {"kty": "RSA", "n": "AQ", "e": None},
        {"kty": "RSA", "n": "", "e": ""},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "d": "AAAA"},
        {"kty": "OKP", "crv": [], "x": {}},
        {"kty": "EC", "crv": "P-256", "x": [], "y": True},
        {"kty": "oct", "k": ""},
        {"kty": "oct"},
    ],
    ids=lambda odd: json.dumps(odd)[:40],
)
def test_nested_and_odd_jwk_forms_are_refused_and_never_crash(odd):
    assert jose.KeySet.from_json(odd).keys == ()
    assert len(jose.KeySet.from_json({"keys": [odd]}).refused) == 1
    with pytest.raises(jose.BadKey):
        jose.Key.from_json(odd)


def test_an_okp_private_key_that_does_not_match_its_public_half_is_refused():
    one, other = (jose.Key.generate("Ed25519").to_json(private=True) for _ in range(2))

    assert jose.Key.from_json(one).is_private
    with pytest.raises(jose.BadKey):
        jose.Key.from_json(one | {"d": other["d"]})


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", "", "none ", "ES256\x00", "es256"])
@pytest.mark.parametrize("signature", ["kept", "empty"])
def test_alg_none_in_any_spelling_verifies_nothing(alg, signature, raw_token, claims, keyset):
    token = raw_token({"alg": alg}, claims)
    if signature == "empty":
        token = token[: token.rindex(".") + 1]

    with pytest.raises(jose.JoseError):
        jose.verify_jws(token, keyset, algorithms=SIGNATURES)


def test_alg_none_cannot_be_asked_for(keyset, raw_token, claims):
    with pytest.raises(jose.AskedWrongly):
        jose.verify_jws(raw_token({"alg": "none"}, claims), keyset, algorithms=["none", "ES256"])


@pytest.mark.parametrize(
    "kid",
    ["../../etc/passwd", "x' OR '1'='1", "https://evil.example/jwks", "| id", "one\n", "one\x00", "ONE", "k" * 128],
)
def test_kid_injection_finds_no_key(kid, raw_token, claims, verify):
    with pytest.raises(jose.UnknownKey):
        verify(raw_token({"alg": "ES256", "kid": kid}, claims))


@pytest.mark.parametrize("kid", [1, None, True, ["one"], {"kid": "one"}, "k" * 129])
def test_kid_injection_of_another_type_or_length_is_malformed(kid, raw_token, claims, verify):
    with pytest.raises(jose.MalformedToken):
        verify(raw_token({"alg": "ES256", "kid": kid}, claims))


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
def test_jku_x5u_jwk_and_x5c_in_the_header_are_never_a_key(name, raw_token, claims, verify):
    mallory = jose.Key.generate("ES256", kid="one")
    value = {"jwk": mallory.to_json(), "x5c": ["AAAA"]}.get(name, "https://evil.example/keys")
    header = {"alg": "ES256", "kid": "one", name: value}

    with pytest.raises(jose.BadSignature):
        verify(raw_token(header, claims, mallory))
    assert verify(raw_token(header, claims))["sub"] == "ana"  # there, and ignored: the key is the set's own


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512"])
def test_a_psychic_signature_of_zeros_does_not_hold(algorithm, keys, claims, verify, encode):
    token = jose.sign(claims, keys[algorithm], algorithm=algorithm)
    signed, _, signature = token.rpartition(".")
    width = SIGNATURES[algorithm].width
    raw = base64.urlsafe_b64decode(signature + "==")
    order = {
        "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    }.get(algorithm, 0)
    half = width // 2
    forged = [
        bytes(width),
        bytes(half) + raw[half:],
        raw[:half] + bytes(half),
        b"\xff" * width,
        order.to_bytes(half, "big") * 2,
        raw[:half] + (order - 1).to_bytes(half, "big") if order else bytes(width),
    ]

    for one in forged:
        with pytest.raises(jose.BadSignature):
            verify(f"{signed}.{encode(one)}", keys[algorithm])
    assert verify(token, keys[algorithm])


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512"])
def test_an_ecdsa_signature_has_exactly_two_coordinates(algorithm, keys, claims, verify, encode):
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    token = jose.sign(claims, keys[algorithm], algorithm=algorithm)
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    half = len(raw) // 2
    r, s = raw[:half], raw[half:]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))

    for one in (der, raw + b"\x00", b"\x00" + raw, raw[:-1], b"\x00" + r + b"\x00" + s, r, s):
        with pytest.raises(jose.BadSignature):
            verify(f"{signed}.{encode(one)}", keys[algorithm])


def test_an_invalid_curve_point_is_refused(key):
    jwk = key.to_json()
    y = bytearray(base64.urlsafe_b64decode(jwk["y"] + "=="))
    y[-1] ^= 1

    assert jose.KeySet.from_json(jwk).refused == ()
    refused = jose.KeySet.from_json(jwk | {"y": base64.urlsafe_b64encode(y).rstrip(b"=").decode()}).refused
    assert refused[0].reason == "its point is not on its curve"


def uint(number):
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


@pytest.mark.parametrize("bits", [512, 1024, 2047])
def test_a_small_rsa_key_is_refused(bits):
    numbers = {512: 2**511 + 1, 1024: 2**1023 + 1, 2047: 2**2046 + 1}

    with pytest.raises(jose.BadKey, match="2048 are the least"):
        jose.Key.from_json({"kty": "RSA", "n": uint(numbers[bits]), "e": "AQAB"})


def test_a_token_signed_with_a_small_rsa_key_is_refused(claims, verify, encode):
    private = rsa.generate_private_key(65537, 1024)
    head, body = encode(b'{"alg":"RS256"}'), encode(json.dumps(claims).encode())
    signature = private.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    jwk = {"kty": "RSA", "n": uint(private.public_key().public_numbers().n), "e": "AQAB"}

    with pytest.raises(jose.UnknownKey):
        verify(f"{head}.{body}.{encode(signature)}", jose.KeySet.from_json(jwk))


@pytest.mark.parametrize(
    ("exponent", "fine"),
    [(1, False), (2, False), (3, True), (4, False), (17, True), (65536, False), (65537, True), (2**64 + 13, False)],
)
def test_an_even_or_tiny_rsa_exponent_is_refused(exponent, fine, keys):
    jwk = keys["RS256"].to_json() | {"e": uint(exponent)}

    assert bool(jose.KeySet.from_json(jwk).keys) is fine


def test_an_even_rsa_modulus_is_refused(keys):
    number = keys["RS256"].material.public.public_numbers().n

    with pytest.raises(jose.BadKey, match="even"):
        jose.Key.from_json({"kty": "RSA", "n": uint(number - 1), "e": "AQAB"})


def test_a_modulus_with_the_roca_fingerprint_is_refused():
    # Two numbers of the form k * M + 65537 ** a mod M, M the product of the primes to 167: the published structure.
    product = 1
    for n in range(2, 168):
        if all(n % smaller for smaller in range(2, n)):
            product *= n
    one, other = ((2**1024 // product + k) * product + pow(65537, a, product) for k, a in ((3, 12345), (8, 67890)))

    with pytest.raises(jose.BadKey, match="ROCA"):
        jose.Key.from_json({"kty": "RSA", "n": uint(one * other), "e": "AQAB"})


@pytest.mark.parametrize("crit", [[], ["exp"], ["b64"], "exp", None, {}, ["unknown"]])
def test_every_crit_is_refused(crit, raw_token, claims, verify):
    with pytest.raises(jose.HeaderRefused):
        verify(raw_token({"alg": "ES256", "crit": crit, "exp": 1}, claims))


@pytest.mark.parametrize("b64", [False, True, None, "false"])
def test_b64_is_refused_whatever_it_says(b64, raw_token, claims, verify):
    with pytest.raises(jose.HeaderRefused):
        verify(raw_token({"alg": "ES256", "b64": b64}, claims))


def test_a_jwe_decompression_bomb_is_refused_before_any_key_is_used(encode):
    header = b'{"alg":"dir","enc":"A128GCM","zip":"DEF"}'
    token = f"{encode(header)}..{encode(bytes(12))}.AAAA.{encode(bytes(16))}"
    key = jose.Key.from_json({"kty": "oct", "k": encode(bytes(16))})

    with pytest.raises(jose.HeaderRefused):
        jose.decrypt(token, key, key_algorithms=["dir"], content_algorithms=["A128GCM"])


@pytest.mark.parametrize("name", ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW", "RSA1_5", "none"])
def test_pbes2_and_rsa1_5_cannot_be_asked_for_and_no_hash_is_counted(name, key):
    with pytest.raises(jose.AskedWrongly):
        jose.decrypt("not even a token", key, key_algorithms=["dir", name], content_algorithms=["A128GCM"])


def test_a_pbes2_token_with_a_billion_hashes_costs_nothing(encode):
    header = b'{"alg":"PBES2-HS512+A256KW","enc":"A128GCM","p2s":"AAAA","p2c":2147483647}'
    token = f"{encode(header)}.{encode(bytes(24))}.{encode(bytes(12))}.AAAA.{encode(bytes(16))}"
    key = jose.Key.from_json({"kty": "oct", "k": encode(bytes(32))})

    with pytest.raises(jose.AlgorithmRefused):
        jose.decrypt(token, key, key_algorithms=["dir", "A256KW"], content_algorithms=["A128GCM"])


def test_sign_encrypt_confusion_a_token_of_five_parts_is_no_signed_one(verify, encode):
    token = encode(b'{"alg":"RSA-OAEP","enc":"A128GCM"}') + ".AAAA.AAAA.AAAA.AAAA"

    with pytest.raises(jose.MalformedToken, match="encrypted"):
        verify(token)


def test_sign_encrypt_confusion_a_signed_token_does_not_say_enc(raw_token, claims, verify):
    with pytest.raises(jose.HeaderRefused):
        verify(raw_token({"alg": "ES256", "enc": "A128GCM"}, claims))


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","alg":"ES256"}',
        '{"alg":"ES256","alg":"ES256"}',
        '{"alg":"ES256","\\u0061lg":"none"}',
        '{"alg":"ES256","jwk":{"kty":"EC","kty":"oct"}}',
        '{"alg":"ES256","x":[{"a":1},{"b":1,"b":2}]}',
    ],
)
def test_duplicate_members_in_a_header_are_refused(header, raw_token, claims, verify):
    with pytest.raises(jose.MalformedToken, match="twice"):
        verify(raw_token(header, claims))


@pytest.mark.parametrize(
    "more", ['"sub":"ben"', '"a":{"b":1,"b":1}', '"a":[[{"b":1,"\\u0062":2}]]', '"\\u0073ub":"ben"']
)
def test_duplicate_members_in_a_payload_are_refused(more, raw_token, claims, verify):
    payload = f"{json.dumps(claims)[:-1]},{more}}}"

    with pytest.raises(jose.MalformedToken, match="twice"):
        verify(raw_token({"alg": "ES256"}, payload))


@pytest.mark.parametrize(
    "where", ['{"keys":[],"keys":[]}', '{"keys":[{"kty":"oct","kty":"RSA"}]}', '{"kty":"oct","k":"A","k":"B"}']
)
def test_duplicate_members_in_a_key_set_are_refused(where):
    with pytest.raises(jose.BadKeySet, match="twice"):
        jose.KeySet.from_json(where)


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1" * 5000,
        '"\\ud800"',
        '"\\udc00\\ud800"',
        "[" * 2000 + "]" * 2000,
        '{"a":' * 40 + "1" + "}" * 40,
        "01",
        "+1",
        ".5",
        "'a'",
        "undefined",
        '"\t"',
        "1,",
        "/**/1",
    ],
    ids=lambda value: value[:12],
)
def test_non_standard_json_is_refused(value, raw_token, claims, verify):
    payload = f'{json.dumps(claims)[:-1]},"x":{value}}}'

    with pytest.raises(jose.MalformedToken):
        verify(raw_token({"alg": "ES256"}, payload))
    with pytest.raises(jose.MalformedToken):
        verify(raw_token(f'{{"alg":"ES256","x":{value}}}', claims))


@pytest.mark.parametrize(
    "value", ["1e300", "123456789012345678901234567890", '"\\ud83d\\ude00"', "[[[[[]]]]]", "1.5E-3", "-0"]
)
def test_standard_json_at_its_edges_is_read(value, raw_token, claims, verify):
    payload = f'{json.dumps(claims)[:-1]},"x":{value}}}'

    assert verify(raw_token({"alg": "ES256"}, payload))["x"] == json.loads(value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_json_that_is_not_plain_utf_8_is_refused(encoding, raw_token, claims, verify):
    with pytest.raises(jose.MalformedToken):
        verify(raw_token({"alg": "ES256"}, json.dumps(claims).encode(encoding)))
    with pytest.raises(jose.MalformedToken):
        verify(raw_token('{"alg":"ES256"}'.encode(encoding), claims))


def test_bytes_that_are_no_utf_8_are_refused(raw_token, claims, verify):
    payload = json.dumps(claims).encode()[:-1] + b',"name":"\xff"}'

    with pytest.raises(jose.MalformedToken):
        verify(raw_token({"alg": "ES256"}, payload))


def test_claim_types_a_token_without_exp_is_refused(raw_token, claims, verify):
    without = {name: value for name, value in claims.items() if name != "exp"}

    with pytest.raises(jose.MissingClaim, match="exp"):
        verify(raw_token({"alg": "ES256"}, without))


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1795424400", True, False, None, [], {}, 1e300, -1, 253402300800, ""])
def test_claim_types_times_are_finite_numbers(claim, value, raw_token, claims, verify):
    with pytest.raises(jose.MalformedClaim, match=claim):
        verify(raw_token({"alg": "ES256"}, claims | {claim: value}))


@pytest.mark.parametrize("claim", ["iss", "sub", "jti"])
@pytest.mark.parametrize("value", ["", 1, None, True, ["https://issuer.example"], {"a": 1}])
def test_claim_types_names_are_texts_that_are_not_empty(claim, value, raw_token, claims, verify):
    with pytest.raises(jose.MalformedClaim, match=claim):
        verify(raw_token({"alg": "ES256"}, claims | {claim: value}))


@pytest.mark.parametrize(
    "value", [1, None, True, {}, "", ["actas", 1], ["actas", None], ["actas", ["actas"]], ["actas", ""]]
)
def test_claim_types_an_audience_is_a_text_or_a_list_of_texts(value, raw_token, claims, verify):
    with pytest.raises(jose.MalformedClaim, match="aud"):
        verify(raw_token({"alg": "ES256"}, claims | {"aud": value}))


@pytest.mark.parametrize(
    "payload", [b"[]", b'"text"', b"1", b"null", b"true", b"{}x", b"{", b"eyJhbGciOiJFUzI1NiJ9.e30.AA"]
)
def test_claim_types_a_payload_is_a_json_object(payload, raw_token, verify, keyset):
    token = raw_token({"alg": "ES256"}, payload)

    with pytest.raises(jose.MalformedToken, match="payload"):
        verify(token)
    assert jose.verify_jws(token, keyset).payload == payload


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "=",
        lambda token: token + "==",
        lambda token: token + "\n",
        lambda token: token + " ",
        lambda token: " " + token,
        lambda token: token + ".",
        lambda token: "." + token,
        lambda token: token.replace(".", "=.", 1),
        lambda token: token.replace(".", ". ", 1),
        lambda token: token[:5] + "!!" + token[5:],
        lambda token: token[:5] + "\n" + token[5:],
        lambda token: token + "\x00",
        lambda token: token + "é",
        lambda token: "Bearer " + token,
        lambda token: token.rsplit(".", 1)[0],
        lambda token: token.rsplit(".", 1)[0] + ".",
        lambda token: token.split(".")[0] + ".." + token.split(".")[2],
        lambda token: "." + token.split(".", 1)[1],
        lambda token: "",
        lambda token: "..",
        lambda token: "....",
    ],
)
def test_a_malleable_token_is_refused(change, raw_token, claims, verify):
    token = raw_token({"alg": "ES256"}, claims)

    with pytest.raises(jose.MalformedToken):
        verify(change(token))
    if change(token).isascii():
        with pytest.raises(jose.MalformedToken):
            verify(change(token).encode())


def test_a_malleable_token_with_plus_and_slash_is_refused(claims, verify, key):
    token = next(
        token
        for token in (jose.sign(claims, key, algorithm="ES256") for _ in range(1000))
        if {"-", "_"} & set(token.split(".")[2])
    )

    assert verify(token)
    with pytest.raises(jose.MalformedToken):
        verify(token.replace("-", "+").replace("_", "/"))


def test_a_malleable_token_with_spare_bits_set_is_refused(claims, verify, key):
    token = jose.sign(claims, key, algorithm="ES256")  # 64 bytes: the last letter carries four spare bits
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters.index(token[-1])

    assert last % 16 == 0
    assert verify(token)
    for spare in range(1, 16):
        with pytest.raises(jose.MalformedToken):
            verify(token[:-1] + letters[last + spare])


@pytest.mark.parametrize(
    "issuer",
    [ISSUER + "/", ISSUER[:-1], ISSUER.upper(), "https://issuer.example.evil.example", "issuer.example", ISSUER + "/x"],
)
def test_a_partial_issuer_match_is_no_match(issuer, raw_token, claims, verify):
    with pytest.raises(jose.WrongIssuer):
        verify(raw_token({"alg": "ES256"}, claims | {"iss": issuer}))
    with pytest.raises(jose.WrongIssuer):
        verify(raw_token({"alg": "ES256"}, claims), issuer=issuer)


@pytest.mark.parametrize(
    "typ", ["JWT", "dpop+jwt", "logout+jwt", "secevent+jwt", "at", "", "application/jwt", "text/at+jwt", "a/at+jwt"]
)
def test_cross_jwt_confusion_another_typ_is_refused_where_one_is_asked_for(typ, raw_token, claims, verify):
    with pytest.raises(jose.WrongType):
        verify(raw_token({"alg": "ES256", "typ": typ}, claims), typ="at+jwt")


def test_cross_jwt_confusion_a_missing_typ_is_refused_where_one_is_asked_for(raw_token, claims, verify):
    with pytest.raises(jose.WrongType):
        verify(raw_token({"alg": "ES256"}, claims), typ="at+jwt")


@pytest.mark.parametrize("typ", ["at+jwt", "at+JWT", "AT+jwt", "application/at+jwt", "Application/AT+JWT"])
@pytest.mark.parametrize("asked", ["at+jwt", "application/at+jwt", ("JWT", "at+JWT")])
def test_the_right_typ_passes_in_each_of_its_spellings(typ, asked, raw_token, claims, verify):
    assert verify(raw_token({"alg": "ES256", "typ": typ}, claims), typ=asked)


def test_the_same_kid_with_different_keys_verifies_nothing(keys, claims, verify, key):
    other = jose.Key.generate("ES256", kid="one")
    ambiguous = jose.KeySet.from_json(
        {"keys": [key.to_json(), other.to_json(), keys["Ed25519"].to_json() | {"kid": "two"}]}
    )

    for signer in (key, other):
        with pytest.raises(jose.AmbiguousKey):
            verify(jose.sign(claims, signer, algorithm="ES256"), ambiguous)
    assert [one.kid for one in ambiguous.keys] == ["two"]
    assert [one.reason for one in ambiguous.refused] == ["its kid is shared with a different key"] * 2


def test_a_key_set_of_a_thousand_keys_is_refused(key):
    keys = [key.to_json() | {"kid": str(number)} for number in range(101)]

    assert len(jose.KeySet.from_json({"keys": keys[:100]}).keys) == 100
    with pytest.raises(jose.BadKeySet, match="100 are read"):
        jose.KeySet.from_json({"keys": keys})


def test_random_kids_cannot_fill_what_a_key_set_remembers(keyset, raw_token, claims, verify):
    mallory = jose.Key.generate("ES256")
    before = len(keyset.remembered)

    for number in range(200):
        with pytest.raises(jose.UnknownKey):
            verify(raw_token({"alg": "ES256", "kid": str(number)}, claims, mallory))
        with pytest.raises(jose.BadSignature):
            verify(raw_token({"alg": "ES256", "x": str(number)}, claims, mallory))

    assert len(keyset.remembered) == before


def test_a_client_id_stands_in_for_an_audience_only_where_it_is_asked_for(raw_token, claims, verify):
    without = {name: value for name, value in claims.items() if name != "aud"} | {"client_id": "actas"}
    token = raw_token({"alg": "ES256"}, without)

    with pytest.raises(jose.MissingClaim, match="aud"):
        verify(token)
    with pytest.raises(jose.AskedWrongly):
        verify(token, audience=jose.UNCHECKED)
    assert verify(token, audience=jose.UNCHECKED, client_id="actas")


def test_a_token_of_the_future_is_refused(raw_token, claims, verify, now):
    later = int((now + timedelta(seconds=61)).timestamp())

    with pytest.raises(jose.IssuedInFuture):
        verify(raw_token({"alg": "ES256"}, claims | {"iat": later, "nbf": later - 2, "exp": later + 60}))
