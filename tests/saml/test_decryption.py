"""Promises about what is encrypted: opened, verified inside like anything else, and no error tells more."""

import pytest

from actas import saml


@pytest.fixture(scope="module")
def opened(verify, made, sp_key):
    def run(response, **changes):
        return verify(response, **({"decryption_keys": (made.pem(sp_key),)} | changes))

    return run


@pytest.fixture(scope="module")
def sealed(idp, made, sp_key):
    """A response whose assertion is signed and encrypted."""

    def run(*, inside=None, sign_outside=False, **how):
        inside = inside if inside is not None else idp.signed(idp.assertion())
        response = idp.envelope(made.encrypt(inside, sp_key, **how))
        return idp.signed(response) if sign_outside else response.encode()

    return run


@pytest.mark.parametrize("cipher", [f"aes{bits}-{mode}" for bits in (128, 192, 256) for mode in ("cbc", "gcm")])
@pytest.mark.parametrize("outside", [True, False], ids=["signed outside too", "signed inside"])
def test_an_encrypted_assertion_is_read(opened, sealed, cipher, outside):
    assertion = opened(sealed(cipher=cipher, sign_outside=outside))

    assert (assertion.name_id, assertion.signed) == ("ana", "both" if outside else "assertion")


@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("mask", [None, "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_every_digest_and_mask_of_oaep_is_read(opened, sealed, digest, mask):
    assert opened(sealed(transport="rsa-oaep", digest=digest, mask=mask)).name_id == "ana"


@pytest.mark.parametrize("how", [{"label": b"a label"}, {"sibling": True}, {"digest": "sha256"}], ids=str)
def test_the_other_forms_of_an_encrypted_key_are_read(opened, sealed, how):
    assert opened(sealed(**how)).name_id == "ana"


OLD = {"rsa-1_5": {"transport": "rsa-1_5"}, "tripledes-cbc": {"cipher": "tripledes-cbc"}}


@pytest.mark.parametrize("name", OLD)
def test_rsa_1_5_and_3des_are_refused_unless_switched_on_by_name(opened, sealed, name):
    response, (other,) = sealed(**OLD[name]), [one for one in OLD if one != name]

    with pytest.raises(saml.AlgorithmRefused):
        opened(response)
    with pytest.raises(saml.AlgorithmRefused):
        opened(response, old_ciphers=(other,))
    assert opened(response, old_ciphers=(name,)).name_id == "ana"


@pytest.mark.parametrize("at", [0, 8, -1])
def test_old_ciphers_tell_no_more_when_they_fail(opened, sealed, at):
    def spoil(ciphertext):
        changed = bytearray(ciphertext)
        changed[at] ^= 1
        return bytes(changed)

    with pytest.raises(saml.DecryptionFailed) as refused:
        opened(sealed(cipher="tripledes-cbc", spoil=spoil), old_ciphers=tuple(OLD))
    assert str(refused.value) == str(saml.DecryptionFailed())


def test_a_cipher_that_nobody_knows_is_the_callers_mistake(opened, sealed):
    with pytest.raises(saml.AskedWrongly):
        opened(sealed(), old_ciphers=("rot13",))


@pytest.mark.parametrize(
    "how", [{"transport": "rsa-oaep", "mask": "sha256"}, {"cipher": "aes128-gcm"}], ids=["mask", "cipher"]
)
def test_unknown_algorithms_are_refused(opened, sealed, how):
    response = sealed(**how)
    assert opened(response).name_id == "ana"

    with pytest.raises(saml.AlgorithmRefused):
        opened(response.replace(b"mgf1sha256", b"mgf1md5").replace(b"aes128-gcm", b"aes128-ofb"))


def test_cbc_can_be_refused(opened, sealed):
    require = saml.Require(gcm_only=True, encrypted_assertion=True)

    assert opened(sealed(), require=require).name_id == "ana"
    with pytest.raises(saml.RequirementUnmet):
        opened(sealed(cipher="aes256-cbc"), require=require)


def test_encrypted_is_not_signed(opened, sealed, idp):
    with pytest.raises(saml.NotSigned):
        opened(sealed(inside=idp.assertion().encode()))


def test_ciphertext_in_a_signed_response_is_signed(opened, sealed, idp):
    assertion = opened(sealed(inside=idp.assertion().encode(), sign_outside=True))

    assert (assertion.signed, assertion.name_id) == ("response", "ana")
    assert b">ana</saml:NameID>" in assertion.xml


def test_a_forged_signature_inside_is_refused_though_the_ciphertext_is_signed(opened, sealed, idp):
    with pytest.raises(saml.BadDigest):
        opened(sealed(inside=idp.signed(idp.assertion()).replace(b">ana<", b">eve<"), sign_outside=True))


def test_comments_inside_do_not_cut_a_name(opened, sealed, idp):
    inside = idp.assertion(name="<saml:NameID>a<!-- x -->na</saml:NameID>").encode()

    assert opened(sealed(inside=inside, sign_outside=True)).name_id == "ana"


def test_without_a_key_it_says_so(opened, sealed):
    with pytest.raises(saml.NoDecryptionKey):
        opened(sealed(), decryption_keys=())


def test_the_right_one_of_several_keys_is_found(opened, sealed, made, sp_key, attacker):
    assert opened(sealed(), decryption_keys=(made.pem(attacker.key), made.pem(sp_key).decode())).name_id == "ana"


def test_what_leans_on_the_namespaces_around_it_is_read(opened, made, idp, sp_key):
    inside = idp.assertion().replace(f' xmlns:saml="{made.SAML}"', "").encode()

    assert opened(idp.signed(idp.envelope(made.encrypt(inside, sp_key)))).name_id == "ana"


def last(sealed):
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


def first(sealed):
    return bytes([sealed[0] ^ 1]) + sealed[1:]


SPOILED = {
    "the padding": {"cipher": "aes128-cbc", "spoil": last},
    "the first block": {"cipher": "aes128-cbc", "spoil": first},
    "the length": {"cipher": "aes128-cbc", "spoil": lambda sealed: sealed[:-3]},
    "nearly all": {"cipher": "aes128-cbc", "spoil": lambda sealed: sealed[:16]},
    "the tag": {"cipher": "aes128-gcm", "spoil": last},
    "the nonce": {"cipher": "aes128-gcm", "spoil": first},
    "nothing but a nonce": {"cipher": "aes128-gcm", "spoil": lambda sealed: sealed[:12]},
    "the plaintext": {"cipher": "aes128-cbc", "inside": b"no XML at all, but long enough for a block"},
    "what is inside": {"cipher": "aes128-cbc", "inside": b'<Other xmlns="urn:x"/>'},
    "the signature inside": {"cipher": "aes128-cbc", "inside": None},
}


def test_whatever_is_wrong_with_a_ciphertext_the_error_is_the_same(opened, sealed, idp):
    said = set()
    for wrong in SPOILED.values():
        how = dict(wrong)
        if "inside" in how and how["inside"] is None:
            how["inside"] = idp.signed(idp.assertion()).replace(b">ana<", b">eve<")
        with pytest.raises(saml.DecryptionFailed) as refused:
            opened(sealed(**how))
        said.add((str(refused.value), refused.value.code, refused.value.__cause__))

    assert len(said) == 1


def test_a_wrong_key_gives_the_same_error(opened, sealed, made, attacker):
    with pytest.raises(saml.DecryptionFailed):
        opened(sealed(), decryption_keys=(made.pem(attacker.key),))


def test_five_encrypted_keys_are_too_many(opened, sealed):
    response = sealed()
    start, end = response.index(b"<xenc:EncryptedKey"), response.index(b"</xenc:EncryptedKey>") + 20
    assert opened(response[:end] + response[start:end] * 3 + response[end:]).name_id == "ana"

    with pytest.raises(saml.UnexpectedStructure):
        opened(response[:end] + response[start:end] * 4 + response[end:])


def test_an_encrypted_name_is_read(opened, idp, made, sp_key):
    name = f'<saml:NameID xmlns:saml="{made.SAML}" Format="urn:x:y">a<!-- -->na</saml:NameID>'.encode()
    hidden = made.encrypt(name, sp_key, wrapper="saml:EncryptedID")

    assertion = opened(idp.response(name=hidden))

    assert (assertion.name_id, assertion.name_id_format) == ("ana", "urn:x:y")


def test_an_encrypted_name_holds_a_name_and_nothing_else(opened, idp, made, sp_key):
    hidden = made.encrypt(idp.assertion().encode(), sp_key, wrapper="saml:EncryptedID")

    with pytest.raises(saml.DecryptionFailed):
        opened(idp.response(name=hidden))


def test_an_encrypted_attribute_is_read(opened, idp, made, sp_key):
    attribute = (
        f'<saml:Attribute xmlns:saml="{made.SAML}" Name="Role"><saml:AttributeValue>auditor</saml:AttributeValue>'
        "</saml:Attribute>"
    ).encode()
    hidden = made.encrypt(attribute, sp_key, wrapper="saml:EncryptedAttribute", cipher="aes128-cbc")

    assert opened(idp.response(attributes=made.ATTRIBUTES + hidden)).attributes["Role"] == (
        "reader",
        "writer",
        "auditor",
    )


def test_an_encrypted_assertion_beside_a_plain_one_is_refused(opened, idp, made, sp_key):
    signed = idp.signed(idp.assertion())
    hidden = made.encrypt(idp.signed(idp.assertion(id="_a2")), sp_key)

    with pytest.raises(saml.NotOneAssertion):
        opened(idp.envelope(signed.decode() + hidden).encode())
