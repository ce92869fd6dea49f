"""Brokers against (moto's) STS: the plumbing, and that what comes out are credentials of the role in the caller's name.

moto takes any token and any assertion; what must be refused is tried against the double in tests/assume/brokers.
"""

import base64
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
from moto.server import ThreadedMotoServer

from actas import jose
from actas.assume.base_identity import OwnRole, given
from actas.assume.brokers.aws_assume_role import AwsAssumeRoleBroker
from actas.assume.brokers.aws_saml import AwsSamlBroker
from actas.assume.brokers.aws_web_identity import AwsWebIdentityBroker
from actas.assume.exchange import Exchange
from actas.assume.passed_on import PassedOn
from actas.assume.vouching import Voucher
from actas.model import clock
from actas.model.evidence import BearerToken, SamlResponse
from actas.model.secret import Secret
from actas.testing.contracts import backend as contract

pytestmark = pytest.mark.anyio
KEY = jose.Key.generate("ES256", kid="one")
PING = "arn:aws:iam::123456789012:saml-provider/ping"
ROLE = "arn:aws:iam::123456789012:role/reader"
ASSERTION = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns="urn:oasis:names:tc:SAML:2.0:assertion"><Assertion><AttributeStatement>
<Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><AttributeValue>ana</AttributeValue></Attribute>
<Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><AttributeValue>arn:aws:iam::123456789012:role/reader,p\
</AttributeValue></Attribute>
</AttributeStatement></Assertion></samlp:Response>"""


class Named:
    async def of(self, _issuer, _subject):
        return "p-ana"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def exchange():
    made = Exchange()
    yield made
    await made.close()


@pytest.fixture
def grant():
    made = contract.delivery(b"{}", lasts=timedelta(minutes=30)).grant
    return replace(made, role=replace(made.role, arn=ROLE, session=timedelta(minutes=15)))


def brokers(moto, exchange):
    voucher = Voucher(issuer="https://actas.example", newest=lambda: KEY)
    sts = f"{moto}/"
    keys = given(Secret("AKIABASE"), Secret("secret"), None)
    own = OwnRole(exchange=exchange, voucher=voucher, role_arn="arn:aws:iam::123456789012:role/base", endpoint=sts)
    plain = {"exchange": exchange, "pseudonyms": Named(), "endpoint": sts}
    taken = {**plain, "region": "eu-west-1", "external_id": Secret("partner-1"), "tags": {"unit": "board"}}
    return {
        "our token": AwsWebIdentityBroker(voucher=voucher, tags={"unit": "board"}, **plain),
        "the caller's token": AwsWebIdentityBroker(voucher=voucher, caller_token=True, **plain),
        "a base with keys": AwsAssumeRoleBroker(base=keys, base_name="keys", **taken),
        "a base without keys": AwsAssumeRoleBroker(base=own, base_name="own", **taken),
        "the caller's assertion": AwsSamlBroker(saml_provider=PING, passed_on=PassedOn(), **plain),
    }


WAYS = ("our token", "the caller's token", "a base with keys", "a base without keys", "the caller's assertion")


@pytest.mark.parametrize("way", WAYS)
async def test_the_sessions_are_credentials_of_the_role(moto, exchange, grant, way):
    shown = BearerToken(shown=Secret("a.b.c"))
    if way == "the caller's assertion":
        encoded = base64.b64encode(ASSERTION.encode()).decode()
        shown = SamlResponse(shown=Secret(encoded), provider="ping", recipient="https://signin.aws.amazon.com/saml")
    sessions = await brokers(moto, exchange)[way].issue(grant, now=clock.now(), evidence=shown)

    for one in (sessions.invoke, sessions.work):
        client = boto3.client(
            "sts", endpoint_url=moto, region_name="eu-west-1", aws_access_key_id=one.access_key_id,
            aws_secret_access_key=one.secret_access_key.reveal(), aws_session_token=one.session_token.reveal(),
        )  # fmt: skip
        arn = client.get_caller_identity()["Arn"]
        assert arn.startswith("arn:aws:sts::123456789012:assumed-role/reader/")
        assert way == "the caller's assertion" or arn.endswith("/p-ana")
