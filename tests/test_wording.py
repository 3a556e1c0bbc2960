"""Numbers in sentences."""

from __future__ import annotations

import pytest

from pkcs12kit.text import counted


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0 certificates"), (1, "1 certificate"), (2, "2 certificates"), (1234, "1,234 certificates")],
)
def test_counted(number, written):
    """One is singular, every other number plural, and thousands are told apart."""
    assert counted(number, "certificate") == written
