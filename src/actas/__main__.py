"""``python -m actas`` is the actas command."""

from actas.cli import main

main()
