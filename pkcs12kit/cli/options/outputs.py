"""The option that lets an output replace an existing file of another kind. Nothing lets it replace an input."""

from __future__ import annotations

from pkcs12kit.cli.command import OptionGroup, option

force_option = option(
    OptionGroup.OUTPUT,
    "--force",
    is_flag=True,
    help="Replace an existing file of another kind: for example, a private key in PEM. An input of the same command is"
    " never replaced.",
)
"""For commands that write a file; the command gets ``force``."""
