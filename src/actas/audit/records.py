"""What the trail keeps besides calls, and the one written form of every record.

A record is one JSON object that starts with its ``type``. Calls are `Decided` and `Ended` (actas.model.record); the
types below are about the trail itself. None has a place for a name, an address, a token or a payload.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from actas.audit.errors import LineUnreadable
from actas.model.record import Decided, Ended

FORMAT = 1
MAX_RECORD = 1024 * 1024
NAMED_CALLS = 500
"""How many call ids a `Gap` lists at most."""


class Extra(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """The base of what is recorded besides calls."""

    at: datetime


class Opened(Extra, frozen=True, kw_only=True, tag="opened"):
    """The first record of each segment."""

    chain: str
    segment: int
    format: int = FORMAT
    open_calls: tuple[str, ...] = ()
    """Calls decided in earlier segments that had not ended: so that one segment tells a restart all it must know."""


class Started(Extra, frozen=True, kw_only=True, tag="started"):
    """The gateway went on writing; what a crash had left is said here."""

    cut_bytes: int = 0
    cut_sha256: str | None = None
    """Of a half-written last line that was never acknowledged and was cut."""
    unknown: int = 0
    """How many calls were found without an end; each is closed as ``unknown``."""


class Checkpoint(Extra, frozen=True, kw_only=True, tag="checkpoint"):
    """A signed head: the record before this one, its hash, and a signature over both."""

    seq: int
    hash: str
    token: str


class Gap(Extra, frozen=True, kw_only=True, tag="gap"):
    """The trail could not be written for a while, after functions had run."""

    since: datetime
    because: str
    """The code of what was wrong."""
    late: int
    """How many records follow later than they should."""
    lost: int
    """How many ends could not even be held; ``calls`` names the first of them."""
    calls: tuple[str, ...] = ()


class Counted(Extra, frozen=True, kw_only=True, tag="counted"):
    """Strangers of one minute: calls that never became an identity."""

    reason: str
    network: str
    count: int


class Reloaded(Extra, frozen=True, kw_only=True, tag="reloaded"):
    """Other rules decide from here on."""

    generation: str


class Unmasked(Extra, frozen=True, kw_only=True, tag="unmasked"):
    """Two officers are about to learn who stands behind a pseudonym, and why."""

    pseudonym: str
    officers: tuple[str, str]
    reason: str


class Erased(Extra, frozen=True, kw_only=True, tag="erased"):
    """Rows of pseudonyms were deleted; whose is not said."""

    rows: int


class Handed(Extra, frozen=True, kw_only=True, tag="handed"):
    """A function elsewhere is about to get the work session of its call."""

    call: str
    function: str
    role: str


class Pruned(Extra, frozen=True, kw_only=True, tag="pruned"):
    """The oldest segments are about to go, and until which record; the signature shows that a gateway said so."""

    segment: int
    """The last one that goes."""
    seq: int
    """Its last record; ``hash`` is what the first record that stays links to."""
    hash: str
    before: datetime
    """Records from before this time were to go, as far as whole segments hold nothing else."""
    token: str


Entry = Decided | Ended | Opened | Started | Checkpoint | Gap | Counted | Reloaded | Unmasked | Erased | Handed | Pruned

_EXTRAS: tuple[type[Extra], ...] = (
    Opened, Started, Checkpoint, Gap, Counted, Reloaded, Unmasked, Erased, Handed, Pruned,
)  # fmt: skip
_CALLS: dict[type, bytes] = {Decided: b'{"type":"decided",', Ended: b'{"type":"ended",'}
_encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode


class Glance(msgspec.Struct, frozen=True):
    """What a restart must know of a record whose hash holds."""

    type: str
    call: str = ""


_GLANCE = msgspec.json.Decoder(Glance)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "decided": msgspec.json.Decoder(Decided),
    "ended": msgspec.json.Decoder(Ended),
    **{str(extra.__struct_config__.tag): msgspec.json.Decoder(extra) for extra in _EXTRAS},
}


def encode(entry: Entry) -> bytes:
    """Give the one written form of *entry*."""
    text = _encode(entry)
    head = _CALLS.get(type(entry))
    return text if head is None else head + text[1:]


def decode(text: bytes) -> Entry:
    """Read a record; refuse what `encode` would have written differently."""
    try:
        name = _GLANCE.decode(text).type
        if (decoder := _DECODERS.get(name)) is None:
            raise LineUnreadable(why="its type is not one of a trail")
        entry: Entry = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise LineUnreadable(why="it is not a record of its type") from wrong
    if encode(entry) != text:
        raise LineUnreadable(why="it is not in the form that a gateway writes")
    return entry


def glance(text: bytes) -> Glance:
    """Read a record's type and call: eight times as fast as reading all of it, which a start with a long tail needs."""
    try:
        return _GLANCE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise LineUnreadable(why="it is not a record") from wrong
