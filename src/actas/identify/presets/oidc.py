"""Anything that keeps to the standards: OpenID Connect Discovery 1.0 and RFC 9068.

In the settings::

    providers:
      ours: {preset: oidc, issuer: https://id.example.com, audience: actas}

Facts: protocols.md, 8.2 and 8.6.
"""

from actas.identify.preset import Preset, Tell, Where

PRESET = Preset(
    name="oidc",
    docs="docs/providers/oidc.md",
    issuer_example="https://id.example.com",
    client=Where(paths=("client_id", "azp", "cid")),
    # RFC 9068, section 2.2 has client_id and scope; OpenID Connect Core 1.0, section 2 has neither in ID tokens.
    bears=("client_id", "cid", "scope", "scp"),
    groups=Where(paths=("groups",)),  # RFC 9068, section 2.2.3.1
    roles=Where(paths=("roles",)),
    # RFC 9068, section 2.2: auth_time speaks of a sign-in; section 5: a client's own sub is an id of the client.
    human=((Tell(claim="auth_time"),), (Tell(claim="sid"),)),
    service=(
        (
            Tell(claim="sub", same_as="client_id"),
            Tell(claim="auth_time", present=False),
            Tell(claim="sid", present=False),
        ),
    ),
)
