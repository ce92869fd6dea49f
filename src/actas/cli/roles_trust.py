"""``actas roles trust``: what another cloud must be told so that a role can be taken there."""

from pathlib import Path

from actas.cli import DONE
from actas.cli.errors import NoSuchRole
from actas.cli.places import here


def trust(role: str, *, settings: Path | None = None) -> int:
    """Print the trust policy of a role in AWS, or what Azure or Google must be told, to be pasted as it stands.

    For example:
        actas roles trust finance-reader > trust.json
        aws iam update-assume-role-policy --role-name finance-reader --policy-document file://trust.json

    Parameters
    ----------
    role:
        The role's name in the settings.
    settings:
        The settings file; by default that of the gateway that runs here, else actas.yaml.
    """
    from actas.assume import trust_policy
    from actas.settings.schema import many
    from actas.wiring.load import load

    loaded = load(here(settings).found(), weak=True).usable()
    found = loaded.roles.get(role)
    if found is None:
        raise NoSuchRole(role=role, known=tuple(loaded.roles))
    clients = [
        (provider.issuer, audience)
        for provider in loaded.providers.values()
        if provider.issuer is not None
        for audience in many(provider.audience)
    ]
    print(trust_policy.trust(role, found, issuer=loaded.gateway.control_url, clients=clients), end="")
    return DONE
