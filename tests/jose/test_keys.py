"""Which keys are usable, for what, and how they are written."""

import base64
import json
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519

from actas import jose
from actas.jose.algorithms import SIGNATURES

GENERATED = ("RS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256", "HS512")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(text):
    return base64.urlsafe_b64decode(text + "==")


@pytest.fixture(scope="session")
def x25519_jwk():
    private = x25519.X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "X25519", "x": b64(public), "d": b64(private.private_bytes_raw())}


@pytest.mark.parametrize("algorithm", GENERATED)
def test_a_key_written_and_read_back_is_the_same_key(algorithm, keys):
    written = keys[algorithm].to_json(private=True)
    again = jose.Key.from_json(json.dumps(written))

    assert again.to_json(private=True) == written
    assert again.thumbprint() == keys[algorithm].thumbprint()
    assert (again.kid, again.alg, again.use, again.kty) == ("one", algorithm, "sig", SIGNATURES[algorithm].kty)
    assert again.is_private


@pytest.mark.parametrize("algorithm", GENERATED)
def test_a_key_written_for_others_holds_nothing_private(algorithm, keys):
    public = keys[algorithm].to_json()

    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & public.keys()
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & keys[algorithm].to_json(private=False).keys()


@pytest.mark.parametrize("algorithm", GENERATED)
def test_a_printed_key_shows_nothing_private(algorithm, keys):
    written = keys[algorithm].to_json(private=True)
    secret = written.get("k") or written["d"]

    assert secret not in repr(keys[algorithm]) + str(keys[algorithm])
    assert str(raw(secret)) not in repr(keys[algorithm])


def test_a_public_key_has_no_private_form(keys):
    public = jose.Key.from_json(keys["ES256"].to_json())

    assert not public.is_private
    with pytest.raises(jose.UnsuitableKey):
        public.to_json(private=True)


@pytest.mark.parametrize("kid", [None, "", "one", "k" * 128])
def test_a_key_is_generated_with_the_kid_asked_for(kid):
    assert jose.Key.generate("Ed25519", kid=kid).kid == kid
    assert jose.Key.generate("Ed25519").kid is None


@pytest.mark.parametrize("algorithm", ["none", "RS1", "es256", "", None, 1, ["ES256"], "RSA-OAEP", "ES256K"])
def test_a_key_for_an_unknown_algorithm_is_not_generated(algorithm):
    with pytest.raises(jose.AskedWrongly):
        jose.Key.generate(algorithm)


@pytest.mark.parametrize("kid", [1, b"one", ["one"], "k" * 129])
def test_a_key_with_an_impossible_kid_is_not_generated(kid):
    with pytest.raises(jose.AskedWrongly):
        jose.Key.generate("Ed25519", kid=kid)


def test_a_generated_rsa_key_has_2048_bits_and_the_usual_exponent(keys):
    numbers = keys["RS256"].material.public.public_numbers()

    assert (numbers.n.bit_length(), numbers.e) == (2048, 65537)


def test_the_thumbprint_of_an_okp_key_is_that_of_rfc_8037():
    key = jose.Key.from_json({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})

    assert key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037 appendix A.3


def test_the_thumbprint_does_not_depend_on_what_is_optional(keys):
    bare = {name: value for name, value in keys["ES256"].to_json().items() if name in {"kty", "crv", "x", "y"}}

    assert jose.Key.from_json(bare).thumbprint() == keys["ES256"].thumbprint()


