"""Okta: a custom authorisation server is the issuer; the organisation's own issues tokens for Okta alone.

In the settings::

    providers:
      okta: {preset: okta, issuer: https://acme.okta.com/oauth2/aus9o8wzkhckw9TLa0h7, audience: https://api.example.com}

Facts: protocols.md, 1.0 and 1.3.
"""

from actas.identify.preset import Preset, Tell, Where

PRESET = Preset(
    name="okta",
    docs="docs/providers/okta.md",
    # The organisation's own server (no /oauth2/…) issues tokens that only Okta may validate (1.3).
    issuer_path=r"/oauth2/[A-Za-z0-9]+",
    issuer_example="https://acme.okta.com/oauth2/default",
    typ=("JWT", "at+jwt", ""),
    algorithms=("RS256",),
    subject="uid",  # sub is the login name, unless it was mapped to something else (1.3)
    service_subject="sub",
    event_subject="uid",
    client=Where(paths=("cid",)),
    # More than 100 matching groups fail the token request, but an expression can cut its list earlier (1.3).
    groups=Where(paths=("groups",), full=100),
    scopes=Where(paths=("scp",)),  # a JSON array (1.0)
    human=((Tell(claim="uid"),),),
    service=((Tell(claim="uid", present=False), Tell(claim="sub", same_as="cid")),),
)
