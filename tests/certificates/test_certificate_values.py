"""Values: certificates, pools, identities, trust anchors, paths, instants."""

from __future__ import annotations

import dataclasses
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.extensions import Extensions
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool, Reject
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import KeyMismatchError, MalformedCertificateError
from pkcs12kit.lab.extensions import (
    authority_information_access,
    crl_distribution_points,
    subject_information_access,
)
from pkcs12kit.times import format_time, require_aware

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def topology():
    """EE <- B <- A <- TA, and a second certificate for B."""
    return lab.Topology.from_edges("EE<B<A<TA", lab.Edge(subject="B", issuer="A"), validity=lab.Validity.around(AT))


@pytest.fixture(scope="module")
def server(topology):
    """The end entity's certificate."""
    return topology.servers["EE"].certificate


# Certificate


def test_pem_there_and_back(server):
    """``to_pem`` writes RFC 7468 text with line feeds; ``from_pem`` reads the first certificate after other text."""
    text = server.to_pem()
    assert text.startswith("-----BEGIN CERTIFICATE-----\n")
    assert text.endswith("-----END CERTIFICATE-----\n")
    assert "\r" not in text
    for given in (text, text.encode(), "subject=CN = x\n" + text, text.replace("\n", "\r\n")):
        assert Certificate.from_pem(given) == server


@pytest.mark.parametrize("text", ["", "no PEM at all", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_pem_without_a_certificate_is_an_error(text):
    """Nothing to read is said, not passed over."""
    with pytest.raises(MalformedCertificateError):
        Certificate.from_pem(text)


def test_certificates_are_equal_when_their_der_is(server):
    """Equality, hash and pickling depend only on the DER."""
    again = Certificate.from_der(bytearray(server.der))
    assert again == server
    assert len({again, server}) == 1
    assert again != server.der
    copied = pickle.loads(pickle.dumps(server))  # noqa: S301  # made in this test
    assert copied == server
    assert copied.extensions.subject_alternative_name == server.extensions.subject_alternative_name


def test_json_has_what_the_contract_promises(server):
    """Every certificate in JSON: subject, issuer, serial (decimal), sha256 (hex), not_before, not_after."""
    described = json.loads(json.dumps(server.to_json()))
    assert described == {
        "subject": "CN=EE",
        "issuer": "CN=B",
        "serial": str(server.serial_number),
        "sha256": server.sha256,
        "not_before": "2025-03-01T12:30:00Z",
        "not_after": "2027-03-01T12:30:00Z",
    }
    assert len(server.sha256) == 64


def test_repr_names_subject_serial_and_expiry(server):
    """The repr is enough to tell certificates apart."""
    assert repr(server) == "<Certificate 'CN=EE' #1 until 2027-03-01T12:30:00Z>"


def test_labels_of_certificates_and_trust_anchors(server):
    """The label is that of the subject; RFC 5280 section 4.1.2.6 allows an empty one, which has the serial number."""
    authority = lab.Authority.create("\x1b[2J CA")
    nameless = authority.issue_server("s.example", subject=x509.Name([]), serial_number=77).certificate
    assert (server.label, nameless.label) == ("EE", "(no name) #77")
    anchor = TrustAnchor.from_certificate(authority.certificate)
    assert anchor.label == r"\x1b[2J CA"
    assert dataclasses.replace(anchor, certificate=None).label == anchor.label
    assert str(CertificationPath(certificates=(nameless,), trust_anchor=anchor)) == r"(no name) #77 <- \x1b[2J CA"


def test_repr_escapes_hostile_names():
    """A name from outside does not steer the terminal through ``repr`` either."""
    assert "\x1b" not in repr(lab.Authority.create("\x1b[2J").certificate)


def test_parts_are_the_encoded_ones(server):
    """The tbsCertificate and SubjectPublicKeyInfo are byte for byte those of the certificate."""
    reading = server.as_cryptography
    assert server.tbs_certificate == reading.tbs_certificate_bytes
    assert server.subject_public_key_info == reading.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert server.signature == reading.signature
    assert server.version == 3
    assert server.signature_algorithms_agree
    assert server.encoding_error is None


def test_key_identifiers_and_ca(topology, server):
    """Hints for discovery: subjectKeyIdentifier, authorityKeyIdentifier, basicConstraints."""
    issuer = topology.certificate("B", "A")
    assert server.issuer_key_identifier == issuer.key_identifier is not None
    assert (issuer.is_ca, server.is_ca) == (True, False)
    assert topology.authorities["TA"].certificate.is_self_issued
    assert not issuer.is_self_issued


def test_no_extensions_is_no_hints():
    """RFC 5280 section 4.2: every extension may be missing; None and empty stand for that."""
    authority = lab.Authority.create("CA")
    bare = authority.issue("bare", authority.private_key.public_key())
    assert bare.extensions == Extensions()
    assert (bare.key_identifier, bare.issuer_key_identifier, bare.is_ca) == (None, None, False)


def test_extensions_are_decoded_once_for_all_that_ask(topology, server, monkeypatch):
    """Key identifiers and cA come from the extensions where these are decoded, without decoding them again."""
    authority = lab.Authority.create("CA")
    bare = authority.issue("bare", authority.private_key.public_key())
    for each in (server, *topology.certificates, bare):
        hints, decoded = Certificate(each.der), Certificate(each.der)
        wanted = (hints.key_identifier, hints.issuer_key_identifier, hints.is_ca)
        assert decoded.extensions == each.extensions
        with monkeypatch.context() as patched:
            patched.setattr("pkcs12kit.certificates.certificate._take_extensions", None)
            assert (decoded.key_identifier, decoded.issuer_key_identifier, decoded.is_ca) == wanted


def test_locations_are_uris_of_the_right_method():
    """AIA caIssuers and OCSP, and SIA caRepository: URIs, and no other names (RFC 5280 section 4.2.2)."""
    authority = lab.Authority.create("CA")
    directory = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.DirectoryName(authority.name))
    access = authority_information_access("http://ca.example/a.p7c", "http://ocsp.example/")
    certificate = authority.issue(
        "x",
        authority.private_key.public_key(),
        extensions=[
            lab.non_critical(x509.AuthorityInformationAccess([directory, *access])),
            lab.non_critical(subject_information_access("http://ca.example/x.p7c")),
        ],
    )
    assert certificate.extensions.ca_issuers == ("http://ca.example/a.p7c",)
    assert certificate.extensions.ocsp_responders == ("http://ocsp.example/",)
    assert certificate.extensions.ca_repositories == ("http://ca.example/x.p7c",)


def test_locations_of_crls_are_uris_of_full_names():
    """URLs of all distribution points, the full CRL's and the delta CRL's apart (RFC 5280 4.2.1.13, 4.2.1.15)."""
    authority = lab.Authority.create("CA")
    relative = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "CRL1")])
    names = [x509.UniformResourceIdentifier("ldap://ca.example/CRL"), x509.DirectoryName(authority.name)]
    points = [
        x509.DistributionPoint([*names, x509.UniformResourceIdentifier("http://ca.example/1.crl")], None, None, None),
        x509.DistributionPoint(None, relative, None, None),
        x509.DistributionPoint(None, None, None, [x509.DirectoryName(authority.name)]),
        *crl_distribution_points("http://ca.example/2.crl"),
    ]
    certificate = authority.issue(
        "x",
        authority.private_key.public_key(),
        extensions=[
            lab.non_critical(x509.CRLDistributionPoints(points)),
            lab.non_critical(x509.FreshestCRL(list(crl_distribution_points("http://ca.example/delta.crl")))),
        ],
    )
    assert certificate.extensions.crl_locations == (
        "ldap://ca.example/CRL",
        "http://ca.example/1.crl",
        "http://ca.example/2.crl",
    )
    assert certificate.extensions.delta_crl_locations == ("http://ca.example/delta.crl",)


