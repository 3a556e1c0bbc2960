"""What a broken set-up is: its files, the call, and what the answer has to name; :mod:`steps` has what leads on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pki import Folder

PATHS: Final = "paths server.pem --certs issuing.pem policy.pem --anchor root.pem"
"""The usual call: everything is given, and one thing is wrong with it."""
BUILD: Final = (
    "build --key server.key --cert server.pem --certs issuing.pem policy.pem --anchor root.pem"
    " --password-file pw.txt --out server.p12"
)
ONE_CA: Final = "paths server.pem --certs issuing.pem --anchor root.pem"
"""The call without the CA between the issuing CA and the root."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A set-up with at least one fault, and the answer that it has to get."""

    name: str
    kind: str
    """The reason, the check or the kind of error that the page lists it under."""
    what: str
    """The fault as the page says it: a sentence."""
    make: Callable[[Folder], object]
    """Writes the files."""
    call: str = PATHS
    faults: tuple[tuple[str, str], ...] = ()
    """The certificates at fault by the file that begins with each, and the reason, in the order of the report."""
    causes: tuple[str, ...] = ()
    """The files of the certificates whose statement makes the check fail."""
    checks: tuple[str, ...] = ()
    """The checks that ``verify`` says no for."""
    error: str = ""
    """The beginning of the error, where the files cannot be used."""
    opened: bool = True
    """False where the error is the answer no: the password does not open the file."""
    rule: str = ""
    """The section of the standard, as the first fault states it."""
    shown: bool = False
    """True for the set-up whose output stands on the page for its kind."""

    @property
    def status(self) -> int:
        """The exit status of the call."""
        return 2 if self.error and self.opened else 1
