"""``pkcs12kit demo``: the main job, self-contained."""

from __future__ import annotations

import secrets
from pathlib import Path

import click


@click.command("demo")
@click.argument("folder", metavar="[FOLDER]", default="demo")
def command(folder: str) -> None:
    r"""Do the main job on a replica of the Federal PKI, in FOLDER (default: demo).

    Makes a lab in FOLDER/lab, builds FOLDER/server.p12 from its key, its certificate and its heap of CA certificates,
    and takes the file apart. The password is in FOLDER/password.txt, the trust anchor in FOLDER/anchor.pem.

    \b
    Example:
      pkcs12kit demo
    """
    from pkcs12kit.builder import build
    from pkcs12kit.cli.output import print_build_report, print_text, warn
    from pkcs12kit.display.text import pfx_tree
    from pkcs12kit.lab import make_replica
    from pkcs12kit.pkcs12.inspection import inspect_pfx
    from pkcs12kit.pkcs12.writing import write_private

    root = Path(folder)
    click.echo(
        "Making a replica of the Federal PKI: names, loops, expired and parallel cross-certificates ...", err=True
    )
    replica = make_replica()
    files = replica.write(root / "lab")
    password = secrets.token_urlsafe(18)
    write_private(root / "password.txt", f"{password}\n".encode())
    write_private(root / "anchor.pem", files.trust_anchor.read_bytes())
    report = build(
        key=files.key,
        certificate=files.certificate,
        certificates=[files.certificates],
        trust_anchors=[root / "anchor.pem"],
        output=root / "server.p12",
        password=password,
        server_name=replica.server_name,
        friendly_name=replica.server_name,
    )
    warn((*report.rejects, *report.warnings))
    print_build_report(report)
    print_text([pfx_tree(inspect_pfx(root / "server.p12", password=password), title=str(root / "server.p12"))])
    click.echo(f"\nThe password is in {root / 'password.txt'}. Try:")
    click.echo(f"  pkcs12kit inspect {root / 'server.p12'} --password-file {root / 'password.txt'}")
    click.echo(f"  openssl pkcs12 -in {root / 'server.p12'} -nokeys -info -passin file:{root / 'password.txt'}")
