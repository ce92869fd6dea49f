"""Hear identity events as long as the gateway runs; what that takes is imported when the store is open, not before."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actas.wiring.ears import Ears, House


async def hear(house: "House") -> None:
    """Hear, deliver and end until cancelled."""
    outbox = await house.parts.opened_outbox()
    ears: Ears = import_module("actas.wiring.ears").Ears(house, outbox)
    house.parts.ears = ears
    await ears.run()
