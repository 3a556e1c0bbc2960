"""``pkcs12kit demo``: the main job on a replica of the Federal PKI."""

from __future__ import annotations

import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.search import json_option
from pkcs12kit.cli.options.values import OUTPUT_FOLDER

_MARKER_FILE: Final = ".pkcs12kit-demo"
"""It shows that the files of these names are a demo's. The lab's own marker does not: anyone may have made the lab."""


@click.command(
    "demo",
    cls=Command,
    epilog="""\b
Examples:
  pkcs12kit demo
  pkcs12kit demo somewhere/else
  pkcs12kit demo --json""",
)
@click.argument("folder", type=OUTPUT_FOLDER, metavar="[FOLDER]", default="demo")
@json_option
def command(folder: str, *, as_json: bool) -> None:
    """Run the main job on a replica of the Federal PKI, in FOLDER (default: demo).

    The demo writes a lab to FOLDER/lab, builds FOLDER/server.p12 from the lab's key, certificate and CA certificates,
    shows the contents of the file, and rehearses it: it serves the file on loopback to TLS clients that trust only the
    anchor. The password is in FOLDER/password.txt, the trust anchor in FOLDER/anchor.pem. If FOLDER has files of these
    names that were not written by an earlier demo, nothing is written.

    Exit status 1: the rehearsal says no.
    """
    from pkcs12kit.builder.build import build
    from pkcs12kit.cli.output.build import print_build_report
    from pkcs12kit.cli.output.console import as_typed, print_json, print_lines, print_text, warn
    from pkcs12kit.cli.output.rehearsal import print_problems_of_built, print_rehearsal, rehearse_built
    from pkcs12kit.display.pfx import pfx_tree
    from pkcs12kit.files import write_private
    from pkcs12kit.lab import make_replica, write
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.sources.pkcs12_files import inspect_pfx
    from pkcs12kit.text import harmless

    root = Path(folder)
    output, password_file, anchor = root / "server.p12", root / "password.txt", root / "anchor.pem"
    _require_no_other_files(root, output, password_file, anchor)
    click.echo("Making a replica of the Federal PKI, cross-certificates included ...", err=True)
    replica = make_replica()
    files = write(replica, root / "lab")
    write_private(root / "lab" / _MARKER_FILE, b"pkcs12kit demo replaces files in this folder.\n")
    password = secrets.token_urlsafe(18)
    write_private(password_file, f"{password}\n".encode())
    write_private(anchor, files.trust_anchor.read_bytes())
    report = build(
        key=files.key,
        certificate=files.certificate,
        certificates=[files.certificates],
        trust_anchors=[anchor],
        output=output,
        password=password,
        server_name=replica.server_name,
        friendly_name=replica.server_name,
        on_warning=warn,
    )
    anatomy = inspect_pfx(output, password=password)
    if not as_json:
        print_build_report(report)
        print_text(["", pfx_tree(anatomy, title=str(output)), ""])
    parameters = ValidationParameters(time=datetime.now(UTC), server_name=replica.server_name)
    rehearsal = rehearse_built(
        report, trust_anchors=[anchor], password=password, parameters=parameters, limits=DEFAULT_LIMITS
    )
    if not as_json:
        print_rehearsal(rehearsal, "Rehearsal", with_path=False)
        to_open = ("--password-file", password_file)
        calls = (
            (_as_called(), "inspect", output, *to_open),
            ("openssl", "pkcs12", "-in", output, "-nokeys", "-info", "-passin", f"file:{password_file}"),
            (_as_called(), "rehearse", output, "--anchor", anchor, *to_open),
            (_as_called(), "paths", files.certificate, "--certs", files.certificates, "--anchor", anchor, "--all"),
        )
        print_lines(f"\nThe password is in {harmless(password_file)}. Try:")
        for call in calls:
            print_lines(as_typed(call))
    if not rehearsal.ok:
        print_problems_of_built(rehearsal, report)
    if as_json:
        made = {"folder": str(root), "file": str(output), "password_file": str(password_file), "anchor": str(anchor)}
        reports = {"build": report.to_json(), "inspect": anatomy.to_json(), "rehearsal": rehearsal.to_json()}
        print_json({"ok": rehearsal.ok, **made, "lab": files.to_json(), **reports})
    if not rehearsal.ok:
        sys.exit(1)


def _as_called() -> Path:
    """Return how to call the command again: by its name where the shell finds it, else by the path of this call."""
    name, called = Path("pkcs12kit"), Path(sys.argv[0])
    return called if called.name == name.name and shutil.which(name) is None else name


def _require_no_other_files(root: Path, *files: Path) -> None:
    """Raise :class:`~pkcs12kit.OutputError` where one of the files exists and no earlier demo wrote it."""
    from pkcs12kit.errors import OutputError

    try:
        is_of_a_demo = (root / "lab" / _MARKER_FILE).is_file()
        there = [file for file in files if file.exists()]
    except OSError as error:
        raise OutputError(f"cannot write the demo to {root}: {error.strerror}") from None
    if there and not is_of_a_demo:
        raise OutputError(f"{there[0]} already exists, and no earlier demo wrote it; give another folder")
