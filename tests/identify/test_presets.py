"""Each preset under its contract, in the shapes that protocols.md, 1, shows."""

from typing import ClassVar

import pytest

from actas.identify import errors
from actas.identify.presets import PRESETS
from actas.model.facts import Known, Missing
from actas.testing.contracts.preset import PresetContract

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
OTHER = "11111111-2222-3333-4444-555555555555"


def known(*values):
    return Known(frozenset(values))


class TestKeycloak(PresetContract):
    preset = "keycloak"
    settings: ClassVar = {"issuer": "https://sso.example/realms/corp", "audience": "actas"}
    subject = "7f0c3f0e"
    absent = ("groups", "roles", "scopes")

    def person(self):
        return {
            "iss": "https://sso.example/realms/corp",
            "aud": ["actas", "account"],
            "sub": "7f0c3f0e",
            "typ": "Bearer",
            "azp": "portal",
            "sid": "f2b1",
            "acr": "1",
            "jti": "onrtac:0b4e",
            "scope": "openid profile",
            "realm_access": {"roles": ["invoker", "odd:name"]},
            "resource_access": {"actas": {"roles": ["run"]}, "odd:client": {"roles": ["a:b"]}},
            "groups": ["/finance/analysts"],
            "preferred_username": "ana",
            "email": "ana@mail.example",
        }

    def program(self):
        own = {"sid": None, "client_id": "portal", "preferred_username": "service-account-portal"}
        return self.person() | own

    def traps(self):
        yield "an ID token", {"typ": "ID"}, {}, errors.NotAnAccessToken
        yield "a refresh token", {"typ": "Refresh"}, {}, errors.NotAnAccessToken
        yield "an offline token", {"typ": "Offline"}, {}, errors.NotAnAccessToken
        yield "a logout token", {"typ": "Logout"}, {}, errors.NotAnAccessToken
        yield "no payload typ at all", {"typ": None}, {}, errors.NotAnAccessToken
        yield "a payload typ that is a list", {"typ": ["Bearer"]}, {}, errors.NotAnAccessToken
        yield "a client without the scope basic", {"sub": None}, {}, errors.NoSubject
        yield "no typ in the header", {}, {"typ": None}, errors.WrongType

    def test_roles_of_realm_and_clients_never_collide(self):
        roles = self.believe(self.sign(self.person())).roles

        assert roles == known("invoker", r"odd\:name", "actas:run", r"odd\:client:a:b")

    def test_groups_are_full_paths(self):
        assert self.believe(self.sign(self.person())).groups == known("/finance/analysts")

    def test_a_person_who_took_a_service_accounts_name_is_still_a_person(self):
        claims = self.person() | {"preferred_username": "service-account-portal"}

        assert self.believe(self.sign(claims)).kind.value.value == "human"

    def test_a_service_account_with_refresh_tokens_has_a_session_and_is_still_a_program(self):
        own = {"client_id": "portal", "preferred_username": "service-account-portal"}

        assert self.believe(self.sign(self.person() | own)).kind.value.value == "service"
        assert self.believe(self.sign(self.person() | {"client_id": "portal"})).kind is Missing.UNKNOWN

    def test_a_token_that_is_bound_by_dpop_is_refused_as_bound(self):
        with pytest.raises(errors.SenderConstrained):
            self.believe(self.sign(self.person() | {"typ": "DPoP", "cnf": {"jkt": "x"}}))

    def test_single_sign_on_says_nothing_of_a_second_factor(self):
        assert self.believe(self.sign(self.person())).mfa is Missing.ABSENT
        assert self.believe(self.sign(self.person()), mfa="2").mfa == Known(False)
        assert self.believe(self.sign(self.person() | {"acr": "2"}), mfa="2").mfa == Known(True)

    def test_at_jwt_is_taken_where_a_client_has_it(self):
        assert self.believe(self.sign(self.person(), header={"typ": "application/at+JWT"})).subject == "7f0c3f0e"


