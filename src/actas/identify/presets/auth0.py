"""Auth0: the tenant (or its custom domain) is the issuer, with a slash at its end.

In the settings::

    providers:
      auth0: {preset: auth0, issuer: https://acme.eu.auth0.com/, audience: https://api.example.com}

Facts: protocols.md, 1.0 and 1.6.
"""

from actas.identify.preset import Preset, Tell, Where

PRESET = Preset(
    name="auth0",
    docs="docs/providers/auth0.md",
    issuer_path="/",
    issuer_example="https://acme.eu.auth0.com/",
    # Two dialects: Auth0's own, and RFC 9068's with at+jwt (1.6).
    typ=("at+jwt", "JWT"),
    # An API can be set to HS256, whose secret would sign as well as verify: never taken (1.6).
    algorithms=("RS256", "PS256"),
    client=Where(paths=("azp", "client_id")),
    tenant=Where(paths=("org_id",)),
    # Only with RBAC on and "add permissions"; roles come in claims of the tenant's own naming (1.6).
    roles=Where(paths=("permissions",)),
    scopes=Where(paths=("scope",)),
    human=((Tell(claim="sub", contains="|"),),),  # connection|id; gty stands in people's tokens too, as in "password"
    service=((Tell(claim="gty", equals="client-credentials"), Tell(claim="sub", suffix="@clients")),),
)
