"""Each shape writes what its provider writes; what the presets read is told in docs/providers."""

import msgspec
import pytest

from actas import jose
from actas.model.clock import now
from actas.testing.idp import SHAPES, Idp
from actas.testing.idp.shapes.entra import TENANT, group_id

WITH_PEOPLE = sorted(name for name, shape in SHAPES.items() if shape.paths.authorize)
EVERY = sorted(SHAPES)


@pytest.fixture(scope="module")
def offline():
    """Make one provider in each shape, of which nobody has to listen."""
    return {name: Idp(shape=name, algorithm="ES256") for name in EVERY}


def read(idp, token, shape=None):
    """Verify by the published keys."""
    return jose.verify_jws(token, jose.KeySet.from_json(idp.jwks(shape)), algorithms=("ES256", "RS256"))


def claims_of(idp, token, shape=None):
    return msgspec.json.decode(read(idp, token, shape).payload)


@pytest.mark.parametrize("shape", EVERY)
def test_the_published_keys_verify_every_shape(offline, shape):
    idp = offline[shape]

    jws = read(idp, idp.token(person="ana"))

    assert jws.header["kid"] == jws.key.kid


@pytest.mark.parametrize("shape", EVERY)
def test_every_shape_names_its_issuer_and_ends_in_time(offline, shape):
    idp = offline[shape]

    claims = claims_of(idp, idp.token(person="ana"))

    assert claims["iss"] == idp.issuer
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize(
    ("shape", "issuer"),
    [
        ("oidc", "https://idp.example"),
        ("keycloak", "https://idp.example/realms/actas"),
        ("entra", f"https://idp.example/{TENANT}/v2.0"),
        ("entra-v1", f"https://idp.example/{TENANT}/"),
        ("okta", "https://idp.example/oauth2/default"),
        ("auth0", "https://idp.example/"),
        ("cognito", "https://idp.example/eu-west-1_Actas0001"),
        ("google", "https://idp.example"),
    ],
)
def test_a_shape_of_its_own_stands_where_the_provider_has_it(offline, shape, issuer):
    assert offline[shape].issuer == issuer


def test_another_shape_of_the_same_server_stands_in_its_own_folder(offline):
    assert offline["oidc"].issuer_of("auth0") == "https://idp.example/auth0/"


@pytest.mark.parametrize(
    ("shape", "typ"),
    [
        ("oidc", "at+jwt"),
        ("keycloak", "JWT"),
        ("entra", "JWT"),
        ("auth0", "JWT"),
        ("pingone", "JWT"),
        ("okta", None),
        ("cognito", None),
        ("kubernetes", None),
    ],
)
def test_the_header_says_what_kind_of_token_it_is_only_where_the_provider_does(offline, shape, typ):
    assert jose.peek(offline[shape].token(person="ana")).get("typ") == typ


@pytest.mark.parametrize(
    ("shape", "claim", "value"),
    [
        ("oidc", "scope", "openid reports.read"),
        ("keycloak", "scope", "openid reports.read"),
        ("entra", "scp", "reports.read"),
        ("okta", "scp", ["openid", "reports.read"]),
        ("auth0", "scope", "openid reports.read"),
        ("cognito", "scope", "openid reports.read"),
        ("pingone", "scope", "openid reports.read"),
    ],
)
def test_scopes_stand_where_the_provider_puts_them(offline, shape, claim, value):
    idp = offline[shape]

    claims = claims_of(idp, idp.token(person="ben", scopes=("openid", "reports.read")))

    assert claims[claim] == value


@pytest.mark.parametrize(
    ("shape", "claim", "value"),
    [
        ("oidc", "groups", ["engineering"]),
        ("keycloak", "groups", ["/engineering"]),
        ("entra", "groups", [group_id("engineering")]),
        ("okta", "groups", ["engineering"]),
        ("auth0", "https://actas.example/groups", ["engineering"]),
        ("cognito", "cognito:groups", ["engineering"]),
        ("pingone", "groups", ["engineering"]),
        ("pingfederate", "groups", "engineering"),
    ],
)
def test_groups_stand_where_the_provider_puts_them(offline, shape, claim, value):
    idp = offline[shape]

    claims = claims_of(idp, idp.token(person="ben"))

    assert claims[claim] == value


@pytest.mark.parametrize(
    ("shape", "claim"),
    [
        ("oidc", "client_id"),
        ("keycloak", "azp"),
        ("entra", "azp"),
        ("entra-v1", "appid"),
        ("okta", "cid"),
        ("auth0", "azp"),
        ("cognito", "client_id"),
        ("google", "azp"),
        ("pingone", "client_id"),
        ("pingfederate", "client_id"),
    ],
)
def test_the_client_stands_where_the_provider_puts_it(offline, shape, claim):
    idp = offline[shape]

    claims = claims_of(idp, idp.token(person="ana", client="cli"))

    assert claims[claim] == "cli"


def test_beyond_200_groups_entra_says_that_there_are_more_instead_of_which(offline):
    idp = offline["entra"]

    claims = claims_of(idp, idp.token(person="emi"))

    assert "groups" not in claims
    assert claims["_claim_names"] == {"groups": "src1"}


def test_a_cognito_access_token_has_no_audience_and_its_id_token_another_key(offline):
    idp = offline["cognito"]

    access, identity = idp.token(person="ana"), idp.token(person="ana", use="id")

    assert "aud" not in claims_of(idp, access)
    assert claims_of(idp, identity)["aud"] == "cli"
    assert jose.peek(access)["kid"] != jose.peek(identity)["kid"]


def test_an_application_of_entra_has_roles_and_no_scopes(offline):
    idp = offline["entra"]

    claims = claims_of(idp, idp.token(client="robot"))

    assert claims["roles"] == ["nightly-job"]
    assert "scp" not in claims
    assert claims["sub"] == claims["oid"]


def test_entra_publishes_keys_that_name_their_issuer_and_no_algorithm(offline):
    (key,) = offline["entra"].jwks()["keys"]

    assert key["issuer"] == offline["entra"].issuer
    assert "alg" not in key


def test_keycloak_publishes_a_key_for_encryption_beside_the_one_that_signs(offline):
    uses = [key["use"] for key in offline["keycloak"].jwks()["keys"]]

    assert sorted(uses) == ["enc", "sig"]


def test_the_token_to_show_is_the_id_token_where_access_tokens_say_nothing(offline):
    claims = claims_of(offline["google"], offline["google"].token(person="ana"))

    assert claims["aud"] == "cli"
    assert "groups" not in claims


@pytest.mark.parametrize("shape", WITH_PEOPLE)
def test_in_every_shape_a_person_signs_in_by_what_discovery_says(make_actas_idp, talk_to, shape):
    idp = make_actas_idp(shape=shape, algorithm="ES256")
    talk = talk_to(idp)

    given = talk.trade(talk.code()).json()

    keys = jose.KeySet.from_json(talk.web.get(talk.found["jwks_uri"]).content)
    identity = jose.verify_jwt(given["id_token"], keys, issuer=talk.issuer, audience="cli", now=now())
    assert identity["nonce"] == "a-nonce"


@pytest.mark.parametrize("shape", WITH_PEOPLE)
def test_one_server_speaks_every_shape_each_with_its_own_issuer(shared_idp, talk_to, shape):
    talk = talk_to(shared_idp, shape)

    given = talk.trade(talk.code()).json()

    assert talk.found["issuer"] == talk.issuer
    assert claims_of(shared_idp, given["id_token"], shape)["iss"] == talk.issuer
