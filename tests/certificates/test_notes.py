"""Notes: oddities of one certificate that are no reason to refuse it."""

import pytest

import pkcs12kit as pk
from pkcs12kit.certificates.notes import NoteRule

from .oddities import certificate


@pytest.mark.parametrize(
    ("serial", "rules"),
    [
        (1, []),
        (0, [NoteRule.SERIAL_NUMBER_NOT_POSITIVE]),
        (-5, [NoteRule.SERIAL_NUMBER_NOT_POSITIVE]),
        (-(2**159), [NoteRule.SERIAL_NUMBER_NOT_POSITIVE]),
        (128, []),
        (2**159 - 1, []),
        (2**159, [NoteRule.SERIAL_NUMBER_TOO_LONG]),
    ],
)
def test_serial_number(serial, rules):
    """RFC 5280 section 4.1.2.2: positive, and at most 20 octets; users must handle others gracefully."""
    read = pk.Certificate.from_der(certificate(serial=serial))
    assert read.serial_number == serial
    assert [note.rule for note in read.notes] == rules


def test_json():
    """A note has three values; it does not name the certificate."""
    (note,) = pk.Certificate.from_der(certificate(serial=0)).notes
    assert note.to_json() == {
        "rule": "serial-number-not-positive",
        "why": "its serial number is zero, not positive",
        "source": "RFC 5280 section 4.1.2.2",
    }
