"""Arguments from outside: a source or the loaded value, one or several, means the same everywhere."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

import pkcs12kit as pk
from pkcs12kit.sources.arguments import as_certificate, as_certificates, as_crls, as_ocsp_responses, as_trust_anchors
from pkcs12kit.sources.identities import as_identity

from .conftest import der, key_pem, pem

PASSWORD = "correct horse 42"


@pytest.fixture(scope="module")
def server(leaf):
    """The leaf's identity, loaded."""
    return pk.Identity(private_key=leaf[1], certificate=pk.Certificate.from_der(der(leaf[0])))


@pytest.fixture(scope="module")
def pfx(server):
    """A PKCS#12 file of the leaf's identity."""
    bundle = pk.Bundle(private_key=server.private_key, certificates=(server.certificate,))
    profile = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
    return pk.encode_pfx(bundle, password=PASSWORD, profile=profile)


def test_certificates_come_in_any_form(root, tmp_path):
    """A path, its text, bytes, a certificate of either library and a pool are the same certificate, one or several."""
    path = tmp_path / "root.pem"
    path.write_bytes(pem(root[0]))
    loaded = pk.Certificate.from_der(der(root[0]))
    anchor = pk.TrustAnchor.from_certificate(loaded)
    for given in (path, str(path), pem(root[0]), der(root[0]), root[0], loaded, pk.CertificatePool([loaded])):
        assert as_certificate(given) == loaded
        for argument in (given, [given], iter([given, loaded])):
            assert list(as_certificates(argument)) == [loaded]
        assert as_trust_anchors(given) == as_trust_anchors([anchor, given]) == (anchor,)


def test_a_pool_stays_the_same_object(root):
    """A pool is not made again: its indexes and its rejects stay."""
    pool = pk.CertificatePool([pk.Certificate.from_der(der(root[0]))])
    assert as_certificates(pool) is pool
    assert as_certificates([pool]) is pool


def test_nothing_given(root):
    """No certificates are an empty pool; no trust anchor is an error, unless the caller does not need one."""
    assert len(as_certificates(())) == 0
    with pytest.raises(pk.InputError, match="no trust anchor given"):
        as_trust_anchors([])
    assert as_trust_anchors([], required=False) == ()
    with pytest.raises(pk.InputError, match="expected one certificate, found none"):
        as_certificate(pk.CertificatePool())
    with pytest.raises(pk.InputError, match="an identity needs a certificate"):
        pk.load_identity(key=root[1], certificate=pk.CertificatePool())


def test_identities_come_in_any_form(server, pfx, tmp_path):
    """An identity, a decoded PKCS#12 file, and files of either kind; the content decides, never the file's ending."""
    both = tmp_path / "server.p12"
    both.write_bytes(key_pem(server.private_key) + server.certificate.to_pem().encode())
    for given in (server, both, both.read_bytes(), pfx, pk.decode_pfx(pfx, password=PASSWORD)):
        assert as_identity(given, password=PASSWORD).certificate == server.certificate
    reading, writing = os.pipe()
    os.write(writing, both.read_bytes())
    os.close(writing)
    try:  # as the shell's <(...): it can be read only once
        assert as_identity(f"/dev/fd/{reading}").certificate == server.certificate
    finally:
        os.close(reading)


def test_keys_and_certificates_of_the_other_library(leaf, chain, stranger):
    """load_identity accepts pyca/cryptography's keys and certificates, with and without files beside them."""
    for certificate in (leaf[0], pk.load_certificates(*chain), pem(*chain)):
        assert pk.load_identity(key=leaf[1], certificate=certificate).certificate.der == der(leaf[0])
    assert pk.load_identity(key=key_pem(leaf[1]), certificate=leaf[0]).certificate.der == der(leaf[0])
    with pytest.raises(pk.KeyMismatchError, match="the private key given and the certificate given"):
        pk.load_identity(key=leaf[1], certificate=stranger[0])
    with pytest.raises(pk.InputError, match="key agreement"):
        pk.load_identity(key=X25519PrivateKey.generate(), certificate=leaf[0])
    for half in ({"key": leaf[1]}, {"certificate": leaf[0]}):
        with pytest.raises(pk.InputError, match="needs a key and a certificate"):
            pk.load_identity(**half)


def test_a_mac_can_be_required_of_a_decoded_file(server):
    """require_mac holds for a PKCS#12 file that was decoded before, as for one that is read now."""
    bundle = pk.Bundle(private_key=server.private_key, certificates=(server.certificate,))
    decoded = pk.decode_pfx(pk.encode_pfx(bundle, password=None, profile=pk.profiles.NO_PASSWORD), password=None)
    warnings = []
    assert as_identity(decoded, on_warning=warnings.append).certificate == server.certificate
    assert warnings
    with pytest.raises(pk.PfxError, match="a MAC is required"):
        as_identity(decoded, require_mac=True)


def test_crls_come_in_any_form(crl_pem, root):
    """PEM, DER and the other library's object are the same CRL; what is not one says what it is."""
    crl = x509.load_pem_x509_crl(crl_pem)
    encoded = crl.public_bytes(Encoding.DER)
    assert as_crls([crl_pem, encoded, crl]) == as_crls(crl) == (encoded,)
    assert as_crls(()) == ()
    with pytest.raises(pk.InputError, match="expected an OCSP response, found a certificate revocation list"):
        as_ocsp_responses(encoded)
    with pytest.raises(TypeError, match=r"ocsp_responses: expected .*, not Certificate"):
        as_ocsp_responses(root[0])


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (as_certificate, "target"),
        (as_certificates, "certificates"),
        (as_trust_anchors, "trust_anchors"),
        (as_identity, "identity"),
        (as_crls, "crls"),
    ],
)
def test_another_kind_is_refused_by_the_name_of_its_parameter(function, name):
    """TypeError names the parameter, what it accepts, and the kind that was given."""
    for wrong in (datetime.now(UTC), None, 7):
        with pytest.raises(TypeError, match=rf"^{name}: expected a path, bytes.*, not {type(wrong).__name__}$"):
            function(wrong)
    with pytest.raises(TypeError, match=r"^pool: "):
        as_certificates([7], name="pool")
