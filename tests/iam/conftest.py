"""What the tests of the policy library share."""

import json
from pathlib import Path
from typing import Any

import pytest

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpus():
    def load(name: str) -> Any:
        path = CORPORA / name
        if not path.exists():
            pytest.skip(f"the corpus {name} is not beside the repository")
        return json.loads(path.read_text())

    return load
