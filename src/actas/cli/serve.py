"""``actas serve``: the gateway."""

from pathlib import Path

from actas.cli import DONE
from actas.cli.places import found


def serve(settings: Path = Path("actas.yaml")) -> int:
    """Run the gateway until it is told to stop (Ctrl-C or SIGTERM).

    Calls in flight are finished first. A change of the settings file is taken into use within a second.

    For example:
        actas serve
        actas serve /etc/actas/actas.yaml

    Parameters
    ----------
    settings:
        The settings file.
    """
    import anyio

    from actas.cli.serving import serve_until_told

    anyio.run(serve_until_told, found(settings), backend_options={"use_uvloop": True})
    return DONE
