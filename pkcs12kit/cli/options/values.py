"""The types of values on the command line: parsing, errors with an example, and completion."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from pkcs12kit.errors import InputError, UnknownNameError
from pkcs12kit.other_names import meant_values
from pkcs12kit.text import alternatives
from pkcs12kit.times import format_time
from pkcs12kit.typed_values import format_duration, parse_duration, parse_object_identifier, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)  # a Name in POSIX


class Instant(click.ParamType[datetime]):
    """A time as in RFC 3339, or a date; UTC where no offset is given."""

    name = "time"  # shown in the help

    @staticmethod
    def typed(value: datetime) -> str:
        """Return the time as it is typed."""
        return format_time(value)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401  # click's
        """Return the time in UTC, or fail with an example."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_time(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


class ObjectIdentifier(click.ParamType[str]):
    """An object identifier in dotted form."""

    name = "oid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's
        """Return the value unchanged, or fail with an example."""
        try:
            return parse_object_identifier(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


class Duration(click.ParamType[timedelta]):
    """A span of time in hours, days, weeks or years of 365 days."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401  # click's
        """Return the span of time, or fail with an example."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(value)
        except InputError as error:
            self.fail(str(error), param, ctx)

    @staticmethod
    def typed(span: timedelta) -> str:
        """Return a span of time as it is typed, in days where that is possible."""
        return format_duration(span)


class OneOf(click.Choice[str]):
    """One of several names. The error for another name lists the similar names, or else all names."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:  # noqa: ARG002  # click's
        """Return a message with the names that might have been meant."""
        near = meant_values(str(value), self.choices)
        if near:
            return f"{value!r} is not one of them. Did you mean {alternatives(near)}?"
        return f"{value!r} is not one of {', '.join(self.choices)}"


class VersionedName(OneOf):
    """The name of a program, with a version or not, or a condition such as ``java>=17``.

    ``find`` raises :class:`~pkcs12kit.errors.UnknownNameError` for other texts.
    """

    def __init__(self, known: Iterable[str], find: Callable[[str], object]) -> None:
        super().__init__(list(known))
        self._find = find

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's
        """Return the name unchanged, or fail with the names that might have been meant."""
        name = str(value)
        try:
            self._find(name)
        except UnknownNameError as error:
            self.fail(str(error) if error.why else self.get_invalid_choice_message(name, ctx), param, ctx)
        return name


def _replaces_own_kind() -> bool:
    """Return True if an output of the current call is there already, in the form that the call writes."""
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.outputs.existing import content_of
    from pkcs12kit.sources.sniffing import Kind, sniff

    given = click.get_current_context().params
    written = Kind.PEM if given.get("form") == "pem" else Kind.PKCS12
    there = (content_of(path, DEFAULT_LIMITS) for name in ("output", "output_key") if (path := given.get(name)))
    return any(content is not None and sniff(content) is written for content in there)


class Place(click.ParamType[str]):
    """The name of a file or a folder, or ``-``: passed on unchanged, and completed by the shell.

    It is an input of the command, or with ``is_output`` a file that the command writes, which is never one of its
    inputs. ``in_place`` names the parameter whose PKCS#12 file it may rewrite all the same. ``own_files`` returns the
    names of the files in an output folder that the command may replace or remove. In an input folder that
    ``may_hold_outputs``, the command itself makes sure that no part that it uses is replaced.
    """

    def __init__(
        self,
        name: str,
        *,
        is_output: bool = False,
        in_place: str = "",
        own_files: Callable[[str], Iterable[str]] | None = None,
        may_hold_outputs: bool = False,
    ) -> None:
        self.name = name
        self.is_output = is_output
        self.in_place = in_place
        self.own_files = own_files or (lambda _: ())
        self.may_hold_outputs = may_hold_outputs

    def is_input(self, value: str) -> bool:
        """Return True if the command reads the file with this name."""
        return not (self.is_output or (self.may_hold_outputs and os.path.isdir(value) and _replaces_own_kind()))  # noqa: PTH112

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002  # click's
        """Leave the completion to the shell, which handles folders, quotes and spaces."""
        return [CompletionItem(incomplete, type=self.name)]


class Host(click.ParamType[str]):
    """A server as HOST[:PORT], passed on unchanged."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401, ARG002  # click's
        """Return the value unchanged. Raises :class:`~pkcs12kit.InputError` where it is not an address."""
        from pkcs12kit.tls.address import parse_address

        parse_address(value)
        return str(value)


class ServerName(click.ParamType[str]):
    """A DNS name or an IP address that a certificate is for."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's
        """Return the value unchanged, or fail with the name that it contains."""
        from pkcs12kit.errors import ArgumentError
        from pkcs12kit.paths.validation.server_name import require_server_name

        try:
            require_server_name(value)
        except ArgumentError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Variable(click.ParamType[str]):
    """The name of an environment variable."""

    name = "variable"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002  # click's
        """Return the names of variables that are set, without their values; only names that a shell can set."""
        names = filter(_VARIABLE.fullmatch, sorted(os.environ))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


FILE: Final = Place("file")  # the shell also offers folders, on the way to a file
FOLDER: Final = Place("dir")
OUTPUT_FILE: Final = Place("file", is_output=True)
OUTPUT_FOLDER: Final = Place("dir", is_output=True)
VARIABLE: Final = Variable()
