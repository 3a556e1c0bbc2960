"""Jobs that do what a test says, in whatever process."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pkcs12kit.fleet.bundles import FleetBundle
from pkcs12kit.fleet.jobs import Job, Task
from pkcs12kit.limits import DEFAULT_LIMITS

ACTING = Path(__file__).parent / "acting"


@pytest.fixture
def act(monkeypatch):
    """The function of ``acting.py``, which workers can import as well."""
    monkeypatch.syspath_prepend(ACTING)
    return importlib.import_module("acting").act


@pytest.fixture
def make_jobs(tmp_path):
    """Make jobs: ``make_jobs(3, {1: {"deed": "kill"}})`` gives the second one of three an option."""

    def make(count, deeds=None):
        (tmp_path / "log").touch()
        return [
            Job(
                bundle=FleetBundle(
                    name=f"bundle-{index}",
                    output=str(tmp_path / f"{index}.p12"),
                    folder=str(tmp_path),
                    options={
                        "log": str(tmp_path / "log"),
                        "mark": str(tmp_path / f"mark-{index}"),
                        **(deeds or {}).get(index, {}),
                    },
                ),
                task=Task.BUILD,
                pool="00" * 32,
                evidence="",
                record=None,
                time=datetime(2026, 6, 1, tzinfo=UTC),
                limits=DEFAULT_LIMITS,
            )
            for index in range(count)
        ]

    return make


@pytest.fixture
def calls(tmp_path):
    """The calls of ``act`` so far, each with the name of the bundle, the process, the attempt and the version."""

    def read():
        return [line.split() for line in (tmp_path / "log").read_text("utf-8").splitlines()]

    return read
