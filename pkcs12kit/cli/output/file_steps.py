"""The command that shows more about a file that ``verify`` says no for, where no other hint has a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from pkcs12kit.cli.output.next_steps import for_its_own_name
from pkcs12kit.cli.output.replay import command_line
from pkcs12kit.findings import Check
from pkcs12kit.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.verifier.reports import VerificationReport

_STANDARD_INPUT: Final = "-"
_PASSWORD: Final = "password_file"  # noqa: S105  # the name of a parameter


def with_command(hints: tuple[Hint, ...], report: VerificationReport) -> tuple[Hint, ...]:
    """Return the hints for a file with at least one command, if the file has a name."""
    context = click.get_current_context(silent=True)
    given = {} if context is None else context.params
    if given.get("file") in {None, _STANDARD_INPUT} or any(hint.command is not None for hint in hints):
        return hints
    problems = {finding.check for finding in report.findings if finding.is_problem}
    return (*hints, *_showing(report, problems, given))


def _showing(report: VerificationReport, problems: set[Check], given: dict[str, Any]) -> Iterator[Hint]:
    """Yield the call with the file's own server name, or the one that lists what is in the file."""
    if problems == {Check.SERVER_NAME} and report.target is not None:
        yield Hint(text="check it for the name that it has", command=for_its_own_name(report.target))
        return
    files = [name for name in (given["file"], given.get("key")) if name not in {None, _STANDARD_INPUT}]
    opened = _options(given, ("--password-file", _PASSWORD))
    text = "list which key fits which certificate" if Check.PRIVATE_KEY in problems else "list what is in the file"
    yield Hint(text=text, command=command_line("pkcs12kit", "show", *files, *opened))


def _options(given: dict[str, Any], *options: tuple[str, str]) -> Iterator[str]:
    """Yield options of another command, each with the value of a parameter of this call that has one."""
    for name, parameter in options:
        if given.get(parameter):
            yield from (name, given[parameter])
