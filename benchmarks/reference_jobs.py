"""The two reference jobs of ../shared/data/fpki."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple


class Job(NamedTuple):
    """A reference job: file names in ../shared/data/fpki, and when its path is valid."""

    name: str
    target: str
    pool: tuple[str, ...]
    anchor: str
    time: datetime


JOBS = (
    Job(
        "2018",
        "dod-id-sw-ca-37.pem",
        ("fpki-historic.pem", "dod-2019.pem"),
        "fcpca.pem",
        datetime(2018, 6, 1, tzinfo=UTC),
    ),
    Job("2024", "dod-sw-ca-67.pem", ("fpki-2024-10.p7b",), "fcpcag2.pem", datetime(2024, 10, 15, tzinfo=UTC)),
)
