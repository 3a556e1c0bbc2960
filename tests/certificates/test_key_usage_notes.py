"""The usages that each algorithm allows its keys: every combination of bits, for every algorithm that has a rule."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, mlkem, rsa, x448, x25519

import pkcs12kit as pk

from .. import der
from ..resigning import key_info, with_parts
from ..thoroughness import mostly_slow
from ..x509_values import KEY_USAGE
from .chains import SERVER

SIGNING, ENCRYPTING, AGREEING = {0, 1, 5, 6}, {2, 3}, {4}
SLH_DSA = "2.16.840.1.101.3.4.3.25"
# The algorithm, the bits that must not be there, and those of which one must be there.
RULES = [
    (lambda: rsa.generate_private_key(65537, 2048), set(), set()),
    (lambda: ec.generate_private_key(ec.SECP384R1()), ENCRYPTING, set()),  # RFC 8813 section 3
    (ed25519.Ed25519PrivateKey.generate, ENCRYPTING | AGREEING, SIGNING),  # RFC 9295 section 3
    (ed448.Ed448PrivateKey.generate, ENCRYPTING | AGREEING, SIGNING),
    (x25519.X25519PrivateKey.generate, ENCRYPTING | SIGNING, AGREEING),
    (x448.X448PrivateKey.generate, ENCRYPTING | SIGNING, AGREEING),
    (mldsa.MLDSA44PrivateKey.generate, ENCRYPTING | AGREEING, SIGNING),  # RFC 9881 section 5
    (mldsa.MLDSA65PrivateKey.generate, ENCRYPTING | AGREEING, SIGNING),
    (mldsa.MLDSA87PrivateKey.generate, ENCRYPTING | AGREEING, SIGNING),
    (None, ENCRYPTING | AGREEING, SIGNING),  # RFC 9909 section 6, of a key that nothing here can read
    (mlkem.MLKEM768PrivateKey.generate, SIGNING | AGREEING | {3}, {2}),  # RFC 9935 section 5
]
EVERY_USAGE = list(chain.from_iterable(combinations(range(7), size) for size in range(8)))


@pytest.mark.parametrize(("make", "never", "one_of"), mostly_slow([pytest.param(*rule) for rule in RULES], every=6))
def test_each_combination_of_usages(make, never, one_of):
    """A note exactly where a bit is forbidden or none of the needed ones is there, and none without a keyUsage."""
    key = None if make is None else make()
    part = SERVER if key is None else replace(SERVER, key=key)
    for bits in EVERY_USAGE:
        usage = der.named_bits(*bits)
        certificate = pk.Certificate.from_der(part.having(KEY_USAGE, usage, critical=True).der)
        if key is None:
            certificate = with_parts(certificate, SERVER.issuer_key, info=key_info(SLH_DSA))
        wrong = bool(never & set(bits)) or bool(one_of and not one_of & set(bits))
        notes = [note for note in pk.lint_certificates([certificate]) if note.rule == "key-usage-unfit"]
        assert len(notes) == wrong, bits
    without = pk.Certificate.from_der(part.without(KEY_USAGE).der)
    assert not [note for note in pk.lint_certificates([without]) if note.rule == "key-usage-unfit"]


def test_the_note_names_the_key_the_usage_and_the_clause():
    """RFC 9881 section 5: keyEncipherment is for keys that encrypt."""
    part = replace(SERVER, key=mldsa.MLDSA65PrivateKey.generate()).having(KEY_USAGE, der.named_bits(0, 2, 4))
    (note,) = pk.lint_certificates([pk.Certificate.from_der(part.der)])
    assert note.why == (
        "its key is for ML-DSA-65, and its keyUsage has keyEncipherment and keyAgreement (RFC 9881 section 5)"
    )
