"""Fixtures for tests that need an identity provider; pytest finds them where Actas is installed.

::

    def test_ana_may_read(actas_idp):
        token = actas_idp.token(person="ana")
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from actas.testing.idp import Idp


@pytest.fixture
def make_actas_idp() -> Iterator[Callable[..., "Idp"]]:
    """Start providers as a test asks for them (``make_actas_idp(shape="entra")``); all are stopped after it."""
    from actas.testing.idp import Idp

    started: list[Idp] = []

    def make(**settings: Any) -> Idp:
        started.append(Idp(**settings).start())
        return started[-1]

    yield make
    for idp in started:
        idp.stop()


@pytest.fixture
def actas_idp(make_actas_idp: Callable[..., "Idp"]) -> "Idp":
    """Give a running provider with new keys, in the shape of the standards."""
    return make_actas_idp()
