"""What the tests of the policy library share."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"


def _found(name: str) -> Path:
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"the corpus {name} is not beside the repository")
    return path


@pytest.fixture(scope="session")
def corpus():
    def load(name: str) -> Any:
        return json.loads(_found(name).read_text())

    return load


@pytest.fixture(scope="session")
def corpus_bytes():
    def load(name: str) -> Any:
        return json.loads(gzip.decompress(_found(name).read_bytes()))

    return load
