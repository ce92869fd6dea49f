"""What happened, written down so that it can be proved: one trail a call."""

from actas.audit.trail import Audit, State

__all__ = ["Audit", "State"]
