"""The table of shuffles: whatever the order of a bridge's pool and whatever is in it twice, the best path is found."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from pkcs12kit import CertificatePool, TrustAnchor, ValidationParameters, find_path, find_paths, lab

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHUFFLES = 100
LOOPS = (93812, 5724, 1061, 903)
DOD_ROOT = 1

PARAMETERS = {
    "any policy": ValidationParameters(time=AT),
    "as a TLS client of the Federal PKI": ValidationParameters(
        time=AT,
        server_name="mdm.example.mil",
        user_initial_policy_set={lab.COMMON_DEVICES},
        initial_explicit_policy=True,
    ),
}


@pytest.fixture(scope="module")
def replica():
    """One replica for the table; EC keys, for speed."""
    return lab.make_replica(AT, key_type=lab.KeyType.EC_P256)


def certificates_of(replica, row):
    """Choose the certificates of a row of the table."""
    needed = dict.fromkeys(certificate for path in replica.valid_paths for certificate in path.certificates[1:])
    if row == "all decoys":
        return list(replica.pool)
    more = {"nothing extra": (), "loop certificates": LOOPS, "self-signed DoD root": (DOD_ROOT,)}[row]
    return [*needed, *map(replica.certificate, more)]


@pytest.mark.parametrize("asked", PARAMETERS)
@pytest.mark.parametrize(
    ("row", "size"),
    [
        ("loop certificates", 11),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in [("nothing extra", 7), ("self-signed DoD root", 8), ("all decoys", 29)]
        ),
    ],
)
def test_a_hundred_of_a_hundred_shuffles_find_the_best_path(replica, row, size, asked):
    """Issue: '100 shuffles a row, 100 of 100'. The pool always holds a valid path, and four of them in all.

    The same rows with real certificates: OpenSSL found a path 44, 47 and 14 times of 100 in the last three.
    """
    certificates = certificates_of(replica, row)
    assert len(certificates) == size
    anchors, parameters = [TrustAnchor.from_certificate(replica.trust_anchor)], PARAMETERS[asked]
    expected = [path.certificates for path in replica.valid_paths]
    target, found = replica.server.certificate, 0
    for seed in range(SHUFFLES):
        chaos = random.Random(seed)  # noqa: S311  # an order, not a secret
        heap = certificates + chaos.choices(certificates, k=chaos.randrange(len(certificates)))
        chaos.shuffle(heap)
        pool = CertificatePool(heap)
        best = find_path(target, pool=pool, trust_anchors=anchors, parameters=parameters)
        report = find_paths(target, pool=pool, trust_anchors=anchors, parameters=parameters)
        assert best.certificates == expected[0]
        assert [path.certificates for path in report.valid] == expected
        assert report.incomplete is None
        found += 1
    assert found == SHUFFLES


@pytest.mark.slow
def test_a_hundred_shuffles_explain_themselves_in_the_same_words(replica):
    """'Any permutation and any duplication of the pool gives the same paths in the same order', failures too."""
    certificates = [certificate for certificate in replica.pool if certificate.serial_number not in {748, 655}]
    anchors = [TrustAnchor.from_certificate(replica.trust_anchor)]

    def explain(heap):
        report = find_paths(
            replica.server.certificate,
            pool=CertificatePool(heap),
            trust_anchors=anchors,
            parameters=PARAMETERS["any policy"],
        )
        assert report.valid == ()
        return report.to_json()

    expected = explain(certificates)
    assert expected["rejected"]
    for seed in range(SHUFFLES):
        chaos = random.Random(seed)  # noqa: S311  # an order, not a secret
        heap = certificates + chaos.choices(certificates, k=chaos.randrange(len(certificates)))
        chaos.shuffle(heap)
        assert explain(heap) == expected
