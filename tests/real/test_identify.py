"""The preset `keycloak` and its look-up of groups, on tokens and answers of a real Keycloak."""

from functools import partial
from uuid import uuid4

import anyio
import httpx
import pytest

from actas import jose
from actas.identify import Identify, errors
from actas.identify.keyring import RingState
from actas.model import clock
from actas.model.evidence import BearerToken
from actas.model.facts import Known, Missing
from actas.model.identity import Kind
from actas.model.secret import Secret
from actas.settings.schema import Claim, LookupClient, Provider, SecretRef


@pytest.fixture
def room(keycloak, tmp_path):
    def make(**more):
        shape = {"preset": "keycloak", "issuer": keycloak.issuer, "audience": "actas", "private": True} | more
        return Identify({"corp": Provider(**shape)}, base_dir=tmp_path)

    return make


def believed(front, token):
    return anyio.run(partial(front.verify, BearerToken(shown=Secret(token)), now=clock.now()))


def test_a_person_of_a_real_realm_is_believed(keycloak, room):
    identity = believed(room(), keycloak.password("ana")["access_token"])

    assert identity.subject == keycloak.person("ana")
    assert identity.kind == Known(Kind.HUMAN)
    assert identity.client == Known("cli")
    assert identity.groups == Known(frozenset({"/finance", "/finance/analysts"}))
    assert {"auditor", "actas:reports.run"} <= identity.roles.value
    assert identity.provider_session is not None


def test_a_real_service_account_is_a_program(keycloak, room):
    identity = believed(room(), keycloak.client("robot")["access_token"])

    assert identity.kind == Known(Kind.SERVICE)
    assert identity.client == Known("robot")
    assert identity.groups is Missing.ABSENT
    assert identity.provider_session is None


@pytest.mark.parametrize(
    ("kind", "refusal"), [("id_token", errors.WrongAudience), ("refresh_token", errors.UnknownKey)]
)
def test_other_tokens_of_a_real_realm_are_refused(keycloak, room, kind, refusal):
    token = keycloak.password("ana")[kind]

    with pytest.raises((refusal, errors.NotAnAccessToken, errors.AlgorithmRefused)):
        believed(room(), token)


def test_an_id_token_for_our_own_client_is_refused_by_its_kind(keycloak, room):
    with pytest.raises(errors.NotAnAccessToken):
        believed(room(audience="cli"), keycloak.password("ana")["id_token"])


def test_a_real_token_that_is_bound_by_dpop_is_no_bearer_token(keycloak, room):
    key = jose.Key.generate("ES256")
    url = f"{keycloak.issuer}/protocol/openid-connect/token"
    claims = {"htm": "POST", "htu": url, "iat": int(clock.now().timestamp()), "jti": uuid4().hex}
    proof = jose.sign(claims, key, algorithm="ES256", header={"typ": "dpop+jwt", "jwk": key.to_json()})
    form = {"grant_type": "password", "client_id": "cli", "username": "ana", "password": "ana-pw", "scope": "openid"}
    answer = httpx.post(url, data=form, headers={"DPoP": proof}, timeout=20).json()

    with pytest.raises(errors.SenderConstrained) as refused:
        believed(room(), answer["access_token"])

    assert answer["token_type"] == "DPoP"
    assert "a DPoP key" in refused.value.bound_by


def test_a_token_without_our_audience_is_refused(keycloak, room):
    with pytest.raises(errors.WrongAudience):
        believed(room(audience="somebody-else"), keycloak.password("ana")["access_token"])


def test_a_token_of_another_realm_has_another_issuer(keycloak, room):
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}

    with pytest.raises(errors.UnknownIssuer):
        believed(room(), keycloak.token(realm="master", **form)["access_token"])


def test_a_real_key_set_leaves_its_encryption_key_aside(keycloak, room):
    front = room()
    believed(front, keycloak.password("ana")["access_token"])
    published = httpx.get(f"{keycloak.issuer}/protocol/openid-connect/certs", timeout=10).json()["keys"]
    (state,) = front.state()

    assert isinstance(state, RingState)
    assert state.ready
    assert {key["use"] for key in published} == {"sig", "enc"}


def test_groups_are_looked_up_at_a_real_admin_api(keycloak, room, tmp_path):
    client = {
        "clientId": "actas-lookup",
        "secret": "lookup-secret",
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "publicClient": False,
    }
    assert keycloak.admin("POST", "/clients", client).status_code in (201, 409)
    found = keycloak.admin("GET", "/clients?clientId=actas-lookup").json()[0]["id"]
    account = keycloak.admin("GET", f"/clients/{found}/service-account-user").json()["id"]
    management = keycloak.admin("GET", "/clients?clientId=realm-management").json()[0]["id"]
    (tmp_path / "secret").write_text("lookup-secret\n")
    lookup = {
        "groups": Claim(claim="not-there", lookup="keycloak-admin"),
        "lookup": LookupClient(id="actas-lookup", secret=SecretRef(file="secret")),
    }
    token = keycloak.password("ana")["access_token"]

    without_right = room(**lookup)
    assert believed(without_right, token).groups is Missing.UNKNOWN
    assert without_right.lookup_state()[0].error == "identify.unexpected-answer"
    role = keycloak.admin("GET", f"/clients/{management}/roles/view-users").json()
    assert keycloak.admin("POST", f"/users/{account}/role-mappings/clients/{management}", [role]).status_code == 204

    assert believed(room(**lookup), token).groups == Known(frozenset({"/finance", "/finance/analysts"}))
