"""The page on interoperability says what the matrix is held to, and the table of readers agrees with the matrix."""

from __future__ import annotations

import os
import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.pkcs12.compatibility import of_profile
from pkcs12kit.pkcs12.readers import READERS

from .conftest import writings_of
from .expected import EXPECTED
from .matrix import PASSWORDS, PROFILES, READINGS, passwords_for

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "interoperability.md"
WRITER = runpy.run_path(str(DOCS / "making" / "interoperability.py"))
# The reader of the table that each program stands for.
READER_OF = {
    "openssl-3.0": "openssl-3",
    "java-17": "java-17",
    "pk12util-3.87": "nss",
    "certtool-3.7": "gnutls",
    "bouncycastle-1.72": "bouncycastle",
}
# Those of which the matrix alone tries what the table says that we tried.
TRIED_HERE = ("bouncycastle-1.72",)
CELLS = [(profile, password) for profile in PROFILES for password in passwords_for(profile)]


def verdict_of(program, profile, password):
    """What the table of readers says of a profile and a password, and the features that this takes."""
    text = PASSWORDS[password]
    facts = replace(
        of_profile(PROFILES[profile]),
        empty_password=text == "",
        non_ascii_password=text is not None and not text.isascii(),
    )
    return READERS[READER_OF[program]].judge(facts), facts.features


def test_the_page_is_up_to_date():
    """The page has what is expected of each cell. ``PKCS12KIT_WRITE_PAGE=1`` writes it anew."""
    head, begin, _ = PAGE.read_text("utf-8").partition(WRITER["BEGIN"])
    assert begin
    expected = head + WRITER["render"](EXPECTED, READINGS, writings_of)
    if os.environ.get("PKCS12KIT_WRITE_PAGE"):
        PAGE.write_text(expected, "utf-8")
    assert PAGE.read_text("utf-8") == expected


def test_what_was_tried_was_tried_with_these_versions():
    """Where the table of readers says that we tried something, it names the version that the matrix is of."""
    tried = {
        (program, statement.source)
        for program, name in READER_OF.items()
        for statement in READERS[name].statements
        if statement.evidence is Evidence.TRIED
    }
    assert tried
    for program, source in tried:
        _, version, system = re.fullmatch(r"(\S+) (\S+) of (.+)", source).groups()
        assert f"{EXPECTED.programs[program].version}.".startswith(f"{version}."), source
        assert system == EXPECTED.programs[program].system


@pytest.mark.parametrize("program", TRIED_HERE)
def test_what_was_tried_is_tried_by_a_cell(program):
    """Each such statement is part of a yes, or a no all alone, that the next test holds against the program."""
    verdicts = [verdict_of(program, *cell) for cell in CELLS]
    for statement in READERS[READER_OF[program]].statements:
        assert statement.evidence is not Evidence.TRIED or any(
            statement.feature in features and verdict.answer is Answer.YES
            if statement.opens
            else verdict.why == str(statement)
            for verdict, features in verdicts
        ), statement


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "password"), CELLS)
@pytest.mark.parametrize("program", READER_OF)
def test_the_table_of_readers_agrees(readings, program, profile, password):
    """What the table of readers says of a profile and a password is so, with an EC key."""
    verdict, _ = verdict_of(program, profile, password)
    if verdict.answer is Answer.UNKNOWN:
        return
    outcomes = [
        readings(program)[reading]
        for reading in READINGS
        if (reading.profile, reading.key, reading.password) == (profile, "ec-p256", password)
    ]
    assert outcomes
    for outcome in outcomes:
        assert outcome.yes == (verdict.answer is Answer.YES), (verdict.why, outcome.why)
