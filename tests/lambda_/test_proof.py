"""The proof that a function's execution role asks: it is what STS verifies, for one gateway, one call, one minute."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import sigv4
from actas.lambda_ import proof

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GATEWAY = "https://actas.example"
SECRET = "secret-of-the-execution-role"
CREDENTIALS = sigv4.Credentials("ASIAEXECUTIONROLE1", SECRET, "token-of-the-execution-role")


def proved(region="eu-west-1", envelope="an.envelope.here", gateway=GATEWAY, now=NOW):
    return proof.prove(CREDENTIALS, envelope=envelope, gateway=gateway, region=region, now=now)


def verified(read, now=NOW):
    """As STS does it."""
    return sigv4.verify(
        "POST", f"https://{proof.host(read.region)}/", list(read.headers), proof.BODY,
        find_secret=lambda _key, _token: SECRET, now=now, region=read.region, service="sts",
    )  # fmt: skip


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1"])
def test_sts_verifies_what_the_gateway_hands_on(region):
    read = proof.read(proved(region), gateway=GATEWAY, now=NOW)

    assert verified(read).access_key_id == "ASIAEXECUTIONROLE1"
    assert dict(read.headers)["Host"].startswith(f"sts.{region}.amazonaws.com")


OTHERS = [
    ("for another gateway", {"gateway": "https://other.example"}, {}),
    ("for another call", {}, {"envelope": "another.envelope.here"}),
]


@pytest.mark.parametrize(("elsewhere", "changed"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_a_proof_is_worth_nothing_elsewhere(elsewhere, changed):
    shown = msgspec.structs.replace(proved(**elsewhere), **changed)
    read = proof.read(shown, gateway=GATEWAY, now=NOW)

    with pytest.raises(sigv4.BadSignature):
        verified(read)


MOMENTS = [(-61, False), (-60, True), (0, True), (60, True), (61, False)]


@pytest.mark.parametrize(("seconds", "holds"), MOMENTS)
def test_a_proof_counts_for_a_minute(seconds, holds):
    read = proof.read(proved(), gateway=GATEWAY, now=NOW + timedelta(seconds=seconds))

    assert isinstance(read, proof.Read) == holds


WRONG = [
    ("no authorization", {"authorization": ""}),
    ("another algorithm", {"authorization": proved().authorization.replace("HMAC", "ECDSA")}),
    ("another service", {"authorization": proved().authorization.replace("/sts/", "/iam/")}),
    ("fewer signed headers", {"authorization": proved().authorization.replace("x-actas-gateway;", "")}),
    ("more behind it", {"authorization": proved().authorization + ", "}),
    ("a line break behind it", {"authorization": proved().authorization + "\n"}),
    ("a date that is none", {"date": "20261323T120000Z"}),
    ("a date in other digits", {"date": "\u0968\u0966\u0968\u096c1123T120000Z"}),
    ("another day than the scope's", {"date": "20261122T120000Z"}),
    ("no token", {"token": ""}),
    ("a token with a line break", {"token": "a\r\nX-Amz-Date: b"}),
]


@pytest.mark.parametrize("changed", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_proof_in_another_form_is_none(changed):
    assert isinstance(proof.read(msgspec.structs.replace(proved(), **changed), gateway=GATEWAY, now=NOW), str)


@given(st.text(), st.text(), st.text(), st.text())
def test_whatever_is_shown_is_read_or_told(envelope, date, authorization, token):
    shown = proof.Proof(envelope=envelope, date=date, authorization=authorization, token=token)

    assert isinstance(proof.read(shown, gateway=GATEWAY, now=NOW), str)


def test_neither_a_proof_nor_what_was_read_of_it_is_shown():
    shown = proved()

    assert "token" not in repr(shown)
    assert "token-of" not in repr(proof.read(shown, gateway=GATEWAY, now=NOW))
