"""The number of blocks in one PEM text is limited before the work on them, for each kind of input."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pkcs12kit as pk
from pkcs12kit.limits import DEFAULT_LIMITS

from ..counting import counted_calls
from ..thoroughness import mostly_slow
from .conftest import issue, key_pem, pem

FEW = replace(DEFAULT_LIMITS, pem_blocks=20, certificates=20)
LABELS = (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"PKCS12", b"X509 CRL", b"OCSP RESPONSE", b"CERTIFICATE", b"OTHER")


@pytest.fixture(scope="module")
def leaf():
    """A certificate and its key."""
    return issue("leaf")


def readers(certificate):
    """Return a function for each kind of input, which reads a text within limits."""
    return (
        lambda text: pk.load_identity(key=text, certificate=pem(certificate), limits=FEW),
        lambda text: pk.load_identity(pkcs12=text, limits=FEW),
        lambda text: pk.load_certificates(text, limits=FEW),
        lambda text: pk.load_crls(text, limits=FEW),
        lambda text: pk.load_ocsp_responses(text, limits=FEW),
        lambda text: pk.inspect_pfx(text, limits=FEW),
    )


@pytest.mark.parametrize("label", mostly_slow(LABELS, every=3), ids=bytes.decode)
@pytest.mark.parametrize(
    "block",
    [
        b"-----BEGIN %b-----\n",
        b"-----END %b-----\n",
        b"-----BEGIN %b-----\nMAA=\n-----END %b-----\n",
        b"-----BEGIN %b-----\n@@@@\n-----END %b-----\n",
    ],
    ids=["begin", "end", "empty", "damaged"],
)
def test_work_ends_at_the_limit(leaf, label, block):
    """However many blocks a text has, only as many are decoded as ``limits.pem_blocks`` allows; the error says it."""
    block = block.replace(b"%b", label)
    for read in readers(leaf[0]):
        calls = []
        for number in (500, 1000):
            with counted_calls() as counts, pytest.raises(pk.InputError):
                read(block * number)
            calls.append(counts["_block"] + counts["_cut_short"])
        assert calls[0] == calls[1] <= 2 * (FEW.pem_blocks + FEW.certificates), read


def test_the_limit_is_named(leaf):
    """A key among more blocks than the limit is refused with the file and the limit; at the limit it is read."""
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    text = parameters * 19 + key_pem(leaf[1])
    assert pk.load_identity(key=text, certificate=pem(leaf[0]), limits=FEW).private_key is not None
    with pytest.raises(pk.LimitExceededError, match=r"^the bytes given: more than 20 PEM blocks \(limits"):
        pk.load_identity(key=parameters + text, certificate=pem(leaf[0]), limits=FEW)


def test_certificates_have_their_own_limit(leaf):
    """As many certificates as ``limits.certificates`` allows are read, whatever ``limits.pem_blocks`` is."""
    limits = replace(FEW, pem_blocks=0)
    assert pk.load_certificates(pem(leaf[0]) * 20, limits=limits)
    with pytest.raises(pk.LimitExceededError, match=r"20 PEM blocks \(limits\.pem_blocks\)"):
        pk.load_certificates(pem(leaf[0]) * 21, limits=limits)
