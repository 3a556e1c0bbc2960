"""``pkcs12kit completion``: print the script that completes commands in a shell."""

from __future__ import annotations

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.values import OneOf
from pkcs12kit.cli.shells import SHELLS, script


@click.command(
    "completion",
    cls=Command,
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit completion bash > \\
      ~/.local/share/bash-completion/completions/pkcs12kit
  pkcs12kit completion zsh > ~/.zfunc/_pkcs12kit
  pkcs12kit completion fish > ~/.config/fish/completions/pkcs12kit.fish""",
)
@click.argument("shell", type=OneOf(list(SHELLS)), metavar="SHELL")
def command(shell: str) -> None:
    """Print the script that completes commands, options and their values in SHELL: bash, zsh or fish.

    The shell asks the command what to offer, so the completions always fit the installed version. The command must be
    on PATH. Write the script once to the place where the shell looks for it, and open a new shell.

    \b
    bash 4.4 or newer, with the package bash-completion:
      ~/.local/share/bash-completion/completions/pkcs12kit
    bash without that package:
      any file, which ~/.bashrc reads with "source"
    zsh:
      _pkcs12kit in a folder of $fpath; for ~/.zfunc,
      put fpath+=~/.zfunc into ~/.zshrc, above compinit
    fish:
      ~/.config/fish/completions/pkcs12kit.fish
    """  # noqa: D301  # \\b is click's mark for lines that stay as they are
    from pkcs12kit.cli import COMPLETION, PROGRAM, cli
    from pkcs12kit.cli.output.console import print_lines

    print_lines(script(shell, cli, program=PROGRAM, variable=COMPLETION).rstrip("\n"))
