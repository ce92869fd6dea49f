"""Feed anything at all to the readers of SAML: only a SamlError may come out, and no change may be believed.

    python fuzz/fuzz_saml.py -max_total_time=600 [CORPUS]

An input that begins with a zero byte is a list of edits to a response that we signed: what is accepted after them must
say what the signed one says. Everything else is read as it is, as a response, as metadata and as a message. Without a
corpus folder, good documents and the edits of known attacks are the seeds.
"""

import dataclasses
import importlib.util
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas import saml

from cryptography.hazmat.primitives.asymmetric import rsa


def provider() -> object:
    """Take the identity provider of the tests."""
    path = Path(__file__).parents[1] / "tests" / "saml" / "idp.py"
    spec = importlib.util.spec_from_file_location("saml_idp", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


idp = provider()
KEY = rsa.generate_private_key(65537, 2048)
SIGNER = idp.Idp(KEY, idp.certificate(KEY))
TRUST = saml.Trust(idp.ISSUER, (SIGNER.cert,))
SIGNED = [SIGNER.response(sign=sign) for sign in ("assertion", "response", "both")]
SIGNED.append(SIGNER.signed(SIGNER.envelope(idp.encrypt(SIGNER.assertion().encode(), KEY))))
SIGNED.append(SIGNER.envelope(idp.encrypt(SIGNER.signed(SIGNER.assertion()), KEY, cipher="aes128-cbc")).encode())
PIECES = [
    b"<!-- x -->", b"<?x y?>", b"eve", b"<x/>", b"&#10;", b"&amp;", b" ", b'ID="_a1"', b'xmlns="urn:x"',
    b' xmlns:v="1"',
    b"<![CDATA[eve]]>", b"<!DOCTYPE a []>", b"</saml:NameID><saml:NameID>eve", b'<saml:Assertion ID="_e"/>', b"\0",
    b"</ds:SignedInfo><ds:SignedInfo>", b'URI=""', b"</saml:Assertion>", b"<ds:Object/>", b'Algorithm=""',
]  # fmt: skip


def verify(response: bytes) -> saml.Assertion:
    """Verify as a service would."""
    return saml.verify(
        response, TRUST, audience=idp.AUDIENCE, recipient=idp.ACS, now=idp.NOW, in_response_to="_q1",
        decryption_keys=(KEY,),
    )  # fmt: skip


WANTED = [dataclasses.replace(verify(response), signed="both", xml=b"") for response in SIGNED]


def edited(data: bytes) -> None:
    """Edit a signed response: cut, copy, move or put in a piece; six bytes an edit."""
    which = data[0] % len(SIGNED)
    response = SIGNED[which]
    for at in range(1, min(len(data) - 5, 31), 6):
        start = int.from_bytes(data[at + 1 : at + 3], "big") % (len(response) + 1)
        end = min(len(response), start + data[at + 3])
        place = int.from_bytes(data[at + 4 : at + 6], "big") % (len(response) + 1)
        match data[at] % 4:
            case 0:
                response = response[:start] + response[end:]
            case 1:
                response = response[:place] + response[start:end] + response[place:]
            case 2:
                response = response[:start] + PIECES[data[at + 3] % len(PIECES)] + response[start:]
            case _:
                response = response[:start] + bytes([data[at + 3]]) + response[start + 1 :]
    try:
        found = verify(response)
    except saml.SamlError as refused:
        str(refused).encode()
        return
    assert dataclasses.replace(found, signed="both", xml=b"") == WANTED[which], "a changed document was believed"


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name that libFuzzer calls
    """Read *data* as everything that it could be."""
    if data[:1] == b"\0" and len(data) > 1:
        edited(data[1:])
        return
    for read in (
        lambda: verify(data),
        lambda: saml.Metadata.parse(data, now=idp.NOW),
        lambda: saml.Trust.from_metadata(data, now=idp.NOW),
        lambda: saml.Certificate.read(data),
        lambda: saml.decode_post(data.decode("latin-1")),
        lambda: saml.decode_redirect(data.decode("latin-1")),
        lambda: logout(data),
        lambda: logout(saml.read_redirect(data)),
        lambda: saml.look(data, decryption_keys=(KEY,)),
    ):
        try:
            read()
        except saml.SamlError as refused:
            str(refused).encode()
    saml.diagnose(data, saml.Wanted(trust=TRUST, audience=idp.AUDIENCE, recipients=(idp.ACS,), now=idp.NOW))
    saml.diagnose_metadata(data, now=idp.NOW)


def logout(message: "bytes | saml.RedirectMessage") -> None:
    """Read a message as both kinds of logout; one that was not signed as it stands must not be believed."""
    for read in (
        lambda: saml.read_logout_request(message, TRUST, destination=idp.ACS, now=idp.NOW, decryption_keys=(KEY,)),
        lambda: saml.read_logout_response(message, TRUST, destination=idp.ACS, in_response_to="_l1", now=idp.NOW),
    ):
        try:
            found = read()
        except saml.SamlError as refused:
            str(refused).encode()
        else:
            assert found.id in {"_l1", "_o1"}, "a message that we did not sign was believed"


def logouts() -> list[bytes]:
    """Make signed logout messages, for forms and for queries."""
    common = {"issuer": idp.ISSUER, "destination": idp.ACS, "now": idp.NOW, "key": KEY}
    made = []
    for binding in (saml.POST, saml.REDIRECT):
        made.append(saml.logout_request(id="_l1", name_id="ana", session_index="_s1", binding=binding, **common))
        made.append(saml.logout_response(id="_o1", in_response_to="_l1", binding=binding, **common))
    return [one.partition(b"?")[2] if one.startswith(b"http") else one for one in made]


def seeds() -> list[bytes]:
    """Make good documents, and some edits."""
    metadata = saml.sp_metadata(
        entity_id=idp.AUDIENCE, acs=idp.ACS, signing_certificates=(SIGNER.cert,), key=KEY, logout=idp.ACS
    )
    request = saml.authn_request(id="_q1", issuer=idp.AUDIENCE, destination=idp.ISSUER, now=idp.NOW)
    edits = [bytes([0, which, 2, 0, place, piece, 0, 0]) for which in range(5) for place, piece in ((200, 0), (90, 3))]
    return [*SIGNED, *logouts(), metadata, request, SIGNER.cert, saml.encode_post(SIGNED[0]).encode(), *edits]


def main() -> None:
    """Run with libFuzzer's own arguments."""
    arguments = sys.argv
    if all(one.startswith("-") for one in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="fuzz-saml-"))
        for number, seed in enumerate(seeds()):
            (folder / str(number)).write_bytes(seed)
        arguments = [*arguments, str(folder)]
        if not any(one.startswith("-max_len") for one in arguments):
            arguments.append("-max_len=16384")
    atheris.Setup(arguments, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