class TestEntraV2(PresetContract):
    preset = "entra"
    settings: ClassVar = {"tenant": TENANT, "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3"}
    subject = "690222be"
    absent = ("groups", "roles")

    def person(self):
        return {
            "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "azp": "75dbe77f",
            "oid": "690222be",
            "sub": "HKZpfaHyWadeOouYlitjrI",
            "tid": TENANT,
            "scp": "Functions.Invoke Reports.Read",
            "roles": ["Reports.Runner"],
            "groups": ["aaaa", "bbbb"],
            "uti": "fqiBqXLPj0eQa82S-IYFAA",
            "ver": "2.0",
            "upn": "ana@mail.example",
        }

    def program(self):
        return self.person() | {"scp": None, "sub": "690222be"}

    def traps(self):
        yield "another tenant's tid", {"tid": OTHER}, {}, errors.WrongTenant
        yield "no tid", {"tid": None}, {}, errors.WrongTenant
        yield (
            "the template for an issuer",
            {"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"},
            {},
            errors.UnknownIssuer,
        )
        yield "another tenant", {"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0"}, {}, errors.UnknownIssuer

    @pytest.mark.parametrize(
        "mark",
        [
            {"groups": None, "_claim_names": {"groups": "src1"}},
            {"_claim_names": {"groups": "src1"}},
            {"groups": None, "hasgroups": True},
            {"groups": None, "_claim_names": "odd"},
        ],
        ids=["the list is elsewhere", "a list beside the mark", "implicit flow", "a mark of a strange form"],
    )
    def test_too_many_groups_are_overflowed_and_not_none(self, mark):
        identity = self.believe(self.sign(self.person() | mark))

        assert identity.groups is Missing.OVERFLOWED

    def test_no_overage_is_no_overflow(self):
        assert self.believe(self.sign(self.person() | {"hasgroups": False})).groups == known("aaaa", "bbbb")

    def test_an_apps_own_token_has_no_scopes_at_all(self):
        identity = self.believe(self.sign(self.program()))

        assert identity.scopes == Known(frozenset(), by_absence=True)
        assert identity.roles == known("Reports.Runner")

    def test_idtyp_is_believed_before_anything_else(self):
        assert self.believe(self.sign(self.person() | {"idtyp": "app"})).kind.value.value == "service"
        assert self.believe(self.sign(self.program() | {"idtyp": "user"})).kind.value.value == "human"

    def test_the_same_settings_take_a_token_of_version_1(self):
        v1 = {
            "iss": f"https://sts.windows.net/{TENANT}/",
            "ver": "1.0",
            "azp": None,
            "appid": "75dbe77f",
            "amr": ["pwd", "mfa"],
        }

        identity = self.believe(self.sign(self.person() | v1))

        assert identity.client == Known("75dbe77f")
        assert identity.mfa == Known(True)
        with pytest.raises(errors.UnknownIssuer):
            self.believe(self.sign(self.person() | v1), version="v2")

    @pytest.mark.parametrize(
        ("cloud", "host"),
        [("us-government", "login.microsoftonline.us"), ("china", "login.partner.microsoftonline.cn")],
    )
    def test_a_national_cloud_has_its_own_issuer(self, cloud, host):
        token = self.sign(self.person() | {"iss": f"https://{host}/{TENANT}/v2.0"})

        assert self.believe(token, cloud=cloud).subject == self.subject
        with pytest.raises(errors.UnknownIssuer):
            self.believe(token)


class TestEntraOfSeveralTenants(TestEntraV2):
    settings: ClassVar = {
        "tenant": "organizations",
        "tenants": [TENANT, "99999999-2222-3333-4444-555555555555"],
        "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
    }
    subject = f"{TENANT}/690222be"

    def test_a_tenant_that_is_not_listed_is_nobody(self):
        claims = self.person() | {"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0", "tid": OTHER}

        with pytest.raises(errors.UnknownIssuer):
            self.believe(self.sign(claims))

    def test_equal_names_in_two_tenants_are_two_callers(self):
        second = "99999999-2222-3333-4444-555555555555"
        claims = self.person() | {"iss": f"https://login.microsoftonline.com/{second}/v2.0", "tid": second}

        assert self.believe(self.sign(claims)).subject == f"{second}/690222be"


