"""Mistakes that must not type-check.

Never run. Each line carries a ``type: ignore``; if a mistake ever becomes legal, its ignore is unused and
strict mypy fails.
"""
