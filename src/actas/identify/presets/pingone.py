"""PingOne: an environment is the issuer.

In the settings::

    providers:
      ping:
        preset: pingone
        issuer: https://auth.pingone.eu/0f6f6a6e-5f0b-4a53-8d32-2d3f6b1f0c1a/as
        audience: https://api.example.com

Facts: protocols.md, 1.0 and 1.5.
"""

from actas.identify.preset import Preset, Tell, Where

PRESET = Preset(
    name="pingone",
    docs="docs/providers/pingone.md",
    issuer_path=r"(/[0-9A-Za-z-]+)?/as",  # a custom domain has no environment in its path
    issuer_example="https://auth.pingone.eu/0f6f6a6e-5f0b-4a53-8d32-2d3f6b1f0c1a/as",
    # JWT until 2 March 2027, at+jwt from then on: either is taken (1.5).
    typ=("at+jwt", "JWT", ""),
    algorithms=("RS256",),
    service_subject="client_id",
    client=Where(paths=("client_id",)),
    tenant=Where(paths=("env",)),
    groups=Where(paths=("groups",)),  # by a resource attribute mapping only (1.5)
    scopes=Where(paths=("scope",)),
    # acr is a policy's name, which says nothing of factors; client credentials have neither acr nor auth_time (1.5).
    human=((Tell(claim="auth_time"),), (Tell(claim="acr"),)),
    service=(
        (Tell(claim="auth_time", present=False), Tell(claim="acr", present=False), Tell(claim="sub", present=False)),
        (
            Tell(claim="auth_time", present=False),
            Tell(claim="acr", present=False),
            Tell(claim="sub", same_as="client_id"),
        ),
    ),
)
