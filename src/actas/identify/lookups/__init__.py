"""Asking a provider about groups that its tokens cannot carry; each way is switched on by one visible line."""

from actas.identify.lookup import Lookup
from actas.identify.lookups import google, graph, keycloak_admin

LOOKUPS: dict[str, Lookup] = {
    "graph": graph.LOOKUP,
    "google": google.LOOKUP,
    "keycloak-admin": keycloak_admin.LOOKUP,
}
"""Each look-up by its name in the settings."""
