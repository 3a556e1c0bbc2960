"""The options that ask what removing or adding certificates does to the best path."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.what_if import Change


class WhatIfOptions(NamedTuple):
    """The certificates to remove and those to add, as they were given."""

    without: tuple[str, ...]
    adding: tuple[str, ...]

    def change_of(self, request: PathRequest) -> Change | None:
        """Return the change of a search; None where no option asks for one. Raises :class:`~pkcs12kit.InputError`."""
        if not self.without and not self.adding:
            return None
        from pkcs12kit.finder import change_of

        return change_of(request, self.without, self.adding, name="--without")


def what_if_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--without`` and ``--with``; the command gets them together, as ``what_if``."""

    @option(
        OptionGroup.PATH,
        "--without",
        type=FILE,
        metavar="CERT",
        multiple=True,
        several=False,
        help="Also show what the best path would be without this certificate of --certs: a file with one certificate,"
        " or a SHA-256 fingerprint, at least its first 8 digits. May be given again.",
    )
    @option(
        OptionGroup.PATH,
        "--with",
        "adding",
        type=FILE,
        metavar="SOURCE",
        multiple=True,
        help="Also show what the best path would be with these certificates added: a source as for --certs. May be"
        " given again.",
    )
    @wraps(command)
    def with_what_if(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        own = {name: given.pop(name) for name in WhatIfOptions._fields}
        return command(what_if=WhatIfOptions(**own), **given)

    decorated: Callable[..., Any] = with_what_if
    return decorated
