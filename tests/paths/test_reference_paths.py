"""The reference paths on real certificates: shared/data/fpki/README.md has the table that is asserted here."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.confirmation import Opinion, confirm
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.sources.loading import load_certificates, load_trust_anchors

IN_2018 = datetime(2018, 6, 1, tzinfo=UTC)
IN_2024 = datetime(2024, 10, 15, tzinfo=UTC)
LATER = datetime(2026, 11, 22, tzinfo=UTC)
COMMON = "2.16.840.1.101.3.2.1.3"
FBCA_MEDIUM = f"{COMMON}.37"
DOD_MEDIUM = "2.16.840.1.101.2.1.11.36"

UNTIL_2024 = [  # what was published by then
    "fpki-2024-10.p7b",
    "fpki-unmanaged-bundle.p7b",
    "fpki-historic.pem",
    "Certificates_PKCS7_v5_14_DoD.pem.p7b",
    "dod-2019.pem",
    "dod-id-sw-ca-37.pem",
    "dod-sw-ca-67.pem",
    "fcpca.pem",
    "fcpcag2.pem",
    "fcpcag2-from-fbcag4.cer",
]
# Bridge, DoD Interoperability Root CA 2, DoD Root CA 3 by the last five digits of their serials; earliest expiry.
TABLE_OF_2018 = [
    (16194, 47633, 748, "2019-02-17"),
    (16194, 47633, 655, "2018-09-23"),
    (11424, 9644, 748, "2018-06-24"),
    (11424, 9644, 655, "2018-06-24"),
]
# Subject and the last five digits of the serial, above each of the five.
ABOVE = ["DoD Interoperability Root CA 2", "Federal Bridge CA G4"]
ISSUERS_OF_2024 = {
    "DOD SW CA-60": "DoD Root CA 3",
    "DOD SW CA-66": "DoD Root CA 3",
    "DOD SW CA-67": "DoD Root CA 3",
    "DOD SW CA-74": "DoD Root CA 6",
    "DOD SW CA-75": "DoD Root CA 3",
}


@pytest.fixture(scope="module")
def of_2018(fpki):
    """Target, pool and anchors of the 2018 paths."""
    target = Certificate.from_pem((fpki / "dod-id-sw-ca-37.pem").read_bytes())
    return (
        target,
        load_certificates(fpki / "fpki-historic.pem", fpki / "dod-2019.pem"),
        load_trust_anchors(fpki / "fcpca.pem"),
    )


@pytest.fixture(scope="module")
def of_2024(fpki):
    """Pool and anchors of the 2024 paths, and one of the five targets."""
    pool = load_certificates(fpki / "fpki-2024-10.p7b")
    return (
        Certificate.from_pem((fpki / "dod-sw-ca-67.pem").read_bytes()),
        pool,
        load_trust_anchors(fpki / "fcpcag2.pem"),
    )


def search(where, time, *, pool=None, **parameters):
    """Find every valid path."""
    target, whole_pool, anchors = where
    return find_paths(
        target,
        pool=whole_pool if pool is None else pool,
        trust_anchors=anchors,
        parameters=ValidationParameters(time=time, **parameters),
    )


def row(path):
    """Write a path of 2018 as a row of the table."""
    target, root, interoperability_root, bridge = (number.serial_number % 100_000 for number in path.certificates)
    assert target == 18
    return bridge, interoperability_root, root, f"{path.expires:%Y-%m-%d}"


def test_2018_has_exactly_four_valid_paths_in_the_tables_order(of_2018):
    """The one that lasts longest first; rows 3 and 4 end with one and the same bridge certificate."""
    report = search(of_2018, IN_2018)
    assert [row(path) for path in report.valid] == TABLE_OF_2018
    assert report.incomplete is None
    assert report.best is report.valid[0]


@pytest.mark.parametrize("seed", range(20))
def test_2018_does_not_depend_on_the_order_of_the_pool(of_2018, seed):
    """'whatever the order of the pool': twenty shuffles, some certificates given twice."""
    shuffled = list(of_2018[1])
    random.Random(seed).shuffle(shuffled)  # noqa: S311  # an order, not a secret
    pool = CertificatePool([*shuffled, *shuffled[: seed * 3]])
    assert [row(path) for path in search(of_2018, IN_2018, pool=pool).valid] == TABLE_OF_2018


def test_2018_find_path_answers_the_first_row(of_2018):
    """One path, the best."""
    target, pool, anchors = of_2018
    path = find_path(target, pool=pool, trust_anchors=anchors, parameters=ValidationParameters(time=IN_2018))
    assert row(path) == TABLE_OF_2018[0]
    assert path.trust_anchor == anchors[0]


def test_2018_is_not_disturbed_by_the_anchor_and_target_in_the_pool(of_2018):
    """The anchor's own certificate and the target lie in the pool: neither is an intermediate."""
    target, pool, anchors = of_2018
    assert target in pool
    assert anchors[0].certificate in pool
    for path in search(of_2018, IN_2018).valid:
        assert anchors[0].certificate not in path.certificates
        assert path.certificates.count(target) == 1


