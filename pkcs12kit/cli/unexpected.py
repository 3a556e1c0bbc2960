"""The end of a call that failed for an error in pkcs12kit itself: exit status 70, which is never an answer.

The text of an exception that nobody foresaw may hold parts of the input. It is shown only with ``--debug``.
"""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.output.console import hint, print_error
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEBUG: Final = "--debug"
_JSON: Final = "--json"


def report_unexpected(error: BaseException, arguments: Sequence[str]) -> None:
    """Write to standard error that an error in pkcs12kit ended the call, and ask for a report.

    ``arguments`` are those of the call. With ``--json`` among them standard output gets an object with ``error``, the
    same sentence; with ``--debug`` standard error gets the traceback. The options are looked for among the words of the
    call, because the error may have come before they were understood.
    """
    sentence = (
        f"an error in pkcs12kit itself ({type(error).__name__}), which says nothing about your files: please report it,"
        " with the call and the version of pkcs12kit"
    )
    if _JSON in arguments:
        with suppress(OSError, ValueError):  # standard output may be the thing that failed
            click.echo(json.dumps({"error": sentence}, indent=2))
            sys.stdout.flush()
    if _DEBUG in arguments:
        for line in "".join(traceback.format_exception(error)).splitlines():
            click.echo(harmless(line), err=True)
    print_error(sentence)
    if _DEBUG not in arguments:
        hint(f"pkcs12kit {_DEBUG} COMMAND ... shows where. Read it before you send it: it may hold parts of your input")
