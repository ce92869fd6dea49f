"""Amazon Cognito: a user pool is the issuer; its access tokens name a client where others name an audience.

In the settings::

    providers:
      pool:
        preset: cognito
        issuer: https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123
        clients: [1example23456789]

Facts: protocols.md, 1.0, 1.7 and 3.6.
"""

from actas.identify.preset import Mark, Preset, Tell, Where

PRESET = Preset(
    name="cognito",
    docs="docs/providers/cognito.md",
    issuer_path=r"/[a-z0-9-]+_[A-Za-z0-9]+",
    issuer_example="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
    typ=("", "JWT"),
    marks=(Mark(claim="token_use", access=frozenset({"access"}), id=frozenset({"id"})),),
    algorithms=("RS256",),
    audience_in="client",  # no aud, unless a resource is bound or a trigger adds one; then aud decides (1.7, 3.6)
    client=Where(paths=("client_id",)),
    groups=Where(paths=("cognito:groups",)),
    scopes=Where(paths=("scope",)),
    human=((Tell(claim="username"),),),
    service=((Tell(claim="username", present=False), Tell(claim="sub", same_as="client_id")),),
)
