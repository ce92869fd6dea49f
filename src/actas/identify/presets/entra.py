"""Microsoft Entra ID: one tenant, or several by an allow-list; tokens of version 1 and 2; national clouds.

In the settings::

    providers:
      azure:
        preset: entra
        tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47
        audience: 6e74172b-be56-4843-9ff4-e66a39bb12e3

Facts: protocols.md, 1.0 and 1.2.
"""

from actas.identify.preset import Form, Preset, Tell, Where


def _forms(cloud: str, host: str, v1_issuer: str) -> tuple[Form, ...]:
    """Both versions at one cloud. The API's own registration decides which one a token has, not the client (1.2)."""
    v2 = f"https://{host}/{{tenant}}/v2.0"
    shared = "/.well-known/openid-configuration"
    return (
        Form(
            issuer=v2,
            directory=v2 + shared,
            template=f"https://{host}/{{tenantid}}/v2.0",
            cloud=cloud,
            version="v2",
        ),
        Form(
            issuer=f"{v1_issuer}/{{tenant}}/",  # with a slash at the end (1.0)
            # Version 1's metadata does not live under its issuer (1.0).
            discovery=f"https://{host}/{{tenant}}{shared}",
            directory=f"https://{host}/{{tenant}}{shared}",
            template=f"{v1_issuer}/{{tenantid}}/",
            key_issuer=v2,
            cloud=cloud,
            version="v1",
        ),
    )


PRESET = Preset(
    name="entra",
    docs="docs/providers/entra.md",
    forms=(
        *_forms("global", "login.microsoftonline.com", "https://sts.windows.net"),
        *_forms("us-government", "login.microsoftonline.us", "https://sts.windows.net"),
        *_forms("china", "login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"),
    ),
    issuer_example="https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
    typ=("JWT",),
    algorithms=("RS256",),
    subject="oid",  # the same in all apps of a tenant; sub differs from app to app (1.2)
    service_subject="oid",
    event_subject="oid",
    token_id=("uti", "jti"),  # uti plays jti (1.2)
    client=Where(paths=("azp", "appid")),
    tenant=Where(paths=("tid",)),
    # Beyond 200 the list is left out and _claim_names points elsewhere; absent means unknown, not none (1.2).
    groups=Where(paths=("groups",)),
    overage=("hasgroups",),
    roles=Where(paths=("roles",)),
    # Only tokens of people have scp; a token without it has no delegated permission at all (1.2).
    scopes=Where(paths=("scp",), absent="empty"),
    human=(
        (Tell(claim="idtyp", equals="user"),),
        (Tell(claim="idtyp", present=False), Tell(claim="scp")),
    ),
    # idtyp is an optional claim; without it, an app's own token has no scp, and its oid is its sub (1.2).
    service=(
        (Tell(claim="idtyp", equals="app"),),
        (Tell(claim="idtyp", present=False), Tell(claim="scp", present=False), Tell(claim="sub", same_as="oid")),
    ),
    lookup="graph",
)
