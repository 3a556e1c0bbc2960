"""The job that an executor runs for one bundle: references to its inputs, and what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.records import Record
    from pkcs12kit.limits import Limits


class Task(Enum):
    """The work of a job."""

    CHECK = "check"
    """Judge the path, without any password."""
    PLAN = "plan"
    """Report the changes that a run would make, and write nothing. A record that still holds saves opening the file."""
    BUILD = "build"
    """Write the file if it is not right already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One bundle, what is to be done with it, and how to know that the worker sees the same certificates."""

    bundle: FleetBundle
    task: Task
    pool: str
    """The digest of the CA certificates and trust anchors, which each worker loads once and compares with it."""
    evidence: str
    """The digest of the CRLs and OCSP responses, which each worker loads once as well; empty without any."""
    record: Record | None
    """The record of the bundle in the state; None to open the file in any case."""
    time: datetime
    """The time of the run, UTC, for all bundles that name none."""
    limits: Limits


@cache
def installed_version() -> str:
    """Return the version of pkcs12kit here, which a worker compares with that of its caller."""
    try:
        return version("pkcs12kit")
    except PackageNotFoundError:  # a copy of the folder, without the files of an installation
        return "of unknown version"
