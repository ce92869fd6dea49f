"""Verify the same SAML response with actas.saml, with the bare floor under it, and with other libraries.

    python bench/bench_saml.py [ROUNDS]

The floor is what nobody can do without: one RSA verification, one parse, one canonicalisation, one digest. Each library
does what it takes to believe who signed what; ours also reads and checks all that the assertion says. Processor time
counts, rounds are interleaved, the fastest of each is compared. Hostile documents are timed as well.
"""

import gc
import importlib.util
import json
import statistics
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import machine
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from actas import saml

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "saml.json"
CALLS = 50
GOAL = 2.0
BIGGEST = 240_000
VALUE = (
    '<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">{}</saml:AttributeValue>'
)


def provider() -> object:
    """Take the identity provider of the tests."""
    spec = importlib.util.spec_from_file_location("saml_idp", HERE.parent / "tests" / "saml" / "idp.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


idp = provider()


def responses(signer: object) -> dict[str, bytes]:
    """Make a response of 6 KB, and one with 200 groups."""
    claims = "".join(
        f'<saml:Attribute Name="http://schemas.example/claims/{number}">{VALUE.format(number)}</saml:Attribute>'
        for number in range(11)
    )
    groups = "".join(VALUE.format(f"group-{number}") for number in range(200))
    return {
        "6 KB": signer.response(attributes=claims),
        "200 groups": signer.response(attributes=f'<saml:Attribute Name="groups">{groups}</saml:Attribute>'),
    }


def floor(signer: object, response: bytes) -> Callable[[], object]:
    """Do only what the arithmetic and libxml2 must."""
    root = etree.fromstring(response)
    assertion = root.find(f"{{{idp.SAML}}}Assertion")
    assertion.remove(assertion.find(f"{{{idp.DS}}}Signature"))
    public, fill, digest = signer.key.public_key(), padding.PKCS1v15(), hashes.SHA256()
    signed, value = b"x" * 700, signer.key.sign(b"x" * 700, fill, digest)

    def run() -> None:
        etree.fromstring(response, etree.XMLParser(resolve_entities=False, no_network=True))
        public.verify(value, signed, fill, digest)
        taken = hashes.Hash(digest)
        taken.update(etree.tostring(assertion, method="c14n", exclusive=True, with_comments=False))
        taken.finalize()

    return run


def ours(signer: object, response: bytes) -> Callable[[], object]:
    """Verify and read with actas.saml."""
    trust = saml.Trust(idp.ISSUER, (signer.cert,))

    def run() -> saml.Assertion:
        return saml.verify(response, trust, audience=idp.AUDIENCE, recipient=idp.ACS, now=idp.NOW, in_response_to="_q1")

    return run


def by_signxml(signer: object, response: bytes) -> Callable[[], object]:
    """Verify with signxml, its place pinned."""
    from signxml import SignatureConfiguration, XMLVerifier

    pem = load_der_x509_certificate(signer.cert).public_bytes(serialization.Encoding.PEM)
    place = f"./{{{idp.SAML}}}Assertion/"
    config = SignatureConfiguration(require_x509=True, location=place, verification_time=idp.NOW - timedelta(days=30))

    def run() -> object:
        return XMLVerifier().verify(
            response, x509_cert=pem, id_attribute="ID", expect_config=config, validate_schema=False
        )

    return run


def by_minisignxml(signer: object, response: bytes) -> Callable[[], object]:
    """Verify with minisignxml, where it is installed."""
    from minisignxml.config import VerifyConfig
    from minisignxml.verify import extract_verified_element

    certificate, config = load_der_x509_certificate(signer.cert), VerifyConfig.default()
    return lambda: extract_verified_element(xml=response, certificate=certificate, config=config, attribute="ID")


def by_xmlsec(signer: object, response: bytes) -> Callable[[], object]:
    """Verify with python-xmlsec, where it is installed."""
    import xmlsec

    pem = load_der_x509_certificate(signer.cert).public_bytes(serialization.Encoding.PEM)
    key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)

    def run() -> None:
        root = etree.fromstring(response)
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = key
        context.verify(xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE))

    return run


