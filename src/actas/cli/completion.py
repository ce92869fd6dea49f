"""``actas completion``: let the shell complete commands and options."""

from typing import Literal

from actas.cli import DONE


def completion(shell: Literal["bash", "zsh", "fish"]) -> int:
    """Print the completion script for a shell.

    For example:
        actas completion bash > ~/.local/share/bash-completion/completions/actas

    Parameters
    ----------
    shell:
        Which shell.
    """
    from actas.cli.app import app

    print(app.generate_completion(shell=shell))
    return DONE
