"""The contents of a PFX, their order and their names."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import InputError, KeyMismatchError
from pkcs12kit.pkcs12.bundle import Bundle

from .conftest import CA_NAMES, DAY, issue, make_path


def test_order_is_end_entity_issuers_anchor_last(identity_and_path):
    """The target is first, then each issuer, and the anchor's certificate last."""
    identity, path = identity_and_path
    bundle = Bundle.from_path(identity, path)
    assert bundle.certificates == (*path.certificates, path.trust_anchor.certificate)
    assert len(bundle.certificates) == 6


def test_anchor_can_be_left_out(identity_and_path):
    """A server need not send what its clients have (RFC 8446 section 4.4.2)."""
    identity, path = identity_and_path
    assert Bundle.from_path(identity, path, include_anchor=False).certificates == path.certificates


def test_anchor_without_certificate_is_not_passed_over(identity_and_path):
    """RFC 5280 section 6.1.1 (d): a trust anchor may be only a name and a key, so it cannot be included."""
    identity, path = identity_and_path
    anchor = TrustAnchor(name=path.trust_anchor.name, subject_public_key_info=b"")
    bare = CertificationPath(certificates=path.certificates, trust_anchor=anchor)
    with pytest.raises(ValueError, match="include_anchor=False"):
        Bundle.from_path(identity, bare)
    assert len(Bundle.from_path(identity, bare, include_anchor=False).certificates) == 5


def test_path_of_another_certificate_is_refused(keys, identity_and_path):
    """A path for another certificate is refused: the key never gets another certificate's chain."""
    identity, _ = identity_and_path
    with pytest.raises(ValueError, match="another certificate"):
        Bundle.from_path(identity, make_path(keys["ec"]))


def test_key_of_another_certificate_is_refused(identity_and_path):
    """A bundle made directly is checked as an identity is."""
    _, path = identity_and_path
    with pytest.raises(KeyMismatchError):
        Bundle(private_key=ec.generate_private_key(ec.SECP256R1()), certificates=path.certificates)


def test_subject_and_key_occur_once(keys):
    """Two certificates of one CA and key (a renewal, say) in a file make Java serve a cut chain."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    first = issue("CA", ca_key, "CA", ca_key)
    again = issue("CA", ca_key, "Other", keys["ec"])
    with pytest.raises(ValueError, match="one certificate for each"):
        Bundle(certificates=(first, again))


def test_certificates_from_a_generator_are_made_concrete(identity_and_path):
    """An iterable that can be read only once is kept, so the bundle is not empty later."""
    _, path = identity_and_path
    bundle = Bundle(certificates=(certificate for certificate in path.certificates))
    assert len(bundle.certificates) == 5
    with pytest.raises(ValueError, match="at least one"):
        Bundle(certificates=())


def test_aliases_are_common_names(bundle, identity_and_path):
    """Each CA certificate has its common name; key and end-entity have the given name, or none."""
    assert bundle.aliases == ("mdm.example.mil", "Issuing CA", *CA_NAMES)
    assert Bundle.from_path(*identity_and_path).aliases[0] is None


def test_certificates_only(identity_and_path):
    """Without a key the first certificate has its common name, as the others do."""
    _, path = identity_and_path
    bundle = Bundle.certificates_only(path)
    assert bundle.private_key is None
    assert bundle.aliases == ("mdm.example.mil", "Issuing CA", *CA_NAMES)
    assert Bundle.certificates_only(path, friendly_name="mine").aliases[0] == "mine"


def test_colliding_aliases_are_numbered(keys):
    """Aliases differ in more than case: keytool compares them in lower case, and would make one entry."""
    path = make_path(keys["ec"], ("Bridge/A", "BRIDGE/B", "bridge/C", "/Nameless", "\N{GRINNING FACE}"))
    identity = Identity(private_key=keys["ec"], certificate=path.target)
    aliases = Bundle.from_path(identity, path, friendly_name="bridge").aliases
    assert aliases == ("bridge", "Issuing CA", "Bridge (2)", "BRIDGE (3)", "bridge (4)", "O=Nameless", None)


@pytest.mark.parametrize("name", ["\N{GRINNING FACE}", "\ud83d", "a\0b", ""])
def test_names_that_a_bmpstring_cannot_hold_are_refused(identity_and_path, name):
    """RFC 2985 section 5.5.1: friendlyName is a BMPString; refused with a sentence, not mangled."""
    with pytest.raises(InputError, match="friendly name"):
        Bundle.from_path(*identity_and_path, friendly_name=name)


def test_repr_shows_no_key(bundle):
    """No repr shows a private key."""
    assert "PrivateKey" not in repr(bundle)
    assert "private_key" not in repr(bundle)


def test_length_of_a_name(keys):
    """RFC 2985 appendix A: at most 255 characters. A longer one is refused, a CA's own that long is left out."""
    certificate = issue("s", keys["ec"], "s", keys["ec"])
    assert Bundle(certificates=(certificate,), friendly_name="n" * 255).aliases == ("n" * 255,)
    with pytest.raises(InputError, match="256 characters, and at most 255 are allowed"):
        Bundle(certificates=(certificate,), friendly_name="n" * 256)
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "u" * 60)
    signed = (
        x509.CertificateBuilder(x509.Name([]), x509.Name([unit] * 5), keys["ec"].public_key(), 1, DAY, DAY)
        .sign(keys["ec"], hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    assert Bundle(certificates=(Certificate.from_der(signed),)).aliases == (None,)
