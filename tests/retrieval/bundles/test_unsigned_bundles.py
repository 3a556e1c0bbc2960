"""A bundle without a signature is refused if its publisher is known to sign: anyone may have made it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkcs12kit import lab
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus
from pkcs12kit.retrieval.bundles.fetch import fetch_bundle
from pkcs12kit.retrieval.bundles.published import PUBLISHED, PublishedBundle, find_bundle
from pkcs12kit.retrieval.options import FetchOptions
from pkcs12kit.retrieval.retrieved import Status

from ...thoroughness import examples

PATH = "/unclass-certificates_pkcs7_DoD.zip"
PRIVATE = FetchOptions(cache=False, allow_private=True)
AT_ONCE = replace(DEFAULT_LIMITS, retrieval_fresh_seconds=0)


@pytest.fixture(scope="module")
def stranger():
    """Another PKI with the names of the publisher's."""
    root = lab.Authority.create("DoD Root CA 3")
    return root, root.issue_ca(lab.Authority.create("DOD SW CA-60"))


@pytest.fixture
def signed(server, publisher):
    """Serve bytes as a bundle with a known root."""

    def serve(data):
        server.route(PATH, data)
        roots = (publisher.root.certificate.sha256,)
        return PublishedBundle(name="dod", title="Of the lab", urls=(server.url(PATH),), roots=roots)

    return serve


def without_signature(publisher, stranger, parts):
    """Remove the signature from an archive, in every way that leaves no contradiction."""
    root, issued = stranger
    own = publisher.make_signer(issuer=root)
    files = publisher.files()
    forged = {parts.bundle: parts.as_pkcs7([root.certificate, issued])}
    sound = publisher.sign(parts.list_of(files))
    return {
        "left out": parts.as_zip(files.items()),
        "left out, other certificates": parts.as_zip(forged.items()),
        "renamed": parts.as_zip([*files.items(), (f"{parts.checksums}.txt", sound)]),
        "in an archive of its own": parts.as_zip([*files.items(), ("x.zip", parts.as_zip([(parts.checksums, sound)]))]),
        "no archive": parts.as_pkcs7([root.certificate, issued]),
        "by a stranger": publisher.archive(forged, signer=own),
    }


def test_a_missing_signature_refuses(publisher, stranger, signed, parts):
    """The bundle is not used, and the reason names the missing part and the option; with the option it is used."""
    for how, data in without_signature(publisher, stranger, parts).items():
        bundle = signed(data)
        report = fetch_bundle(bundle, options=PRIVATE)
        assert (report.certificates, report.changes, report.rejects) == ((), None, ()), how
        assert (
            f"its publisher signs a file of checksums, and that signature is {report.checksum.status.value}"
            in report.why
        )
        assert report.checksum.reasons[0] in report.why
        assert "--unsigned" in report.why
        allowed = fetch_bundle(bundle, allow_unsigned=True, options=PRIVATE)
        assert (allowed.why, len(allowed.certificates) >= 2) == ("", True), how
        assert allowed.checksum.status in {ChecksumStatus.ABSENT, ChecksumStatus.NOT_ANCHORED}
        unknown = fetch_bundle(replace(bundle, roots=()), options=PRIVATE)
        assert set(unknown.pool) == set(allowed.pool), how


def test_a_contradiction_refuses_with_the_option_too(publisher, stranger, signed, parts):
    """``allow_unsigned`` does not accept another signer together with the root, or a changed file."""
    root, _ = stranger
    files = publisher.files()
    by_a_stranger = publisher.archive(signer=publisher.make_signer(issuer=root))
    changed = publisher.archive(
        files | {parts.bundle: parts.as_pkcs7([root.certificate])}, listing=parts.list_of(files)
    )
    for data in (by_a_stranger, changed, publisher.archive(checksums=b""), publisher.archive(listing=b"")):
        report = fetch_bundle(signed(data), allow_unsigned=True, options=PRIVATE)
        assert report.checksum.status is ChecksumStatus.BAD
        assert (report.certificates, report.why != "") == ((), True)


