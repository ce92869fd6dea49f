"""What this room's tests share."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "sigv4-botocore"


@pytest.fixture(scope="session")
def corpus():
    """Give the folder of recorded signatures; skip where it is not there."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus sigv4-botocore is not beside the project")
    return CORPUS


@pytest.fixture(scope="session")
def now():
    return datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
