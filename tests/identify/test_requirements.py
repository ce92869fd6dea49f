"""Settings of a provider that cannot work, or would let too many in, are refused before anything starts."""

from pathlib import Path

import pytest

from actas.identify import Identify
from actas.identify.errors import ProviderMisconfigured
from actas.identify.presets import PRESETS, SAML_PRESETS, names
from actas.identify.requirements import requirements
from actas.identify.told import ends_by_events, preset_facts
from actas.settings.schema import Provider

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
KEYCLOAK = {"preset": "keycloak", "issuer": "https://sso.example/realms/corp", "audience": "actas"}
ENTRA = {"preset": "entra", "tenant": TENANT, "audience": "api"}
LOOKUP = {"id": "x", "secret": {"env": "X"}}
RULES = [
    ("no such preset", {"preset": "acme"}, "preset"),
    ("no issuer", {"preset": "keycloak", "audience": "actas"}, "issuer"),
    ("an issuer with a slash too many", KEYCLOAK | {"issuer": "https://sso.example/realms/corp/"}, "issuer"),
    ("an issuer that is no realm", KEYCLOAK | {"issuer": "https://sso.example"}, "issuer"),
    ("Auth0 without its slash", {"preset": "auth0", "issuer": "https://acme.auth0.example", "audience": "x"}, "issuer"),
    ("Okta's own server", {"preset": "okta", "issuer": "https://acme.okta.example", "audience": "x"}, "issuer"),
    ("an issuer on http", KEYCLOAK | {"issuer": "http://sso.example/realms/corp"}, "issuer"),
    ("an issuer with a query", KEYCLOAK | {"issuer": "https://sso.example/realms/corp?x"}, "issuer"),
    ("an issuer with a user", KEYCLOAK | {"issuer": "https://ana@sso.example/realms/corp"}, "issuer"),
    ("an issuer that is no URL", KEYCLOAK | {"issuer": "https://[/realms/corp"}, "issuer"),
    ("an empty issuer", KEYCLOAK | {"issuer": "", "keys": {"inline": {}}}, "issuer"),
    ("no audience", {"preset": "keycloak", "issuer": "https://sso.example/realms/corp"}, "audience"),
    ("a wildcard audience", KEYCLOAK | {"audience": "*"}, "audience"),
    ("an empty audience", KEYCLOAK | {"audience": ["actas", ""]}, "audience"),
    ("Cognito without clients", {"preset": "cognito", "issuer": "https://c.example/eu-west-1_A"}, "clients"),
    (
        "Cognito's ID tokens without audience",
        {"preset": "cognito", "issuer": "https://c.example/eu-west-1_A", "clients": "a", "token": "id"},
        "audience",
    ),
    ("a wildcard client", KEYCLOAK | {"clients": "*"}, "clients"),
    ("no tenant", {"preset": "entra", "audience": "api"}, "tenant"),
    ("any tenant in the world", ENTRA | {"tenant": "common"}, "tenants"),
    ("an empty list of tenants", ENTRA | {"tenant": "organizations", "tenants": []}, "tenants"),
    ("one tenant and several", ENTRA | {"tenants": [TENANT]}, "tenant"),
    ("a tenant's domain", ENTRA | {"tenant": "corp.onmicrosoft.example"}, "tenant"),
    ("a tenant in capitals", ENTRA | {"tenant": TENANT.upper()}, "tenant"),
    ("a cloud of nobody's", KEYCLOAK | {"cloud": "china"}, "cloud"),
    ("a version of nobody's", KEYCLOAK | {"version": "v1"}, "version"),
    ("a tenant of nobody's", KEYCLOAK | {"tenant": "corp"}, "tenant"),
    ("GitHub for the whole world", {"preset": "github-actions", "audience": "actas"}, "tenant"),
    ("an e-mail address as subject", KEYCLOAK | {"subject": "email"}, "subject"),
    ("a nested e-mail address as subject", KEYCLOAK | {"subject": "person.Email"}, "subject"),
    ("a login name as subject", KEYCLOAK | {"subject": "preferred_username"}, "subject"),
    ("a mark of programs at no path", KEYCLOAK | {"service": {"a..b": "x"}}, "service"),
    ("no mark of programs", KEYCLOAK | {"service": {}}, "service"),
    ("a subject that is no path", KEYCLOAK | {"subject": "a..b"}, "subject"),
    ("groups at no path", KEYCLOAK | {"groups": {"claim": "."}}, "groups"),
    ("roles by look-up", KEYCLOAK | {"roles": {"lookup": "graph"}}, "roles.lookup"),
    ("a look-up without client", KEYCLOAK | {"groups": {"lookup": "keycloak-admin"}}, "lookup"),
    ("a client without look-up", KEYCLOAK | {"lookup": LOOKUP}, "lookup"),
    (
        "Google without administrator",
        {"preset": "google", "audience": "x", "groups": {"lookup": "google"}, "lookup": LOOKUP},
        "lookup.admin",
    ),
    (
        "an administrator for somebody who asks for none",
        KEYCLOAK | {"groups": {"lookup": "keycloak-admin"}, "lookup": {**LOOKUP, "admin": "x"}},
        "lookup.admin",
    ),
    ("a client whose absence means something", KEYCLOAK | {"client": {"absent": "empty"}}, "client.absent"),
    ("a shared secret's algorithm", KEYCLOAK | {"algorithms": ["RS256", "HS256"]}, "algorithms"),
    ("no algorithm", KEYCLOAK | {"algorithms": []}, "algorithms"),
    ("the algorithm none", KEYCLOAK | {"algorithms": "none"}, "algorithms"),
    ("no typ", KEYCLOAK | {"typ": []}, "typ"),
    ("keys from nowhere", KEYCLOAK | {"keys": {}}, "keys"),
    ("keys from two places", KEYCLOAK | {"keys": {"file": "x", "url": "https://x.example"}}, "keys"),
    ("a leeway of more than minutes", KEYCLOAK | {"leeway": "301s"}, "leeway"),
    ("keys that are stale at once", KEYCLOAK | {"stale": "0s"}, "stale"),
]


