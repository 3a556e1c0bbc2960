"""``pkcs12kit probe``: check the certificates that live servers send."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.devices import devices_option
from pkcs12kit.cli.options.expectation import expect_options, read_expected
from pkcs12kit.cli.options.search import expires_within_option, json_option, served_chain_options
from pkcs12kit.cli.options.values import Host, OneOf
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.probing.starttls_protocols import STARTTLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from rich.console import RenderableType

    from pkcs12kit.cli.options.expectation import ExpectOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.tls.probing.target import ProbedServer
    from pkcs12kit.verifier.server_reports import ProbeReport

_MOBILEIRON_CORE: Final[dict[int | None, str]] = {443: "devices", 8443: "administrators", 7443: "app store"}
_LARGEST_PORT: Final = 65535
_LONGEST: Final = 3600  # seconds


@click.command(
    "probe",
    cls=Command,
    most_used=("--anchor", "--server-name", "--port", "--mdm", "--device"),
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
  pkcs12kit probe mdm.example.mil --anchor root.pem \\
      --expect server.p12 --password-file password.txt
  pkcs12kit probe www.example.mil --anchor root.pem --expires-within 30d \\
      --timeout 5 --json""",
)
@click.argument("hosts", type=Host(), metavar="HOST[:PORT]...", nargs=-1, required=True)
@served_chain_options
@devices_option
@expires_within_option
@expect_options
@option(
    OptionGroup.NETWORK,
    "--port",
    "ports",
    type=click.IntRange(1, _LARGEST_PORT),
    metavar="N",
    multiple=True,
    help="Probe this port of each host. May be given again. Default: 443, or the port of --starttls.",
)
@option(
    OptionGroup.NETWORK,
    "--mdm",
    is_flag=True,
    help="Probe the ports of a MobileIron Core: 443 (devices), 8443 (administrators), 7443 (app store).",
)
@option(
    OptionGroup.NETWORK,
    "--starttls",
    type=OneOf(list(STARTTLS)),
    help="Begin with this protocol, which then switches to TLS.",
)
@option(
    OptionGroup.NETWORK,
    "--timeout",
    type=click.IntRange(1, _LONGEST),
    metavar="SECONDS",
    default=int(DEFAULT_LIMITS.probe_seconds),
    show_default=True,
    help="The longest time for one server, in total.",
)
@json_option
def command(
    hosts: tuple[str, ...],
    search: SearchOptions,
    ports: tuple[int, ...],
    starttls: str | None,
    devices: tuple[str, ...],
    expires_within: timedelta,
    expect: ExpectOptions,
    timeout: int,
    *,
    mdm: bool,
    as_json: bool,
) -> None:
    """Connect to live servers, and check the certificates that they send against the trust anchor.

    TLS 1.3 and TLS 1.2 are tried one after the other, at an address of the host that answers, and certificates for
    each type of key (RSA, ECDSA and others): five to seven connections as a rule. The certificate must be
    for the host, or for --server-name. The server is not trusted, and no data is sent after the handshake. Servers are
    probed at the same time and reported one by one.

    Exit status 1: a server did not answer, or a check says no.
    """
    from contextlib import closing

    from pkcs12kit.cli.options.search import validation_parameters
    from pkcs12kit.cli.output.console import print_json, warn
    from pkcs12kit.cli.output.progress import probing_progress
    from pkcs12kit.verifier.probe import probe_servers

    if mdm and starttls is not None:
        raise click.UsageError(
            "--mdm probes ports where TLS begins at once, so --starttls has no effect; give one of the two"
        )
    parameters = validation_parameters(search)
    expected = read_expected(expect, parameters.time, as_json=as_json)
    servers = tuple(dict.fromkeys(_servers(hosts, search.server_name, ports, starttls, mdm=mdm)))
    with (
        probing_progress(servers) as on_answer,
        closing(
            probe_servers(
                servers,
                trust_anchors=search.trust_anchors,
                certificates=search.certificates,
                devices=devices,
                parameters=parameters,
                expect=expected,
                expires_within=expires_within,
                timeout=timeout,
                on_answer=on_answer,
            )
        ) as probing,
    ):
        reports = list(probing)
    for warning in dict.fromkeys(warning for report in reports for warning in report.warnings):
        warn(warning)
    answer = all(report.ok for report in reports)
    if not as_json:
        _print_reports(reports)
    if not answer:
        _print_problems(reports)
    if as_json:
        print_json({"ok": answer, "servers": [report.to_json() for report in reports]})
    if not answer:
        sys.exit(1)


def _servers(
    hosts: tuple[str, ...], server_name: str | None, ports: tuple[int, ...], starttls: str | None, *, mdm: bool
) -> Iterator[ProbedServer]:
    """Yield the servers to probe: each host at each port."""
    from pkcs12kit.tls.address import parse_address
    from pkcs12kit.tls.probing.target import probed_server

    labelled: dict[int | None, str] = dict(_MOBILEIRON_CORE if mdm else {})
    for port in ports:
        labelled.setdefault(port, "")
    for host in hosts:
        if labelled and parse_address(host).port is not None:
            raise click.UsageError(f"{host} names a port; leave it out there, or leave out --port and --mdm")
        for at, label in (labelled or {None: ""}).items():
            yield probed_server(host, port=at, server_name=server_name, starttls=starttls, label=label)


def _print_reports(reports: Sequence[ProbeReport]) -> None:
    """Print the servers in their order, with an empty line between them."""
    from pkcs12kit.cli.output.console import print_text

    for number, report in enumerate(reports):
        print_text((*([""] if number else []), *_render(report)))


def _render(report: ProbeReport) -> Iterator[RenderableType]:
    from pkcs12kit.display.findings import changes_tree, findings_tree
    from pkcs12kit.display.handshakes import device_tree
    from pkcs12kit.display.notes import notes_tree
    from pkcs12kit.display.paths import path_tree

    sent, other = report.served_chain, report.served_chain_in_tls_1_2
    findings = (*report.findings, *(() if sent is None else sent.findings))
    yield findings_tree(findings, title=str(report.server), answer=report.ok)
    if other is not None:
        yield findings_tree(other.findings, title=f"{report.server} in TLS 1.2", answer=other.ok)
    if sent is not None and sent.path is not None:
        yield path_tree(sent.path)
    yield from notes_tree(report.notes)
    for one in report.other_chains:
        yield findings_tree(one.report.findings, title=f"{report.server}: {one}", answer=one.report.ok)
        if one.report.path is not None:
            yield path_tree(one.report.path)
    if report.devices:
        yield device_tree(report.devices)
    if report.devices_in_tls_1_2:
        yield device_tree(report.devices_in_tls_1_2, title="By rule, not tried, in TLS 1.2")
    for one in report.other_chains:
        if one.devices:
            yield device_tree(one.devices, title=f"By rule, not tried: {one}")
    if report.changes:
        yield changes_tree(report.changes)


def _print_problems(reports: Sequence[ProbeReport]) -> None:
    """Print the failed checks of each server to standard error, and the hints."""
    from pkcs12kit.cli.output.anchor_hints import hints_for_unfitting_anchor
    from pkcs12kit.cli.output.console import print_error, print_hints

    for report in reports:
        if not report.ok:
            print_error(f"{report.server} failed: {', '.join(report.failed)}")
    print_hints(hint for report in reports for hint in report.hints)
    rejected = (path for report in reports for chain in report.chains for path in chain.report.rejected[:1])
    print_hints(hints_for_unfitting_anchor(rejected))
