"""Encodings made to keep asn1crypto busy."""

from __future__ import annotations

import pytest

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.der import refuse_endless_tags
from pkcs12kit.errors import MalformedCertificateError, MalformedPfxError
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

ENDLESS = b"\x1f" + b"\xff" * 4_000_000


def sequence(contents: bytes) -> bytes:
    """Wrap contents in a DER SEQUENCE."""
    return b"\x30\x84" + len(contents).to_bytes(4) + contents


@pytest.mark.parametrize("data", [ENDLESS, sequence(ENDLESS), sequence(b"\x02\x01\x03" + sequence(ENDLESS))])
def test_a_tag_number_without_end_is_refused_unparsed(data):
    """A tag number of four million octets (X.690 section 8.1.2.4) would take asn1crypto about an hour to build."""
    with pytest.raises(MalformedCertificateError):
        Certificate(data)
    with pytest.raises(MalformedPfxError):
        decode_pfx(data, password="x")
    with pytest.raises(MalformedPfxError):
        inspect_pfx(data)


def test_what_real_encodings_hold_is_let_pass():
    """Runs as long as a key, a signature or a text of a few hundred letters beyond ASCII are no such tag."""
    refuse_endless_tags(b"\xff" * 1023 + b"\x00" + b"\xff" * 1023)
    refuse_endless_tags(("認証" * 160).encode())
    with pytest.raises(ValueError, match="1024 octets"):
        refuse_endless_tags(b"\x00" + b"\x80" * 1024)


@pytest.mark.parametrize("length", [1023, 1024, 1500, 5000])
@pytest.mark.parametrize("offset", [0, 1, 63, 127, 128, 129, 500, 1024, 3000])
def test_a_run_is_found_wherever_it_stands(offset, length):
    """Looking at every 128th octet first loses none: 1,024 in a row are refused, 1,023 are not."""
    data = b"\x00" * offset + b"\xff" * length + b"\x00" * 300
    if length < 1024:
        refuse_endless_tags(data)
        return
    with pytest.raises(ValueError, match="1024 octets"):
        refuse_endless_tags(data)
