"""Programs of other makers open our files, and we theirs: every cell is as ``expected.toml`` has it.

They read ours means: the program gives the private key back (NSS, which gives none away, signs with it) and every
certificate, in the order of the file. We read theirs means that we find the key and the certificates it was given.
An expected no fails the test where it is a yes, or a no of another kind.
"""

from __future__ import annotations

import re

import pytest

from pkcs12kit.pkcs12.inspection import inspect_pfx

from .conftest import COMMANDS, writings_of
from .expected import EXPECTED
from .matrix import FEW_ITERATIONS, READINGS

PROGRAMS = tuple(EXPECTED.programs)
WRITINGS = [(program, writing) for program in PROGRAMS for writing in writings_of(program)]


def check(refusals, program, cell, outcome):
    """Hold one cell to the table."""
    refusal = next((it for it in refusals if it.is_for(program, cell)), None)
    if refusal is None:
        assert outcome.yes, outcome.why
        return
    assert not outcome.yes, f"expected a no, because {refusal.why}"
    assert re.search(refusal.says, outcome.why), outcome.why


@pytest.mark.slow
@pytest.mark.parametrize("reading", READINGS, ids=str)
@pytest.mark.parametrize("program", PROGRAMS)
def test_they_read_ours(readings, program, reading):
    """A profile, a key, a password: the program recovers the key and every certificate in order, or is known not to."""
    check(EXPECTED.read, program, reading, readings(program)[reading])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "writing"), WRITINGS, ids=[f"{program}-{writing}" for program, writing in WRITINGS]
)
def test_we_read_theirs(written, program, writing):
    """What the program writes by each of its algorithms, for each key and password, we read, or are known not to."""
    check(EXPECTED.write, program, writing, written(program)[writing])


def test_cells_with_their_own_count_have_the_released_one():
    """Each profile has one such cell, and its file is made with the iterations that users get; all others have few."""
    counts = {
        reading.profile: (reading.protection.encryption_iterations, reading.protection.mac_iterations)
        for reading in READINGS
        if reading.own_count
    }
    assert counts == {
        "fips-2026": (600_000, 600_000),
        "modern-2023": (100_000, 100_000),
        "legacy-3des": (2_048, 2_048),
        "legacy-rc2": (2_048, 2_048),
        "unencrypted-certificates-2023": (100_000, 100_000),
        "no-password": (0, 0),
    }
    few = [reading.protection.mac_iterations for reading in READINGS if not reading.own_count]
    assert set(few) == {FEW_ITERATIONS, 0}


@pytest.mark.slow
def test_files_have_the_iterations_of_their_cells(ours):
    """The files that the programs read have the counts of their cells, whatever this process limits profiles to."""
    for reading, file in ours.items():
        report, profile = inspect_pfx(file.read_bytes()), reading.protection
        derivations = [safe.encryption for safe in report.safe_contents]
        derivations += [bag.encryption for safe in report.safe_contents for bag in safe.bags or ()]
        assert {it.iterations for it in derivations if it} <= {profile.encryption_iterations}, reading
        assert (report.mac.iterations if report.mac else 0) == profile.mac_iterations, reading


def test_no_expectation_is_for_nothing():
    """Each refusal is for some cell, and no cell has two; each program is one that is run."""
    cells = {"read": [(program, cell) for program in PROGRAMS for cell in READINGS], "write": WRITINGS}
    for direction, all_cells in cells.items():
        refusals = getattr(EXPECTED, direction)
        for refusal in refusals:
            assert any(refusal.is_for(program, cell) for program, cell in all_cells), refusal
        for program, cell in all_cells:
            assert sum(refusal.is_for(program, cell) for refusal in refusals) <= 1, (program, cell)
    assert set(COMMANDS) < {it.program for it in EXPECTED.programs.values()}
