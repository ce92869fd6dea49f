"""What every result says of the run: the machine, the day, the versions; and where it is written."""

import json
import os
import platform
import statistics
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from actas.model import clock

RESULTS = Path(__file__).parent / "results"


def told(*packages: str) -> dict[str, object]:
    """Say where and when this is measured, and beside which versions."""
    return {
        "date": clock.now().date().isoformat(),
        "machine": {
            "cpus": os.cpu_count(),
            "arch": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "versions": {name: found for name in packages if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def median(values: Iterable[float], digits: int = 1) -> float:
    """Give the median, rounded to what can be believed of it."""
    return round(statistics.median(values), digits)


def keep(name: str, result: dict[str, object]) -> None:
    """Write *result* to ``bench/results/NAME.json``."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