@pytest.mark.parametrize("name", sorted(ISSUERS_OF_2024))
def test_2024_has_exactly_one_valid_path_from_each_sw_ca(of_2024, name):
    """Through DoD Root CA 3, of -74 through DoD Root CA 6."""
    _, pool, anchors = of_2024
    [target] = [certificate for certificate in pool if certificate.subject.common_name == name]
    report = search((target, pool, anchors), IN_2024)
    [path] = report.valid
    names = [certificate.subject.common_name for certificate in path.certificates]
    assert names == [name, ISSUERS_OF_2024[name], *ABOVE]
    assert path.trust_anchor.name.common_name == "Federal Common Policy CA G2"


def test_2024_with_every_bundle_in_one_pool(fpki, of_2024):
    """All the 234 real certificates of that time and before at once, two loops among them, change nothing."""
    target, _, anchors = of_2024
    pool = load_certificates(*(fpki / name for name in UNTIL_2024))
    assert len(pool) == 234
    [path] = search((target, pool, anchors), IN_2024).valid
    assert [certificate.subject.common_name for certificate in path.certificates][1:] == ["DoD Root CA 3", *ABOVE]


# Policies


def test_2024_report_lists_the_policies(of_2024):
    """The path stands for Common Policy's 3.6, 3.7 and 3.8, in the anchor's domain."""
    report = search(of_2024, IN_2024)
    expected = {f"{COMMON}.{arc}" for arc in (6, 7, 8)}
    assert report.best.authority_constrained_policy_set == expected
    assert set(report.to_json()["paths"][0]["policies"]) == expected


def test_2024_with_a_policy_of_the_anchors_domain(of_2024):
    """``--policy 2.16.840.1.101.3.2.1.3.8`` is valid, and is what the user gets."""
    [path] = search(of_2024, IN_2024, user_initial_policy_set={f"{COMMON}.8"}).valid
    assert path.user_constrained_policy_set == {f"{COMMON}.8"}


@pytest.mark.parametrize("policy", [FBCA_MEDIUM, DOD_MEDIUM])
def test_2024_policies_of_other_domains_are_refused(of_2024, policy):
    """The user-initial-policy-set must be in the anchor's domain; the Bridge's and DoD's own are not."""
    report = search(of_2024, IN_2024, user_initial_policy_set={policy})
    assert report.valid == ()
    first = report.rejected[0]
    assert first.reason is FailureReason.EXPLICIT_POLICY
    assert policy in first.detail
    assert f"{COMMON}.8" in first.detail


def test_2018_with_the_common_policy(of_2018):
    """All four paths are valid for 3.8."""
    report = search(of_2018, IN_2018, user_initial_policy_set={f"{COMMON}.8"})
    assert [row(path) for path in report.valid] == TABLE_OF_2018


