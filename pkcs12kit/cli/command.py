"""What all commands have in common: errors name the option, and standard input is read for one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from pkcs12kit.errors import InputError, KeyMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD_INPUT: Final = "-"
_AFTER_A_NAME: Final = (":", "!", "/", " ")  # a file; a member of a zip; a file in a folder; "key.pem and ..."


class Command(click.Command):
    """A command that says by which option an unreadable input was given."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Call it. A mismatch of key and certificate names both already."""
        _refuse_shared_standard_input(ctx)
        try:
            return super().invoke(ctx)
        except KeyMismatchError:
            raise
        except InputError as error:
            given_by = _option_of(ctx, str(error))
            if given_by is None:
                raise
            raise type(error)(f"{given_by} {error}") from None


def _inputs(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """List the options that were given, with each value that may name an input."""
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        if isinstance(parameter, click.Option) and parameter.name != "output":
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, str):
                    yield parameter.opts[0], item


def _option_of(ctx: click.Context, sentence: str) -> str | None:
    """Find the option whose value the sentence begins with; None where there is none, or no one alone."""
    from pkcs12kit.sources.reading import name_of

    options = set()
    for option, value in _inputs(ctx):
        name = name_of(value).rstrip("/")
        if name and sentence.startswith(name) and sentence[len(name) :].startswith(_AFTER_A_NAME):
            options.add(option)
    return options.pop() if len(options) == 1 else None


def _refuse_shared_standard_input(ctx: click.Context) -> None:
    wanted = [option for option, value in _inputs(ctx) if value == _STANDARD_INPUT]
    wanted += ["--password-stdin"] * bool(ctx.params.get("password_stdin"))
    if ctx.params.get("file") == _STANDARD_INPUT:  # inspect's argument
        wanted.append("FILE")
    if ctx.params.get("certificate") == _STANDARD_INPUT and "--cert" not in wanted:  # paths' argument
        wanted.append("CERT")
    if len(wanted) > 1 and sorted(wanted) != ["--cert", "--key"]:  # one file may hold both
        raise click.UsageError(f"standard input can be read for one thing, not for {' and '.join(wanted)}")
