"""Topologies as edge lists, and the authority below them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_chain_makes_each_certificate_once():
    """``EE<B<A<TA`` and ``B<C<A`` have no edge in common: five certificates, four in the pool.

    TA -> A -> B -> EE, and A -> C -> B.
    """
    topology = lab.Topology.from_edges("EE<B<A<TA", "EE<B<C<A")
    assert [f"{edge.subject}<{edge.issuer}" for edge in topology.edges] == ["EE<B", "B<A", "A<TA", "B<C", "C<A"]
    assert set(topology.servers) == {"EE"}
    assert set(topology.authorities) == {"TA", "A", "B", "C"}
    assert len(topology.pool) == 4
    for edge, certificate in zip(topology.edges, topology.certificates, strict=True):
        issuer = topology.authorities[edge.issuer].certificate.as_cryptography
        certificate.as_cryptography.verify_directly_issued_by(issuer)
        assert certificate.is_ca is (edge.subject != "EE")
    assert [certificate.serial_number for certificate in topology.certificates] == [1, 2, 3, 4, 5]


def test_draw_writes_paths_as_edges_are_written():
    """The path that a test expects is a string; what no topology holds is a question mark."""
    topology = lab.Topology.from_edges("EE<B<A<TA")
    certificates = (topology.servers["EE"].certificate, topology.certificate("B", "A"), topology.certificate("A", "TA"))
    path = CertificationPath(certificates=certificates, trust_anchor=topology.trust_anchor("TA"))
    assert topology.draw(path) == "EE<B<A<TA"
    assert topology.draw(path.certificates) == "EE<B<A"
    assert topology.draw([lab.Authority.create("B").certificate]) == "?"


def test_apostrophes_make_a_rekeyed_authority():
    """Labels that differ in apostrophes have one name and two keys (RFC 4158: same name is not same CA key)."""
    topology = lab.Topology.from_edges("EE<B<TA", "B'<TA")
    old, new = topology.certificate("B", "TA"), topology.certificate("B'", "TA")
    assert old.subject == new.subject
    assert old.node != new.node
    assert topology.draw([old, new]) == "B<B'"
    assert new.is_ca
    with pytest.raises(InvalidSignature):
        topology.servers["EE"].certificate.as_cryptography.verify_directly_issued_by(new.as_cryptography)


def test_edge_says_what_is_special():
    """An Edge is one more certificate of the same pair, with its own validity, path length and extensions."""
    past = lab.Validity.around(AT, days_before=20, days_after=-10)
    topology = lab.Topology.from_edges(
        "EE<B<TA",
        lab.Edge(subject="B", issuer="TA", validity=past, path_length=0, serial_number=77),
        lab.Edge(subject="B", issuer="TA", extensions=(lab.critical(x509.InhibitAnyPolicy(0)),)),
        validity=lab.Validity.around(AT),
    )
    *_, expired, inhibiting = topology.certificates
    assert expired.not_after == AT - timedelta(days=10)
    assert expired.serial_number == 77
    assert expired.extensions.basic_constraints.path_length == 0
    assert "2.5.29.54" in inhibiting.extensions.critical
    assert inhibiting.not_after == AT + timedelta(days=365)
    assert len(topology.pool) == 3


def test_server_with_two_issuers_has_one_key():
    """An end-entity certified twice is one subject and key."""
    topology = lab.Topology.from_edges("EE<A<TA", "EE<B<TA")
    assert topology.certificate("EE", "A").node == topology.certificate("EE", "B").node
    assert topology.servers["EE"].certificate == topology.certificate("EE", "A")


def test_self_signed_certificate_is_in_the_pool_when_drawn():
    """``TA<TA`` puts a self-signed certificate among the others; without it there is none."""
    assert any(found.is_self_issued for found in lab.Topology.from_edges("EE<TA", "TA<TA").pool)
    assert not any(found.is_self_issued for found in lab.Topology.from_edges("EE<A<TA").pool)


@pytest.mark.parametrize("edges", [(), ("A",), ("A<",), ("A<<B",), ("'<A",), ("",)])
def test_what_is_no_edge_is_refused(edges):
    """A misspelt topology is an error, not an empty test."""
    with pytest.raises(ValueError, match=r"edge|chain of labels"):
        lab.Topology.from_edges(*edges)


def test_authority_issues_exactly_these_extensions():
    """``issue`` adds nothing, so that a test can leave out what a certificate should have."""
    authority = lab.Authority.create("CA")
    key = lab.KeyType.EC_P256.generate()
    bare = authority.issue("bare", key.public_key())
    assert bare.extensions.oids == frozenset()
    said = authority.issue("x", key.public_key(), extensions=[lab.critical(lab.certificate_policies("1.2.3"))])
    assert said.extensions.oids == said.extensions.critical == {"2.5.29.32"}
    assert (bare.not_before, bare.not_after) == (authority.certificate.not_before, authority.certificate.not_after)


def test_extensions_come_in_place_of_defaults():
    """RFC 5280 section 4.2: no extension twice; a given one replaces the default of its kind, the others stay."""
    issuer, subject = lab.Authority.create("A"), lab.Authority.create("B")
    certificate = issuer.issue_ca(
        subject,
        extensions=[
            lab.non_critical(x509.BasicConstraints(ca=False, path_length=None)),
            lab.non_critical(lab.policy_mappings(("1.2.3", "1.2.4"), ("1.2.3", "1.2.5"))),
        ],
    )
    extensions = certificate.extensions
    assert not certificate.is_ca
    assert extensions.critical == {"2.5.29.15"}
    assert extensions.policy_mappings == (("1.2.3", "1.2.4"), ("1.2.3", "1.2.5"))
    assert extensions.authority_key_identifier.key_identifier == (issuer.certificate.extensions.subject_key_identifier)


@pytest.mark.parametrize("key_type", list(lab.KeyType))
def test_every_kind_of_key_signs(key_type):
    """Certificates and CRLs of each kind of key verify; the hash can be chosen where the key leaves a choice."""
    authority = lab.Authority.create("CA", key_type=key_type)
    server = authority.issue_server("www.example.com", private_key=lab.KeyType.EC_P256.generate())
    server.certificate.as_cryptography.verify_directly_issued_by(authority.certificate.as_cryptography)
    crl = x509.load_der_x509_crl(authority.make_crl())
    assert crl.is_signature_valid(authority.certificate.public_key)
    strong = authority.issue("x", authority.private_key.public_key(), hash_algorithm=hashes.SHA384())
    chosen = strong.as_cryptography.signature_hash_algorithm
    assert chosen.name == "sha384" if key_type.value.startswith(("rsa-", "ec-")) else chosen is None


def test_one_key_serves_two_names():
    """An existing key may be given: a CA that was renamed, or two that share a key."""
    first = lab.Authority.create("A")
    second = lab.Authority.create("A renamed", private_key=first.private_key)
    assert first.certificate.subject_public_key_info == second.certificate.subject_public_key_info
    assert first.certificate.node != second.certificate.node


def test_crl_takes_entries_validity_and_number():
    """RFC 5280 section 5: thisUpdate, nextUpdate, cRLNumber, and entries with and without a reason."""
    authority = lab.Authority.create("CA")
    crl = x509.load_der_x509_crl(
        authority.make_crl(
            validity=lab.Validity.around(AT, days_before=2, days_after=5),
            revoked=[
                lab.CrlEntry(serial_number=5, date=AT, reason=x509.ReasonFlags.key_compromise),
                lab.CrlEntry(serial_number=6, date=AT),
            ],
            number=9,
        )
    )
    assert (crl.last_update_utc, crl.next_update_utc) == (AT - timedelta(days=2), AT + timedelta(days=5))
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 9
    assert {entry.serial_number: len(entry.extensions) for entry in crl} == {5: 1, 6: 0}


def test_key_usage_has_only_known_names():
    """A misspelt usage is an error, not a certificate without it."""
    assert lab.key_usage("digital_signature").digital_signature
    with pytest.raises(ValueError, match="unknown key usage: signing"):
        lab.key_usage("signing")
