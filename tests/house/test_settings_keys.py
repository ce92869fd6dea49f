"""Every key of the settings has an effect: something that acts reads it, and not only what checks it."""

import ast
import typing
from functools import cache
from pathlib import Path

import msgspec
import pytest

from actas.settings.schema import Settings

SOURCE = Path(__file__).parents[2] / "src" / "actas"
ACTS_IN_SETTINGS = ("resolve.py", "reload.py", "offers.py")
ONLY_CHECK = ("identify/requirements.py", "identify/told.py")
HELD_AS = {
    "Settings": {"settings"},
    "Gateway": {"gateway", "settings"},
    "Proxies": {"proxies", "_proxies"},
    "RateLimits": {"rate"},
    "Limits": {"limits", "_limits"},
    "Audit": {"audit", "settings"},
    "Jsonl": {"jsonl"},
    "CloudWatch": {"cloudwatch"},
    "Provider": {"provider"},
    "Claim": {"setting", "groups"},
    "LookupClient": {"lookup", "client"},
    "KeySource": {"keys"},
    "SecretRef": {"reference"},
    "Function": {"function", "settings", "_settings"},
    "Schedule": {"schedule"},
    "Asynchronous": {"asynchronous", "settings"},
    "Cors": {"cors"},
    "RoleSettings": {"settings", "role"},
    "AwsBase": {"aws"},
    "CutSessions": {"cut"},
    "Azure": {"azure"},
    "Google": {"google"},
    "Events": {"events", "_events"},
    "EventSource": {"settings", "source"},
    "EventClient": {"client"},
    "EventFields": {"fields"},
    "Signature": {"how"},
    "On": {"settings"},
    "Rule": {"rule"},
    "Who": {"who"},
    "When": {"when"},
    "SamlRequire": {"require"},
    "SamlRequest": {"request"},
}
"""What a value of each struct is called where it is read."""
NO_READER = {
    ("Function", "own_authorization"): "the check itself is the effect: `mode: observe` is refused without it",
}


def structs(kind, found):
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in found:
        found[kind] = None
        for inner in typing.get_type_hints(kind).values():
            structs(inner, found)
    for inner in typing.get_args(kind):
        structs(inner, found)
    return tuple(found)


FIELDS = [(one.__name__, field) for one in structs(Settings, {}) for field in one.__struct_fields__]


@cache
def reads():
    """List what is read of what: the last name before the dot, and the one behind it."""
    found = set()
    for file in SOURCE.rglob("*.py"):
        place = file.relative_to(SOURCE).as_posix()
        if place in ONLY_CHECK or (place.startswith("settings/") and file.name not in ACTS_IN_SETTINGS):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                holder = node.value
                name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
                found.add((name, node.attr))
    return found


def test_every_part_of_the_schema_is_known_here():
    assert {struct for struct, _ in FIELDS} == HELD_AS.keys()


@pytest.mark.parametrize(("struct", "field"), FIELDS)
def test_a_key_of_the_settings_is_read_where_something_is_done(struct, field):
    is_read = any((held, field) in reads() for held in HELD_AS[struct])

    assert is_read != ((struct, field) in NO_READER)
