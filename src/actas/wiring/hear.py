"""Hear identity events as long as the gateway runs; what that takes is imported when the store is open, not before."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actas.wiring.ears import House


async def hear(house: "House") -> None:
    """Hear, deliver and end until cancelled."""
    outbox = await house.parts.opened_outbox()
    from actas.wiring.ears import Ears  # with the room of events, which a gateway that starts does without

    ears = Ears(house, outbox)
    house.parts.ears = ears
    await ears.run()
