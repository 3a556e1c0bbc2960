"""``pkcs12kit probe``: look at live servers, as devices see them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.search import expires_within_option, json_option, sent_options
from pkcs12kit.cli.options.values import OneOf
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.probing.starttls_protocols import STARTTLS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.tls.probing.target import ProbedServer

_MOBILEIRON_CORE: Final[dict[int | None, str]] = {443: "devices", 8443: "administrators", 7443: "app store"}
_LARGEST_PORT: Final = 65535
_LONGEST: Final = 3600  # seconds


@click.command(
    "probe",
    cls=Command,
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit probe mdm.example.mil --anchor fcpca.pem --mdm --device ios \\
      --device android
  pkcs12kit probe mdm.example.mil:8443 www.example.mil --anchor fcpca.pem \\
      --certs ca-certificates/
  pkcs12kit probe 192.0.2.1 [2001:db8::1]:443 --anchor root.pem \\
      --server-name www.example.mil
  pkcs12kit probe mail.example.mil --anchor root.pem --starttls smtp \\
      --port 25 --port 587
  pkcs12kit probe www.example.mil --anchor root.pem --expires-within 30d \\
      --timeout 5 --json""",
)
@click.argument("hosts", metavar="HOST[:PORT]...", nargs=-1, required=True)
@sent_options
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, _LARGEST_PORT),
    metavar="N",
    multiple=True,
    help="Probe this port of each host. May be given again. Default: 443, or the port of --starttls.",
)
@click.option(
    "--mdm",
    is_flag=True,
    help="Probe the ports of a MobileIron Core: 443 (devices), 8443 (administrators), 7443 (app store).",
)
@click.option(
    "--starttls",
    type=OneOf(list(STARTTLS)),
    help="Speak this protocol first, up to where it begins with TLS.",
)
@click.option(
    "--device",
    "devices",
    type=OneOf(list(DEVICES)),
    multiple=True,
    help="Say no where this one is known to refuse: by rule, for it is not tried. May be given again.",
)
@expires_within_option
@click.option(
    "--timeout",
    type=click.IntRange(1, _LONGEST),
    metavar="SECONDS",
    default=int(DEFAULT_LIMITS.probe_seconds),
    show_default=True,
    help="How long to wait for one server, in all.",
)
@json_option
def command(
    hosts: tuple[str, ...],
    search: SearchOptions,
    ports: tuple[int, ...],
    starttls: str | None,
    devices: tuple[str, ...],
    expires_within: timedelta,
    timeout: int,
    *,
    mdm: bool,
    as_json: bool,
) -> None:
    """Connect to live servers, take the certificates that they send, and hold those against the anchor.

    Nothing is trusted, and nothing sent after the handshake. TLS 1.3 and TLS 1.2 are asked for one by one, at
    whichever address of the host answers. The certificate has to be for the host, or for --server-name. Servers are
    probed side by side and reported one by one. Exit status 1: one of them did not answer, or a check says no.
    """
    from contextlib import closing

    from pkcs12kit.cli.options.search import validation_parameters
    from pkcs12kit.cli.output.console import print_json
    from pkcs12kit.cli.output.probe import explain_problems, print_probe, progress
    from pkcs12kit.verifier.probe import probe_servers

    if mdm and starttls is not None:
        raise click.UsageError("--mdm is for ports that begin with TLS: it takes no --starttls")
    servers = tuple(dict.fromkeys(_servers(hosts, search.server_name, ports, starttls, mdm=mdm)))
    with (
        progress(len(servers)) as tell,
        closing(
            probe_servers(
                servers,
                trust_anchors=search.trust_anchors,
                certificates=search.certificates,
                devices=devices,
                parameters=validation_parameters(search),
                expires_within=expires_within,
                timeout=timeout,
                on_answer=tell,
            )
        ) as probing,
    ):
        reports = list(probing)
    answer = all(report.ok for report in reports)
    if as_json:
        print_json({"ok": answer, "servers": [report.to_json() for report in reports]})
    else:
        print_probe(reports)
    if not answer:
        explain_problems(reports)
        sys.exit(1)


def _servers(
    hosts: tuple[str, ...], server_name: str | None, ports: tuple[int, ...], starttls: str | None, *, mdm: bool
) -> Iterator[ProbedServer]:
    """List what is to be probed, each host at each port."""
    from pkcs12kit.tls.address import parse_address
    from pkcs12kit.tls.probing.target import probed_server

    labelled: dict[int | None, str] = dict(_MOBILEIRON_CORE if mdm else {})
    for port in ports:
        labelled.setdefault(port, "")
    for host in hosts:
        if labelled and parse_address(host).port is not None:
            raise click.UsageError(f"{host} says its port: give it without, or no --port and no --mdm")
        for at, label in (labelled or {None: ""}).items():
            yield probed_server(host, port=at, server_name=server_name, starttls=starttls, label=label)
