"""A policy that was read, with what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actas.iam.grammar import read
from actas.iam.kinds import Kind
from actas.iam.statement import Content

if TYPE_CHECKING:
    from actas.iam.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Content):
    """A policy of one kind."""

    @classmethod
    def parse(
        cls,
        document: str | bytes | Mapping[str, object],
        *,
        kind: Kind = Kind.IDENTITY,
        name: str = "",
        stored: bool = False,
    ) -> Policy:
        """Read a policy; raise MalformedPolicy with every error finding if it is none of its kind.

        *stored*: the document is in AWS already, so rules that AWS applies only to new documents do not count.
        """
        found = read(document, kind=Kind(kind), name=name, stored=stored)
        return cls(kind=found.kind, statements=found.statements, version=found.version, id=found.id, name=found.name)

    def allowed_actions(self, catalogue: Catalogue | None = None) -> frozenset[str]:
        """Return every action that an Allow statement names, spelled as the catalogue does.

        Conditions, resources and Deny statements are not looked at.
        """
        from actas.iam.expansion import allowed_actions  # the catalogue is loaded by those who ask for it

        return allowed_actions(self, catalogue)
