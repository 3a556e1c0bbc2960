"""The base of all commands: options in groups, errors that name the option, one reader of standard input."""

from __future__ import annotations

import os
from enum import Enum
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import click

from pkcs12kit.cli.options.values import Place
from pkcs12kit.cli.output import messages
from pkcs12kit.cli.patterns import expanded
from pkcs12kit.cli.several import open_option, takes_several, with_options_repeated
from pkcs12kit.errors import InputError, KeyChoiceError, KeyMismatchError, Pkcs12KitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from click.shell_completion import CompletionItem
    from click.types import OptionHelpExtra

    from pkcs12kit.hints import Hint
    from pkcs12kit.paths.calls import Call

_STANDARD_INPUT: Final = "-"
_AFTER_A_NAME: Final = (":", "!", "/", os.sep, " ")  # a file; a member of a zip; a file in a folder; "key.pem and ..."
_OF_FOLDERS: Final = frozenset(
    {"certificates", "sources", "more_sources", "source", "crls", "ocsp_responses", "before", "after", "targets"}
)
"""The parameters that take folders as well as files."""
_OPEN_OPTION: Final = f"{__name__}.open_option"  # in the meta of a context: takes the word that is completed
_ONE_LIST: Final = 4  # options, at most, that are shown without groups
_COLUMN: Final = 29  # of the help's texts, beside their options
_TWO_COLUMNS: Final = 72  # columns of a terminal; in a narrower one the texts stand below their options
_INDENT: Final = 6
_NARROWEST: Final = 20  # columns for these texts


class OptionGroup(Enum):
    """The sections of options in a command's help, in their order."""

    MOST_USED = "Most used"  # of each command; they are not shown again in their own section
    INPUT = "Input"
    PATH = "Path"
    REVOCATION = "Revocation"
    CHECKS = "Checks"
    OUTPUT = "Output"
    PROTECTION = "Protection"
    NAMES = "Names"
    BUNDLES = "Published bundles"
    NETWORK = "Network"
    OTHER = "Other"


class GroupedOption(click.Option):
    """An option that knows in which section of the help it is shown."""

    def __init__(
        self,
        *names: Any,  # noqa: ANN401  # click's
        group: OptionGroup,
        several: bool = True,
        like_arguments: bool = False,
        **settings: Any,  # noqa: ANN401  # click's
    ) -> None:
        super().__init__(*names, **settings)
        self.group = group
        self.several = several
        """False for an option that takes one value each time that it is given, although it may be given again."""
        self.like_arguments = like_arguments
        """True for an option whose values mean the same as the arguments of the command."""
        if isinstance(self.type, (click.IntRange, click.FloatRange)):  # the name is in the error for what is no number
            kind = "whole number" if isinstance(self.type, click.IntRange) else "number"
            self.type.name = f"{kind} ({range_in_words(self.type)})"

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """Return the remarks in brackets, with the range of a number in words."""
        extra = super().get_help_extra(ctx)
        if isinstance(self.type, (click.IntRange, click.FloatRange)):
            extra["range"] = range_in_words(self.type)
        return extra


def range_in_words(numbers: click.IntRange | click.FloatRange) -> str:
    """Return the least and the greatest number that an option takes."""
    if numbers.max is None:
        return f"at least {numbers.min:,}"
    return (
        f"more than {numbers.min:,}, at most {numbers.max:,}"
        if numbers.min_open
        else f"{numbers.min:,} to {numbers.max:,}"
    )