REFUSED = [
    ("an unknown kty", {"kty": "EC2"}),
    ("no kty", {"kty": None}),
    ("an unknown curve", {"crv": "P-224"}),
    ("secp256k1", {"crv": "secp256k1"}),
    ("another curve", {"crv": "P-384"}),
    ("an Edwards curve", {"crv": "Ed25519"}),
    ("no x", {"x": None}),
    ("an empty x", {"x": ""}),
    ("x with padding", {"x": lambda x: x + "="}),
    ("x with white space", {"x": lambda x: x + "\n"}),
    ("x in the standard alphabet", {"x": lambda x: "+/" + x[2:]}),
    ("a short x", {"x": lambda x: b64(raw(x)[1:])}),
    ("x with a zero before it", {"x": lambda x: b64(b"\0" + raw(x))}),
    ("y of x", {"y": "x"}),
    ("a point off the curve", {"y": lambda y: b64(bytes(32))}),
    ("the point at infinity", {"x": b64(bytes(32)), "y": b64(bytes(32))}),
    ("an unknown use", {"use": "signature"}),
    ("an empty use", {"use": ""}),
    ("a use that is no text", {"use": ["sig"]}),
    ("use enc for an alg that signs", {"use": "enc"}),
    ("an alg of another curve", {"alg": "ES384"}),
    ("an alg of another type", {"alg": "RS256"}),
    ("an alg for encryption beside use sig", {"alg": "ECDH-ES"}),
    ("an unknown alg", {"alg": "ES256K"}),
    ("alg none", {"alg": "none"}),
    ("an alg that is no text", {"alg": 1}),
    ("an empty alg", {"alg": ""}),
    ("key_ops that encrypt", {"key_ops": ["encrypt"]}),
    ("key_ops that derive", {"key_ops": ["deriveKey"]}),
    ("key_ops that mix", {"key_ops": ["verify", "wrapKey"]}),
    ("key_ops twice", {"key_ops": ["verify", "verify"]}),
    ("no key_ops in the list", {"key_ops": []}),
    ("key_ops that are no list", {"key_ops": "verify"}),
    ("key_ops that are no texts", {"key_ops": [1]}),
    ("a kid that is no text", {"kid": 1}),
    ("a kid that is null", {"kid": None}),
    ("a kid that is too long", {"kid": "k" * 129}),
    ("a private half that is null", {"d": None}),
    ("a private half of another key", {"d": b64(b"\1" * 32)}),
    ("a private half of zero", {"d": b64(bytes(32))}),
    ("a private half above the order", {"d": b64(b"\xff" * 32)}),
    ("a short private half", {"d": b64(b"\1" * 31)}),
]


