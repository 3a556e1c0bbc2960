"""Why a request brought nothing, and whether another one may."""

from __future__ import annotations

from pkcs12kit.errors import Pkcs12KitError


class UnansweredError(Pkcs12KitError):
    """One request brought no content. The text says why in one line; it may quote text from outside.

    ``refused``: by us, by a limit or an address. ``passing``: the next request may succeed, after ``wait`` seconds if
    the server named a time. ``unreachable``: there was no connection, so other URLs of the same server fare the same.
    """

    def __init__(
        self,
        why: str,
        *,
        refused: bool = False,
        passing: bool = False,
        unreachable: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(why)
        self.refused = refused
        self.passing = passing
        self.unreachable = unreachable
        self.wait = wait