def option(group: OptionGroup, *names: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: ANN401  # click's
    """Return a decorator that adds an option, as :func:`click.option` does, to a section of the help."""
    return click.option(*names, cls=GroupedOption, group=group, **settings)


class Command(click.Command):
    """A command whose help has groups of options, and whose errors say by which option the input was given."""

    def __init__(self, *given: Any, most_used: Sequence[str] = (), **settings: Any) -> None:  # noqa: ANN401  # click's
        super().__init__(*given, **settings)
        self.most_used = most_used
        """The options that most people need first, in the order of the first section of the help."""

    def option_groups(self, ctx: click.Context) -> Mapping[str, Sequence[click.Option]]:
        """Return the options that help shows, by the title of their section; few options have one section."""
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option) and not one.hidden]
        if len(options) <= _ONE_LIST:
            return {"Options": options}
        groups: dict[OptionGroup, list[click.Option]] = {group: [] for group in OptionGroup}
        by_name = {one.opts[0]: one for one in options}
        groups[OptionGroup.MOST_USED] = [by_name[name] for name in self.most_used]
        for one in options:
            if one in groups[OptionGroup.MOST_USED]:
                continue
            groups[one.group if isinstance(one, GroupedOption) else OptionGroup.OTHER].append(one)
        return {group.value: members for group, members in groups.items() if members}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group of options as a section of its own."""
        for title, options in self.option_groups(ctx).items():
            with formatter.section(title):
                for record in filter(None, (one.get_help_record(ctx) for one in options)):
                    formatter.write(_entry(*record, formatter.width))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse a call, in which an option that may be given again may have several values."""
        parameters = self.get_params(ctx)
        typed = tuple(args)
        if ctx.resilient_parsing:
            ctx.meta[_OPEN_OPTION] = open_option(args, parameters)
        try:
            if not ctx.resilient_parsing:
                args = with_options_repeated(args, parameters, ctx)
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            _add_anchor_hints(error, ctx, [error.param])
            _add_hints(error, typed, ctx)
            raise
        except click.UsageError as error:
            if isinstance(error, click.NoSuchOption):
                _name_the_option_meant(error, parameters)
            _add_hints(error, typed, ctx)
            raise

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the options to offer, also where nothing is typed yet and no argument is missing.

        Where the beginning of a word is typed after an option that takes several values, its values are offered.
        """
        another = ctx.meta.get(_OPEN_OPTION)
        if another is not None and incomplete and not incomplete.startswith("-"):
            offered: list[CompletionItem] = another.shell_complete(ctx, incomplete)
            return offered
        return super().shell_complete(ctx, incomplete or "-")

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Run the command. Add the option's name and the hints to an error that it raises.

        The text of a :class:`~pkcs12kit.KeyMismatchError` already names both files, so it gets no option.
        """
        messages.current().as_json = bool(ctx.params.get("as_json"))  # in its words --json may be a value
        _require_standard_input_once(ctx)
        try:
            _expand_patterns(ctx)
            _require_outputs_apart(ctx)
            with _call_of(ctx).as_current():
                return super().invoke(ctx)
        except click.MissingParameter as error:  # an option that only another one needs
            _add_anchor_hints(error, ctx, [error.param])
            raise
        except Pkcs12KitError as error:
            from pkcs12kit.cli.output.input_hints import hints_for_error
            from pkcs12kit.cli.output.input_steps import with_command

            named = _named(ctx, str(error)) if isinstance(error, InputError) else ()
            about = [(one.name or "", value) for one, value in named]
            if isinstance(error, KeyChoiceError) and "key_id" not in ctx.params:
                error.hints = ()
            hints = hints_for_error(error, ctx.params, about)
            # The command knows the options better than the library.
            error.hints = with_command(hints or error.hints, error, about)
            _add_anchor_hints(error, ctx, [one for one, value in named if not _is_locked(value)])
            if len(named) == 1 and isinstance(named[0][0], click.Option) and not isinstance(error, KeyMismatchError):
                error.args = (f"{named[0][0].opts[0]} {error}",)
            raise


def _call_of(ctx: click.Context) -> Call:
    """Return the files and options of the call, for the commands of hints."""
    from pkcs12kit.cli.output.replay import again, paths_again
    from pkcs12kit.paths.calls import Call

    return Call.of(ctx.info_name or "", ctx.params)._replace(repeat=paths_again, repeat_itself=again)


def _is_locked(path: str) -> bool:
    """Return True for a file that this user may not read: another root in its place would not be the one meant."""
    return os.path.exists(path) and not os.access(path, os.R_OK)  # noqa: PTH110  # "-" as well


def _add_hints(error: click.UsageError, typed: Sequence[str], ctx: click.Context) -> None:
    """Add the hints for the words of a call that click does not accept."""
    from pkcs12kit.cli.output.input_hints import hints_for_call

    if not isinstance(error, click.exceptions.NoArgsIsHelpError):
        _extend_hints(error, hints_for_call(error, typed, ctx))


def _name_the_option_meant(error: click.NoSuchOption, parameters: Iterable[click.Parameter]) -> None:
    """Put the option that other programs call so, if there is one, in the place of those of similar letters."""
    from pkcs12kit.other_names import meant_options

    options = {name for one in parameters if isinstance(one, click.Option) for name in one.opts}
    if meant := meant_options(error.option_name, options):
        vars(error)["possibilities"] = list(meant)  # an argument of this name keeps only those of similar letters


def _extend_hints(error: Any, hints: Iterable[Hint]) -> None:  # noqa: ANN401  # the errors of click have no hints
    """Add hints to an error, one of click's too; they are printed below its text."""
    error.hints = (*getattr(error, "hints", ()), *hints)


def _entry(names: str, text: str, width: int) -> str:
    """Return an option with its text beside it; a long option stands on a line of its own.

    :meth:`click.HelpFormatter.write_dl` would break names such as ``legacy-rc2`` at their hyphens.
    """
    column = _COLUMN if width >= _TWO_COLUMNS else _INDENT
    beside = len(names) <= column - 4  # 2 columns before the option, 2 after it
    lines = wrap(text, max(width - column, _NARROWEST), break_on_hyphens=False, break_long_words=False)
    # Long lists of values break after a bar.
    parts = wrap(names.replace("|", "| "), max(width - _INDENT, _NARROWEST), break_on_hyphens=False)
    first, *others = (part.replace("| ", "|") for part in parts)
    shown = f"  {first:<{column - 2}}{lines.pop(0)}" if beside and lines else f"  {first}"
    more = (" " * _INDENT + part for part in others)
    return "\n".join((shown, *more, *(" " * column + line for line in lines))) + "\n"


