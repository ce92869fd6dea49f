"""The conversation with a provider, without a socket: wishes go out, answers come in."""

import json

import pytest

from actas.identify.errors import UnexpectedAnswer, WrongDiscovery
from actas.identify.flow import Answer, Published, Wish, drive, find_keys
from actas.identify.profile import Source

pytestmark = pytest.mark.anyio
ISSUER = "https://sso.example/realms/corp"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
SOURCE = Source(provider="corp", discovery=DISCOVERY, issuer=ISSUER, ca="ca.pem", private=True)


def table(**answers):
    wishes = []

    async def fetch(wish):
        wishes.append(wish)
        return answers[wish.url.rpartition("/")[2].replace("-", "_")]

    return fetch, wishes


def answer(content, status=200, **headers):
    return Answer(status=status, headers=tuple(headers.items()), body=json.dumps(content).encode())


async def test_discovery_comes_first_and_then_the_keys_by_the_same_rules():
    fetch, wishes = table(
        openid_configuration=answer({"issuer": ISSUER, "jwks_uri": "https://sso.example/certs", "more": 1}),
        certs=answer({"keys": []}),
    )

    found = await drive(find_keys(SOURCE), fetch)

    assert found == Published(document=b'{"keys": []}')
    assert wishes == [
        Wish(url=DISCOVERY, ca="ca.pem", private=True),
        Wish(url="https://sso.example/certs", ca="ca.pem", private=True),
    ]


@pytest.mark.parametrize("found", [ISSUER + "/", ISSUER.upper(), "https://evil.example", "\u0130" * 300])
async def test_a_document_that_speaks_for_somebody_else_is_dropped(found):
    fetch, wishes = table(openid_configuration=answer({"issuer": found, "jwks_uri": "https://sso.example/certs"}))

    with pytest.raises(WrongDiscovery) as refused:
        await drive(find_keys(SOURCE), fetch)

    assert refused.value.wanted == ISSUER
    assert len(str(refused.value)) < 300
    assert len(wishes) == 1


@pytest.mark.parametrize("step", ["openid_configuration", "certs"])
async def test_an_answer_that_is_no_success_ends_the_conversation(step):
    good = {
        "openid_configuration": answer({"issuer": ISSUER, "jwks_uri": "https://sso.example/certs"}),
        "certs": answer({"keys": []}),
    }
    fetch, _ = table(**(good | {step: answer({}, status=503)}))

    with pytest.raises(UnexpectedAnswer, match="status 503"):
        await drive(find_keys(SOURCE), fetch)
