"""The changes between two copies of a bundle: every certificate is in one group, and expiring ones are listed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pkcs12kit import lab
from pkcs12kit.retrieval.bundles.report import certificates_in_folder, compare_bundles
from pkcs12kit.retrieval.output_folder import write_folder
from pkcs12kit.retrieval.retrieved import GatheredCertificate, Origin

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LONG = lab.Validity.around(NOW)


@pytest.fixture(scope="module")
def root():
    """The root whose CAs come and go."""
    return lab.Authority.create("Root", validity=LONG)


@pytest.fixture(scope="module")
def issue(root):
    """Issue a CA's certificate, by the root or another, to another key each time unless one is given."""

    def make(name, *, key=None, issuer=root, validity=LONG):
        return issuer.issue_ca(lab.Authority.create(name, private_key=key, validity=LONG), validity=validity)

    return make


def test_each_in_one_place(issue, root):
    """New, gone, renewed (same key), rekeyed (another), and a cross-certificate by another issuer, which is new."""
    key = lab.KeyType.EC_P256.generate()
    other = lab.Authority.create("Other root", validity=LONG)
    stays, gone, new = issue("CA-1"), issue("CA-2"), issue("CA-3")
    old, renewed = issue("CA-4", key=key), issue("CA-4", key=key)
    weak, rekeyed = issue("CA-5"), issue("CA-5")
    cross = issue("CA-1", key=key, issuer=other)
    before = [root.certificate, stays, gone, old, weak]
    changes = compare_bundles(before, [root.certificate, stays, new, renewed, rekeyed, cross], time=NOW)
    assert changes.compared
    assert set(changes.new) == {new, cross}
    assert changes.gone == (gone,)
    assert [(each.before, each.after, each.stays) for each in changes.renewed] == [(old, renewed, False)]
    assert [(each.before, each.after, each.stays) for each in changes.rekeyed] == [(weak, rekeyed, False)]
    unchanged = compare_bundles(before, reversed(before), time=NOW)
    assert not any((unchanged.new, unchanged.gone, unchanged.renewed, unchanged.rekeyed))


def test_a_renewed_one_that_stays(issue):
    """An earlier certificate that is still in the bundle is not gone, and its replacement is reported."""
    key = lab.KeyType.EC_P256.generate()
    old, new = issue("CA-4", key=key), issue("CA-4", key=key)
    (replacement,) = compare_bundles([old], [old, new], time=NOW).renewed
    assert (replacement.before, replacement.stays) == (old, True)
    assert replacement.to_json()["stays"] is True


def test_the_key_decides_before_time(issue):
    """Of two certificates with one name, the one with the same key is replaced, though the other lasts longer."""
    key = lab.KeyType.EC_P256.generate()
    same = issue("CA-4", key=key, validity=lab.Validity.around(NOW, days_after=10))
    other, new = issue("CA-4"), issue("CA-4", key=key)
    changes = compare_bundles([same, other], [new], time=NOW)
    assert [each.before for each in changes.renewed] == [same]
    assert changes.gone == (other,)


def test_what_will_not_last(issue):
    """Both ends of the span are included; expired certificates are not expiring, even without a comparison."""
    past, last, soon, later = (
        issue(f"CA-{days}", validity=lab.Validity.around(NOW, days_after=days)) for days in (-1, 0, 30, 31)
    )
    changes = compare_bundles(None, [later, soon, past, last], time=NOW)
    assert (changes.expired, set(changes.expiring)) == ((past,), {last, soon})
    assert not changes.compared
    assert (changes.new, changes.gone) == ((), ())
    wide = compare_bundles(None, [later, soon, past, last], time=NOW, expires_within=timedelta(days=31))
    assert set(wide.expiring) == {last, soon, later}
    assert compare_bundles(None, [later], time=NOW, expires_within=timedelta.max).expiring == (later,)
    with pytest.raises(ValueError, match="time zone"):
        compare_bundles(None, [], time=datetime(2026, 1, 1))  # noqa: DTZ001  # that is the point


def test_from_a_folder(issue, tmp_path):
    """The certificates from these URLs are read from a folder, without changed files; None where there are none."""
    url, other = "https://a.example.mil/bundle.zip", "https://b.example.mil/else.cer"
    ours, changed, theirs = issue("CA-1"), issue("CA-2"), issue("CA-3")
    gathered = [
        GatheredCertificate(certificate=certificate, origins=(Origin(url=origin, fetched=NOW),))
        for certificate, origin in ((ours, url), (changed, url), (theirs, other))
    ]
    assert certificates_in_folder(tmp_path, urls=[url]) is None
    report = write_folder(gathered, tmp_path)
    assert set(certificates_in_folder(tmp_path, urls=[url])) == {ours, changed}
    file = next(name for name in report.new if name.startswith("CA-2"))
    (tmp_path / file).write_bytes(theirs.der)
    assert certificates_in_folder(tmp_path, urls=[url]) == (ours,)
    assert certificates_in_folder(tmp_path, urls=["https://c.example.mil/"]) is None
    (tmp_path / "index.json").write_text("{}")
    assert certificates_in_folder(tmp_path, urls=[url]) is None
