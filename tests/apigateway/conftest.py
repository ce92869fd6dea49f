"""What this room's tests share."""

import json
from pathlib import Path

import pytest

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"


@pytest.fixture(scope="session")
def recorded():
    """Read one event of a corpus; skip where the corpus is not there."""

    def read(corpus, name, **fill):
        folder = CORPORA / corpus
        if not folder.is_dir():
            pytest.skip(f"the corpus {corpus} is not beside the project")
        text = (folder / name).read_text()
        for placeholder, value in fill.items():
            text = text.replace("{{{" + placeholder + "}}}", value)
        return json.loads(text)

    return read
