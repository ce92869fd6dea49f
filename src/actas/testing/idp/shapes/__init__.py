"""The shapes a token can have, one file for each family of providers; switched on by a line here."""

from types import MappingProxyType

from actas.testing.idp.shapes import keycloak, oidc

SHAPES = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            oidc.SHAPE,
            keycloak.SHAPE,
        )
    }
)
"""Each shape by its name, which is the name of the preset that reads it."""