class TestOkta(PresetContract):
    preset = "okta"
    settings: ClassVar = {
        "issuer": "https://acme.okta.example/oauth2/aus9o8wzk",
        "audience": "https://api.actas.example",
    }
    subject = "00uixa271s6x7qt8I0h7"
    absent = ("groups", "scopes")

    def person(self):
        return {
            "iss": "https://acme.okta.example/oauth2/aus9o8wzk",
            "aud": "https://api.actas.example",
            "sub": "ana@mail.example",
            "uid": "00uixa271s6x7qt8I0h7",
            "cid": "0oas6ywyq7",
            "jti": "AT.0mP4",
            "scp": ["functions.invoke", "groups"],
            "groups": ["fn-finance"],
            "ver": 1,
        }

    def program(self):
        return self.person() | {"sub": "0oas6ywyq7", "uid": None}

    def test_scopes_are_a_list(self):
        assert self.believe(self.sign(self.person())).scopes == known("functions.invoke", "groups")

    @pytest.mark.parametrize(("count", "is_known"), [(99, True), (100, False)])
    def test_a_list_at_oktas_limit_may_have_been_cut(self, count, is_known):
        groups = self.believe(self.sign(self.person() | {"groups": [f"g{one}" for one in range(count)]})).groups

        assert (groups is Missing.OVERFLOWED) is not is_known

    def test_a_program_is_named_by_its_client(self):
        assert self.believe(self.sign(self.program())).subject == "0oas6ywyq7"


class TestAuth0(PresetContract):
    preset = "auth0"
    settings: ClassVar = {"issuer": "https://acme.eu.auth0.example/", "audience": "https://api.actas.example"}
    subject = "auth0|123456"
    absent = ("roles",)

    def person(self):
        return {
            "https://actas.example/roles": ["fn-runner"],
            "iss": "https://acme.eu.auth0.example/",
            "sub": "auth0|123456",
            "aud": ["https://api.actas.example", "https://acme.eu.auth0.example/userinfo"],
            "scope": "openid profile invoke:reports",
            "azp": "my_client_id",
            "permissions": ["invoke:reports"],
            "org_id": "org_9ybs",
        }

    def program(self):
        return self.person() | {"sub": "my_client_id@clients", "gty": "client-credentials"}

    def test_a_namespaced_claim_is_one_name(self):
        roles = self.believe(self.sign(self.person()), roles={"claim": "https://actas.example/roles"}).roles

        assert roles == known("fn-runner")

    def test_a_person_by_password_is_a_person(self):
        assert self.believe(self.sign(self.person() | {"gty": "password"})).kind.value.value == "human"

    def test_the_profile_of_rfc_9068_is_taken_too(self):
        claims = self.person() | {"azp": None, "client_id": "my_client_id"}

        assert self.believe(self.sign(claims, header={"typ": "at+jwt"})).client == Known("my_client_id")


class TestCognito(PresetContract):
    preset = "cognito"
    settings: ClassVar = {
        "issuer": "https://cognito-idp.eu-west-1.amazonaws.example/eu-west-1_AbCdEf123",
        "clients": ["1example23456789"],
    }
    subject = "aaaaaaaa-bbbb"
    header: ClassVar = {}

    def person(self):
        return {
            "sub": "aaaaaaaa-bbbb",
            "cognito:groups": ["fn-finance"],
            "iss": "https://cognito-idp.eu-west-1.amazonaws.example/eu-west-1_AbCdEf123",
            "client_id": "1example23456789",
            "token_use": "access",
            "scope": "openid actas/invoke",
            "username": "ana",
        }

    def program(self):
        return self.person() | {"sub": "1example23456789", "username": None, "cognito:groups": None}

    def traps(self):
        yield "an ID token", {"token_use": "id"}, {}, errors.NotAnAccessToken
        yield "no token_use", {"token_use": None}, {}, errors.NotAnAccessToken
        yield "another client", {"client_id": "another"}, {}, errors.WrongClient
        yield "no client at all", {"client_id": None}, {}, errors.MissingClaim
        yield "an empty audience", {"aud": []}, {}, errors.MissingClaim

    def test_an_audience_that_is_there_decides(self):
        bound = self.sign(self.person() | {"aud": "https://api.actas.example"})

        assert self.believe(bound, audience="https://api.actas.example").subject == self.subject
        with pytest.raises(errors.WrongAudience):
            self.believe(bound)


