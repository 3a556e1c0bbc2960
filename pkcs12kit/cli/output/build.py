"""The text of a build's answer: the path, the second opinion and the file; or the reason why nothing was written."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_text
from pkcs12kit.errors import OutputError
from pkcs12kit.text import counted, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.builder.report import BuildReport
    from pkcs12kit.errors import PathError
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.report import NoValidPathError
    from pkcs12kit.retrieval.retrieved import Retrieval


@contextmanager
def after_writing(report: BuildReport) -> Iterator[None]:
    """Add to an error of standard output that the file is written, because the exit status says something else."""
    try:
        yield
    except OutputError as error:
        if report.output is None or not report.changed or report.dry_run:
            raise
        names = " and ".join(str(path) for path in (report.output, report.key_output) if path is not None)
        raise OutputError(f"{error}; nevertheless written: {names}") from None


def print_build_report(report: BuildReport, *, err: bool = False) -> None:
    """Print the path, the second opinion, and the file that was written."""
    from rich.text import Text

    from pkcs12kit.display.paths import path_tree

    place = str(report.output) if report.output is not None else "to standard output"
    if report.key_output is not None:
        place += f" and {report.key_output}"
    if not report.changed:
        place += f", which already {'has' if report.key_output is None else 'have'} these contents"
    elif report.change is not None:
        place += f" ({report.change})"
    print_text(
        (
            path_tree(report.path),
            Text(harmless(_second_opinion(report.confirmation)), style="dim"),
            Text(harmless(f"{_verb(report)} {place}: {_contents(report)}"), style="bold green"),
        ),
        err=err,
    )


def _contents(report: BuildReport) -> str:
    chain = counted(len(report.certificates), "certificate")
    size = f"{len(report.data) + len(report.key_data or b''):,} bytes"
    if report.profile is not None:
        return (
            f"{'the private key and ' if report.has_private_key else ''}{chain}, profile {report.profile.name}, {size}"
        )
    return f"PEM, {'the private key, not encrypted, and ' if report.has_private_key else ''}{chain}, {size}"


def _verb(report: BuildReport) -> str:
    if report.dry_run:
        return "Would write" if report.changed else "Would not change"
    return "Wrote" if report.changed else "Did not change"


def _second_opinion(confirmation: Confirmation) -> str:
    from pkcs12kit.paths.confirmation import Opinion

    if confirmation.opinion is Opinion.NOT_ASKED:
        return f"Second opinion: {confirmation.by} was not asked"
    if confirmation.opinion is Opinion.CANNOT_JUDGE:
        return f"Second opinion: {confirmation.by} cannot judge this path"
    return f"Second opinion, by {confirmation.by}: {confirmation.opinion.value}"


def print_refusal(
    no: PathError,
    *,
    as_json: bool,
    sources_given: bool,
    retrievals: Sequence[Retrieval] | None,
) -> None:
    """Print why nothing was built: to standard error, and as JSON to standard output where it was asked for.

    The object has ``error``, a sentence; ``rejected`` and ``successions``, as ``paths --json`` has them;
    ``second_opinion`` where the second opinion is the reason; ``hints`` and ``warnings``; and ``retrievals`` unless
    these are None, which means that nothing was to be fetched.
    """
    from pkcs12kit.paths.report import NoValidPathError

    if isinstance(no, NoValidPathError):
        _print_no_path(no, as_json=as_json, sources_given=sources_given, retrievals=retrievals)
    else:
        print_error(no)
    if as_json:
        fetched = {} if retrievals is None else {"retrievals": [retrieval.to_json() for retrieval in retrievals]}
        print_json(_refusal_to_json(no) | fetched)


def _print_no_path(
    no: NoValidPathError, *, as_json: bool, sources_given: bool, retrievals: Sequence[Retrieval] | None
) -> None:
    from pkcs12kit.cli.output.anchor_hints import hints_for_unfitting_anchor
    from pkcs12kit.cli.output.no_path import hints_for_no_path
    from pkcs12kit.paths.hints import FETCH

    if as_json:  # the object has the attempts, and the sentence stands for them here
        print_error(no)
    else:
        from pkcs12kit.display.paths import rejected_paths

        print_text(rejected_paths(no.report), err=True)
        print_error(f"no valid path from {no.report.target.subject.label} to a trust anchor; nothing was written")
    fetching = FETCH if retrievals is None else None
    hints = hints_for_no_path(no.report, sources_given=sources_given, fetching=fetching, retrievals=retrievals)
    print_hints((*hints, *hints_for_unfitting_anchor(no.report.rejected)))


def _refusal_to_json(no: PathError) -> dict[str, Any]:
    from pkcs12kit.paths.confirmation import ConfirmationError
    from pkcs12kit.paths.report import NoValidPathError

    answer: dict[str, Any] = {"error": str(no), "rejected": []}
    if isinstance(no, NoValidPathError):
        answer["rejected"] = [path.to_json() for path in no.attempts]
        answer["successions"] = [one.to_json() for one in no.report.successions]
    elif isinstance(no, ConfirmationError):
        answer["second_opinion"] = no.confirmation.to_json()
    return answer
