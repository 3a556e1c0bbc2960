"""The user's call with a change, as a command to copy: the next step after an answer of no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from pkcs12kit.shell_words import join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STANDARD_INPUT: Final = "-"
_PATHS: Final = "paths"
_PICTURES: Final = frozenset({"--svg", "--dot", "--mermaid"})
_NOT_REPEATED: Final = frozenset({"as_json"})
_MOST_WORDS: Final = 100
"""Words of a command that someone still copies: a longer one is not shown."""
_TARGET: Final = "certificate"


def again(**changes: object) -> str | None:
    """Return the current call with other values; None takes a parameter out.

    Pictures and ``--json`` are left out. Returns None where no command runs, or where the call cannot be repeated: it
    read standard input, or has too many words.
    """
    context = click.get_current_context(silent=True)
    return None if context is None else _written(context, context.command, changes)


def paths_again(**changes: object) -> str | None:
    """Return the call of ``paths`` for the certificate, the sources and the requirements of the current call.

    Returns None where :func:`again` does, and where the certificate has no file of its own.
    """
    context = click.get_current_context(silent=True)
    if context is None or not (changes.get(_TARGET) or context.params.get(_TARGET)):
        return None
    return call_of(_PATHS, **changes)


def call_of(name: str, **changes: object) -> str | None:
    """Return the call of another command with the values of the current call for the parameters that both have.

    Returns None where :func:`again` does.
    """
    context = click.get_current_context(silent=True)
    commands = None if context is None else context.find_root().command
    command = commands.get_command(context, name) if context and isinstance(commands, click.Group) else None
    return None if context is None or command is None else _written(context, command, changes)


def given_files() -> tuple[str, ...]:
    """Return the files and folders with certificates of the current call, each once; none for standard input."""
    context = click.get_current_context(silent=True)
    params: Mapping[str, Any] = {} if context is None else context.params
    values = (params.get(name) for name in (_TARGET, "pkcs12", "certificates", "trust_anchors"))
    return tuple(dict.fromkeys(word for value in values for word in _words(value) if word != _STANDARD_INPUT))


def command_line(*words: str) -> str | None:
    """Return words as a command that a shell reads; None if they are too many to copy."""
    return join_words(words) if len(words) <= _MOST_WORDS else None


def _written(context: click.Context, command: click.Command, changes: Mapping[str, object]) -> str | None:
    arguments: list[str] = []
    options: list[str] = []
    for parameter in command.params:
        name = parameter.name or ""
        value = changes[name] if name in changes else _given(context, name)
        if _is_picture(parameter) or name in _NOT_REPEATED or value is None or value is False:
            continue
        values = tuple(_words(value, parameter.type))
        if _STANDARD_INPUT in values:
            return None
        if isinstance(parameter, click.Option):
            options += _option(parameter, values)
        else:
            arguments += values
    return command_line("pkcs12kit", command.name or _PATHS, *map(_as_argument, arguments), *options)


def _option(parameter: click.Option, values: Iterable[str]) -> Iterator[str]:
    if parameter.is_flag:
        yield parameter.opts[0]
        return
    for value in values:
        yield from (f"{parameter.opts[0]}={value}",) if value.startswith("-") else (parameter.opts[0], value)


def _given(context: click.Context, name: str) -> object:
    """Return the value of a parameter that the user gave; None for a default."""
    is_given = context.get_parameter_source(name) in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}
    return context.params.get(name) if is_given else None


def _is_picture(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and parameter.opts[0] in _PICTURES


def _as_argument(word: str) -> str:
    return f"./{word}" if word.startswith("-") else word


def _words(value: object, kind: click.ParamType[Any] | None = None) -> Iterator[str]:
    """Yield the values of a parameter as they are typed: by the ``typed`` of its type where it has other values."""
    typed = getattr(kind, "typed", str)
    for each in value if isinstance(value, tuple) else (value,):
        if each is not None:
            yield each if isinstance(each, str) else typed(each)
