"""Keycloak 26: the realm is the issuer.

In the settings::

    providers:
      corp: {preset: keycloak, issuer: https://sso.example.com/realms/corp, audience: actas}

Facts: protocols.md, 1.0 and 1.1; real-parts.md, 1.
"""

from actas.identify.preset import Mark, Preset, Tell, Where

PRESET = Preset(
    name="keycloak",
    docs="docs/providers/keycloak.md",
    issuer_path=r"(/[^/?#]+)*/realms/[^/?#]+",  # no trailing slash (1.0)
    issuer_example="https://sso.example.com/realms/corp",
    # The header says JWT for every kind of token, unless the client switches at+jwt on (1.1) ...
    typ=("at+jwt", "JWT"),
    # ... so the payload's typ tells access tokens from ID, refresh, offline and logout tokens (1.1).
    marks=(Mark(claim="typ", access=frozenset({"Bearer"}), id=frozenset({"ID"})),),
    client=Where(paths=("azp", "client_id")),
    # Groups come only with a mapper, so that no claim says nothing (1.0, 1.1).
    groups=Where(paths=("groups",)),
    # Both are left out where the caller has none, but also where the client lacks the scope `roles` (1.1).
    roles=Where(paths=("realm_access.roles", "resource_access.*.roles")),
    scopes=Where(paths=("scope",)),
    # acr is a level of the realm's own making and is "0" again on single sign-on (real-parts.md, 1): no default.
    # A service account has no sign-in, so no sid unless its client gets refresh tokens; its own mappers add
    # client_id, and its user has a name of its own (1.1). A person could take such a name: the name alone says nothing.
    human=((Tell(claim="sid"), Tell(claim="client_id", present=False)),),
    service=(
        (Tell(claim="sid", present=False), Tell(claim="client_id", same_as="azp")),
        (Tell(claim="sid", present=False), Tell(claim="preferred_username", prefix="service-account-")),
        (Tell(claim="client_id", same_as="azp"), Tell(claim="preferred_username", prefix="service-account-")),
    ),
    lookup="keycloak-admin",
)
