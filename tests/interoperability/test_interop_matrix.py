"""Programs of other makers open our files, and we theirs: every cell is as ``expected.toml`` has it.

They read ours means: the program gives the private key back (NSS, which gives none away, signs with it) and every
certificate, in the order of the file. We read theirs means that we find the key and the certificates it was given.
An expected no fails the test where it is a yes, or a no of another kind.
"""

from __future__ import annotations

import re

import pytest

from .conftest import COMMANDS, writings_of
from .expected import EXPECTED
from .matrix import READINGS

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
def test_they_read_ours(at_hand, readings, program, reading):
    """A profile, a key, a password: the program recovers the key and every certificate in order, or is known not to."""
    at_hand(program)
    check(EXPECTED.read, program, reading, readings(program)[reading])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "writing"), WRITINGS, ids=[f"{program}-{writing}" for program, writing in WRITINGS]
)
def test_we_read_theirs(at_hand, written, program, writing):
    """What the program writes by each of its algorithms, for each key and password, we read, or are known not to."""
    at_hand(program)
    check(EXPECTED.write, program, writing, written(program)[writing])


def test_no_expectation_is_for_nothing():
    """Each refusal is for some cell, and no cell has two; each program is one that is run."""
    cells = {"read": [(program, cell) for program in PROGRAMS for cell in READINGS], "write": WRITINGS}
    for direction, all_cells in cells.items():
        refusals = getattr(EXPECTED, direction)
        for refusal in refusals:
            assert any(refusal.is_for(program, cell) for program, cell in all_cells), refusal
        for program, cell in all_cells:
            assert sum(refusal.is_for(program, cell) for refusal in refusals) <= 1, (program, cell)
    assert set(COMMANDS) < set(PROGRAMS)
