"""What shows itself in a notebook, without knowing how.

Values stand on the lower floors, and what draws them on the top floor, which they do not import. So they only ask here;
the package itself says who draws (``pkcs12kit/__init__.py``), and that is loaded when something is first shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    Draw = Callable[[object], dict[str, str]]

_drawing: list[Draw] = []


def let_draw(draw: Draw) -> None:
    """Have ``draw`` called for whatever is to be shown: it gives texts by their media type."""
    _drawing[:] = [draw]


class Shown:
    """Base of the values that Jupyter shows as more than their ``repr``, which stays as it is."""

    __slots__ = ()

    def _repr_mimebundle_(
        self,
        include: Container[str] | None = None,  # noqa: ARG002  # part of IPython's protocol, which filters by itself
        exclude: Container[str] | None = None,  # noqa: ARG002  # as above
    ) -> dict[str, str]:
        """Give what a notebook shows: ``text/html``, and ``text/plain`` for where that cannot be."""
        (draw,) = _drawing
        return draw(self)
