"""The option for the programs that have to open a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.cli.command import option
from pkcs12kit.cli.options.values import OneOf
from pkcs12kit.errors import UnknownNameError
from pkcs12kit.other_names import meant_values
from pkcs12kit.pkcs12.readers import READERS, find

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from pkcs12kit.cli.command import OptionGroup

_NAMES: Final = (
    'A program alone, such as java, means its newest version here, and "java>=17" every version from that one on.'
    f" Known names: {', '.join(READERS)}."
)


class ReaderName(OneOf):
    """The name of a program with its version, of a program, or a condition such as ``java>=17``."""

    def __init__(self) -> None:
        super().__init__(list(READERS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's
        """Return the name unchanged, or fail with the names that might have been meant."""
        name = str(value)
        try:
            find(name)
        except UnknownNameError as error:
            is_said = not error.why and (meant_values(name, self.choices) or set(error.known) == set(READERS))
            self.fail(self.get_invalid_choice_message(name, ctx) if is_said else str(error), param, ctx)
        return name


def readers_option(group: OptionGroup, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--for``; the command gets the names as ``readers``. ``text`` says what the option does."""
    return option(
        group, "--for", "readers", type=ReaderName(), metavar="READER", multiple=True, help=f"{text} {_NAMES}"
    )
