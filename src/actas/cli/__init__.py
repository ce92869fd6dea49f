"""The actas command."""


def main() -> None:
    """Run the command."""