class TestGoogle(PresetContract):
    preset = "google"
    settings: ClassVar = {"audience": "1234-api.apps.example", "tenant": "corp.example"}
    subject = "110169484474386276334"

    def person(self):
        return {
            "iss": "https://accounts.google.com",
            "aud": "1234-api.apps.example",
            "azp": "1234-api.apps.example",
            "sub": "110169484474386276334",
            "hd": "corp.example",
            "email": "ana@corp.example",
            "email_verified": True,
            "at_hash": "HK6E",
        }

    def traps(self):
        yield "a private account", {"hd": None}, {}, errors.WrongTenant
        yield "another organisation", {"hd": "other.example"}, {}, errors.WrongTenant
        yield "a further audience", {"aud": ["1234-api.apps.example", "other"]}, {}, errors.WrongAudience
        yield "another party", {"azp": "1234-android.apps.example"}, {}, errors.WrongClient
        yield "a party that is a list", {"azp": ["1234-api.apps.example"]}, {}, errors.WrongClient

    def test_the_bare_spelling_of_the_issuer_is_taken(self):
        assert self.believe(self.sign(self.person() | {"iss": "accounts.google.com"})).subject == self.subject

    def test_a_listed_client_may_be_the_party(self):
        token = self.sign(self.person() | {"azp": "1234-android.apps.example"})

        assert self.believe(token, clients=["1234-android.apps.example"]).subject == self.subject


class TestPingOne(PresetContract):
    preset = "pingone"
    settings: ClassVar = {"issuer": "https://auth.pingone.example/0a1b-env/as", "audience": "https://api.actas.example"}
    subject = "c3d4-user"
    absent = ("groups", "scopes")

    def person(self):
        return {
            "client_id": "a1b2c3",
            "iss": "https://auth.pingone.example/0a1b-env/as",
            "aud": ["https://api.actas.example"],
            "scope": "functions:invoke",
            "env": "0a1b-env",
            "sub": "c3d4-user",
            "acr": "Single_Factor",
            "groups": ["finance"],
        }

    def program(self):
        return self.person() | {"sub": None, "acr": None}

    @pytest.mark.parametrize("typ", ["JWT", "at+jwt", None])
    def test_the_type_of_before_and_after_march_2027_is_taken(self, typ):
        assert self.believe(self.sign(self.person(), header={"typ": typ})).subject == self.subject

    def test_a_program_is_named_by_its_client(self):
        assert self.believe(self.sign(self.program())).subject == "a1b2c3"


class TestPingFederate(PresetContract):
    preset = "pingfederate"
    settings: ClassVar = {"issuer": "https://sso.example:9031", "audience": "actas"}
    subject = "ana-17"
    header: ClassVar = {}
    absent = ("groups", "roles", "scopes")

    def person(self):
        return {
            "iss": "https://sso.example:9031",
            "aud": "actas",
            "sub": "ana-17",
            "client_id": "portal",
            "auth_time": 1773480000,
            "scope": ["functions.invoke", "openid"],
            "groups": "finance",
        }

    def program(self):
        return self.person() | {"sub": "portal", "auth_time": None}

    def test_a_single_value_may_come_bare_and_scopes_as_a_list(self):
        identity = self.believe(self.sign(self.person()))

        assert identity.groups == known("finance")
        assert identity.scopes == known("functions.invoke", "openid")

    def test_other_names_of_claims_are_settings(self):
        claims = self.person() | {"client_id": None, "cid": "portal", "memberOf": ["a", "b"]}

        identity = self.believe(self.sign(claims), client={"claim": "cid"}, groups={"claim": "memberOf"})

        assert identity.client == Known("portal")
        assert identity.groups == known("a", "b")

    def test_a_token_without_an_issuer_has_no_provider(self):
        with pytest.raises(errors.MissingClaim):
            self.believe(self.sign(self.person() | {"iss": None}))


