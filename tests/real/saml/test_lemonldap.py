"""LemonLDAP::NG, whose SAML is Lasso's: the whole line, encrypted too, and signing out both ways."""

import html
import re
from urllib.parse import urljoin

import httpx
import pytest
from house import House
from visitor import Visitor

from actas.cli.login_pkce import challenge_of

VERIFIER = "v" * 43
BACK = "http://127.0.0.1:9/callback"
RULE = {"id": "lords", "who": {"provider": "corp", "groups": ["timelords"]}, "may": ["report"], "as": "reader"}


@pytest.fixture(scope="module")
def house(lemonldap, tmp_path_factory):
    provider = {"preset": "saml", "metadata": lemonldap.metadata, "private": True}
    with House(tmp_path_factory.mktemp("gateway"), provider, rules=[RULE]) as one:
        lemonldap.knows(one)
        one.provider = lemonldap
        yield one


def token(house, visitor, person):
    query = httpx.QueryParams({"redirect": BACK, "state": "s" * 22, "challenge": challenge_of(VERIFIER)})
    address, fields = f"{house.doors.login}?{query}", house.provider.fields
    try:
        page = visitor.sign_in(address, person, person, fields=fields, until="/callback")
    except httpx.ConnectError as nobody:  # nobody listens there: the address is all that is wanted
        code = httpx.URL(str(nobody.request.url)).params["code"]
    else:
        raise AssertionError((page.status_code, page.text[:3000], house.log()))
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": BACK}
    answer = httpx.post(house.doors.token, data=form, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def test_a_person_runs_a_function_as_a_role_and_the_trail_holds(house, visitor):
    answer = house.call("report", token(house, visitor, "dwho"))
    with Visitor() as another:
        refused = house.call("report", token(house, another, "rtyler"))

    assert answer.status_code == 200, answer.text
    assert (answer.json()["role"], "timelords" in answer.json()["groups"]) == ("reader", True)
    assert refused.status_code == 403
    checked = house.verified()
    assert checked.returncode == 0, checked.stdout + checked.stderr


def signed_in(house, visitor, person):
    page = visitor.sign_in(house.doors.login, person, person, fields=house.provider.fields)
    assert "You are signed in at corp until" in page.text, page.text[:3000]


def test_the_provider_is_told_of_a_sign_out(house, visitor):
    signed_in(house, visitor, "dwho")

    left = visitor.sign_out(house.doors.logout)
    again = visitor.go("GET", house.doors.login)

    assert "You are signed out here and at your identity provider." in left.text, left.text[:3000]
    assert 'name="password"' in again.text


def test_the_provider_ends_a_session_by_itself(house, visitor):
    signed_in(house, visitor, "dwho")
    before = visitor.go("GET", house.doors.done).status_code

    page = visitor.go("GET", house.provider.leaves)
    for hidden in re.findall(r'<(?:iframe|img)[^>]*src="([^"]+)"', page.text):  # it tells its applications by frames
        visitor.go("GET", urljoin(house.provider.base, html.unescape(hidden)))
    after = visitor.go("GET", house.doors.done).status_code

    assert (before, after) == (200, 403), page.text


@pytest.mark.parametrize("encryption", ["assertion", "nameid"])
def test_what_it_encrypts_is_opened(house, visitor, encryption):
    house.provider.knows(house, encryption=encryption)

    answer = house.call("report", token(house, visitor, "dwho"))

    assert answer.status_code == 200, answer.text
