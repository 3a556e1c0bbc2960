"""The text of a rehearsal: the checks, the clients, and the reasons for a no; also for a file that was just built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.cli.output.console import print_error, print_hints, print_text
from pkcs12kit.hints import Hint
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path

    from pkcs12kit.builder.report import BuildReport
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.verifier.server_reports import RehearsalReport


def print_rehearsal(report: RehearsalReport, name: str, *, with_path: bool = True, err: bool = False) -> None:
    """Print the checks of the served chain, the path, the notes, the changes to make, each client and each device."""
    from rich.text import Text

    from pkcs12kit.display.findings import changes_tree, findings_tree
    from pkcs12kit.display.handshakes import device_tree, handshake_table
    from pkcs12kit.display.notes import notes_tree
    from pkcs12kit.display.paths import path_tree

    served = report.served_chain
    asked = f"The clients trusted only the anchor, and asked for {report.server_name}"
    asked += "." if report.server_name_given else ", the name in the certificate, because no --server-name was given."
    print_text(
        (
            findings_tree(served.findings, title=name, answer=report.ok),
            *([] if served.path is None or not with_path else [path_tree(served.path)]),
            *(notes_tree(report.notes) if with_path else ()),
            *([] if not served.changes else [changes_tree(served.changes)]),
            Text(harmless(asked)),
            *handshake_table(report.handshakes, served=served.message.certificates, required=report.required),
            *([] if not report.devices else [device_tree(report.devices)]),
        ),
        err=err,
    )


def rehearse_built(
    built: BuildReport,
    *,
    trust_anchors: Iterable[str | PathLike[str]],
    password: str | None,
    parameters: ValidationParameters,
    limits: Limits,
) -> RehearsalReport:
    """Rehearse the file that was built, or its bytes where it was not written. An error notes that the file stays."""
    from pkcs12kit.builder.pem_output import as_pkcs12
    from pkcs12kit.cli.output.progress import announce_rehearsal, rehearsal_progress
    from pkcs12kit.errors import Pkcs12KitError
    from pkcs12kit.verifier.rehearse import rehearse

    file: bytes | Path = built.data if built.output is None or built.dry_run else built.output
    if built.profile is None:
        file, password = as_pkcs12(built.key_data or built.data, built.certificates)
    announce_rehearsal((), limits)
    try:
        with rehearsal_progress(()) as on_progress:
            return rehearse(
                file,
                trust_anchors=trust_anchors,
                password=password,
                parameters=parameters,
                on_progress=on_progress,
                limits=limits,
            )
    except Pkcs12KitError as error:
        error.hints = (*error.hints, *_hints_for_built(built))
        raise


def print_problems_of_built(report: RehearsalReport, built: BuildReport) -> None:
    """Print why the rehearsal of a file that was just built says no, and that the file stays."""
    print_problems(report, "the new file" if built.output is None else str(built.output))
    print_hints(_hints_for_built(built))


def _hints_for_built(built: BuildReport) -> tuple[Hint, ...]:
    if built.dry_run:
        return ()
    place = "standard output" if built.output is None else str(built.output)
    return (Hint(text=f"{place} has the new file, whose path is valid; only the rehearsal failed"),)


def print_problems(report: RehearsalReport, name: str) -> None:
    """Print the failed checks, clients and devices to standard error, and the hints."""
    from pkcs12kit.cli.output.anchor_hints import hints_for_unfitting_anchor
    from pkcs12kit.cli.output.input_steps import with_file_command

    chain = report.served_chain
    untried = report.not_tried
    failed = [one for one in report.failed if one not in untried]
    parts = [f"failed: {', '.join(failed)}"] if failed else []
    if untried:
        parts.append(f"{'' if failed else 'failed: '}not tried, but required: {', '.join(untried)}")
    print_error(f"{name} {'; '.join(parts)}")
    hints = with_file_command(report.hints, chain.findings, next(iter(chain.message.certificates), None))
    print_hints((*hints, *hints_for_unfitting_anchor(chain.rejected)))
