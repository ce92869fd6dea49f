"""Feed hostile bytes to what stands before and behind a SAML assertion: forms, cookies, sealed texts, attributes.

Run: ``.venv/bin/python fuzz/fuzz_saml_doors.py -max_total_time=60 [CORPUS]``; libFuzzer's arguments hold.
The first byte chooses the reader, the rest is what it reads. The assertion itself is ``fuzz_saml.py``'s.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas.http.errors import HttpError
    from actas.http.saml import codes, cookies, forms, pages, pending
    from actas.http.saml.token import _plain
    from actas.identify.errors import IdentifyError
    from actas.identify.own import Own, OwnKeys
    from actas.identify.saml_aws import PREFIX, aws_attributes
    from actas.identify.saml_suppose import read
    from actas.identify.sign_in import opened

from actas import jose
from actas.secrets import sealed
from actas.secrets.sealing import Sealing

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
FOLDER = tempfile.TemporaryDirectory()
RING = Sealing(Path(FOLDER.name) / "sealing.json")
RING.rotate(NOW)
KEY = jose.Key.generate("ES256", kid="one")
OWN = Own(OwnKeys(issuer="https://actas.example", newest=lambda: KEY, published=lambda: (KEY,), seals=RING))


def form(data: bytes) -> None:
    """Read a form; the same again gives the same, and nothing in it escapes a page."""
    found = forms.pairs(data)
    assert forms.pairs(data) == found
    made = pages.Form(action="https://idp.example/", button="Go on", fields=found, sent=True)
    written = pages.page("x", list(found.values()), nonce="n", call="c", form=made).body
    assert written.count(b"<script") == 1
    assert written.count(b"<input") == len(found)


def cookie(data: bytes) -> None:
    """Read cookies; a question is found by nobody who did not ask it."""
    shown = cookies.read([(b"cookie", data)])
    relay = data[:32].decode("latin-1")
    assert pending.found(RING, shown, relay, provider="ping", what="sign-in", now=NOW) is None


def text(data: bytes) -> None:
    """Open a sealed text, a code and a sign-in that nobody sealed."""
    shown = data.decode("latin-1")
    assert sealed.opened(RING, "one", shown, now=NOW) is None
    assert codes.opened(RING, shown, provider="ping", redirect="r", verifier="v", now=NOW) is None
    opened(RING, shown, now=NOW)
    raise AssertionError("a stranger is signed in")


def inside(data: bytes) -> None:
    """Read what is sealed, whatever it is."""
    for purpose, reads in (
        ("sign-in", lambda shown: opened(RING, shown, now=NOW)),
        ("saml code", lambda shown: codes.opened(RING, shown, provider="p", redirect="r", verifier="v", now=NOW)),
    ):
        try:
            reads(sealed.seal(RING, purpose, data))
        except IdentifyError:
            continue


def token(data: bytes) -> None:
    """Read a token of ours that is none."""
    shown = data.decode("latin-1")
    OWN.is_ours(shown)
    OWN.read(shown, now=NOW)
    raise AssertionError("a token was forged")


def place(data: bytes) -> None:
    """Read where somebody wants to go: a page of ours or this machine, and nowhere else."""
    shown = data.decode("utf-8", "replace")
    if pending.is_page(shown):
        assert shown.startswith("/")
        assert not shown.startswith(("//", "/\\"))
    found = pending.cli_of(shown, "s" * 22, "c" * 43)
    assert found is None or found.redirect.startswith(("http://127.0.0.1:", "http://[::1]:"))


def attributes(data: bytes) -> None:
    """Read what an assertion says for AWS, a line each: name, a tab, values with commas."""
    lines = [line.partition("\t") for line in data.decode("utf-8", "replace").split("\n")]
    found = aws_attributes({PREFIX + name: tuple(values.split("|")) for name, _, values in lines})
    for one in found.roles if found else ():
        assert one.role_arn.split(":")[4] == one.provider_arn.split(":")[4]


def assertion(data: bytes) -> None:
    """Read an assertion's encoding, and what is supposed of somebody."""
    _plain(data.decode("latin-1"))
    read({"provider": "ping", "attributes": {"groups": data.decode("latin-1")}})


READERS = (form, cookie, text, inside, token, place, attributes, assertion)
SEEDS = [
    b"\x00SAMLResponse=PHNhbWw%2B&RelayState=abc",
    b"\x01__Host-actas-sign-in=abc; __Host-actas-saml-0123456789abcdef=def",
    b"\x02" + sealed.seal(RING, "other", b"{}").encode(),
    b'\x03{"who":{"provider":"ping"},"until":"2026-03-14T10:00:00Z"}',
    b"\x04eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FjdGFzLmV4YW1wbGUifQ.AAAA",
    b"\x05/console?page=2",
    b"\x05http://127.0.0.1:5/callback",
    b"\x06Role\tarn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:saml-provider/p\nSessionDuration\t900",
    b"\x06PrincipalTag:team\tx\nTransitiveTagKeys\tteam",
    b"\x07PHNhbWw-",
]


def test_one_input(data: bytes) -> None:
    """Let one reader read; only the errors of these rooms may come out."""
    if not data:
        return
    try:
        READERS[data[0] % len(READERS)](data[1:])
    except (IdentifyError, HttpError):
        return


def main() -> None:
    """Seed a corpus of our own and go."""
    with FOLDER, tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS):
            (Path(seeds) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, seeds], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
