"""``pkcs12kit demo``: the main job, self-contained."""

from __future__ import annotations

import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.values import FOLDER


@click.command(
    "demo",
    cls=Command,
    epilog="""\b
Examples:
  pkcs12kit demo
  pkcs12kit demo somewhere/else""",
)
@click.argument("folder", type=FOLDER, metavar="[FOLDER]", default="demo")
def command(folder: str) -> None:
    """Do the main job on a replica of the Federal PKI, in FOLDER (default: demo).

    Makes a lab in FOLDER/lab, builds FOLDER/server.p12 from its key, its certificate and its heap of CA certificates,
    takes the file apart, and rehearses it: serves it on loopback to TLS clients that trust the anchor alone. The
    password is in FOLDER/password.txt, the trust anchor in FOLDER/anchor.pem. A FOLDER with files of these names that
    no earlier demo wrote is refused.
    """
    from pkcs12kit.builder import build
    from pkcs12kit.cli.output import print_build_report, print_lines, print_text, warn
    from pkcs12kit.cli.rehearsal_output import explain_refusal_of_built, print_rehearsal, rehearse_built
    from pkcs12kit.display.harmless import harmless
    from pkcs12kit.display.pfx import pfx_tree
    from pkcs12kit.lab import make_replica
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.pkcs12.inspection import inspect_pfx
    from pkcs12kit.pkcs12.writing import write_private

    root = Path(folder)
    output, password_file, anchor = root / "server.p12", root / "password.txt", root / "anchor.pem"
    _refuse_files_of_others(root, output, password_file, anchor)
    click.echo("Making a replica of the Federal PKI: loops, expired and parallel cross-certificates ...", err=True)
    replica = make_replica()
    files = replica.write(root / "lab")
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
    print_build_report(report)
    print_text(["", pfx_tree(inspect_pfx(output, password=password), title=str(output))])
    shown = {
        name: harmless(path) for name, path in (("file", output), ("password", password_file), ("lab", files.folder))
    }
    parameters = ValidationParameters(time=datetime.now(UTC), server_name=replica.server_name)
    rehearsal = rehearse_built(
        report, trust_anchors=[anchor], password=password, parameters=parameters, limits=DEFAULT_LIMITS
    )
    print_lines("")
    print_rehearsal(rehearsal, "Rehearsal", with_path=False)
    program = harmless(_as_called())
    print_lines(
        f"\nThe password is in {shown['password']}. Try:\n"
        f"  {program} inspect {shown['file']} --password-file {shown['password']}\n"
        f"  openssl pkcs12 -in {shown['file']} -nokeys -info -passin file:{shown['password']}\n"
        f"  {program} rehearse {shown['file']} --anchor {harmless(anchor)} --password-file {shown['password']}\n"
        f"  {program} paths {shown['lab']}/server.pem --certs {shown['lab']}/certs --anchor {harmless(anchor)} --all"
    )
    if not rehearsal:
        explain_refusal_of_built(rehearsal, report)
        sys.exit(1)


def _as_called() -> Path:
    """Say how to call the command again: by its name alone where the shell finds it, else as it was called now."""
    name, called = Path("pkcs12kit"), Path(sys.argv[0])
    return called if called.name == name.name and shutil.which(name) is None else name


def _refuse_files_of_others(root: Path, *files: Path) -> None:
    """Write over what an earlier demo wrote, and over nothing else."""
    from pkcs12kit.errors import OutputError
    from pkcs12kit.lab.folder import MARKER_FILE

    if (root / "lab" / MARKER_FILE).is_file():
        return
    for file in files:
        if file.exists():
            raise OutputError(f"{file} is there and no earlier demo wrote it; name another folder")
