"""Every form of authorityKeyIdentifier, compared here and by OpenSSL: X509_check_akid is what the ranking follows."""

from __future__ import annotations

from itertools import product

import pytest
from cryptography import x509
from OpenSSL import crypto

from pkcs12kit import lab
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.named_issuers import names_another

from ..der import explicit, implicit, sequence

NUMBER = 2008
KEYS = {"no key": b"", "its key": None, "another key": implicit(0, b"another")}
URL = implicit(6, b"http://example.com/")


def directory(name):
    """Encode a directoryName."""
    return explicit(4, lab.authority.as_name(name).public_bytes())


ISSUERS = {
    "no issuer": None,
    "TA": [directory("TA")],
    "written otherwise": [directory("ta ")],
    "another": [directory("Other")],
    "TA first": [directory("TA"), directory("Other")],
    "TA second": [directory("Other"), directory("TA")],
    "a URL": [URL],
    "a URL and TA": [URL, directory("TA")],
}
NUMBERS = {"no number": b"", "its number": NUMBER, "another number": 7, "a negative number": -NUMBER}


@pytest.fixture(scope="module")
def chain():
    """Return TA, I, and the certificate of I."""
    root, ca = lab.Authority.create("TA", serial_number=NUMBER), lab.Authority.create("I")
    return root, ca, root.issue_ca(ca, serial_number=NUMBER)


def identifier(issuer, key, names, number):
    """Put an authorityKeyIdentifier together."""
    own = x509.SubjectKeyIdentifier.from_public_key(issuer.private_key.public_key()).digest
    fields = implicit(0, own) if key is None else key
    if names is not None:
        fields += explicit(1, *names)
    if number != b"":
        fields += implicit(2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))
    value = sequence(fields)
    return lab.non_critical(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.35"), value))


def openssl_follows(certificate, issuers, root):
    """Ask OpenSSL whether it builds a chain."""
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(root.as_cryptography))
    target, *others = (crypto.load_certificate(crypto.FILETYPE_ASN1, one.der) for one in (certificate, *issuers))
    try:
        crypto.X509StoreContext(store, target, others).verify_certificate()
    except crypto.X509StoreContextError as error:
        return "unable to get local issuer certificate" not in str(error)
    return True


@pytest.mark.parametrize("key", KEYS)
def test_openssl_follows_what_is_no_mismatch(chain, key):
    """For a CA's certificate that is sent, and for the trust anchor's own: the same answer for each form."""
    root, ca, issued = chain
    for names, number in product(ISSUERS, NUMBERS):
        said = (KEYS[key], ISSUERS[names], NUMBERS[number])
        below = ca.issue_server("EE", extensions=[identifier(ca, *said)]).certificate
        assert openssl_follows(below, [issued], root.certificate) is not names_another(below, issued), (names, number)
        direct = root.issue_server("EE", extensions=[identifier(root, *said)]).certificate
        anchor = TrustAnchor.from_certificate(root.certificate)
        assert openssl_follows(direct, [], root.certificate) is not names_another(direct, anchor), (names, number)