CONTENDERS = {
    "floor": floor,
    "actas.saml": ours,
    "signxml": by_signxml,
    "minisignxml": by_minisignxml,
    "python-xmlsec": by_xmlsec,
}


def contenders(signer: object, response: bytes) -> dict[str, Callable[[], object]]:
    """Set up everybody who is installed."""
    found = {}
    for name, make in CONTENDERS.items():
        try:
            found[name] = make(signer, response)
        except ImportError:
            continue
    return found


def microseconds(run: Callable[[], object], calls: int = CALLS) -> float:
    """Time one round: of the processor, so that another program's turn does not count."""
    started = time.process_time_ns()
    for _ in range(calls):
        run()
    return (time.process_time_ns() - started) / calls / 1000


def measure(signer: object, response: bytes, rounds: int) -> dict[str, dict[str, float]]:
    """Time everybody, interleaved."""
    runs = contenders(signer, response)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    gc.disable()
    for _ in range(rounds):
        for name, run in runs.items():
            spent[name].append(microseconds(run))
        gc.collect()
    gc.enable()
    best = {name: min(times) for name, times in spent.items()}
    return {
        name: {
            "best_us": round(best[name], 1),
            "median_us": round(statistics.median(spent[name]), 1),
            "times_floor": round(best[name] / best["floor"], 2),
            "times_ours": round(best[name] / best["actas.saml"], 2),
        }
        for name in runs
    }


def hostile(signer: object) -> dict[str, dict[str, float]]:
    """Time documents that were made to cost much; each is refused."""
    documents = {
        "20,000 attributes": b"<a " + b" ".join(b'a%d=""' % number for number in range(20_000)) + b"/>",
        "13,000 namespaces": b"<a " + b" ".join(b'xmlns:a%d="u:x"' % number for number in range(13_000)) + b"/>",
        "9,900 elements": b"<a>" + b"<b></b>" * 9_900 + b"</a>",
        "80,000 levels": b"<a>" * 80_000,
        "looks like namespaces": b"<a>" + b"xmlns:" * 41_000 + b"</a>",
        "9,000 declarations": b"<a>" + b'<b xmlns="u:x"/>' * 9_000 + b"</a>",
        "240 KB of text": b"<a>" + b"x" * BIGGEST + b"</a>",
        "entities": b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>' + b"&b;" * 70_000 + b"</a>",
    }
    found = {}
    for name, document in documents.items():
        run = ours(signer, document)

        def refused(run: Callable[[], object] = run, name: str = name) -> None:
            try:
                run()
            except saml.SamlError:
                return
            raise SystemExit(f"accepted: {name}")

        tracemalloc.start()
        refused()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        took = min(microseconds(refused, 1) for _ in range(5)) / 1000
        found[name] = {"best_ms": round(took, 2), "python_peak_kb": peak // 1024}
    return found


def main() -> None:
    """Print the table and keep it."""
    warnings.simplefilter("ignore")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    key = rsa.generate_private_key(65537, 2048)
    signer = idp.Idp(key, idp.certificate(key))
    table = {}
    for size, response in responses(signer).items():
        table[size] = measure(signer, response, rounds)
        print(f"{size}: {len(response)} bytes  ({rounds} rounds of {CALLS} calls)")
        for name, row in table[size].items():
            print(
                f"  {name:<14}{row['best_us']:9.1f} us   median {row['median_us']:9.1f}"
                f"   {row['times_floor']:6.2f} x floor   {row['times_ours']:6.2f} x ours"
            )
    costs = hostile(signer)
    for name, row in costs.items():
        print(f"  {name:<20}{row['best_ms']:8.2f} ms   {row['python_peak_kb']:6} KB")
    kept = machine.told("cryptography", "lxml", "signxml", "minisignxml", "xmlsec") | {
        "goal_times_floor": GOAL,
        "rounds": rounds,
        "calls": CALLS,
        "verify": table,
        "hostile": costs,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