def _add_anchor_hints(error: Exception, ctx: click.Context, about: Iterable[click.Parameter | None]) -> None:
    """Add the hints for a missing trust anchor to an error about the parameter for it."""
    from pkcs12kit.cli.output.anchor_hints import ANCHOR, hints_for_missing_anchor

    if any(one is not None and one.name == ANCHOR for one in about):
        _extend_hints(error, hints_for_missing_anchor(ctx.params))


def _expand_patterns(ctx: click.Context) -> None:
    """Replace each pattern among the files of the call, where several may be given, by the files that it matches."""
    for parameter in ctx.command.params:
        values = ctx.params.get(parameter.name or "")
        if parameter.type.name != "file" or not isinstance(values, tuple):
            continue
        if not isinstance(parameter, click.Argument) and not takes_several(parameter):
            continue
        ctx.params[parameter.name or ""] = tuple(name for value in values for name in expanded(value))


def _values(ctx: click.Context, parameter: click.Parameter) -> tuple[object, ...]:
    """Return the values that were given for a parameter; none for an output."""
    value = ctx.params.get(parameter.name or "")
    if isinstance(parameter.type, Place) and parameter.type.is_output:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _name(parameter: click.Parameter) -> str:
    """Return the name of a parameter in messages: its first option, or the argument as the help shows it."""
    return parameter.opts[0] if isinstance(parameter, click.Option) else (parameter.metavar or "")


def _require_outputs_apart(ctx: click.Context) -> None:
    """Raise :class:`~pkcs12kit.OutputError` if an output is a file that the command reads, or another output.

    Nothing is read before. A PKCS#12 file may be rewritten by the output that has it as ``in_place``.
    """
    outputs = [
        (_name(each), each.type, value)
        for each in ctx.command.params
        if isinstance(each.type, Place) and each.type.is_output
        if isinstance(value := ctx.params.get(each.name or ""), str)
    ]
    if not outputs:
        return
    from pkcs12kit.outputs.existing import Form
    from pkcs12kit.outputs.input_files import InputFiles, require_distinct

    inputs = [
        (_name(each), value)
        for each in ctx.command.params
        for value in _values(ctx, each)
        if hasattr(each.type, "is_input") and isinstance(value, str) and each.type.is_input(value)
    ]
    if ctx.params.get("password_stdin"):
        inputs.append(("--password-stdin", _STANDARD_INPUT))
    files = InputFiles(inputs)
    require_distinct((name, value) for name, _, value in outputs)
    names = {each.name: _name(each) for each in ctx.command.params}
    for name, place, value in outputs:
        in_place = {names[place.in_place]} if place.in_place else ()
        form = Form.PKCS12 if in_place and ctx.params.get("form", "pkcs12") == "pkcs12" else None
        files.require_apart(value, name, form=form, in_place=in_place)
        files.require_not_in(value, place.own_files(value), name)


def _named(ctx: click.Context, sentence: str) -> tuple[tuple[click.Parameter, str], ...]:
    """Return the parameters whose value begins the sentence, each with that value.

    Where both a folder and a file in it were given, the longer name is the one that is meant. A folder in the place of
    a file is not that of a parameter that takes folders.
    """
    from pkcs12kit.sources.reading import NO_FOLDER

    is_no_folder = sentence.endswith(NO_FOLDER)
    named = [
        (length, parameter, value)
        for parameter in ctx.command.params
        if not (is_no_folder and parameter.name in _OF_FOLDERS)
        for value in _values(ctx, parameter)
        if isinstance(value, str) and (length := _length_of_name(sentence, value))
    ]
    longest = max((length for length, _, _ in named), default=0)
    meant = {parameter.opts[0]: (parameter, value) for length, parameter, value in named if length == longest}
    return tuple(meant.values())


def _length_of_name(sentence: str, value: str) -> int:
    """Return how many characters at the start of the sentence name the input ``value``; 0 where it names another."""
    from pkcs12kit.sources.reading import name_of

    try:
        name = name_of(value).rstrip(f"/{os.sep}")
    except InputError:  # text of several lines is not a path, so no error names it
        return 0
    return len(name) if sentence.startswith(name) and sentence[len(name) :].startswith(_AFTER_A_NAME) else 0


def _require_standard_input_once(ctx: click.Context) -> None:
    """Raise :class:`click.UsageError` where several options read standard input; ``--key`` and ``--cert`` may."""
    readers = [
        _name(parameter)
        for parameter in ctx.command.params
        for value in _values(ctx, parameter)
        if value == _STANDARD_INPUT or (value is True and parameter.name == "password_stdin")
    ]
    if len(readers) > 1 and sorted(readers) != ["--cert", "--key"]:  # one file may hold both
        raise click.UsageError(f"standard input can be read only once, not for {' and '.join(readers)}", ctx)
