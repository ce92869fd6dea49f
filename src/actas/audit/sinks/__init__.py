"""Where the trail is kept; each is switched on by one visible line."""

from actas.audit.sinks.jsonl import Jsonl

SINKS = {"jsonl": Jsonl}