def test_2018_with_dods_policy_is_refused(of_2018):
    """DoD's own .36 is refused on all four paths, for one and the same link: it is said once, and that it was four."""
    report = search(of_2018, IN_2018, user_initial_policy_set={DOD_MEDIUM})
    assert report.valid == ()
    [refused] = [attempt for attempt in report.rejected if attempt.reason is FailureReason.EXPLICIT_POLICY]
    assert refused is report.rejected[0]
    assert refused.walks == 4


def test_2018_accepts_the_bridges_policy_because_common_policy_states_it(of_2018):
    """On the 2018 paths 3.37 *is* in the anchor's domain, other than on the 2024 path.

    Common Policy's certificates for the Bridge (#16194, #11424) list 3.37 themselves, and certvalidator, which shares
    no code with ours, agrees.
    """
    report = search(of_2018, IN_2018, user_initial_policy_set={FBCA_MEDIUM})
    assert [row(path) for path in report.valid] == TABLE_OF_2018
    for path in report.valid:
        assert FBCA_MEDIUM in path.certificates[-1].extensions.certificate_policies
        assert confirm(path, path.parameters).opinion is Opinion.VALID


@pytest.mark.parametrize("policy", [None, f"{COMMON}.8"])
def test_certvalidator_agrees_on_every_reference_path(of_2018, of_2024, policy):
    """Both implementations say yes to all five."""
    accepted = {} if policy is None else {"user_initial_policy_set": {policy}}
    paths = [*search(of_2018, IN_2018, **accepted).valid, *search(of_2024, IN_2024, **accepted).valid]
    assert len(paths) == 5
    for path in paths:
        assert confirm(path, path.parameters).opinion is Opinion.VALID


# Today


def test_today_both_expired_links_are_named_with_their_dates(of_2024):
    """'A user who tries must be told exactly that': which links expired and when, in the first attempt."""
    target, pool, anchors = of_2024
    with pytest.raises(NoValidPathError) as refused:
        find_path(target, pool=pool, trust_anchors=anchors, parameters=ValidationParameters(time=LATER))
    closest = refused.value.attempts[0]
    assert [certificate.subject.common_name for certificate in closest.certificates] == [
        "DOD SW CA-67",
        "DoD Root CA 3",
        *ABOVE,
    ]
    expired = {
        (failure.certificate.subject.common_name, f"{failure.certificate.not_after:%Y-%m-%d}")
        for failure in closest.failures
    }
    assert expired == {("DoD Root CA 3", "2024-11-16"), ("DoD Interoperability Root CA 2", "2026-02-07")}
    assert {failure.reason for failure in closest.failures} == {FailureReason.EXPIRED}
    for text in ("DoD Root CA 3", "2024-11-16", "DoD Interoperability Root CA 2", "2026-02-07"):
        assert text in str(refused.value)


def test_between_the_two_expiries_only_one_link_is_named(of_2024):
    """On 2025-01-01 the cross-certificate for DoD Root CA 3 has expired, that for the Interoperability Root has not."""
    report = search(of_2024, datetime(2025, 1, 1, tzinfo=UTC))
    assert [failure.certificate.subject.common_name for failure in report.rejected[0].failures] == ["DoD Root CA 3"]


def test_today_the_2018_target_itself_has_expired(of_2018):
    """The issuing CA of the old reference job is over too, and is named first."""
    report = search(of_2018, LATER)
    first = report.rejected[0]
    assert first.failures[0].certificate == of_2018[0]
    assert "2021-09-23" in first.detail
    assert len(first.failures) == 4


def test_the_first_instant_without_a_path(of_2018):
    """The best path of 2018 holds to its last second and not one longer (RFC 5280 section 4.1.2.5)."""
    last = search(of_2018, IN_2018).best.expires
    assert len(search(of_2018, last).valid) == 1
    assert search(of_2018, last.replace(second=last.second + 1)).valid == ()