@pytest.mark.parametrize("change", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_curve_key_that_is_not_right_is_refused(change, key):
    jwk = key.to_json()
    changed = jwk | {
        name: jwk[value] if value == "x" else value(jwk[name]) if callable(value) else value
        for name, value in change.items()
    }

    assert jose.KeySet.from_json({"keys": [jwk]}).refused == ()
    assert jose.KeySet.from_json({"keys": [changed]}).keys == ()
    with pytest.raises(jose.BadKey):
        jose.Key.from_json(changed)


@pytest.mark.parametrize("length", [0, 31, 33, 57])
def test_an_okp_key_of_another_length_is_refused(length):
    for crv in ("Ed25519", "X25519"):
        with pytest.raises(jose.BadKey):
            jose.Key.from_json({"kty": "OKP", "crv": crv, "x": b64(bytes(length))})


@pytest.mark.parametrize("crv", ["Ed448", "X448", "P-256", "ed25519", "Curve25519"])
def test_an_okp_key_of_another_curve_is_refused(crv):
    with pytest.raises(jose.BadKey):
        jose.Key.from_json({"kty": "OKP", "crv": crv, "x": b64(b"\2" * 32)})


SMALL_ORDER = [  # the points of order 1, 2, 4 and 8, and second spellings of them
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_an_ed25519_key_for_which_anybody_can_sign_is_refused(point):
    with pytest.raises(jose.BadKey, match="small order"):
        jose.Key.from_json({"kty": "OKP", "crv": "Ed25519", "x": b64(bytes.fromhex(point))})


def test_every_honest_ed25519_key_is_accepted_and_points_off_the_curve_are_not():
    for number in range(200):
        seed = number.to_bytes(32, "big")
        public = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        assert jose.Key.from_json({"kty": "OKP", "crv": "Ed25519", "x": b64(public)}).verifiers

    # y = 2 gives (y*y - 1) / (d*y*y + 1), which is no square modulo 2**255 - 19
    with pytest.raises(jose.BadKey):
        jose.Key.from_json({"kty": "OKP", "crv": "Ed25519", "x": b64((2).to_bytes(32, "little"))})


RSA_REFUSED = [
    ("n with a zero before it", {"n": lambda n: b64(b"\0" + raw(n))}),
    ("n with padding", {"n": lambda n: n + "=="}),
    ("e with a zero before it", {"e": b64(b"\0\1\0\1")}),
    ("e of zero", {"e": b64(b"\0")}),
    ("no e", {"e": None}),
    ("n of more than 8192 bits", {"n": b64(b"\xff" * 1025)}),
    ("d of another key", {"d": b64(b"\x7f" * 255)}),
    ("d alone of another key", {"d": b64(b"\x7f" * 255), "p": ..., "q": ..., "dp": ..., "dq": ..., "qi": ...}),
    ("p and q that do not make n", {"p": lambda p: b64((int.from_bytes(raw(p), "big") + 2).to_bytes(128, "big"))}),
    ("p without the others", {"q": ..., "dp": ..., "dq": ..., "qi": ...}),
    ("all but qi", {"qi": ...}),
    ("primes without d", {"d": ...}),
    ("more than two primes", {"oth": [{"r": "AQAB", "d": "AQAB", "t": "AQAB"}]}),
    ("the crt exponent of another key", {"dp": b64(b"\1" * 128)}),
    ("a crv", {"alg": "ES256"}),
    ("an alg that is broken", {"alg": "RSA1_5"}),
    ("an alg for encryption beside use sig", {"alg": "RSA-OAEP"}),
]


@pytest.mark.parametrize("change", [row[1] for row in RSA_REFUSED], ids=[row[0] for row in RSA_REFUSED])
def test_an_rsa_key_that_is_not_right_is_refused(change, keys):
    jwk = keys["RS256"].to_json(private=True)
    changed = {
        name: change[name](value) if callable(change.get(name)) else change.get(name, value)
        for name, value in jwk.items()
    }
    changed |= {name: value for name, value in change.items() if name not in jwk}
    changed = {name: value for name, value in changed.items() if value is not ...}

    with pytest.raises(jose.BadKey):
        jose.Key.from_json(changed)


def test_an_rsa_key_with_d_alone_is_completed(keys):
    jwk = keys["RS256"].to_json(private=True)
    short = {name: value for name, value in jwk.items() if name not in {"p", "q", "dp", "dq", "qi"}}

    token = jose.sign(b"payload", jose.Key.from_json(short), algorithm="RS256")

    assert jose.verify_jws(token, keys["RS256"]).payload == b"payload"


def test_rsa_keys_of_3072_and_4096_bits_are_accepted():
    for bits in (3072, 4096):
        numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
        assert jose.Key.from_json({"kty": "RSA", "n": b64(numbers.n.to_bytes(bits // 8, "big")), "e": "AQAB"})


@pytest.mark.parametrize(
    ("alg", "length", "fine"),
    [
        ("HS256", 31, False),
        ("HS256", 32, True),
        ("HS256", 64, True),
        ("HS384", 47, False),
        ("HS384", 48, True),
        ("HS512", 63, False),
        ("HS512", 64, True),
        ("A128KW", 16, True),
        ("A128KW", 32, False),
        ("A256GCMKW", 32, True),
        ("A256GCMKW", 16, False),
        ("A256CBC-HS512", 64, True),
        ("A256CBC-HS512", 32, False),
        ("dir", 32, True),
        ("PBES2-HS256+A128KW", 16, False),
        ("ES256", 32, False),
    ],
)
def test_a_secret_has_the_length_that_its_alg_takes(alg, length, fine, encode):
    found = jose.KeySet.from_json({"kty": "oct", "alg": alg, "k": encode(b"\x81" * length)})

    assert bool(found.keys) is fine


@pytest.mark.parametrize(("length", "fine"), [(1, True), (1024, True), (1025, False)])
def test_a_secret_has_at_most_a_kilobyte(length, fine, encode):
    assert bool(jose.KeySet.from_json({"kty": "oct", "k": encode(b"\x81" * length)}).keys) is fine


def test_the_operations_of_a_key_are_written_with_it(key):
    jwk = key.to_json() | {"key_ops": ["verify", "sign"]}

    assert jose.Key.from_json(jwk).to_json()["key_ops"] == ["sign", "verify"]


@pytest.mark.parametrize(("length", "algorithms"), [(31, ()), (32, ("HS256",)), (48, ("HS256", "HS384"))])
def test_a_secret_without_alg_verifies_what_it_is_long_enough_for(length, algorithms, encode):
    key = jose.Key.from_json({"kty": "oct", "k": encode(b"\x81" * length)})

    assert tuple(sorted(key.verifiers)) == algorithms


USES = [
    ("no marks at all", {}, True),
    ("use sig", {"use": "sig"}, True),
    ("key_ops verify", {"key_ops": ["verify"]}, True),
    ("key_ops sign and verify", {"key_ops": ["sign", "verify"]}, True),
    ("use sig and key_ops verify", {"use": "sig", "key_ops": ["verify"]}, True),
    ("its alg", {"alg": "ES256"}, True),
    ("x5c and x5t, which nobody reads", {"x5c": ["AAAA"], "x5t": "AAAA", "x5u": "https://evil.example"}, True),
    ("members that no standard knows", {"issuer": "https://i.example", "exp": 1}, True),
    ("use enc", {"use": "enc"}, False),
    ("key_ops sign", {"key_ops": ["sign"]}, False),
    ("an alg for encryption", {"alg": "ECDH-ES"}, False),
]


@pytest.mark.parametrize(("marks", "verifies"), [row[1:] for row in USES], ids=[row[0] for row in USES])
def test_a_key_verifies_only_what_it_says_it_is_for(marks, verifies, key):
    bare = {name: value for name, value in key.to_json().items() if name in {"kty", "crv", "x", "y"}}
    keys = jose.KeySet.from_json(bare | marks)
    token = jose.sign(b"payload", key, algorithm="ES256")

    assert keys.refused == ()
    if verifies:
        assert jose.verify_jws(token, keys).payload == b"payload"
    else:
        with pytest.raises(jose.UnknownKey):
            jose.verify_jws(token, keys)


def test_an_x25519_key_verifies_nothing_and_may_not_say_it_does(x25519_jwk):
    assert jose.Key.from_json(x25519_jwk | {"use": "enc", "alg": "ECDH-ES+A256KW"}).verifiers == {}
    for marks in ({"use": "sig"}, {"alg": "EdDSA"}, {"key_ops": ["sign"]}):
        with pytest.raises(jose.BadKey):
            jose.Key.from_json(x25519_jwk | marks)


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519", None])
def test_the_two_names_of_ed25519_mean_one_algorithm(algorithm, alg, keys):
    jwk = keys["Ed25519"].to_json(private=True) | {"alg": alg}
    key = jose.Key.from_json({name: value for name, value in jwk.items() if value is not None})
    token = jose.sign(b"payload", key, algorithm=algorithm)

    assert jose.verify_jws(token, key, algorithms=[algorithm]).header["alg"] == algorithm
    with pytest.raises(jose.AlgorithmRefused):
        jose.verify_jws(token, key, algorithms={"EdDSA", "Ed25519"} - {algorithm})


def test_what_a_provider_adds_to_a_key_can_be_read(key):
    found = jose.Key.from_json(key.to_json() | {"issuer": "https://login.example/{tenantid}", "x5t": "AAAA"})

    assert found.extra == {"issuer": "https://login.example/{tenantid}"}
    assert isinstance(found.extra, Mapping)
    assert not isinstance(found.extra, dict)


SETS = [
    ("a number", b"1"),
    ("a list", b"[]"),
    ("a text", b'"keys"'),
    ("nothing", b""),
    ("half an object", b'{"keys":['),
    ("an object without keys", b"{}"),
    ("keys that are no list", b'{"keys":{}}'),
    ("keys that are null", b'{"keys":null}'),
    ("keys that are a text", b'{"keys":"[]"}'),
    ("a set that is a key too", b'{"keys":[],"kty":"oct"}'),
    ("two documents", b'{"keys":[]}{"keys":[]}'),
    ("UTF-16", '{"keys":[]}'.encode("utf-16")),
    ("a byte order mark", b'\xef\xbb\xbf{"keys":[]}'),
    ("no UTF-8", b'{"keys":[],"a":"\xff"}'),
    ("half a character", '{"keys":[],"a":"\ud800"}'),
    ("more than a megabyte", b'{"keys":[],"a":"' + b"a" * 1024 * 1024 + b'"}'),
    ("depth", b'{"keys":[],"a":' + b"[" * 100 + b"]" * 100 + b"}"),
    ("None", None),
    ("a number of Python", 1),
    ("a list of Python", []),
    ("a bytearray", bytearray(b'{"keys":[]}')),
]


@pytest.mark.parametrize("data", [row[1] for row in SETS], ids=[row[0] for row in SETS])
def test_what_is_no_key_set_is_refused(data):
    with pytest.raises(jose.BadKeySet):
        jose.KeySet.from_json(data)


def test_a_key_set_is_read_from_bytes_a_text_or_a_mapping(key):
    document = {"keys": [key.to_json()]}

    for data in (json.dumps(document).encode(), json.dumps(document, indent=2), document, MappingProxyType(document)):
        assert jose.KeySet.from_json(data).keys[0].thumbprint() == key.thumbprint()
        assert jose.KeySet.from_json(data).to_json() == document


def test_a_single_key_is_a_set_of_one(key):
    assert len(jose.KeySet.from_json(key.to_json()).keys) == 1


def test_an_empty_set_is_a_set_that_verifies_nothing(key):
    keys = jose.KeySet.from_json({"keys": []})

    assert (keys.keys, keys.refused) == ((), ())
    with pytest.raises(jose.UnknownKey):
        jose.verify_jws(jose.sign(b"payload", key, algorithm="ES256"), keys)


def test_one_bad_key_does_not_spoil_a_set(key):
    bad = [
        1,
        None,
        [],
        {},
        {"kty": "RSA", "kid": "small", "n": b64(b"\xff" * 128), "e": "AQAB"},
        {"kty": "x", "kid": 5},
    ]
    keys = jose.KeySet.from_json({"keys": [*bad, key.to_json()]})

    assert [one.kid for one in keys.keys] == ["one"]
    assert [one.kid for one in keys.refused] == [None, None, None, None, "small", None]
    assert keys.refused[4].reason == "its modulus has 1024 bits, and 2048 are the least"
    assert jose.verify_jws(jose.sign(b"payload", key, algorithm="ES256"), keys).key.kid == "one"


def test_the_same_key_twice_is_one_key(key):
    keys = jose.KeySet.from_json({"keys": [key.to_json(), key.to_json()]})

    assert keys.refused == ()
    assert jose.verify_jws(jose.sign(b"payload", key, algorithm="ES256"), keys)


def test_a_kid_shared_with_a_key_for_encryption_is_not_ambiguous(key):
    other = jose.Key.generate("ES256", kid="one").to_json() | {"use": "enc"}
    keys = jose.KeySet.from_json({"keys": [key.to_json(), {**other, "alg": "ECDH-ES"}]})

    assert keys.refused == ()
    assert jose.verify_jws(jose.sign(b"payload", key, algorithm="ES256"), keys).key.thumbprint() == key.thumbprint()


def test_keys_of_two_types_under_one_kid_are_ambiguous(keys):
    found = jose.KeySet.from_json({"keys": [keys["ES256"].to_json(), keys["RS256"].to_json()]})

    assert found.keys == ()
    with pytest.raises(jose.AmbiguousKey):
        jose.verify_jws(jose.sign(b"payload", keys["ES256"], algorithm="ES256"), found)


def test_a_key_without_kid_does_not_stand_in_for_ambiguous_ones(key):
    nameless = jose.Key.generate("ES256")
    others = [jose.Key.generate("ES256", kid="two").to_json() for _ in range(2)]
    keys = jose.KeySet.from_json({"keys": [nameless.to_json(), *others]})

    with pytest.raises(jose.AmbiguousKey):
        jose.verify_jws(jose.sign(b"payload", nameless, algorithm="ES256", header={"kid": "two"}), keys)
    assert jose.verify_jws(jose.sign(b"payload", nameless, algorithm="ES256", header={"kid": "three"}), keys)


@pytest.mark.parametrize("kids", [("a", "b"), (None, "b"), (None, None)])
def test_symmetric_keys_verify_only_among_themselves(kids, encode):
    jwks = [{"kty": "oct", "k": encode(bytes([number]) * 32), "kid": kid} for number, kid in enumerate(kids)]
    jwks = [{name: value for name, value in jwk.items() if value is not None} for jwk in jwks]
    signer = jose.Key.from_json(jwks[1])
    token = jose.sign(b"payload", signer, algorithm="HS256")

    assert jose.verify_jws(token, jose.KeySet.from_json({"keys": jwks}), algorithms=["HS256"])
    for other in (jose.Key.generate("ES256").to_json(), {"kty": "RSA", "n": "AQ", "e": "AQ"}, {"kty": "nothing"}, 1):
        with pytest.raises(jose.SymmetricRefused):
            jose.verify_jws(token, jose.KeySet.from_json({"keys": [*jwks, other]}), algorithms=["HS256"])


def test_asymmetric_keys_beside_a_symmetric_one_verify_what_is_theirs(key, encode):
    mixed = jose.KeySet.from_json({"keys": [key.to_json(), {"kty": "oct", "k": encode(b"\x81" * 32)}]})

    assert jose.verify_jws(jose.sign(b"payload", key, algorithm="ES256"), mixed, algorithms=["ES256", "HS256"])


def test_a_set_made_of_keys_is_as_strict_as_one_that_was_read(keys):
    other = jose.Key.generate("ES256", kid="one")

    assert len(jose.KeySet((keys["ES256"],)).keys) == 1
    assert len(jose.KeySet((keys["ES256"], other)).refused) == 2
    with pytest.raises(jose.SymmetricRefused):
        jose.verify_jws(
            jose.sign(b"payload", keys["HS256"], algorithm="HS256"),
            jose.KeySet((keys["HS256"], jose.Key.generate("ES256"))),
            algorithms=["HS256"],
        )


def test_a_set_written_for_others_leaves_symmetric_keys_out(keys):
    mixed = jose.KeySet((keys["HS256"], jose.Key.generate("ES256", kid="two")))

    assert [one["kid"] for one in mixed.to_json()["keys"]] == ["two"]
    assert [one["kid"] for one in mixed.to_json(private=True)["keys"]] == ["one", "two"]
    assert "two" not in repr(mixed)
