"""The page on interoperability says what the matrix is held to, and the table of readers names its versions."""

from __future__ import annotations

import os
import re
import runpy
from pathlib import Path

from pkcs12kit.findings import Evidence
from pkcs12kit.pkcs12.readers import READERS

from .conftest import writings_of
from .diagonal import READER_OF, pairs
from .expected import EXPECTED
from .matrix import READINGS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "interoperability.md"
WRITER = runpy.run_path(str(DOCS / "making" / "interoperability.py"))


def test_the_page_is_up_to_date():
    """The page has what is expected of each cell. ``PKCS12KIT_WRITE_PAGE=1`` writes it anew."""
    head, begin, _ = PAGE.read_text("utf-8").partition(WRITER["BEGIN"])
    assert begin
    expected = head + WRITER["render"](EXPECTED, READINGS, writings_of, [*pairs()])
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
