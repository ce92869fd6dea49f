"""The provider tells what happens to its people, signed, for whoever listens."""

import json

import httpx
import pytest

from actas import jose
from actas.testing.errors import UnknownName
from actas.testing.idp import Idp, Provider
from actas.testing.idp.people import Person


def whole(provider, event):
    keys = jose.KeySet.from_json(provider.jwks())
    return json.loads(jose.verify_jws(event, keys, algorithms=jose.ASYMMETRIC).payload)


def told(provider, event):
    return whole(provider, event)["event"]


@pytest.fixture
def ana():
    return Person(name="ana", groups=("finance", "staff"))


def test_leaving_a_group_is_told_and_later_tokens_do_not_hold_it(ana):
    heard = []
    provider = Provider(shape="keycloak", people=[ana])
    provider.listeners.append(heard.append)

    provider.leave("ana", "finance")

    found = told(provider, heard[0])
    assert (found["type"], found["who"], found["groups"]) == ("group-left", ana.id, "/finance")
    assert provider.people["ana"].groups == ("staff",)


def test_nobody_leaves_a_group_that_they_are_not_in(ana):
    heard = []
    provider = Provider(shape="keycloak", people=[ana])
    provider.listeners.append(heard.append)

    for person, group in (("ana", "security"), ("ben", "finance")):
        with pytest.raises(UnknownName):
            provider.leave(person, group)

    assert heard == []


def test_an_event_is_no_token_and_has_an_id_of_its_own(ana):
    heard = []
    provider = Provider(shape="keycloak", people=[ana])
    provider.listeners.append(heard.append)
    provider.leave("ana", "finance")
    provider.leave("ana", "staff")

    found = [whole(provider, one) for one in heard]
    assert [set(one) for one in found] == [{"event"}, {"event"}]
    assert len({one["event"]["id"] for one in found}) == 2


def test_an_administrator_takes_somebody_out_of_a_group_by_a_request(ana):
    with Idp(shape="keycloak", people=[ana]) as idp:
        found = [
            httpx.delete(f"{idp.base_url}/people/ana/groups/{group}", trust_env=False).status_code
            for group in ("finance", "finance")
        ]

    assert found == [204, 404]
