"""``pkcs12kit lab``: write a replica of the Federal PKI to a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.search import json_option
from pkcs12kit.cli.options.values import FOLDER

if TYPE_CHECKING:
    from pkcs12kit.lab import Replica


@click.command(
    "lab",
    cls=Command,
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit lab lab
  pkcs12kit lab lab --server-name www.example.mil --json""",
)
@click.argument("folder", type=FOLDER, metavar="FOLDER")
@click.option("--server-name", metavar="NAME", default="mdm.example.mil", show_default=True, help="The server's name.")
@json_option
def command(folder: str, server_name: str, *, as_json: bool) -> None:
    """Write a replica of the Federal PKI's shape, with keys of its own, to FOLDER.

    It has what makes the real one hard: cross-certificates in loops and in parallel, expired ones, self-signed decoys,
    critical policy and name constraints, CRLs; and a server's key and certificate. README.txt in the folder says what
    is what. A folder that holds anything but an earlier lab is refused.
    """
    from pkcs12kit.cli.output.console import print_json, print_lines
    from pkcs12kit.lab import write
    from pkcs12kit.text import harmless

    files = write(_make_replica(server_name), folder)
    if as_json:
        print_json({"server_name": server_name, **files.to_json()})
        return
    print_lines(f"Wrote {harmless(files.folder)}; {harmless(files.readme)} says what is what and how to build from it.")


def _make_replica(server_name: str) -> Replica:
    """Make it, or say why no certificate can be for a server of that name."""
    from pkcs12kit.lab import make_replica
    from pkcs12kit.paths.validation.server_name import mismatch

    try:
        replica = make_replica(server_name=server_name)
        fault = mismatch(replica.server.certificate, server_name)
    except ValueError as error:
        fault = str(error)
    if fault is not None:
        raise click.BadParameter(f"no certificate can be for {server_name!r}: {fault}", param_hint="--server-name")
    return replica
