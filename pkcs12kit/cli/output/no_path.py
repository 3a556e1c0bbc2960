"""The hints for a search of a command without a valid path: those of the library, with the user's call to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.cli.output.next_steps import with_commands
from pkcs12kit.hints import Hint
from pkcs12kit.paths import hints
from pkcs12kit.shell_words import quote_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.retrieval.retrieved import Retrieval


def hints_for_no_path(
    report: PathReport,
    *,
    sources_given: bool,
    fetching: Hint | None = None,
    retrievals: Sequence[Retrieval] | None = None,
) -> tuple[Hint, ...]:
    """Return the hints of :func:`pkcs12kit.paths.hints.hints_for_no_path`, with commands.

    ``retrievals`` are the outcomes of fetching, None where nothing was to be fetched.
    """
    if retrievals is not None:
        from pkcs12kit.retrieval.hints import hints_after_fetching

        found = hints_after_fetching(report, retrievals, sources_given=sources_given)
    else:
        may_fetch = fetching is not None
        found = hints.hints_for_no_path(report, sources_given=sources_given, fetching=fetching, may_fetch=may_fetch)
    return with_commands(found, report.rejected[0]) if report.rejected else found


def hints_for_graph(target: str) -> tuple[Hint, ...]:
    """Return the hint for a picture in which no path of the file ``target`` is valid."""
    return (Hint(text="show the reason", command=f"pkcs12kit paths {quote_word(target)} --certs SOURCE --anchor FILE"),)
