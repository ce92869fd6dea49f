"""Every SAML preset under its contract, and what is particular to each."""

from datetime import timedelta
from typing import ClassVar

import pytest

from actas.identify.presets import SAML_PRESETS
from actas.identify.saml_errors import NoStableName
from actas.model.facts import Known, Missing
from actas.testing.contracts.saml_preset import NOW, SamlPresetContract

UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
IDENTITY, ROLES = (
    "http://schemas.microsoft.com/identity/claims",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims",
)
METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
MULTIPLE = "http://schemas.microsoft.com/claims/multipleauthn"
LINK = "http://schemas.microsoft.com/claims/groups.link"
OID = "0b1c2d3e-1111-4222-8333-444455556666"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
PLAIN = {"groups": ("finance", "hr"), "roles": ("reader",)}


class TestSaml(SamlPresetContract):
    preset = "saml"
    attributes: ClassVar = PLAIN

    def test_a_name_by_which_two_attributes_go_is_nobodys(self):
        said = self.said(
            attributes={"urn:a": ("finance",), "urn:b": ("hr",), "roles": ("reader",)},
            friendly={"urn:a": "groups", "urn:b": "groups"},
        )

        assert self.believe(self.idp.response(said, now=NOW)).groups is Missing.UNKNOWN

    def test_an_attribute_is_found_by_its_friendly_name(self):
        said = self.said(attributes={"urn:oid:9.9": ("finance",)}, friendly={"urn:oid:9.9": "groups"})

        assert self.believe(self.idp.response(said, now=NOW)).groups == Known(frozenset({"finance"}))

    def test_a_group_without_a_name_leaves_all_of_them_unknown(self):
        said = self.said(attributes=PLAIN | {"groups": ("finance", "")})

        assert self.believe(self.idp.response(said, now=NOW)).groups is Missing.UNKNOWN

    @pytest.mark.parametrize(
        "name",
        ["an\na", "an\u200ba", "x" * 1025],
        ids=["with a line break", "with a space that nobody sees", "too long"],
    )
    def test_a_name_that_cannot_be_told_from_another_is_none(self, name):
        with pytest.raises(NoStableName):
            self.believe(self.idp.response(self.said(subject=name), now=NOW))

    def test_the_longest_name_is_taken(self):
        assert self.believe(self.idp.response(self.said(subject="x" * 1024), now=NOW)).subject == "x" * 1024

    def test_an_address_names_somebody_only_where_the_settings_say_so(self):
        document = self.said(subject="ana@people.example", subject_format=EMAIL)

        assert self.believe(self.idp.response(document, now=NOW), name_id="email").subject == "ana@people.example"

    def test_a_context_that_the_settings_do_not_list_is_one_factor(self):
        other = self.believe(self.idp.response(self.said(context="urn:acme:card"), now=NOW), mfa=["urn:acme:token"])
        listed = self.believe(self.idp.response(self.said(context="urn:acme:token"), now=NOW), mfa=["urn:acme:token"])
        silent = self.believe(self.idp.response(self.said(context="urn:acme:card"), now=NOW))
        nothing = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
        unsaid = self.believe(self.idp.response(self.said(context=nothing), now=NOW), mfa=["urn:acme:token"])

        assert (other.mfa, listed.mfa) == (Known(False), Known(True))
        assert silent.mfa is unsaid.mfa is Missing.ABSENT

    def test_the_end_of_the_providers_session_is_an_end(self):
        said = self.said(session_lasts=timedelta(minutes=2))
        longer = self.said(session_lasts=timedelta(hours=8))

        assert self.believe(self.idp.response(said, now=NOW)).expires_at == NOW + timedelta(minutes=2)
        assert self.believe(self.idp.response(longer, now=NOW)).expires_at == NOW + timedelta(minutes=5)


class TestKeycloakSaml(SamlPresetContract):
    preset = "keycloak-saml"
    attributes: ClassVar = {"member": ("finance", "hr"), "Role": ("reader",)}


class TestEntraSaml(SamlPresetContract):
    preset = "entra-saml"
    subject = OID
    attributes: ClassVar = {
        f"{IDENTITY}/objectidentifier": (OID,),
        f"{IDENTITY}/tenantid": (TENANT,),
        f"{ROLES}/groups": ("finance", "hr"),
        f"{ROLES}/role": ("reader",),
    }
    two_factors: ClassVar = {
        METHODS: ("http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password", MULTIPLE)
    }

    def test_the_tenant_is_known(self):
        assert self.believe(self.idp.response(self.said(), now=NOW)).tenant == Known(TENANT)

    @pytest.mark.parametrize("listed", [("finance",), ()], ids=["beside a list", "instead of one"])
    def test_a_link_to_the_groups_says_that_there_were_too_many(self, listed):
        attributes = {**self.attributes, LINK: ("https://graph.microsoft.com/v1.0/users/x/getMemberObjects",)}
        attributes.pop(f"{ROLES}/groups")
        if listed:
            attributes[f"{ROLES}/groups"] = listed

        identity = self.believe(self.idp.response(self.said(attributes=attributes), now=NOW))

        assert identity.groups is Missing.OVERFLOWED


class TestOktaSaml(SamlPresetContract):
    preset = "okta-saml"
    attributes: ClassVar = PLAIN


class TestPingfederateSaml(SamlPresetContract):
    preset = "pingfederate-saml"
    attributes: ClassVar = {"memberOf": ("finance", "hr"), "roles": ("reader",)}
    name_id_format = UNSPECIFIED

    def test_an_unspecified_name_that_looks_like_an_address_needs_a_word_in_the_settings(self):
        said = self.said(subject="ana@people.example")

        with pytest.raises(NoStableName):
            self.believe(self.idp.response(said, now=NOW))
        assert self.believe(self.idp.response(said, now=NOW), name_id="unspecified").subject == "ana@people.example"


class TestAdfs(SamlPresetContract):
    preset = "adfs"
    attributes: ClassVar = {"http://schemas.xmlsoap.org/claims/Group": ("finance", "hr"), f"{ROLES}/role": ("reader",)}
    two_factors: ClassVar = {METHODS: (MULTIPLE,)}


class TestGoogleSaml(SamlPresetContract):
    preset = "google-saml"
    settings: ClassVar = {"subject": "employeeId"}
    subject = "10442"
    name_id = "ana@people.example"
    name_id_format = EMAIL
    attributes: ClassVar = PLAIN | {"employeeId": ("10442",)}


class TestShibboleth(SamlPresetContract):
    preset = "shibboleth"
    attributes: ClassVar = {
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1": ("finance", "hr"),
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.7": ("reader",),
    }


def test_every_saml_preset_is_under_contract():
    under_contract = {one.preset for one in SamlPresetContract.__subclasses__() if "preset" in vars(one)}

    assert under_contract == set(SAML_PRESETS)
    assert all(name == preset.name for name, preset in SAML_PRESETS.items())
