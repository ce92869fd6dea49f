"""``actas saml metadata`` and ``actas saml rotate``: what providers must know of us, and our keys."""

import sys

from actas.cli import DONE, output, saml_asking
from actas.cli.options import HERE, Where
from actas.model import clock
from actas.secrets.saml_keys import SamlKey

LATER = "Providers that read our metadata learn of it by themselves; carry it to the others before {at}."
AT_ONCE = "Carry our metadata to every provider now: actas saml metadata --provider NAME"


def metadata(*, provider: str, where: Where = HERE) -> int:
    """Print our metadata for one provider, signed; what its door /saml/PROVIDER/metadata shows.

    For example:
        actas saml metadata --provider ping > actas.xml

    Parameters
    ----------
    provider:
        The provider's name in the settings.
    """
    from actas.http.saml.metadata import document
    from actas.http.saml.visit import OurKeys

    asked, now = saml_asking.ask(where.here()), clock.now()
    profile, keys = asked.providers.profile(provider), asked.keys
    if not keys.keys:
        keys.rotate(now)
    ours = OurKeys(
        signs=keys.signing(now).private,
        published=tuple(one.certificate for one in keys.published(now)),
        encryption=tuple(one.certificate for one in keys.encryption(now)),
    )
    sys.stdout.write(document(profile, ours).decode() + "\n")
    return DONE


def rotate(*, at_once: bool = False, where: Where = HERE, json: bool = False) -> int:
    """Make a new SAML key now: published at once, it signs in a week. A gateway that runs takes it by itself.

    For example:
        actas saml rotate
        actas saml rotate --at-once

    Parameters
    ----------
    at_once:
        Throw the old keys away and sign with the new one at once: for a key that was stolen. Providers that do not
        know it yet refuse what we send, and what they encrypted to the old keys cannot be opened.
    json:
        Print one JSON object.
    """
    asked, now = saml_asking.ask(where.here()), clock.now()
    keys = asked.keys
    if at_once:
        keys.restart(now)
    else:
        keys.rotate(now, force=bool(keys.keys))
    fresh = keys.keys[-1]
    print(output.json_line({"keys": [_data(one) for one in keys.keys]}) if json else _text(keys.keys))
    told = AT_ONCE if fresh.signs_from <= now else LATER.format(at=f"{fresh.signs_from:%Y-%m-%d}")
    print(told, file=sys.stderr)
    return DONE


def _data(key: SamlKey) -> dict[str, object]:
    return {"id": key.id, "signs_from": key.signs_from.isoformat(), "ends_at": key.ends_at.isoformat()}


def _text(keys: tuple[SamlKey, ...]) -> str:
    return "\n".join(
        f"{key.id}  signs from {key.signs_from:%Y-%m-%d}, its certificate ends on {key.ends_at:%Y-%m-%d}"
        for key in keys
    )
