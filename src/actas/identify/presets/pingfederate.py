"""PingFederate: an access token manager of the kind JSON web token; what its tokens hold is configured there.

In the settings::

    providers:
      ping:
        preset: pingfederate
        issuer: https://sso.example.com:9031
        audience: actas
        keys: {url: "https://sso.example.com:9031/ext/oauth/jwks"}

Facts: protocols.md, 1.0 and 1.5.
"""

from actas.identify.preset import Preset, Tell, Where

PRESET = Preset(
    name="pingfederate",
    docs="docs/providers/pingfederate.md",
    issuer_example="https://sso.example.com:9031",
    typ=("at+jwt", "JWT", ""),
    # Names and forms are settings of the manager; a multi-valued attribute may be bare where it is single (1.5).
    client=Where(paths=("client_id", "azp")),
    groups=Where(paths=("groups",)),
    roles=Where(paths=("roles",)),
    scopes=Where(paths=("scope",)),
    # Which attributes a person's tokens have is the contract's matter; `service` in the settings says it better.
    human=((Tell(claim="auth_time"),),),
    service=((Tell(claim="auth_time", present=False), Tell(claim="sub", same_as="client_id")),),
)