# CertificatePool


def test_a_pool_holds_each_certificate_once(topology):
    """Order and repetition of what a pool is made from do not matter."""
    pool = topology.pool
    doubled = CertificatePool([*reversed(list(pool)), *pool])
    assert len(doubled) == len(pool) == 3
    assert set(doubled) == set(pool)
    for certificate in pool:
        assert doubled.by_subject(certificate.subject) == pool.by_subject(certificate.subject)
        assert doubled.by_key_identifier(certificate.key_identifier) == pool.by_key_identifier(
            certificate.key_identifier
        )
        assert certificate in doubled
    assert len(pool.by_subject(topology.certificate("B", "A").subject)) == 2
    assert list(pool.by_subject(topology.certificate("B", "A").subject)) == sorted(
        pool.by_subject(topology.certificate("B", "A").subject), key=lambda certificate: certificate.sha256
    )


def test_a_pool_knows_what_it_does_not_hold(topology, server):
    """Other certificates, names and things are not in it."""
    pool = topology.pool
    assert server not in pool
    assert "CN=B" not in pool
    assert pool.by_subject(server.subject) == ()
    assert pool.by_key_identifier(b"nobody") == ()
    assert topology.certificate("A", "TA") not in CertificatePool()


def test_a_pool_is_found_by_name_comparison(topology):
    """RFC 5280 section 7.1, not byte comparison, is the index."""
    renamed = lab.Authority.create("b", private_key=topology.authorities["B"].private_key).certificate
    assert topology.pool.by_subject(renamed.subject) == topology.pool.by_subject(
        topology.authorities["B"].certificate.subject
    )


def test_pools_merge_with_their_rejects(topology):
    """``|`` keeps both sides' certificates and rejects; a pool and a list do not merge."""
    reject = Reject(source="bundle.pem", position=2, reason="not a certificate")
    left = CertificatePool(topology.pool, rejects=[reject])
    merged = left | CertificatePool([topology.servers["EE"].certificate], rejects=[reject])
    assert len(merged) == len(left) + 1
    assert merged.rejects == (reject, reject)
    assert str(reject) == "bundle.pem: certificate 2: not a certificate"
    assert repr(merged) == "<CertificatePool: 4 certificates, 2 rejects>"
    with pytest.raises(TypeError):
        left | list(topology.pool)


