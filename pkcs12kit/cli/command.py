"""What all commands have in common: errors name the option, and standard input is read for one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from pkcs12kit.errors import InputError, KeyMismatchError, Pkcs12KitError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_STANDARD_INPUT: Final = "-"
_AFTER_A_NAME: Final = (":", "!", "/", " ")  # a file; a member of a zip; a file in a folder; "key.pem and ..."


class Command(click.Command):
    """A command that says by which option an unreadable input was given."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer options, also where nothing is typed yet: arguments come first, and are there."""
        return super().shell_complete(ctx, incomplete or "-")

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Call it. A mismatch of key and certificate names both already. What may help is noted with each error."""
        from pkcs12kit.cli.output.hints import next_step

        _refuse_shared_standard_input(ctx)
        try:
            return super().invoke(ctx)
        except Pkcs12KitError as error:
            named = _named(ctx, str(error)) if isinstance(error, InputError) else ()
            step = next_step(error, ctx.params, [(parameter.name or "", value) for parameter, value in named])
            if step is not None:
                error.add_note(step)
            if len(named) == 1 and isinstance(named[0][0], click.Option) and not isinstance(error, KeyMismatchError):
                error.args = (f"{named[0][0].opts[0]} {error}",)
            raise


def _values(ctx: click.Context, parameter: click.Parameter) -> tuple[object, ...]:
    """List what was given for a parameter; nothing for what names no input."""
    value = ctx.params.get(parameter.name or "")
    if (parameter.name or "").startswith("output"):
        return ()
    return value if isinstance(value, tuple) else (value,)


def _named(ctx: click.Context, sentence: str) -> tuple[tuple[click.Parameter, str], ...]:
    """Find the parameters whose value the sentence begins with, each with that value.

    A file in a folder that is given too is meant by its own, longer name.
    """
    named = [
        (length, parameter, value)
        for parameter in ctx.command.params
        for value in _values(ctx, parameter)
        if isinstance(value, str) and (length := _length_of_name(sentence, value))
    ]
    longest = max((length for length, _, _ in named), default=0)
    meant = {parameter.opts[0]: (parameter, value) for length, parameter, value in named if length == longest}
    return tuple(meant.values())


def _length_of_name(sentence: str, value: str) -> int:
    """How many characters of the sentence name the input ``value``; 0 where it is not about that."""
    from pkcs12kit.sources.reading import name_of

    try:
        name = name_of(value).rstrip("/")
    except InputError:  # text of several lines: no path, so it is named nowhere
        return 0
    return len(name) if sentence.startswith(name) and sentence[len(name) :].startswith(_AFTER_A_NAME) else 0


def _refuse_shared_standard_input(ctx: click.Context) -> None:
    wanted = [
        parameter.opts[0] if isinstance(parameter, click.Option) else (parameter.metavar or "")
        for parameter in ctx.command.params
        for value in _values(ctx, parameter)
        if value == _STANDARD_INPUT or (value is True and parameter.name == "password_stdin")
    ]
    if len(wanted) > 1 and sorted(wanted) != ["--cert", "--key"]:  # one file may hold both
        raise click.UsageError(f"standard input can be read for one thing, not for {' and '.join(wanted)}", ctx)
