"""SAML providers that are real, each started by the tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from visitor import Visitor


@pytest.fixture
def visitor():
    with Visitor() as one:
        yield one
