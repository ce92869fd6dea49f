"""A token comes in over the room's front door, against a provider on a real socket."""

import pytest

from actas.identify import errors
from actas.model.facts import Known
from actas.model.identity import Kind

pytestmark = pytest.mark.anyio


async def test_a_person_with_a_good_token_is_believed(house, identify, shown, clock):
    found = await identify().verify(shown(house.token()), now=clock())

    assert (found.provider, found.issuer, found.subject) == (
        "corp",
        house.issuer,
        "7f0c3f0e-6d0e-4d2a-8a53-6a3f7f1f2c11",
    )
    assert found.kind == Known(Kind.HUMAN)
    assert found.groups == Known(frozenset({"/finance/analysts"}))
    assert found.roles == Known(frozenset({"invoker"}))
    assert found.scopes == Known(frozenset({"openid", "reports.read"}))
    assert found.client == Known("portal")
    assert found.expires_at.timestamp() == clock().timestamp() + 300
    assert found.evidence == "bearer"


async def test_a_second_look_at_the_same_token_waits_for_nothing(house, identify, shown, clock):
    room = identify()
    token = house.token()
    assert room.known(token, clock()) is None

    first = await room.verify(shown(token), now=clock())

    assert room.known(token, clock()) is first
    assert house.count("/certs") == 1


async def test_an_issuer_that_differs_by_a_slash_is_another_issuer(house, identify, shown, clock):
    with pytest.raises(errors.UnknownIssuer):
        await identify().verify(shown(house.token(iss=house.issuer + "/")), now=clock())

    assert house.requests == []
