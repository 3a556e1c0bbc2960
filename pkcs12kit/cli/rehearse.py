"""``pkcs12kit rehearse``: serve a file to TLS clients before a real server does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.devices import devices_option
from pkcs12kit.cli.options.pkcs12_input import open_or_exit, opening_options
from pkcs12kit.cli.options.search import expires_within_option, json_option, limits_option, served_chain_options
from pkcs12kit.cli.options.values import FILE, OneOf
from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS

if TYPE_CHECKING:
    from datetime import timedelta

    from pkcs12kit.cli.options.pkcs12_input import Opening, OpeningOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.verifier.server_reports import RehearsalReport


@click.command(
    "rehearse",
    cls=Command,
    most_used=("--anchor", "--server-name", "--clients", "--device", "--password-file"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit rehearse server.p12 --anchor fcpca.pem \\
      --server-name mdm.example.mil
  pkcs12kit rehearse server.p12 --anchor fcpca.pem --clients java \\
      --clients gnutls --device ios --device android \\
      --password-file password.txt
  pkcs12kit rehearse server.p12 --anchor root.pem \\
      --certs ca-certificates/ --expires-within 30d
  pkcs12kit rehearse nginx.crt --key nginx.key --anchor root.pem
  pkcs12kit rehearse server.p12 --anchor root.pem --clients all --json \\
      --password-env P12""",
)
@click.argument("file", type=FILE, metavar="FILE")
@served_chain_options
@option(
    OptionGroup.CHECKS,
    "--clients",
    type=OneOf([*CLIENTS, "all"]),
    multiple=True,
    help="Connect only this client and OpenSSL, and fail unless both accept the file. A client that is not installed"
    " is an error. May be given again. all: every installed client. Default: only OpenSSL must accept; the other"
    " installed clients are tried and reported.",
)
@devices_option
@expires_within_option
@opening_options
@limits_option
@json_option
def command(
    file: str,
    search: SearchOptions,
    clients: tuple[str, ...],
    devices: tuple[str, ...],
    expires_within: timedelta,
    opening: OpeningOptions,
    limits: Limits,
    *,
    as_json: bool,
) -> None:
    """Serve a file on loopback to TLS clients that trust only the anchor.

    FILE is a PKCS#12 file, or a chain in PEM or PKCS#7, with its private key in it or in --key; or - for standard
    input.

    The server sends the file's certificates in the file's order and nothing else, as an appliance does. The chain is
    checked strictly, and clients connect in TLS 1.2 and TLS 1.3: OpenSSL in this process, so that the key is never on
    disk, and Java, Go, GnuTLS, NSS and curl where they are installed, or the clients of --clients. A chain in PEM is
    served as it is.

    Exit status 1: a client that must accept the file rejects it, a check says no, or the password does not open the
    file.
    """
    from pkcs12kit.cli.options.search import validation_parameters
    from pkcs12kit.cli.output.console import print_json, warn
    from pkcs12kit.cli.output.progress import announce_rehearsal, rehearsal_progress
    from pkcs12kit.cli.output.rehearsal import print_problems, print_rehearsal
    from pkcs12kit.sources.reading import name_of
    from pkcs12kit.verifier.rehearse import rehearse

    parameters = validation_parameters(search)

    def open_with(how: Opening) -> RehearsalReport:
        with rehearsal_progress(clients) as on_progress:
            return rehearse(
                file,
                trust_anchors=search.trust_anchors,
                **how,
                certificates=search.certificates,
                clients=clients,
                devices=devices,
                parameters=parameters,
                expires_within=expires_within,
                on_progress=on_progress,
                limits=limits,
            )

    announce_rehearsal(clients, limits)
    report = open_or_exit(open_with, opening, file, as_json=as_json)
    name = name_of(file)
    for warning in report.warnings:
        warn(warning if warning in report.call_warnings else f"{name}: {warning}")
    if not as_json:
        print_rehearsal(report, name)
    if not report.ok:
        print_problems(report, name)
    if as_json:
        print_json({"file": name, **report.to_json()})
    if not report.ok:
        sys.exit(1)
