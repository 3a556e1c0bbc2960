"""The options for what ``paths`` answers: the best path of one time, every path of it, or the periods of all times."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from pkcs12kit.cli.command import OptionGroup, option

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.cli.options.pictures import PictureOptions
    from pkcs12kit.cli.options.search import SearchOptions


def answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--all`` and ``--when``; the command gets them as ``every`` and ``when``.

    Options that would have no effect with ``--when`` are refused.
    """

    @option(
        OptionGroup.OUTPUT,
        "--all",
        "every",
        is_flag=True,
        help="Show every valid path and every rejected one, instead of only the best.",
    )
    @option(
        OptionGroup.OUTPUT,
        "--when",
        is_flag=True,
        help="Show for all times when a path was, is and will be valid, to the second, with the best path of each time"
        " and what began and ended it. Exit status 1: no path is valid now, or at --at. Revocation is not checked.",
    )
    @wraps(command)
    def with_answer(
        *,
        when: bool,
        every: bool,
        search: SearchOptions,
        pictures: PictureOptions,
        **given: Any,  # noqa: ANN401  # whatever else the command takes
    ) -> Any:  # noqa: ANN401  # click's
        if when:
            _require_fitting(search, pictures, every=every)
        return command(when=when, every=every, search=search, pictures=pictures, **given)

    decorated: Callable[..., Any] = with_answer
    return decorated


def _require_fitting(search: SearchOptions, pictures: PictureOptions, *, every: bool) -> None:
    """Raise :class:`click.UsageError` for an option that would be ignored."""
    if every:
        raise click.UsageError("--when shows the best path of each time; --all shows every path of one time")
    if search.crls or search.ocsp_responses or search.revocation not in {None, "off"}:
        raise click.UsageError(
            "--when does not check revocation, as a CRL or an OCSP response is about one time; leave out --crl, --ocsp"
            " and --revocation, or ask for one time with --at"
        )
    if search.revocation_max_age is not None:
        raise click.UsageError("--when does not check revocation: leave out --revocation-max-age")
    if pictures.dot is not None or pictures.mermaid is not None:
        raise click.UsageError("--when draws a timeline, which only --svg can write")