class TestGitHubActions(PresetContract):
    preset = "github-actions"
    settings: ClassVar = {"audience": "actas", "tenant": "65230115"}
    subject = "repo:acme-65230115/deploy-456789:ref:refs/heads/main"

    def person(self):
        return {
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "actas",
            "sub": "repo:acme-65230115/deploy-456789:ref:refs/heads/main",
            "repository": "acme/deploy",
            "repository_id": "456789",
            "repository_owner": "acme",
            "repository_owner_id": "65230115",
            "actor": "ana",
            "jti": "6f1c",
        }

    def traps(self):
        yield "somebody else's repository", {"repository_owner_id": "1"}, {}, errors.WrongTenant

    def test_the_repository_is_the_client_by_its_number(self):
        assert self.believe(self.sign(self.person())).client == Known("456789")


class TestKubernetes(PresetContract):
    preset = "kubernetes"
    settings: ClassVar = {"issuer": "https://kubernetes.default.svc.cluster.local", "audience": "actas"}
    subject = "system:serviceaccount:prod:runner"
    header: ClassVar = {}

    def person(self):
        return {
            "iss": "https://kubernetes.default.svc.cluster.local",
            "aud": ["actas"],
            "sub": "system:serviceaccount:prod:runner",
            "kubernetes.io": {"namespace": "prod", "serviceaccount": {"name": "runner", "uid": "e6a8"}},
        }

    def traps(self):
        yield "an old token from a Secret has no end", {"exp": None}, {}, errors.MissingClaim

    def test_the_namespace_is_the_tenant(self):
        assert self.believe(self.sign(self.person())).tenant == Known("prod")
        with pytest.raises(errors.WrongTenant):
            self.believe(self.sign(self.person()), tenant="staging")


class TestOidc(PresetContract):
    preset = "oidc"
    settings: ClassVar = {"issuer": "https://id.example", "audience": "actas"}
    subject = "ana-17"
    header: ClassVar = {"typ": "at+jwt"}
    absent = ("groups", "roles", "scopes")

    def person(self):
        return {
            "iss": "https://id.example",
            "aud": "actas",
            "sub": "ana-17",
            "client_id": "portal",
            "jti": "1",
            "auth_time": 1773480000,
            "scope": "reports.read",
            "groups": ["finance"],
        }

    def program(self):
        return self.person() | {"sub": "portal", "auth_time": None}

    def test_a_claim_and_its_value_can_mark_programs(self):
        claims = self.person() | {"actor_type": "machine"}

        assert self.believe(self.sign(claims), service={"actor_type": "machine"}).kind.value.value == "service"
        assert self.believe(self.sign(claims), service={"actor_type": "robot"}).kind.value.value == "human"
        nested = self.person() | {"actor": {"is_machine": True}}
        assert self.believe(self.sign(nested), service={"actor.is_machine": "true"}).kind.value.value == "service"

    def test_callers_through_an_agent_are_of_kind_agent(self):
        assert self.believe(self.sign(self.person()), agent_clients=["portal"]).kind.value.value == "agent"
        acted = self.person() | {"act": {"sub": "helper"}}
        assert self.believe(self.sign(acted), agent_clients=["helper"]).kind.value.value == "agent"
        assert self.believe(self.sign(acted)).kind.value.value == "human"


def test_every_preset_is_under_contract():
    under_contract = {one.preset for one in PresetContract.__subclasses__() if "preset" in vars(one)}

    assert under_contract >= set(PRESETS)
    assert all(name == preset.name for name, preset in PRESETS.items())
