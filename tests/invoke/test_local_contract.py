"""Local functions keep the contract of every backend."""

from datetime import timedelta

import pytest

from actas.settings.schema import Function
from actas.settings.values import Span
from actas.testing.contracts.backend import SECRET, BackendContract

CODE = {
    "echoes": "def handler(event, context):\n    return event\n",
    "fails": f"def handler(event, context):\n    raise ValueError({SECRET!r})\n",
    "sleeps": "import time\ndef handler(event, context):\n    time.sleep(60)\n",
    "tells": "import os\ndef handler(event, context):\n    return os.environ.get('AWS_ACCESS_KEY_ID')\n",
}


@pytest.fixture(params=[True, False], ids=["on uvloop", "on asyncio"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


class TestLocal(BackendContract):
    @pytest.fixture(autouse=True)
    def _with_functions(self, bench):
        self.bench = bench

    async def backend(self, does):
        if does in CODE:
            return self.bench.function(CODE[does], timeout=Span(timedelta(seconds=0.5)))
        return self.bench.open().backend("gone", Function(python="gone.py:handler"), self.bench.folder)