def test_a_pool_takes_any_iterable(topology):
    """A generator is used up once, and kept."""
    pool = CertificatePool(certificate for certificate in topology.certificates)
    assert len(list(pool)) == len(list(pool)) == 4


# Identity


def test_an_identity_is_key_and_certificate(topology):
    """Keys that match make an identity; the key is not in its ``repr``."""
    identity = topology.servers["EE"]
    assert Identity(private_key=identity.private_key, certificate=identity.certificate) == identity
    assert "private" not in repr(identity).lower()


@pytest.mark.parametrize("key_type", [lab.KeyType.EC_P256, lab.KeyType.EC_P384, lab.KeyType.ED25519])
def test_a_key_of_another_certificate_is_refused(server, key_type):
    """Both SubjectPublicKeyInfo fingerprints are in the message, the private key is not."""
    key = key_type.generate()
    with pytest.raises(KeyMismatchError) as refused:
        Identity(private_key=key, certificate=server)
    text = str(refused.value)
    assert "CN=EE" in text
    assert len([word for word in text.replace(",", " ").split() if len(word) == 64]) == 2


# CertificationPath and TrustAnchor


def test_a_path_is_target_first_and_without_the_anchor(topology, server):
    """``certificates`` holds the target and its issuers; ``with_anchor`` adds the anchor's own certificate."""
    anchor = topology.trust_anchor("TA")
    certificates = (server, topology.certificate("B", "A"), topology.certificate("A", "TA"))
    path = CertificationPath(certificates=certificates, trust_anchor=anchor)
    assert path.target == server
    assert path.with_anchor == (*certificates, anchor.certificate)
    assert str(path) == "EE <- B <- A <- TA"
    assert str(CertificationPath(certificates=(anchor.certificate,), trust_anchor=anchor)) == "TA"
    nameless = TrustAnchor(name=anchor.name, subject_public_key_info=anchor.subject_public_key_info)
    assert CertificationPath(certificates=certificates, trust_anchor=nameless).with_anchor == certificates


def test_a_path_expires_with_its_first_certificate():
    """The anchor's certificate counts too, where there is one."""
    short = lab.Validity.around(AT, days_after=10)
    anchor = lab.Authority.create("TA", validity=short)
    certificate = anchor.issue("x", anchor.private_key.public_key(), validity=lab.Validity.around(AT, days_after=20))
    with_certificate = TrustAnchor.from_certificate(anchor.certificate)
    without = dataclasses.replace(with_certificate, certificate=None)
    assert CertificationPath(certificates=(certificate,), trust_anchor=with_certificate).expires == AT + timedelta(10)
    assert CertificationPath(certificates=(certificate,), trust_anchor=without).expires == AT + timedelta(20)


def test_a_path_holds_no_subject_and_key_twice(topology, server):
    """Two certificates with one (subject, key) make a Java server send a cut chain; an empty path is none."""
    anchor = topology.trust_anchor("TA")
    twice = [certificate for certificate in topology.certificates if certificate.subject.common_name == "B"]
    assert len(twice) == 2
    with pytest.raises(ValueError, match="once"):
        CertificationPath(certificates=(server, *twice), trust_anchor=anchor)
    with pytest.raises(ValueError, match="at least the target"):
        CertificationPath(certificates=(), trust_anchor=anchor)


def test_an_anchor_has_the_certificates_name_key_and_constraints(topology):
    """RFC 5937: the extensions of an anchor's certificate are its constraints; its node is comparable."""
    certificate = topology.authorities["TA"].certificate
    anchor = TrustAnchor.from_certificate(certificate)
    assert anchor.node == certificate.node
    assert anchor.key_identifier == certificate.key_identifier
    assert anchor.constraints == certificate.extensions
    assert repr(anchor) == "<TrustAnchor 'CN=TA'>"
    assert TrustAnchor(name=anchor.name, subject_public_key_info=b"").key_identifier is None


def test_values_are_frozen(topology):
    """Paths, trust anchors and identities are immutable values."""
    for value, field in ((topology.trust_anchor("TA"), "name"), (topology.servers["EE"], "certificate")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, None)


# Times


def test_instants_are_written_in_utc_to_the_second():
    """RFC 3339, always with Z."""
    eastern = timezone(timedelta(hours=-5))
    assert format_time(datetime(2018, 5, 31, 19, 0, 0, 999, tzinfo=eastern)) == "2018-06-01T00:00:00Z"


def test_a_time_without_zone_is_refused():
    """Time is an argument, timezone-aware."""
    with pytest.raises(ValueError, match="time zone"):
        require_aware(datetime(2018, 6, 1))  # noqa: DTZ001  # what is refused
    with pytest.raises(ValueError, match="time zone"):
        format_time(datetime(2018, 6, 1))  # noqa: DTZ001  # as above
