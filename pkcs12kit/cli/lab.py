"""``pkcs12kit lab``: write a replica of the Federal PKI to a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.search import json_option
from pkcs12kit.cli.options.values import OUTPUT_FOLDER, ServerName

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
@click.argument("folder", type=OUTPUT_FOLDER, metavar="FOLDER")
@option(
    OptionGroup.NAMES,
    "--server-name",
    type=ServerName(),
    metavar="NAME",
    default="mdm.example.mil",
    show_default=True,
    help="The DNS name or IP address of the server's certificate.",
)
@json_option
def command(folder: str, server_name: str, *, as_json: bool) -> None:
    """Write a replica of the Federal PKI, with its own keys, to FOLDER.

    The replica has what makes the real PKI difficult: cross-certificates in loops and in parallel, expired
    certificates, self-signed decoys, critical policy and name constraints, and CRLs. It also has a server's key and
    certificate. README.txt in the folder explains the files. FOLDER must be new or empty, or hold an earlier lab.
    """
    from pkcs12kit.cli.output.console import print_json, print_lines
    from pkcs12kit.lab import write
    from pkcs12kit.text import harmless

    files = write(_make_replica(server_name), folder)
    if as_json:
        print_json({"server_name": server_name, **files.to_json()})
        return
    print_lines(f"Wrote {harmless(files.folder)}; {harmless(files.readme)} explains its files.")


def _make_replica(server_name: str) -> Replica:
    """Return the replica. Raise :class:`click.BadParameter` where a certificate cannot be for that server name."""
    from pkcs12kit.lab import make_replica
    from pkcs12kit.paths.validation.server_name import mismatch

    try:
        replica = make_replica(server_name=server_name)
        fault = mismatch(replica.server.certificate, server_name)
    except ValueError as error:
        fault = str(error)
    if fault is not None:
        raise click.BadParameter(f"a certificate cannot be for {server_name!r}: {fault}", param_hint="--server-name")
    return replica
