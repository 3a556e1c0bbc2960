"""The story of DoD Root CA 3 in the real certificates: when it had a path to Federal Common Policy."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit.times import format_time

SOURCES = (
    "fpki-historic.pem",
    "dod-2019.pem",
    "fpki-2024-10.p7b",
    "fpki-2025-06.p7b",
    "fpki-unmanaged-bundle.p7b",
    "fcpcag2-from-fbcag4.cer",
    "Certificates_PKCS7_v5_14_DoD.pem.p7b",
    "dod-2026-07.pem",
    "dod-roots-2026-07.pem",
)
ANCHORS = ("fcpca.pem", "fcpcag2.pem")
NOW = pk.ValidationParameters(time=pk.lab.Validity.around().not_before)


@pytest.fixture(scope="module")
def pool(fpki):
    """All real certificates at hand."""
    return pk.load_certificates(*(fpki / name for name in SOURCES))


def story(target, pool, fpki, **given):
    """Return the periods in short: state, first and last second, and the certificates that ended it."""
    report = pk.validity_periods(
        target, pool=pool, trust_anchors=[fpki / name for name in ANCHORS], parameters=NOW, **given
    )
    assert report.incomplete is None
    assert report.searches < 100
    return [
        (
            period.state.value,
            format_time(period.begin),
            format_time(period.end),
            [f"{one.subject.label} #{str(one.serial_number)[-5:]}" for one in period.ended_by],
            len(period.segments),
        )
        for period in report.periods
    ]


def test_the_story_of_dod_root_ca_3(fpki, pool):
    """Its two periods: through Interoperability Root CA 2 to Common Policy, and later to Common Policy G2."""
    (root,) = (one for one in pool if one.subject.label == "DoD Root CA 3" and one.issuer == one.subject)
    assert story(root, pool, fpki) == [
        ("not-valid", "2012-03-20T18:46:41Z", "2015-09-23T16:37:24Z", [], 0),
        ("valid", "2015-09-23T16:37:25Z", "2019-02-17T14:32:11Z", ["DoD Root CA 3 #748"], 6),
        ("not-valid", "2019-02-17T14:32:12Z", "2023-06-08T13:38:00Z", [], 0),
        ("valid", "2023-06-08T13:38:01Z", "2026-02-07T18:00:00Z", ["DoD Interoperability Root CA 2 #13579"], 2),
        ("not-valid", "2026-02-07T18:00:01Z", "2029-12-30T18:46:41Z", [], 0),
    ]
    assert [state for state, *_ in story(root, pool, fpki, whole_ca=False)] == [
        "not-valid"
    ]  # the self-signed certificate itself


def test_the_stories_of_the_two_issuing_cas(fpki, pool):
    """Each lives in one of the two periods."""
    assert story(fpki / "dod-id-sw-ca-37.pem", pool, fpki)[1:2] == [
        ("valid", "2015-09-23T16:37:25Z", "2019-02-17T14:32:11Z", ["DoD Root CA 3 #748"], 6)
    ]
    assert story(fpki / "dod-sw-ca-67.pem", pool, fpki)[1:2] == [
        ("valid", "2023-06-08T13:38:01Z", "2026-02-07T18:00:00Z", ["DoD Interoperability Root CA 2 #13579"], 2)
    ]


def test_each_gap_names_the_certificate_at_fault(fpki, pool):
    """A gap begins with the failure of the path that was valid until then, and the first one with that of the next.

    At the same moment another path needs certificates of years later. It has as few failures, and explains nothing.
    """
    anchors = [fpki / name for name in ANCHORS]
    report = pk.validity_periods(fpki / "dod-id-sw-ca-37.pem", pool=pool, trust_anchors=anchors, parameters=NOW)
    before, after = (one.closest for one in report.periods if one.state.value == "not-valid")
    assert [(one.certificate.serial_number, one.reason) for one in before.failures][-1:] == [
        (655, pk.FailureReason.NOT_YET_VALID)
    ]
    assert [(one.certificate.serial_number, one.reason) for one in after.failures] == [(748, pk.FailureReason.EXPIRED)]


PICTURE = Path(__file__).parents[2] / "docs" / "images" / "dod-root-ca-3.svg"


def test_the_picture_of_the_story_is_what_is_drawn_today(fpki, pool):
    """The one on the page docs/explanation/dod-root-ca-3.md. ``PKCS12KIT_WRITE_PAGE=1`` writes it."""
    (root,) = (one for one in pool if one.subject.label == "DoD Root CA 3" and one.issuer == one.subject)
    anchors = [fpki / name for name in ANCHORS]
    report = pk.validity_periods(root, pool=pool, trust_anchors=anchors, time=datetime(2026, 12, 1, tzinfo=UTC))
    drawn = pk.pictures.timeline_to_svg(report, words=False)
    if os.environ.get("PKCS12KIT_WRITE_PAGE"):
        PICTURE.write_text(drawn, "utf-8")
    assert PICTURE.read_text("utf-8") == drawn
