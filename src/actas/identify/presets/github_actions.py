"""GitHub Actions: a workflow's job is the caller.

In the settings::

    providers:
      github: {preset: github-actions, audience: actas, tenant: "65230115"}

``tenant`` is the number of the organisation that owns the repositories. GitHub signs for every repository there is,
so without it, or ``clients`` with the numbers of repositories, the provider is refused.

Facts: GitHub's OpenID Connect reference; since 18 June 2026 new repositories have numbers in ``sub`` too.
"""

from actas.identify.preset import Form, Preset, Where
from actas.model.identity import Kind

PRESET = Preset(
    name="github-actions",
    docs="docs/providers/github-actions.md",
    forms=(Form(issuer="https://token.actions.githubusercontent.com"),),
    issuer_example="https://token.actions.githubusercontent.com",
    takes="id",
    typ=("JWT", ""),
    algorithms=("RS256",),
    worldwide=True,
    # Names of owners and repositories are given again after a rename; their numbers are not.
    client=Where(paths=("repository_id",)),
    tenant=Where(paths=("repository_owner_id",)),
    scopes=Where(absent="empty"),
    kind=Kind.SERVICE,
)
