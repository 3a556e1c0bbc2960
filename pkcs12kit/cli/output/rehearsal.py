"""A rehearsal on the screen: progress while clients are asked, and what came of it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pkcs12kit.cli.output.console import hint, print_error, print_text
from pkcs12kit.cli.output.hints import about_time
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike

    from pkcs12kit.builder.build import BuildReport
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.tls.handshake import Handshake
    from pkcs12kit.verifier.reports import RehearsalReport


@contextmanager
def progress() -> Iterator[Callable[[Handshake], object] | None]:
    """Show on standard error what came last, while clients are asked; at a terminal only."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text("Serving on loopback, and asking clients ...")) as status:

        def tell(handshake: Handshake) -> None:
            came = f"{handshake.client}, {handshake.protocol}: {handshake.verdict.value.replace('-', ' ')}"
            status.update(Text(harmless(f"Asking clients ... {came}")))

        yield tell


def print_rehearsal(report: RehearsalReport, name: str, *, with_path: bool = True, err: bool = False) -> None:
    """Print the strict reading, the path, what to change, each client and each device."""
    from rich.text import Text

    from pkcs12kit.display.findings import changes_tree, findings_tree
    from pkcs12kit.display.handshakes import device_tree, handshake_table
    from pkcs12kit.display.paths import path_tree

    sent = report.served_chain
    asked = f"Clients were told to trust the anchor alone, and asked for {report.server_name}"
    asked += "." if report.server_name_given else ", the name in the certificate: no --server-name was given."
    print_text(
        (
            findings_tree(sent.findings, title=name, answer=report.ok),
            *([] if sent.path is None or not with_path else [path_tree(sent.path)]),
            *([] if not sent.changes else [changes_tree(sent.changes)]),
            Text(harmless(asked)),
            *handshake_table(report.handshakes, served=sent.message.certificates, required=report.required),
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
    """Rehearse what was built, from its file if there is one. Raises what cannot be served, and says that it stays."""
    from pkcs12kit.errors import Pkcs12KitError
    from pkcs12kit.verifier.rehearse import rehearse

    try:
        with progress() as tell:
            return rehearse(
                built.data if built.output is None or built.dry_run else built.output,
                trust_anchors=trust_anchors,
                password=password,
                parameters=parameters,
                on_progress=tell,
                limits=limits,
            )
    except Pkcs12KitError:
        _say_that_it_stays(built)
        raise


def explain_refusal_of_built(report: RehearsalReport, built: BuildReport) -> None:
    """Say on standard error who says no to what was built, and that the file stays."""
    explain_refusal(report, "what was built" if built.output is None else str(built.output))
    _say_that_it_stays(built)


def _say_that_it_stays(built: BuildReport) -> None:
    if built.dry_run:
        return
    where = "standard output" if built.output is None else str(built.output)
    hint(f"{where} holds what was built all the same, a valid path: only the rehearsal is in question")


def explain_refusal(report: RehearsalReport, name: str) -> None:
    """Say on standard error who says no, and what helps."""
    untried = report.not_tried
    said_no = [name for name in report.failed if name not in untried]
    parts = [f"would not be accepted: {', '.join(said_no)}"] if said_no else []
    if untried:
        parts.append(f"not tried, and has to accept: {', '.join(untried)}")
    print_error(f"{name}: {'; '.join(parts)}")
    wrong_time = about_time(report.served_chain.rejected)
    if wrong_time is not None:
        hint(wrong_time)
    elif report.served_chain.changes:
        hint("pkcs12kit build --pkcs12 FILE --certs SOURCE --anchor FILE --out NEW.p12 writes it anew, in order")
