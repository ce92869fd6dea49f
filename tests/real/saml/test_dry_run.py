"""The dry run signs in at a real provider by its own form, and stops before anything is used."""

import json
import os
import subprocess
import sys

import pytest
from house import House
from keycloak_client import client_of

FINANCE = {"id": "finance", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}


PROVIDERS = [
    pytest.param("simplesamlphp", marks=pytest.mark.part("simplesamlphp")),
    pytest.param("samlp", marks=pytest.mark.part("node")),
    pytest.param("keycloak", marks=pytest.mark.part("keycloak")),
]


@pytest.fixture(scope="module", params=PROVIDERS)
def house(request, tmp_path_factory):
    provider = request.getfixturevalue(request.param)
    if request.param == "keycloak":
        yield from at_keycloak(provider, tmp_path_factory.mktemp("gateway"))
        return
    shape = {"preset": "saml", "metadata": provider.metadata, "private": True}
    with House(tmp_path_factory.mktemp("gateway"), shape, rules=[FINANCE]) as one:
        provider.knows(one)
        yield one


def at_keycloak(keycloak, folder):
    metadata = f"{keycloak.issuer}/protocol/saml/descriptor"
    shape = {"preset": "keycloak-saml", "metadata": metadata, "private": True}
    with House(folder, shape, rules=[FINANCE]) as one:
        answer = keycloak.admin("POST", "/clients", client_of(one))
        assert answer.status_code == 201, answer.text
        yield one
        keycloak.admin("DELETE", f"/clients/{answer.headers['location'].rpartition('/')[2]}")


def actas(house, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "actas", "saml", *arguments], cwd=house.folder, capture_output=True, text=True,
        timeout=60, check=False, stdin=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(("person", "code"), [("ana", 0), ("ben", 1)])
def test_a_known_user_is_signed_in_up_to_the_session_that_would_be_issued(house, person, code):
    said = actas(house, "dry-run", "--provider", "corp", "--user", person, "--json", ACTAS_SAML_PASSWORD=f"{person}-pw")

    assert said.returncode == code, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert found["could_run"] is (code == 0)
    assert [one["allowed"] for one in found["decisions"] if one["target"] == "report"] == [code == 0]
    assert any(one["name"] == "key" for one in found["steps"])
    assert f"{person}-pw" not in said.stdout + said.stderr


def test_a_wrong_password_ends_without_an_answer(house):
    said = actas(
        house, "dry-run", "--provider", "corp", "--user", "ana", ACTAS_SAML_PASSWORD="wrong", BROWSER="/bin/true"
    )

    assert said.returncode == 3, said.stdout + said.stderr
    assert "cli.form-not-driven" in said.stderr
