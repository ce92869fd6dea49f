"""Our token as an application's federated credential at Entra ID."""

import base64
import json
from datetime import timedelta

import pytest

from actas import jose
from actas.assume.brokers.azure_workload import AzureWorkloadBroker
from actas.assume.errors import BrokerRefused
from actas.testing.contracts.broker import BrokerContract

pytestmark = pytest.mark.anyio


@pytest.fixture
def make(cloud, exchange, voucher, broker):
    def made(**more):
        told = {"tenant": "contoso", "client": "6e74172b", "scope": "https://storage.azure.com/.default", **more}
        return AzureWorkloadBroker(
            exchange=exchange, voucher=voucher(algorithm="RS256"), local=broker, authority=cloud.url, **told
        )

    return made


class TestAzureWorkload(BrokerContract):
    """azure_workload"""

    @pytest.fixture(autouse=True)
    def _parts(self, make, granted, now):
        self.made, self.granted, self.now = make(), granted, now

    def broker(self):
        return self.made

    def grant(self, **more):
        return self.granted(**more)


async def test_the_token_goes_with_the_work_session_and_not_with_the_one_that_invokes(make, granted, cloud, now):
    sessions = await make().issue(granted(), now=now)

    assert sessions.work.bearer.cloud == "azure"
    assert sessions.work.bearer.token.reveal().startswith("azure-")
    assert sessions.invoke.bearer is None
    assert sessions.work.expires_at <= sessions.work.bearer.expires_at
    assert sessions.work.bearer.token.reveal() not in repr(sessions)


async def test_entra_is_shown_a_subject_that_is_the_role_and_nobody(make, granted, cloud, now):
    await make().issue(granted(), now=now)
    _, _, form = cloud.asked[0]
    payload = form["client_assertion"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert (form["grant_type"], form["client_id"]) == ("client_credentials", "6e74172b")
    assert form["scope"] == "https://storage.azure.com/.default"
    assert jose.peek(form["client_assertion"])["alg"] == "RS256"
    assert claims["sub"] == "actas:role:reader"
    assert "ana" not in str(claims)


ANSWERS = [
    ("no JSON", "<html/>", "no JSON"),
    ("no object", "[]", "no object"),
    ("no token", '{"expires_in": 3599, "token_type": "Bearer"}', "without a token"),
    ("a token with a line break", '{"access_token": "a\\nb", "expires_in": 3599}', "without a token"),
    ("another kind of token", '{"access_token": "ab", "token_type": "DPoP", "expires_in": 9}', "no bearer token"),
    ("no end", '{"access_token": "ab", "token_type": "Bearer"}', "without an end"),
    ("an end that is true", '{"access_token": "ab", "expires_in": true}', "without an end"),
    ("an end that is past", '{"access_token": "ab", "expires_in": 0}', "without an end"),
    ("an end after a day", '{"access_token": "ab", "expires_in": 86401}', "without an end"),
]


@pytest.mark.parametrize(("text", "found"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
async def test_an_answer_that_is_none_is_refused(make, granted, cloud, now, text, found):
    cloud.says = [(200, text)]
    with pytest.raises(BrokerRefused, match=found):
        await make().issue(granted(), now=now)


async def test_an_end_written_as_a_text_is_read_and_ends_the_session(make, granted, cloud, now):
    cloud.says = [(200, '{"access_token": "ab", "expires_in": "300", "token_type": "bearer"}')]
    sessions = await make().issue(granted(), now=now)

    assert sessions.work.expires_at == now + timedelta(minutes=5)


async def test_a_refusal_is_told_by_its_code_alone(make, granted, cloud, now):
    cloud.says = [(400, '{"error": "invalid_client", "error_description": "AADSTS700213: ana"}')]
    with pytest.raises(BrokerRefused, match="invalid_client") as refused:
        await make().issue(granted(), now=now)

    assert "ana" not in str(refused.value)


async def test_another_application_is_another_shape(make):
    assert len({make().shape, make(client="other").shape, make(scope="s").shape, make(tenant="t").shape}) == 4


async def test_a_grant_without_a_role_costs_nothing(make, grant, cloud, now, but):
    person = but(expires_at=now + timedelta(minutes=30))
    plain = grant(person, function="hello")

    assert (await make().issue(plain, now=now)).work is None
    assert cloud.asked == []
