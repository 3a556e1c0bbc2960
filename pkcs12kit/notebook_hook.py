"""The hook through which Jupyter shows the values of this library.

Values are in the lower layers, and the code that draws them is in the top layer, which they do not import. So they call
this hook. ``pkcs12kit/__init__.py`` registers the function that draws, which is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    Draw = Callable[[object], dict[str, str]]

_drawing: list[Draw] = []


def let_draw(draw: Draw) -> None:
    """Register the function that draws values. It returns texts by media type."""
    _drawing[:] = [draw]


class Shown:
    """A base class of values that Jupyter shows as HTML. Their ``repr`` stays as it is."""

    __slots__ = ()

    def _repr_mimebundle_(
        self,
        include: Container[str] | None = None,  # noqa: ARG002  # part of IPython's protocol, which filters by itself
        exclude: Container[str] | None = None,  # noqa: ARG002  # as above
    ) -> dict[str, str]:
        """Return the value as a notebook shows it: ``text/html``, and ``text/plain`` where HTML cannot be shown."""
        (draw,) = _drawing
        return draw(self)
