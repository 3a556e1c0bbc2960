"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """Write a number and what it counts: ``1 path``, ``2,000 paths``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