def test_a_sound_signature_is_used(publisher, signed):
    """A signer below the known root or the user's trust anchor is accepted, with weaknesses as well."""
    assert fetch_bundle(signed(publisher.archive()), options=PRIVATE).checksum.status is ChecksumStatus.VERIFIED
    weak = publisher.make_signer(purpose=lab.authority.ExtendedKeyUsageOID.SERVER_AUTH)
    report = fetch_bundle(signed(publisher.archive(signer=weak)), options=PRIVATE)
    assert (report.checksum.status, report.why) == (ChecksumStatus.WEAK, "")


CHANGES = ("drop", "rename", "replace", "add", "swap names", "lower case", "sign again")


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4),
    st.booleans(),
)
def test_no_strangers_certificate_comes_through(publisher, stranger, signed, parts, changes, root_is_there):
    """Whatever is changed in a signed archive, only files that the publisher signed are used."""
    root, issued = stranger
    foreign = [parts.as_pkcs7([root.certificate, issued]), issued.to_pem().encode(), root.certificate.der]
    files = publisher.files()
    if not root_is_there:
        files = {parts.bundle: parts.as_pkcs7(publisher.certificates[1:])}
    members = [*files.items(), (parts.checksums, publisher.sign(parts.list_of(files)))]
    for change, at, number in changes:
        members = _changed(members, change, at, number, foreign, publisher.make_signer(issuer=root), publisher, parts)
    report = fetch_bundle(signed(parts.as_zip(members)), options=PRIVATE)
    assert {item.certificate for item in report.certificates} <= set(publisher.certificates)


def _changed(members, change, at, number, foreign, signer, publisher, parts):
    """Do one thing to the files of an archive."""
    members, data = list(members), foreign[number % len(foreign)]
    if change == "add" or not members:
        return [*members, (f"{parts.folder}new{number}{('.p7b', '.pem', '.cer', '')[at % 4]}", data)]
    at %= len(members)
    name, old = members[at]
    if change == "drop":
        del members[at]
    elif change == "rename":
        members[at] = (f"{name}{('.txt', '.p7b', ' ', '.sha256')[number % 4]}", old)
    elif change == "replace":
        members[at] = (name, data)
    elif change == "lower case":
        members[at] = (name.lower(), old)
    elif change == "swap names":
        other = number % len(members)
        (first, one), (second, two) = members[at], members[other]
        members[at], members[other] = (second, one), (first, two)
    else:
        listed = {each: content for each, content in members if each != parts.checksums}
        members = [*listed.items(), (parts.checksums, publisher.sign(parts.list_of(listed), signer=signer))]
    return members


def test_what_the_cache_has_is_unsigned(publisher, stranger, signed, parts, tmp_path):
    """An unsigned bundle in the cache is replaced by a signed one, and not compared with it."""
    options = replace(PRIVATE, cache=True, cache_folder=tmp_path / "cache")
    unsigned = without_signature(publisher, stranger, parts)["left out, other certificates"]
    bundle = signed(unsigned)
    assert fetch_bundle(bundle, options=options).why
    assert fetch_bundle(bundle, options=replace(options, offline=True)).why
    signed(publisher.archive())
    report = fetch_bundle(bundle, options=options)
    assert (report.why, [each.status for each in report.retrievals]) == ("", [Status.CACHED, Status.FETCHED])
    assert not report.changes.compared
    signed(unsigned)
    report = fetch_bundle(bundle, options=options, limits=AT_ONCE)
    assert report.certificates == ()


def test_who_is_known_to_sign():
    """DISA signs and GSA does not; DISA's URL is DISA's bundle, even without its name."""
    assert {name for name, bundle in PUBLISHED.items() if bundle.is_signed} == {"dod", "eca"}
    (url,) = PUBLISHED["dod"].urls
    for same in (url, url.replace("https://dl.dod", "HTTPS://DL.DOD")):
        assert find_bundle(same).roots == PUBLISHED["dod"].roots
    assert not find_bundle("https://mirror.example.mil/unclass-certificates_pkcs7_DoD.zip").is_signed


def test_the_options_exclude_each_other(signed, publisher):
    """``strict_checksums`` together with ``allow_unsigned`` is an error."""
    with pytest.raises(ValueError, match="strict_checksums"):
        fetch_bundle(signed(publisher.archive()), strict_checksums=True, allow_unsigned=True, options=PRIVATE)