@pytest.mark.parametrize(("settings", "key"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
def test_a_provider_is_refused_with(make_provider, settings, key):
    provider = make_provider(**settings)

    assert key in {one.key for one in requirements(provider)}
    assert all(one.hint.endswith(".") for one in requirements(provider))
    with pytest.raises(ProviderMisconfigured):
        Identify({"subject": provider}, base_dir=Path())


GOOD = [
    KEYCLOAK,
    KEYCLOAK | {"issuer": "https://sso.example/auth/realms/corp"},
    KEYCLOAK | {"issuer": "http://127.0.0.1:8080/realms/corp", "private": True},
    KEYCLOAK | {"leeway": "300s"},
    ENTRA,
    ENTRA | {"tenant": "organizations", "tenants": [TENANT]},
    ENTRA | {"cloud": "china", "version": "v1"},
    {"preset": "entra", "issuer": f"https://{TENANT}.ciamlogin.example/{TENANT}/v2.0", "audience": "api"},
    {"preset": "auth0", "issuer": "https://acme.auth0.example/", "audience": "x"},
    {"preset": "okta", "issuer": "https://acme.okta.example/oauth2/default", "audience": "x"},
    {"preset": "cognito", "issuer": "https://c.example/eu-west-1_A", "clients": "a"},
    {"preset": "cognito", "issuer": "https://c.example/eu-west-1_A", "audience": "a"},
    {"preset": "google", "audience": "x"},
    {"preset": "github-actions", "audience": "x", "clients": ["1"]},
    {"preset": "github-actions", "audience": "x", "issuer": "https://ghe.example/_services/token"},
    {"preset": "pingfederate", "issuer": "urn:ping", "audience": "x", "keys": {"inline": {"keys": []}}},
]


@pytest.mark.parametrize("settings", GOOD, ids=[f"{one['preset']} {number}" for number, one in enumerate(GOOD)])
def test_good_settings_lack_nothing(make_provider, settings):
    assert requirements(make_provider(**settings)) == ()


def test_two_providers_with_one_issuer_are_refused(make_provider):
    with pytest.raises(ProviderMisconfigured, match="same issuer"):
        Identify({"a": make_provider(**KEYCLOAK), "b": make_provider(**KEYCLOAK | {"audience": "x"})}, base_dir=Path())


def test_the_settings_learn_what_each_preset_needs():
    told = preset_facts()

    assert set(told) == set(names()) == {*PRESETS, *SAML_PRESETS}
    assert told["keycloak"].needs == ("issuer", "audience")
    assert told["entra"].needs == ("tenant", "audience")
    assert told["cognito"].needs == ("issuer", "clients")
    assert told["google"].needs == ("audience",)
    assert told["entra"].empty_when_absent == {"scopes"}
    assert told["entra"].lookup == "graph"
    assert told["google"].carries == {"clients", "tenants", "mfa"}
    assert "mfa" not in told["kubernetes"].carries


MATCHED = [
    ("a token's own name", {"preset": "keycloak"}, True),
    ("another claim", {"preset": "keycloak", "subject": "email"}, False),
    ("another claim, with an address", {"preset": "keycloak", "subject": "upn", "address": "email"}, True),
    ("the object id of a directory", {"preset": "entra"}, True),
    ("a name of one application", {"preset": "entra", "subject": "sub"}, False),
    ("the object id in an assertion", {"preset": "entra-saml"}, True),
    ("a name id", {"preset": "keycloak-saml"}, False),
]


@pytest.mark.parametrize(("provider", "found"), [case[1:] for case in MATCHED], ids=[case[0] for case in MATCHED])
def test_events_find_people_by_what_evidence_names_them_by(provider, found):
    facts = preset_facts()[provider["preset"]]

    assert ends_by_events(Provider(**provider)) is found
    assert (provider.get("subject", facts.subject) == facts.event_subject or "address" in provider) is found
