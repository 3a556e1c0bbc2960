"""Files that no password opens: protection by public keys, and MACs that RFC 9879 does not allow to compute."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7EnvelopeBuilder,
    PKCS7Options,
    PKCS7SignatureBuilder,
)

from pkcs12kit import lab
from pkcs12kit.errors import UnsupportedPfxError
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

from .conftest import PASSWORD
from .pfx_parts import bags_of, contents_of, der, oid, plain_safe, with_mac


@pytest.fixture(scope="module")
def server():
    """A server with an RSA key, which another one could encrypt to."""
    return lab.Authority.create("CA").issue_server("mdm.example.mil", key_type=lab.KeyType.RSA_2048)


def test_privacy_by_public_key_is_refused(server):
    """RFC 7292 section 3.1: EnvelopedData is reported, with and without the password, and never skipped."""
    contents = bags_of(certificate_bag(server.certificate.der))
    enveloped = (
        PKCS7EnvelopeBuilder()
        .set_data(contents)
        .add_recipient(server.certificate.as_cryptography)
        .encrypt(Encoding.DER, [PKCS7Options.Binary])
    )
    data = with_mac([plain_safe(certificate_bag(server.certificate.der)), enveloped])
    with pytest.raises(UnsupportedPfxError, match="enveloped_data"):
        decode_pfx(data, password=PASSWORD)
    assert [safe.encryption.algorithm for safe in inspect_pfx(data).safe_contents if safe.encryption] == [
        "enveloped_data"
    ]


def test_integrity_by_public_key_is_refused(server):
    """RFC 7292 section 3.1: SignedData in the place of Data, with no MAC, is no file without a MAC."""
    content = contents_of([plain_safe(certificate_bag(server.certificate.der))])
    signed = (
        PKCS7SignatureBuilder()
        .set_data(content)
        .add_signer(server.certificate.as_cryptography, server.private_key, SHA256())
        .sign(Encoding.DER, [PKCS7Options.Binary])
    )
    with pytest.raises(UnsupportedPfxError, match="public-key integrity"):
        decode_pfx(der(0x30, b"\x02\x01\x03" + signed), password=PASSWORD)


def test_pbmac1_with_md5_is_refused(server):
    """RFC 9879 section 7: no digest of 160 bits or less but SHA-1, which a reader may still take."""
    data = with_mac([plain_safe(certificate_bag(server.certificate.der))], algorithm="PBMAC1")
    hmac_sha256, hmac_md5 = oid("1.2.840.113549.2.9"), oid("1.2.840.113549.2.6")
    assert data.count(hmac_sha256) == 2  # PBKDF2's and the MAC's
    before, _, after = data.rpartition(hmac_sha256)
    for changed in (before + hmac_md5 + after, data.replace(hmac_sha256, hmac_md5, 1)):
        with pytest.raises(UnsupportedPfxError, match=r"1\.2\.840\.113549\.2\.6"):
            decode_pfx(changed, password=PASSWORD)
