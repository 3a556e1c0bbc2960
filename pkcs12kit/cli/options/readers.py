"""``--for``: the programs that have to open a file, with their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import VersionedName
from pkcs12kit.pkcs12.readers import READERS, find

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES: Final = (
    'A program alone, such as java, means its newest version here, and "java>=17" every version from that one on.'
    f" Known names: {', '.join(READERS)}."
)


def readers_option(group: OptionGroup, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--for``; the command gets the names as ``readers``. ``text`` says what the option does."""
    kind = VersionedName(READERS, find)
    return option(group, "--for", "readers", type=kind, metavar="READER", multiple=True, help=f"{text} {_NAMES}")
