"""Read a policy document: every element, every kind, and AWS's own words for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from actas.iam import rules
from actas.iam.conditions import Condition
from actas.iam.document import Doubled, Numeral, Unreadable, decode, foreign_character, size_of, written
from actas.iam.errors import MalformedPolicy
from actas.iam.finding import Finding, Path
from actas.iam.kinds import Kind
from actas.iam.notes import LEGACY, SYNTAX, Notes, Phase
from actas.iam.operators import spelled
from actas.iam.principals import Principals
from actas.iam.statement import Content, Statement

VERSIONS: Final = ("2008-10-17", "2012-10-17")
_TOP: Final = frozenset({"Version", "Id", "Statement"})
_ELEMENTS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_PAIRS: Final = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_PRINCIPAL_TYPES: Final = {
    "AWS": "aws",
    "Service": "service",
    "Federated": "federated",
    "CanonicalUser": "canonical",
}
_NEW_NEED_2012: Final = frozenset({Kind.IDENTITY, Kind.BOUNDARY})


def read(document: object, *, kind: Kind, name: str = "", stored: bool = False) -> Content:
    """Read a policy or raise MalformedPolicy with all that is wrong."""
    policy, findings = examine(document, kind=kind, name=name, stored=stored)
    if policy is None:
        raise MalformedPolicy(findings=findings)
    return policy


Check = Callable[[Content, Notes], None]
"""What else to look at in a policy that has no error."""


def examine(
    document: object,
    *,
    kind: Kind,
    name: str = "",
    stored: bool = False,
    more: tuple[Check, ...] = (),
    measured: bool = False,
) -> tuple[Content | None, tuple[Finding, ...]]:
    """Read a policy as far as it can be read, and say what is wrong; *measured*: of a mapping too, how long it is."""
    try:
        value, text = decode(document)
    except Unreadable as wrong:
        return None, (_unreadable(wrong, kind),)
    notes = Notes()
    policy = _Reader(kind, notes, stored=stored).policy(value, name)
    if policy is not None:
        rules.check(policy, notes, stored=stored)
    if text is not None:
        _characters(text, kind, notes, stored=stored)
    if text is not None or measured:
        _size(text if text is not None else written(value), kind, notes, stored=stored)
    if policy is not None and not notes.broken:
        for check in more:
            check(policy, notes)
    return (None if notes.broken else policy), notes.findings(value, text)


def _unreadable(wrong: Unreadable, kind: Kind) -> Finding:
    # AWS's answer to CreateRole and to CreatePolicy differ in words.
    aws = "This policy contains invalid Json" if kind is Kind.TRUST and wrong.code == "invalid-json" else SYNTAX
    fix = f"Make it one JSON object: {wrong.why}."
    return Finding(
        code=wrong.code, severity="error", message=aws, path="", fix=fix, line=wrong.line, column=wrong.column
    )


def _characters(text: str, kind: Kind, notes: Notes, *, stored: bool) -> None:
    at = foreign_character(text)
    if at is not None:
        say = notes.warn if stored or kind in (Kind.RESOURCE, Kind.ENDPOINT) else notes.error
        say(Phase.SYNTAX, (), "foreign-character", SYNTAX, f"Write character {at + 1} as a JSON escape.")


def _size(text: str, kind: Kind, notes: Notes, *, stored: bool) -> None:
    quota = rules.QUOTAS[kind]
    if stored or len(text) <= quota:  # white space does not count, so it is counted only where there may be too much
        return
    size = size_of(text)
    if size > quota:
        message = f"The policy has {size} characters without white space; AWS takes at most {quota}."
        notes.warn(Phase.KIND, (), "over-quota", message, "Split the policy, or use wildcards.")


class _Reader:
    """Turns JSON values into statements; what it cannot turn it notes."""

    def __init__(self, kind: Kind, notes: Notes, *, stored: bool) -> None:
        self.kind, self.notes, self.stored = kind, notes, stored

    def policy(self, value: object, name: str) -> Content | None:
        if not isinstance(value, dict):
            self.notes.syntax((), "not-an-object", "Make the document one JSON object.")
            return None
        self._names(value, (), _TOP)
        version = self._version(value)
        identifier = self._optional_text(value, "Id", ())
        statements = self._statements(value, variables=version == "2012-10-17")
        return Content(kind=self.kind, statements=statements, version=version, id=identifier, name=name)

    def _names(self, value: dict[str, Any], path: Path, known: frozenset[str]) -> None:
        self._doubled(value, path)
        for name in value:
            if name not in known:
                near = next((one for one in known if one.lower() == name.lower()), None)
                fix = f"Write {near}." if near else "Remove it; the policy language has no such element."
                self.notes.syntax((*path, name), "unknown-element", fix)

    def _doubled(self, value: object, path: Path) -> None:
        if isinstance(value, Doubled):
            for name in value.names:
                self.notes.syntax((*path, name), "duplicate-key", "Keep one of the two; AWS refuses both.")

    def _version(self, value: dict[str, Any]) -> str:
        version = value.get("Version")
        if "Version" in value and version not in VERSIONS:
            self.notes.syntax(("Version",), "invalid-version", "Write 2012-10-17.")
        elif version != "2012-10-17":
            new = self.kind in _NEW_NEED_2012 and not self.stored
            say = self.notes.error if new else self.notes.warn
            message = "Policy document must be version 2012-10-17 or greater."
            say(Phase.VERSION, ("Version",), "old-version", message, 'Add "Version": "2012-10-17".')
        return version if isinstance(version, str) else VERSIONS[0]

    def _optional_text(self, value: dict[str, Any], name: str, path: Path) -> str | None:
        found = value.get(name)
        if name in value and (not isinstance(found, str) or isinstance(found, Numeral)):
            self.notes.syntax((*path, name), "wrong-type", f"Make {name} a text.")
            return None
        return found

    def _statements(self, value: dict[str, Any], *, variables: bool) -> tuple[Statement, ...]:
        found = value.get("Statement")
        if isinstance(found, dict):
            return (self._statement(found, 0, ("Statement",), variables=variables),)
        if not isinstance(found, list) or not found:
            self.notes.syntax(("Statement",), "missing-statement", "Give at least one statement.")
            return ()
        statements = []
        for index, one in enumerate(found):
            path: Path = ("Statement", index)
            if isinstance(one, dict):
                statements.append(self._statement(one, index, path, variables=variables))
            else:
                self.notes.syntax(path, "wrong-type", "Make the statement an object.")
        return tuple(statements)

    def _statement(self, value: dict[str, Any], index: int, path: Path, *, variables: bool) -> Statement:
        self._names(value, path, _ELEMENTS)
        for one, other in _PAIRS:
            if one in value and other in value:
                self.notes.syntax((*path, other), "conflicting-elements", f"Keep {one} or {other}, not both.")
        effect = self._effect(value, path)
        actions = self._texts(value, "NotAction" if "NotAction" in value else "Action", path)
        resources = self._texts(value, "NotResource" if "NotResource" in value else "Resource", path)
        return Statement(
            index=index,
            sid=self._optional_text(value, "Sid", path) or None,
            effect="Allow" if effect == "Allow" else "Deny",
            actions=actions or (),
            not_action="NotAction" in value,
            resources=resources,
            not_resource="NotResource" in value,
            principals=self._principals(value, path),
            not_principal="NotPrincipal" in value,
            conditions=self._conditions(value, path),
            variables=variables,
        )

    def _effect(self, value: dict[str, Any], path: Path) -> str | None:
        effect = value.get("Effect")
        if effect in ("Allow", "Deny"):
            return str(effect)
        path = (*path, "Effect")
        if isinstance(effect, str) and effect.lower() in ("allow", "deny"):
            fix = f"Write {effect.capitalize()}; letter case counts."
            self.notes.error(Phase.LEGACY, path, "effect-case", LEGACY, fix)
        else:
            self.notes.syntax(path, "invalid-effect", "Write Allow or Deny.")
        return None

    def _texts(self, value: dict[str, Any], name: str, path: Path) -> tuple[str, ...] | None:
        if name not in value:
            return None
        return self._list(value[name], (*path, name))

    def _list(self, found: object, path: Path) -> tuple[str, ...]:
        """One text or a list of texts; AWS passes over a null in the list."""
        if isinstance(found, str) and not isinstance(found, Numeral):
            return (found,)
        if not isinstance(found, list):
            self.notes.syntax(path, "wrong-type", "Make it a text or a list of texts.")
            return ()
        texts = []
        for index, item in enumerate(found):
            if isinstance(item, str) and not isinstance(item, Numeral):
                texts.append(item)
            elif item is None:
                message = "A null in the list stands for nothing."
                self.notes.warn(Phase.PLACE, (*path, index), "null-in-list", message, "Remove it.")
            else:
                self.notes.syntax((*path, index), "wrong-type", "Make it a text.")
        return tuple(texts)

    def _principals(self, value: dict[str, Any], path: Path) -> Principals | None:
        name = "NotPrincipal" if "NotPrincipal" in value else "Principal"
        if name not in value:
            return None
        found, path = value[name], (*path, name)
        if found == "*":
            return Principals(everyone=True)
        if isinstance(found, str) and found.startswith("arn:"):
            message = "A principal that stands alone is taken as one of AWS."
            self.notes.warn(Phase.KIND, path, "bare-principal", message, f'Write {{"AWS": "{found}"}}.')
            return Principals(aws=(found,))
        if not isinstance(found, dict) or not found:
            fix = 'Write "*", or an object such as {"AWS": "111122223333"}.'
            self.notes.syntax(path, "invalid-principal", fix)
            return Principals()
        self._names(found, path, frozenset(_PRINCIPAL_TYPES))
        listed = {
            _PRINCIPAL_TYPES[kind]: self._list(names, (*path, kind))
            for kind, names in found.items()
            if kind in _PRINCIPAL_TYPES
        }
        return Principals(
            everyone="*" in listed.get("aws", ()),
            aws=listed.get("aws", ()),
            service=listed.get("service", ()),
            federated=listed.get("federated", ()),
            canonical=listed.get("canonical", ()),
        )

    def _conditions(self, value: dict[str, Any], path: Path) -> tuple[Condition, ...]:
        if "Condition" not in value:
            return ()
        block, path = value["Condition"], (*path, "Condition")
        if not isinstance(block, dict):
            self.notes.syntax(path, "wrong-type", "Make Condition an object of operators.")
            return ()
        self._doubled(block, path)
        conditions: list[Condition] = []
        for operator, keys in block.items():
            conditions += self._operator(operator, keys, (*path, operator))
        return tuple(conditions)

    def _operator(self, operator: str, keys: object, path: Path) -> list[Condition]:
        if not isinstance(keys, dict):
            self.notes.syntax(path, "wrong-type", "Make it an object from condition keys to values.")
            return []
        self._doubled(keys, path)
        if keys and spelled(operator) is None:
            self.notes.syntax(path, "unknown-operator", rules.nearest_operator(operator))
            return []
        return [
            Condition(operator=operator, key=key, values=self._wanted(values, (*path, key)))
            for key, values in keys.items()
        ]

    def _wanted(self, found: object, path: Path) -> tuple[str, ...]:
        listed = found if isinstance(found, list) else [found]
        values = []
        for index, item in enumerate(listed):
            if isinstance(item, bool):
                values.append("true" if item else "false")
            elif isinstance(item, str):
                values.append(str(item))
            else:
                at = (*path, index) if isinstance(found, list) else path
                self.notes.syntax(at, "wrong-type", "Make it a text, a boolean or a number.")
        return tuple(values)
