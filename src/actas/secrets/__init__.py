"""Secrets and keys: where they are kept, how they are rotated."""
