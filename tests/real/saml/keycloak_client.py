"""A gateway as Keycloak knows it: a SAML client that is signed both ways, with the groups of its people."""


def mapper(name, kind, **config):
    return {"name": name, "protocol": "saml", "protocolMapper": kind, "config": config}


def client_of(house, **attributes):
    plain = {
        "saml.server.signature": "true",
        "saml.assertion.signature": "true",
        "saml.client.signature": "true",
        "saml.signing.certificate": house.certificate(),
        "saml.signature.algorithm": "RSA_SHA256",
        "saml.authnstatement": "true",
        "saml_force_name_id_format": "true",
        "saml_name_id_format": "persistent",
        "saml_idp_initiated_sso_url_name": f"actas-{house.port}",
        "saml_assertion_consumer_url_post": house.doors.acs,
        "saml_single_logout_service_url_post": house.doors.logout,
        "saml_single_logout_service_url_redirect": house.doors.logout,
    }
    groups = {"attribute.name": "member", "attribute.nameformat": "Basic", "single": "true", "full.path": "false"}
    return {
        "clientId": house.doors.metadata,
        "enabled": True,
        "protocol": "saml",
        "frontchannelLogout": True,
        "fullScopeAllowed": True,
        "redirectUris": [house.doors.acs, house.doors.token],
        "attributes": plain | attributes,
        "protocolMappers": [mapper("groups", "saml-group-membership-mapper", **groups)],
    }
