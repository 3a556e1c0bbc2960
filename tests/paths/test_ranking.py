"""The order of valid paths, comparison by comparison (RFC 4158 section 3 leaves it to the implementation)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pkcs12kit import lab
from pkcs12kit.paths.processing import find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def validity(before: int, after: int) -> lab.Validity:
    """Span so many days before and after now."""
    return lab.Validity(NOW - timedelta(days=before), NOW + timedelta(days=after))


def serial_numbers(*parallel: lab.Edge, more: tuple[str | lab.Edge, ...] = ()) -> list[list[int]]:
    """Find the paths EE<B<A<TA with parallel certificates for B, and list their serial numbers from B up."""
    base = (
        lab.Edge(subject="EE", issuer="B", validity=validity(10, 900)),
        lab.Edge(subject="A", issuer="TA", validity=validity(10, 900), serial_number=100),
    )
    topology = lab.Topology.from_edges(*base, *parallel, *more, validity=validity(10, 900))
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=NOW),
    )
    return [[certificate.serial_number for certificate in path.certificates[1:]] for path in report.valid]


def cross(serial_number: int, before: int, after: int) -> lab.Edge:
    """Certify B by A."""
    return lab.Edge(subject="B", issuer="A", validity=validity(before, after), serial_number=serial_number)


def test_what_lasts_longest_comes_first():
    """EE<B<A<TA, three times: the earliest expiry of a path decides, before anything else."""
    assert serial_numbers(cross(1, 1, 100), cross(2, 9, 300), cross(3, 5, 200)) == [[2, 100], [3, 100], [1, 100]]


def test_then_fewest_certificates():
    """EE<B<TA before EE<B<A<TA where both end with the same certificate."""
    end = 50
    short = lab.Edge(subject="B", issuer="TA", validity=validity(1, end), serial_number=7)
    assert serial_numbers(cross(1, 1, end), more=(short,)) == [[7], [1, 100]]


@pytest.mark.parametrize("attempt", range(6))
def test_then_the_newer(attempt):
    """Both end with the certificate of A; the newer of B's comes first, whatever the fingerprints of this attempt."""
    ends_first = lab.Edge(subject="A", issuer="TA", validity=validity(9, 20), serial_number=50)
    found = serial_numbers(cross(1, 8, 500), cross(2, 3, 400), more=(ends_first,))
    through_it = [path for path in found if path[-1] == 50]
    assert through_it == [[2, 50], [1, 50]], attempt


def test_at_last_by_fingerprint():
    """Two certificates that differ in nothing that is compared still have one order, for any order of the pool."""
    assert len(serial_numbers(cross(1, 5, 100), cross(2, 5, 100))) == 2
