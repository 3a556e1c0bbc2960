"""Keeping from asn1crypto what it would need too long for."""

from __future__ import annotations

from typing import Final

# A tag number above 30 goes on for as long as octets have their highest bit set (X.690 section 8.1.2.4). asn1crypto
# builds it in quadratic time: a megabyte takes minutes. Nothing that is read here has such a tag, and keys,
# signatures and ciphertext have no such run but by a chance of 1 in 2**1024.
_LONGEST_RUN: Final = 1024
# Of so many octets in a row, every 128th are eight in a row: looking at those first nearly always decides.
_SAMPLE_STEP: Final = 128
_SAMPLED_RUN: Final = bytes([1]) * (_LONGEST_RUN // _SAMPLE_STEP)
_IS_HIGH: Final = bytes(octet >> 7 for octet in range(256))


def refuse_endless_tags(data: bytes) -> None:
    """Raise :class:`ValueError` for encoded data in which a tag number might go on for over 1,024 octets.

    Text of that length in which no octet is ASCII is refused too. Takes linear time.
    """
    if _SAMPLED_RUN not in data[::_SAMPLE_STEP].translate(_IS_HIGH):
        return
    if bytes([1]) * _LONGEST_RUN in data.translate(_IS_HIGH):
        raise ValueError(f"more than {_LONGEST_RUN} octets in a row that could be one tag number")
