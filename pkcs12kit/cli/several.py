"""Several values after one option, as a shell makes them of ``--certs certs/*.cer``.

Click gives an option one value; every further word is an argument of the command. Here the words that directly follow
the value of an option become more values of it, where the call can be read in no other way:

- A call that has no more words than the command has arguments keeps its meaning: in ``paths --certs a.pem b.pem`` the
  certificate is b.pem.
- In a command with any number of arguments, a word that cannot be one, such as a file where hosts are expected, is a
  value. A word that can be both is an argument if none stands elsewhere.
- Otherwise each argument has to stand where no option can claim it: before the options, after a flag, after an option
  that takes one value, or after ``--``. Any other call is an error that says how to write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from os.path import lexists
from typing import TYPE_CHECKING

import click

from pkcs12kit.errors import InputError
from pkcs12kit.shell_words import quote_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A word of the call that is neither an option nor the first value of one."""

    text: str
    place: int
    """Its index in the call."""
    option: click.Option | None
    """The option whose values it directly follows; None where it can only be an argument."""
    value: str = ""
    """The value of this option that stands before it."""


def takes_several(option: click.Parameter | None) -> bool:
    """Return True for an option that takes all words after it as values.

    It may be given again, its values are not free text (a name of two words would become two names), and it adds no
    trust (a misplaced word would be trusted).
    """
    return _may_be_repeated(option) and bool(getattr(option, "several", True))


def open_option(args: Sequence[str], parameters: Sequence[click.Parameter]) -> click.Option | None:
    """Return the option that would take the next word of the call as another value; None where there is none."""
    words = list(_words([*args, "next"], parameters))
    last = words[-1] if words else None
    return last.option if last is not None and last.place == len(args) and takes_several(last.option) else None


def with_options_repeated(args: Sequence[str], parameters: Sequence[click.Parameter], ctx: click.Context) -> list[str]:
    """Return the call as click reads it: the option before each of its values.

    Raises :class:`click.UsageError` for a call that can be read in two ways, or that has too many words.
    """
    words = list(_words(args, parameters))
    arguments = [one for one in parameters if isinstance(one, click.Argument)]
    if any(one.nargs < 0 for one in arguments):
        return _repeated(args, _values_among_arguments(words, arguments[-1], ctx))
    room = sum(one.nargs for one in arguments)
    if len(words) <= room:
        return list(args)
    values = [word for word in words if takes_several(word.option)]
    if len(words) - len(values) > room:
        _refuse_too_many(words, room, ctx)  # where it returns, click names the words
    elif len(words) - len(values) < room:
        raise _unclear(values[0], arguments[0], ctx)
    return _repeated(args, values)


def _repeated(args: Sequence[str], values: Sequence[_Word]) -> list[str]:
    """Return the call with the option before each of the words that are values of it."""
    repeated = {word.place: word.option.opts[0] for word in values if word.option is not None}
    return [part for place, text in enumerate(args) for part in (repeated.get(place), text) if part is not None]


def _words(args: Sequence[str], parameters: Sequence[click.Parameter]) -> Iterator[_Word]:
    """Yield the words of a call that click would take as arguments of the command."""
    options = {name: one for one in parameters if isinstance(one, click.Option) for name in one.opts}
    place, option, value = 0, None, ""
    while place < len(args):
        text = args[place]
        if text == "--":
            yield from (_Word(text=args[at], place=at, option=None) for at in range(place + 1, len(args)))
            return
        if text.startswith("-") and text != "-":
            name, attached, value = text.partition("=")
            option = options.get(name)
            if option is not None and (option.is_flag or option.count):
                option = None
            if option is not None and not attached:
                place += 1  # the value, whatever it looks like
                value = args[place] if place < len(args) else ""
        else:
            yield _Word(text=text, place=place, option=option, value=value)
        place += 1


def _may_be_repeated(option: click.Parameter | None) -> bool:
    return isinstance(option, click.Option) and option.multiple and option.type is not click.STRING


def _values_among_arguments(words: Sequence[_Word], argument: click.Argument, ctx: click.Context) -> list[_Word]:
    """Return the words that are values, in a command with any number of arguments.

    Raises :class:`click.UsageError` for a word that could be both, if an argument stands elsewhere.
    """
    possible = [word for word in words if _could_be_value(word)]
    unclear = [word for word in possible if _converts(argument, word.text)]
    if unclear and len(possible) < len(words):
        raise _unclear(unclear[0], argument, ctx)
    return [word for word in possible if word not in unclear and takes_several(word.option)]


def _could_be_value(word: _Word) -> bool:
    option = word.option
    if option is None or not _may_be_repeated(option) or getattr(option, "like_arguments", False):
        return False
    return _converts(option, word.text) and (not _is_file(option) or word.text == "-" or lexists(word.text))


def _converts(parameter: click.Parameter, text: str) -> bool:
    try:
        parameter.type.convert(text, parameter, None)
    except (click.UsageError, InputError):
        return False
    return True


def _is_file(option: click.Option) -> bool:
    return option.type.name == "file"


def _unclear(word: _Word, argument: click.Argument, ctx: click.Context) -> click.UsageError:
    """Return the error for a word that could be another value of an option, or an argument."""
    option = word.option.opts[0] if word.option is not None else ""
    name = argument.make_metavar(ctx).removesuffix("...").strip("[]").partition("[")[0]
    if argument.nargs > 0:
        cure = f"write {name} before the options"
    else:
        again = f"{option} {quote_word(word.value)} {option} {quote_word(word.text)}"
        cure = f"write each {name} before the options, and for several values repeat the option: {again}"
    return click.UsageError(
        f"{word.text} after {option} {word.value} could be another value of {option}, or {name}: {cure}", ctx
    )


def _refuse_too_many(words: Sequence[_Word], room: int, ctx: click.Context) -> None:
    """Raise an error that names the option before a word that is too many; return where no option stands before it."""
    surplus = [word for word in words if not takes_several(word.option)][room:]
    word = next((one for one in surplus if one.option is not None), None)
    if word is None or word.option is None:
        return
    option = word.option.opts[0]
    again = f"{option} {quote_word(word.value)} {option} {quote_word(word.text)}"
    if not word.option.multiple:
        cure = f"{option} takes one value"
    elif _is_file(word.option):
        cure = f"each file of {option} is trusted, so the option has to be repeated for each: {again}"
    else:
        cure = f"a value with spaces needs quotation marks, and for another value the option is repeated: {again}"
    raise click.UsageError(f"got unexpected extra argument ({word.text}) after {option} {word.value}: {cure}", ctx)
