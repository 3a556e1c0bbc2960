"""Commands of hints, checked without running them: tests/broken runs them."""

from __future__ import annotations

import re
import shlex

import click

from pkcs12kit.cli import cli

# Hints that repeat the call with another input.
_REPEATED = re.compile(
    r"^hint: (?:with (?:the right (?:file|password in a file)|that name|another name for the new file|the private key"
    r" in a file of its own)|as a CRL|the other way round|list which key fits which certificate|list what is in the"
    r" file|check it for the name that it has): (pkcs12kit .*)\n",
    re.MULTILINE,
)


def require_parsable(command):
    """Check that a command of a hint, if it is one of ours, has options that exist, each with a value that it takes."""
    program, name, *words = shlex.split(command or "another program")
    if program == "pkcs12kit" and words not in ([], ["--help"]):
        context = click.Context(cli, **cli.context_settings)
        given = ["java-17" if word == "READER" else word for word in words]
        cli.get_command(context, name).make_context(name, given, parent=context)


def without_repeated_calls(errors, arguments):
    """Return standard error without the hints that repeat the call, after checking each.

    Its command is another than the call, parses, and names a file instead of standard input.
    """
    for command in _REPEATED.findall(errors):
        words = shlex.split(command)
        assert words[1:] != [*map(str, arguments)], "the hint is the call that failed"
        assert "-" not in words, "nothing is left on standard input"
        require_parsable(command)
    return _REPEATED.sub("", errors)
