"""Google Workspace: ID tokens, because Google's access tokens are opaque; groups by look-up.

In the settings::

    providers:
      google: {preset: google, audience: 1234-api.apps.googleusercontent.com, tenant: example.com}

Facts: protocols.md, 1.0 and 1.4.
"""

from actas.identify.preset import Form, Preset, Where

PRESET = Preset(
    name="google",
    docs="docs/providers/google.md",
    # Both spellings are in use; discovery says the one with https (1.4).
    forms=(Form(issuer="https://accounts.google.com", aliases=("accounts.google.com",)),),
    issuer_example="https://accounts.google.com",
    takes="id",
    typ=("JWT", ""),
    algorithms=("RS256",),
    client=Where(paths=("azp",)),
    tenant=Where(paths=("hd",)),  # only Workspace accounts have it; the request's hd is a hint and no check (1.4)
    scopes=Where(absent="empty"),  # an ID token delegates nothing
    lookup="google",  # no token carries groups or roles (1.4)
)
