"""How watermarks are named: by keyed hashes, which the same few people need again and again."""

from typing import Final

from actas.store.person_key import PersonKey

NAMES: Final = 20_000
"""Names that are remembered; all are forgotten when there are more."""


class MarkNames:
    """Names marks, and remembers the names of those that came lately."""

    def __init__(self, key: PersonKey) -> None:
        self._key = key
        self._names: dict[tuple[str, str | None, str | None], bytes] = {}
        self._roles: dict[str, bytes] = {}

    def of(self, provider: str, subject: str | None, session: str | None) -> bytes:
        """Name the mark of a *subject*, of one of its sessions, or of a *session* of whomever."""
        who = provider, subject, session
        if (found := self._names.get(who)) is None:
            if len(self._names) >= NAMES:
                self._names.clear()
            found = self._names[who] = self._key.mark(*who)
        return found

    def of_address(self, provider: str, address: str, session: str | None) -> bytes:
        """Name the mark of who has this *address*."""
        return self._key.address_mark(provider, address, session)

    def of_role(self, role_arn: str) -> bytes:
        """Name the mark of a role."""
        if (found := self._roles.get(role_arn)) is None:
            if len(self._roles) >= NAMES:
                self._roles.clear()
            found = self._roles[role_arn] = self._key.role_mark(role_arn)
        return found
