"""The order of paths against brute force, on random graphs whose authorityKeyIdentifiers name this and that.

The graphs have parallel certificates of each CA, and trust anchors that expire. The key by which brute force sorts is
written here once more, from the words of RFC 5280 section 4.2.1.1 and of the page on the order of paths.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit import CertificatePool, TrustAnchor, ValidationParameters, find_path, find_paths, lab
from pkcs12kit.paths import bounds, search
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.ranking import longest_lasting, shortest
from pkcs12kit.paths.signatures import SignatureMemory

from ..thoroughness import examples
from .test_constrained_search_properties import simple_paths, told

AT = datetime(2026, 3, 1, tzinfo=UTC)
ISSUERS = ("A", "B", "B'", "C")  # B and B' are one CA, rekeyed: one name, two keys
ROOTS = ("TA", "TB")
SERIAL_NUMBERS = st.integers(1, 3)
NAMED = st.one_of(
    st.sampled_from(["key", "another key", None]),
    st.tuples(st.booleans(), st.sampled_from(["A", "B", "C", "TA", "TB"]), SERIAL_NUMBERS),
)
"""The authorityKeyIdentifier: its key identifier only; or with or without it, an issuer and a serial number."""
DAYS = st.sampled_from([9, 40, 400, 900, 9, 40, 400, 900, -9])
LINKS = st.sampled_from(
    ["A<B", "A<B", "B<C", "B<C", "A<C", "A<TA", "B<TA", "C<TA", "C<TA", "C<TB", "B<A", "C<B", "A<B'", "B'<TA", "B<B'"]
)
EDGES = st.tuples(LINKS, SERIAL_NUMBERS, DAYS, NAMED)
ANCHORS = st.lists(
    st.tuples(st.sampled_from(["TA", "TA", "TA", "TB", "B"]), SERIAL_NUMBERS, DAYS), min_size=1, max_size=3, unique=True
)


class World:
    """Every certificate that the graphs are drawn from, made when it is first drawn."""

    def __init__(self):
        labels = (*ISSUERS, *ROOTS)
        span = lab.Validity.around(AT)
        self.authorities = {label: lab.Authority.create(label.rstrip("'"), validity=span) for label in labels}
        self.edge = cache(self._edge)
        self.target = cache(self._target)
        self.anchor = cache(self._anchor)
        self.memory = SignatureMemory(size=100_000)

    def _naming(self, issuer, named):
        """Return an authorityKeyIdentifier; without any field where it names nothing."""
        key = x509.SubjectKeyIdentifier.from_public_key(self.authorities[issuer].private_key.public_key()).digest
        if named in ("key", "another key", None):
            identifier = {"key": key, "another key": b"another", None: None}[named]
            return lab.non_critical(x509.AuthorityKeyIdentifier(identifier, None, None))
        with_key, name, serial_number = named
        names = [x509.DirectoryName(lab.authority.as_name(name))]
        return lab.non_critical(x509.AuthorityKeyIdentifier(key if with_key else None, names, serial_number))

    def _edge(self, link, serial_number, days, named):
        subject, issuer = link.split("<")
        return self.authorities[issuer].issue_ca(
            self.authorities[subject],
            serial_number=serial_number,
            validity=lab.Validity.around(AT, days_after=days),
            extensions=[self._naming(issuer, named)],
        )

    def _target(self, issuer, named):
        extensions = [self._naming(issuer, named)]
        return self.authorities[issuer].issue_server("www.example.com", extensions=extensions).certificate

    def _anchor(self, label, serial_number, days):
        authority = self.authorities[label]
        certificate = lab.Authority.create(
            authority.name,
            private_key=authority.private_key,
            serial_number=serial_number,
            validity=lab.Validity.around(AT, days_after=days),
        ).certificate
        return TrustAnchor.from_certificate(certificate)


@pytest.fixture(scope="module")
def world():
    """One world for all examples."""
    return World()


def names_another(certificate, issuer):
    """Return True for another key, issuer or serial number (RFC 5280 section 4.2.1.1).

    'The identification MAY be based on either the key identifier [...] or on the issuer name and serial number.'
    OpenSSL compares each of them that is there.
    """
    identifier = certificate.as_cryptography.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    key = issuer.as_cryptography.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    if identifier.key_identifier not in (None, key):
        return True
    if identifier.authority_cert_serial_number is None:
        return False
    [name] = identifier.authority_cert_issuer
    named = (name.value.rfc4514_string(), identifier.authority_cert_serial_number)
    return named != (issuer.as_cryptography.issuer.rfc4514_string(), issuer.serial_number)


def sort_key(path, ranking, *, anchor_expires):
    """Return the mismatches; expiry and length, in the order of the ranking; and the age and fingerprint of each."""
    every = [*path.certificates, path.trust_anchor.certificate]
    if path.trust_anchor.certificate in path.certificates:
        every.pop()
    mismatches = sum(map(names_another, path.certificates, [*path.certificates[1:], path.trust_anchor.certificate]))
    expires = min(one.not_after for one in (every if anchor_expires else path.certificates))
    lasts, length = -expires.timestamp(), len(path.certificates)
    first = (lasts, length) if ranking is longest_lasting else (length, lasts)
    return (mismatches, *first, [(-one.not_before.timestamp(), one.sha256) for one in every])


@settings(max_examples=examples(600), deadline=None)
@given(
    edges=st.lists(EDGES, min_size=1, max_size=16, unique=True),
    below=st.tuples(st.sampled_from("AAABC"), NAMED),
    anchors=ANCHORS,
    ranking=st.sampled_from([longest_lasting, shortest]),
    anchor_expires=st.booleans(),
    by_states=st.booleans(),
)
def test_the_order_is_that_of_brute_force(world, judge, edges, below, anchors, ranking, anchor_expires, by_states):
    """Every valid path is found, in the order of the ranking, by names and by states, with many bounds and with few."""
    target, pool = world.target(*below), [world.edge(*edge) for edge in edges]
    roots = [world.anchor(*anchor) for anchor in anchors]
    parameters = ValidationParameters(time=AT, check_trust_anchor_validity=anchor_expires)
    expected = []
    for root in roots:
        for path in simple_paths(target, pool, root):
            try:
                expected.append(judge(path, memory=world.memory, check_trust_anchor_validity=anchor_expires))
            except InvalidPathError:
                continue
    expected.sort(key=lambda path: sort_key(path, ranking, anchor_expires=anchor_expires))

    where = {"pool": CertificatePool(pool), "trust_anchors": roots, "parameters": parameters, "ranking": ranking}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "_MOST_BOUNDS", 3 + len(edges))
        if by_states:
            patch.setattr(search, "_MOST_REJECTED_BY_NAMES", 1)
        report = find_paths(target, **where)
        found = [find_paths(target, **where, at_most=wanted).valid for wanted in (1, 2, 4)]
    assert told(report.valid) == told(expected)
    assert [told(best) for best in found] == [told(expected[:wanted]) for wanted in (1, 2, 4)]
    assert report.incomplete is None
    if expected:
        assert told([find_path(target, **where)]) == told(expected[:1])
        counted = expected[0].with_anchor if anchor_expires else expected[0].certificates
        assert report.best.expires == min(certificate.not_after for certificate in counted)
    assert report.valid == tuple(sorted(report.valid, key=ranking))


def test_a_mesh_in_which_every_path_has_a_mismatch_is_searched_as_fast(world):
    """The bounds count mismatches near the anchor: without that, each of the ways below would be tried first.

    Each of 12 CAs certifies each other, and only the certificates from the anchor name another one than the anchor's.
    """
    span = lab.Validity.around(AT)
    authorities = [lab.Authority.create(f"CA {number}", validity=span) for number in range(12)]
    root = world.authorities["TA"]
    astray = world._naming("TA", (True, "TA", 3))
    pool = [one.issue_ca(other, validity=span) for one in authorities for other in authorities if one is not other]
    pool += [root.issue_ca(one, validity=span, extensions=[astray]) for one in authorities[:3]]
    report = find_paths(
        authorities[-1].issue_server("www.example.com", validity=span).certificate,
        pool=CertificatePool(pool),
        trust_anchors=[world.anchor("TA", 1, 400)],
        parameters=ValidationParameters(time=AT),
        at_most=3,
    )
    assert report.incomplete is None
    assert [len(path.certificates) for path in report.valid] == [3, 3, 3]


def test_an_anchor_is_compared_by_its_certificate_only(world):
    """An anchor that is a name and a key has no serial number that could differ."""
    root = world.anchor("TA", 2, 400)
    bare = dataclasses.replace(root, certificate=None, constraints=None)
    pool = CertificatePool([world.edge("A<TA", 1, 40, (False, "TA", 3))])
    report = find_paths(
        world.target("A", "key"),
        pool=pool,
        trust_anchors=[root, bare],
        parameters=ValidationParameters(time=AT),
    )
    assert [path.trust_anchor for path in report.valid] == [bare, root]
    assert report.before_next == (
        "has the certificates that authorityKeyIdentifiers name; in the next, A names another",
    )
