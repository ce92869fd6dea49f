"""The shapes a token can have, one file for each family of providers; switched on by a line here."""

from types import MappingProxyType

from actas.testing.idp.shapes import auth0, cognito, entra, google, keycloak, oidc, okta, ping, workloads

SHAPES = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            oidc.SHAPE,
            keycloak.SHAPE,
            entra.SHAPE,
            entra.SHAPE_V1,
            okta.SHAPE,
            auth0.SHAPE,
            cognito.SHAPE,
            google.SHAPE,
            ping.PINGONE,
            ping.PINGFEDERATE,
            workloads.GITHUB,
            workloads.KUBERNETES,
        )
    }
)
"""Each shape by its name, which is the name of the preset that reads it (``entra-v1``: `entra`, version v1)."""
