"""The options for programs with versions: readers, which have to open a file, and devices, which accept a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import OneOf
from pkcs12kit.devices.versions import DEVICE_NAMES, find_devices
from pkcs12kit.errors import UnknownNameError
from pkcs12kit.other_names import meant_values
from pkcs12kit.pkcs12.readers import READERS, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

_READERS: Final = (
    'A program alone, such as java, means its newest version here, and "java>=17" every version from that one on.'
    f" Known names: {', '.join(READERS)}."
)


class VersionedName(OneOf):
    """The name of a program, with a version or not, or a condition such as ``java>=17``."""

    def __init__(self, known: Iterable[str], find: Callable[[str], object]) -> None:
        super().__init__(list(known))
        self._find = find

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's
        """Return the name unchanged, or fail with the names that might have been meant."""
        name = str(value)
        if name in self.choices:
            return name
        try:
            self._find(name)
        except UnknownNameError as error:
            is_said = not error.why and (meant_values(name, self.choices) or len(error.known) >= len(self.choices) - 1)
            self.fail(self.get_invalid_choice_message(name, ctx) if is_said else str(error), param, ctx)
        return name


def readers_option(group: OptionGroup, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--for``; the command gets the names as ``readers``. ``text`` says what the option does."""
    kind = VersionedName(READERS, find)
    return option(group, "--for", "readers", type=kind, metavar="READER", multiple=True, help=f"{text} {_READERS}")


devices_option: Final = option(
    OptionGroup.CHECKS,
    "--device",
    "devices",
    type=VersionedName(DEVICE_NAMES, find_devices),
    metavar="DEVICE",
    multiple=True,
    help="Fail if this device is known to reject the chain, judged by documented rules; the device itself is not"
    f' run. May be given again. A version, as in java-17 or "go>=1.24", limits what it is about. Known names:'
    f" {', '.join(DEVICE_NAMES)}.",
)
"""``--device``; the command gets the names as ``devices``."""
