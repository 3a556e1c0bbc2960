"""All broken set-ups, in the order of the page."""

from __future__ import annotations

from typing import Final

from . import of_constraints, of_dates, of_files, of_missing, of_revocation, of_signatures

SETUPS: Final = (
    *of_missing.SETUPS,
    *of_signatures.SETUPS,
    *of_dates.SETUPS,
    *of_revocation.SETUPS,
    *of_constraints.SETUPS,
    *of_files.SETUPS,
)
