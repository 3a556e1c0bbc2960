"""Bundles of certificates as publishers encode them, and pyca does not."""

from __future__ import annotations

from asn1crypto import core


def ber(certificates):
    """Bundle certificates with indefinite lengths (X.690 section 8.1.3.6), as DISA does."""

    def indefinite(tag, *contents):
        return bytes((tag, 0x80)) + b"".join(contents) + b"\x00\x00"

    signed_data = indefinite(
        0x30,
        core.Integer(1).dump(),
        indefinite(0x31),
        indefinite(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.1").dump()),
        indefinite(0xA0, *(each.der for each in certificates)),
        indefinite(0x31),
    )
    return indefinite(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.2").dump(), indefinite(0xA0, signed_data))
