"""Evidence in, a believed identity out."""

from actas.identify.verifier import Identify

__all__ = ["Identify"]
