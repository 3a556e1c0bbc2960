"""The options for the owner, group and mode of a new file."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.errors import InputError
from pkcs12kit.typed_values import parse_mode

if TYPE_CHECKING:
    from collections.abc import Callable

_STANDARD_OUTPUT: Final = "-"


class AccessOptions(NamedTuple):
    """The options for the access to a new file: numbers, and None for those that were not given."""

    owner: int | None
    group: int | None
    mode: int | None


class _Account(click.ParamType[int]):
    """The name or the number of a user or a group."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  # click's
        """Return the number, or fail for a name that this computer does not know."""
        from pkcs12kit.file_owners import numeric_group, numeric_owner

        try:
            return numeric_owner(value) if self.name == "owner" else numeric_group(value)
        except InputError as error:
            self.fail(str(error).removeprefix(f"{self.name}: "), param, ctx)


class _Mode(click.ParamType[int]):
    """A mode as chmod takes it: octal digits."""

    name = "mode"

    @staticmethod
    def typed(value: int) -> str:
        """Return the mode as it is typed, in octal digits."""
        return f"{value:04o}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  # click's
        """Return the mode as a number, or fail with an example."""
        try:
            return value if isinstance(value, int) else parse_mode(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


_OPTIONS: Final = (
    option(
        OptionGroup.OUTPUT,
        "--owner",
        "access_owner",
        type=_Account("owner"),
        metavar="NAME",
        help="The user that the new file belongs to, by name or number. Default: the owner of the file that is"
        " replaced, or else you. Only root can give a file to another user.",
    ),
    option(
        OptionGroup.OUTPUT,
        "--group",
        "access_group",
        type=_Account("group"),
        metavar="NAME",
        help="The group of the new file, by name or number. Default: the group of the file that is replaced.",
    ),
    option(
        OptionGroup.OUTPUT,
        "--mode",
        "access_mode",
        type=_Mode(),
        metavar="OCTAL",
        help="The mode of the new file: 0640 lets its group read it, 0600 only its owner. A file with a private key"
        " gets no other rights. Default: that of the file that is replaced, without such rights, or else 0600.",
    ),
)


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--owner``, ``--group`` and ``--mode``; the command gets them together, as ``access``.

    Raises :class:`click.UsageError` for standard output, which has no owner, and for a mode that the file may not have.
    """

    @wraps(command)
    def with_access(
        *,
        access_owner: int | None,
        access_group: int | None,
        access_mode: int | None,
        output: str,
        certs_only: bool,
        **given: Any,  # noqa: ANN401  # whatever else the command takes
    ) -> Any:  # noqa: ANN401  # click's
        from pkcs12kit.file_access import FileAccess

        access = AccessOptions(access_owner, access_group, access_mode)
        if output == _STANDARD_OUTPUT and any(value is not None for value in access):
            raise click.UsageError("--owner, --group and --mode are for a file, and standard output has none of them")
        try:
            FileAccess.of(*access, with_key=not certs_only)
        except InputError as error:
            raise click.UsageError(f"--{error}") from None
        return command(access=access, output=output, certs_only=certs_only, **given)

    decorated: Callable[..., Any] = with_access
    for add in reversed(_OPTIONS):
        decorated = add(decorated)
    return decorated
