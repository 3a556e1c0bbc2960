"""Published bundles by name: fetched from a real HTTP server, checked and compared; no certificate is trusted."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs7, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus, ChecksumVerdict
from pkcs12kit.retrieval.bundles.fetch import BundleContents, fetch_bundle
from pkcs12kit.retrieval.bundles.published import PUBLISHED, PublishedBundle, find_bundle, load_bundles
from pkcs12kit.retrieval.options import FetchOptions
from pkcs12kit.retrieval.retrieved import Status

PATH = "/unclass-certificates_pkcs7_DoD.zip"
PRIVATE = FetchOptions(cache=False, allow_private=True)
QUICK = replace(DEFAULT_LIMITS, retrieval_tries=1)


@pytest.fixture
def anchors(publisher):
    """The publisher's root as a trust anchor."""
    return (TrustAnchor.from_certificate(publisher.root.certificate),)


@pytest.fixture
def served(server):
    """Serve bytes as a bundle: ``served(data)`` is a bundle with the URL of it."""

    def serve(data, *, more=()):
        server.route(PATH, data)
        return PublishedBundle(name="lab", title="Of the lab", urls=(server.url(PATH), *more))

    return serve


def test_signed(publisher, served, anchors):
    """A fetched bundle has certificates with their origins, and verified checksums."""
    bundle = served(publisher.archive())
    report = fetch_bundle(bundle, trust_anchors=anchors, options=PRIVATE)
    assert report.why == ""
    assert report.checksum.status is ChecksumStatus.VERIFIED
    assert {item.certificate for item in report.certificates} == set(publisher.certificates) == set(report.pool)
    assert {origin.url for item in report.certificates for origin in item.origins} == set(bundle.urls)
    assert report.url == bundle.urls[0]
    assert not report.changes.compared
    (retrieval,) = report.retrievals
    assert (retrieval.status, retrieval.content) == (Status.FETCHED, None)
    told = json.loads(json.dumps(report.to_json()))
    assert told["checksum"]["trust_anchor"] == str(publisher.root.certificate.subject)
    assert [each["sha256"] for each in told["certificates"]] == [
        item.certificate.sha256 for item in report.certificates
    ]


def test_a_bundle_is_no_trust_anchor(publisher, served):
    """A path to a root of the bundle is valid only if the user trusts that root (RFC 5280 section 6.1.1 (d))."""
    report = fetch_bundle(served(publisher.archive()), options=PRIVATE)
    server = publisher.issuing.issue_server("mdm.example.mil").certificate
    parameters = pk.ValidationParameters(time=publisher.root.certificate.not_before)
    other = TrustAnchor.from_certificate(lab.Authority.create("Other").certificate)
    with pytest.raises(pk.NoValidPathError):
        pk.find_path(server, pool=report.pool, trust_anchors=[other], parameters=parameters)
    own = TrustAnchor.from_certificate(publisher.root.certificate)
    assert pk.find_path(server, pool=report.pool, trust_anchors=[own], parameters=parameters)


def test_a_bad_one_is_not_used(publisher, served, anchors, parts):
    """A file that differs from the signed one: no certificate, no changes, and a reason that names the file."""
    files = publisher.files()
    listing = parts.list_of(files)
    files[parts.bundle] = parts.as_pkcs7([lab.Authority.create("Stranger").certificate])
    bundle = served(publisher.archive(files, listing=listing))
    report = fetch_bundle(bundle, trust_anchors=anchors, options=PRIVATE)
    assert report.checksum.status is ChecksumStatus.BAD
    assert (report.certificates, len(report.pool), report.changes) == ((), 0, None)
    assert "DoD.der.p7b is not the signed file" in report.why


def test_unreadable(served, parts):
    """Other data, an archive with names that lead out of its folder, and one without certificates raise nothing."""
    for data, words in (
        (b"hello", "expected a certificate"),
        (parts.as_zip([("../x.p7b", b"x")]), "outside its folder"),
        (parts.as_zip([("a.txt", b"x")]), "without certificates"),
        (parts.as_zip([("a.p7b", b"x")])[:-10], "damaged or cut short"),
    ):
        report = fetch_bundle(served(data), options=PRIVATE)
        assert words in report.why
        assert report.certificates == ()


def test_a_zip_bomb(served, publisher, parts):
    """The limit for unpacked bytes ends the reading, for one file and for all nested archives together."""
    zeros = bytes(1024 * 1024)
    limits = replace(QUICK, archive_bytes=3 * 1024 * 1024 - 1)
    certificates = ("good.p7b", parts.as_pkcs7(publisher.certificates))
    good = parts.as_zip([certificates, ("zeros.txt", zeros)])
    assert fetch_bundle(served(good), options=PRIVATE, limits=limits).why == ""
    bomb = parts.as_zip([certificates, ("zeros.txt", 3 * zeros)])
    report = fetch_bundle(served(bomb), options=PRIVATE, limits=limits)
    assert "limits.archive_bytes" in report.why
    assert report.certificates == ()
    inner = parts.as_zip([("zeros.txt", zeros)])
    nested = parts.as_zip([certificates, *((f"{number}.zip", inner) for number in range(3))])
    (reject,) = fetch_bundle(served(nested), options=PRIVATE, limits=limits).rejects
    assert "limits.archive_bytes" in reject.reason
    assert reject.source.endswith("!2.zip")


def test_how_large(publisher, served):
    """Bundles have a limit of their own, which ends the request."""
    data = publisher.archive()
    limits = replace(QUICK, retrieval_bundle_bytes=len(data) - 1, retrieval_response_bytes=10)
    report = fetch_bundle(served(data), options=PRIVATE, limits=limits)
    assert "limits.retrieval_bundle_bytes" in report.why
    limits = replace(limits, retrieval_bundle_bytes=len(data))
    assert fetch_bundle(served(data), options=PRIVATE, limits=limits).why == ""


def test_urls_in_order(publisher, server, served):
    """The next URL is tried where one fails, and none after an answer; if all fail, the report has each reason."""
    data = publisher.archive()
    bundle = served(data)
    bundle = replace(bundle, urls=(server.url("/gone"), *bundle.urls, server.url("/never")))
    report = fetch_bundle(bundle, options=PRIVATE, limits=QUICK)
    assert [retrieval.url for retrieval in report.retrievals] == list(bundle.urls[:2])
    assert report.url == bundle.urls[1]
    assert server.count("/never") == 0
    nowhere = fetch_bundle(replace(bundle, urls=(server.url("/gone"),)), options=PRIVATE, limits=QUICK)
    assert (nowhere.url, nowhere.checksum, nowhere.certificates) == (None, None, ())
    assert "404" in nowhere.why
    refused = fetch_bundle(bundle, options=replace(PRIVATE, allow_private=False), limits=QUICK)
    assert "not a public address" in refused.why


def test_since_the_last_time(publisher, served, tmp_path, parts):
    """Changes are counted from the cached copy; offline there are none, and a bad copy does not count."""
    options = replace(PRIVATE, cache=True, cache_folder=tmp_path / "cache")
    at_once = replace(QUICK, retrieval_fresh_seconds=0)
    bundle = served(publisher.archive())
    assert not fetch_bundle(bundle, options=options, limits=at_once).changes.compared
    another = publisher.root.issue_ca(lab.Authority.create("DOD SW CA-61"))
    files = publisher.files() | {parts.bundle: parts.as_pkcs7([publisher.root.certificate, another])}
    files.pop(parts.of_the_root)
    served(publisher.archive(files))
    changes = fetch_bundle(bundle, options=options, limits=at_once).changes
    assert (changes.new, changes.gone) == ((another,), (publisher.issuing_certificate,))
    offline = fetch_bundle(bundle, options=replace(options, offline=True))
    assert offline.retrievals[0].status is Status.CACHED
    assert offline.changes.compared
    assert (offline.changes.new, offline.changes.gone) == ((), ())
    served(publisher.archive(checksums=b"nonsense"))
    assert fetch_bundle(bundle, options=options, limits=at_once).why
    served(publisher.archive(files))
    assert not fetch_bundle(bundle, options=options, limits=at_once).changes.compared
    given = fetch_bundle(bundle, options=options, previous=publisher.certificates)
    assert given.changes.new == (another,)


@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("Certificates_PKCS7_v5_14_DoD.pem.p7b", 49),
        ("fpki-2024-10.p7b", 146),
        ("fpki-unmanaged-bundle.p7b", None),
    ],
)
def test_real_lists(fpki, server, file, count):
    """Bundles that DISA and GSA published, by URL: all certificates of the file, and no checksum file."""
    server.route(f"/{file}", (fpki / file).read_bytes())
    report = fetch_bundle(server.url(f"/{file}"), options=PRIVATE)
    pool = pk.load_certificates(fpki / file)
    assert set(report.pool) == set(pool)
    assert len(report.certificates) == (count or len(pool)) > 0
    assert report.rejects == ()
    assert report.checksum.status is ChecksumStatus.ABSENT


def test_the_roots_that_are_known(fpki):
    """The roots are the real DoD Root CA 3 and 6, by the SHA-1 fingerprints in DISA's README."""
    of_the_readme = {
        "d73ca91102a2204a36459ed32213b467d7ce97fb",
        "d37ecf61c0b4ed88681ef3630c4e2fc787b37aef",
    }
    roots = [
        certificate
        for certificate in pk.load_certificates(fpki / "Certificates_PKCS7_v5_14_DoD.pem.p7b")
        if hashlib.sha1(certificate.der, usedforsecurity=False).hexdigest() in of_the_readme
    ]
    assert {str(root.subject.common_name) for root in roots} == {"DoD Root CA 3", "DoD Root CA 6"}
    assert {root.sha256 for root in roots} == set(PUBLISHED["dod"].roots) == set(PUBLISHED["eca"].roots)


def test_the_names():
    """Three names, with permitted https URLs; anything else is a URL or an error that lists the names."""
    assert set(PUBLISHED) == {"dod", "eca", "fpki"}
    for name, bundle in PUBLISHED.items():
        assert find_bundle(name) is bundle
        assert bundle.urls
        assert bundle.publisher
        assert bundle.source
        assert all(find_bundle(url).urls == (url,) for url in bundle.urls)
        assert all(url.startswith("https://") for url in bundle.urls)
    with pytest.raises(pk.UnknownNameError, match=r"unknown bundle 'jitc'\. Known names: dod, eca, fpki"):
        find_bundle("jitc")
    with pytest.raises(pk.InputError, match="not http or https"):
        find_bundle("ldap://x.example.mil/")


def test_the_users_own(publisher, server, tmp_path):
    """A TOML file adds a name and replaces one; its roots count like the built-in ones."""
    server.route("/mirror.zip", publisher.archive())
    file = tmp_path / "own.toml"
    file.write_text(
        f"""
[bundles.dod]
urls = ["{server.url("/mirror.zip")}"]
roots = ["{publisher.root.certificate.sha256}"]

[bundles."our.list"]
title = "Ours"
publisher = "We"
source = "https://we.example.mil/"
urls = ["https://we.example.mil/list.p7b"]
"""
    )
    bundles = load_bundles(file)
    assert set(bundles) == {"dod", "eca", "fpki", "our.list"}
    assert bundles["eca"] is PUBLISHED["eca"]
    assert bundles["our.list"].to_json() == {
        "name": "our.list",
        "title": "Ours",
        "publisher": "We",
        "urls": ["https://we.example.mil/list.p7b"],
        "roots": [],
        "source": "https://we.example.mil/",
    }
    report = fetch_bundle(find_bundle("dod", bundles), options=PRIVATE)
    assert report.checksum.status is ChecksumStatus.VERIFIED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[bundles.x", "not TOML"),
        (b"\xff", "not TOML"),
        (f"x = {'1' * 5000}", "not TOML"),
        (f"x = {'[' * 5000}", "not TOML"),
        ("[bundels.x]\nurls = []", r"expected tables \[bundles.NAME\]"),
        ("bundles = 1", r"expected tables \[bundles.NAME\]"),
        ("bundles.x = 1", "expected a table"),
        ("[bundles.X]", "lower-case letters"),
        ('[bundles."../x"]', "lower-case letters"),
        ("[bundles.x]\nurl = 'https://a.example/'", "'url' is not one of publisher, roots, source, title, urls"),
        ("[bundles.x]\ntitle = 'X'", "'urls' is missing or empty"),
        ("[bundles.x]\nurls = 'https://a.example/'", "'urls' is a list of texts"),
        ("[bundles.x]\nurls = [1]", "'urls' is a list of texts"),
        ("[bundles.x]\nurls = ['file:///etc/passwd']", "not http or https"),
        ("[bundles.x]\nurls = ['https://a.example/']\ntitle = 1", "'title' is text"),
        ("[bundles.x]\nurls = ['https://a.example/']\nroots = ['AB']", "SHA-256 fingerprint"),
    ],
)
def test_nonsense_of_the_users(tmp_path, text, words):
    """Every fault in the file is an error that names the file and the bundle."""
    file = tmp_path / "own.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(pk.InputError, match=words) as caught:
        load_bundles(file)
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize("url", ["https://user:secret@a.example/", "https://user:secret@[::1/"])
def test_a_password_in_a_url(url):
    """A URL with a password is refused and not repeated; one that is too long is repeated in part."""
    with pytest.raises(pk.InputError) as caught:
        find_bundle(url)
    assert "secret" not in str(caught.value)
    with pytest.raises(pk.InputError, match="retrieval_url_characters") as caught:
        find_bundle("https://a.example/" + "a" * 100_000)
    assert len(str(caught.value)) < 400


def test_the_users_settings(tmp_path, monkeypatch):
    """Without a file, the one in the platform's folder for settings is read, if it exists."""
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)
    assert load_bundles() is PUBLISHED
    (tmp_path / "bundles.toml").write_text("[bundles.x]\nurls = ['https://a.example/']")
    assert "x" in load_bundles()


def test_no_pkcs12(served, publisher, parts):
    """PKCS#12 in a bundle is not opened: a stranger could choose any number of iterations."""
    signer = publisher.signer
    certificate = signer.certificate.as_cryptography
    data = pkcs12.serialize_key_and_certificates(b"x", signer.private_key, certificate, None, NoEncryption())
    assert list(pk.load_certificates(data)) == [signer.certificate]
    archive = parts.as_zip([("a.p12", data), ("b.p7b", parts.as_pkcs7(publisher.certificates))])
    report = fetch_bundle(served(archive), options=PRIVATE)
    assert {item.certificate for item in report.certificates} == set(publisher.certificates)
    assert "a PKCS#12 file" in fetch_bundle(served(data), options=PRIVATE).why


def test_what_is_served_is_a_zip(publisher):
    """The archives of these tests have the checksum states that the tests assume."""
    with zipfile.ZipFile(BytesIO(publisher.archive())) as archive:
        assert len(archive.namelist()) == 5


def test_strict_checksums(publisher, served, anchors, parts):
    """With ``strict_checksums``, only verified bundles are used: not weak, unproven or unsigned ones."""
    server_purpose = publisher.make_signer(purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    for data, given, status in (
        (publisher.archive(signer=server_purpose), anchors, "weak"),
        (publisher.archive(), (), "not-anchored"),
        (parts.as_zip(publisher.files().items()), anchors, "absent"),
        (parts.as_pkcs7(publisher.certificates), anchors, "absent"),
    ):
        bundle = served(data)
        lenient = fetch_bundle(bundle, trust_anchors=given, options=PRIVATE)
        assert (lenient.why, len(lenient.certificates)) == ("", 2)
        report = fetch_bundle(bundle, trust_anchors=given, strict_checksums=True, options=PRIVATE)
        assert report.checksum.status.value == lenient.checksum.status.value == status
        assert (report.certificates, report.changes) == ((), None)
        assert f"must be verified, but are {status}: {report.checksum.reasons[0]}" in report.why
    bundle = served(publisher.archive())
    assert fetch_bundle(bundle, trust_anchors=anchors, strict_checksums=True, options=PRIVATE).why == ""


def test_what_the_cache_has_is_bad(publisher, served, server, tmp_path, parts):
    """A bad bundle in the cache is replaced by a good one, however fresh it is; offline it is the only one.

    Where the server does not answer, the report still has the fault of the bad bundle.
    """
    options = replace(PRIVATE, cache=True, cache_folder=tmp_path / "cache")
    files = publisher.files()
    bad = publisher.archive(files, listing=parts.list_of(files | {parts.bundle: b"other"}))
    bundle = served(bad)
    assert "is not the signed file" in fetch_bundle(bundle, options=options).why
    offline = fetch_bundle(bundle, options=replace(options, offline=True))
    assert (offline.why != "", [each.status for each in offline.retrievals]) == (True, [Status.CACHED])
    server.answer(PATH, status=404)
    report = fetch_bundle(bundle, options=options)
    assert [each.status for each in report.retrievals] == [Status.CACHED, Status.FAILED]
    assert "is not the signed file" in report.why
    served(publisher.archive())
    report = fetch_bundle(bundle, options=options)
    assert (report.why, [each.status for each in report.retrievals]) == ("", [Status.CACHED, Status.FETCHED])
    asked = server.count(PATH)
    assert fetch_bundle(bundle, options=options).retrievals[0].status is Status.CACHED
    assert fetch_bundle(bundle, options=replace(options, offline=True)).why == ""
    assert server.count(PATH) == asked


def test_a_bad_one_that_has_not_changed(publisher, served, server, tmp_path, parts):
    """A bad bundle in the cache is replaced even if the server answers 304 (RFC 9110 section 15.4.5)."""
    options = replace(PRIVATE, cache=True, cache_folder=tmp_path / "cache")
    files = publisher.files()
    bad = publisher.archive(files, listing=parts.list_of(files | {parts.bundle: b"other"}))
    bundle = served(bad)
    server.answer(PATH, bad, headers={"ETag": '"1"'})
    assert fetch_bundle(bundle, options=options).why
    good = publisher.archive()

    async def unchanged(exchange):
        if "if-none-match" in exchange.headers:
            await exchange.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            await exchange.answer(good)

    server.route(PATH, unchanged)
    report = fetch_bundle(bundle, options=options, limits=replace(QUICK, retrieval_fresh_seconds=0))
    assert (report.why, [each.status for each in report.retrievals]) == ("", [Status.UNCHANGED, Status.FETCHED])


def test_an_older_bundle(publisher, served, anchors, tmp_path, parts):
    """A genuine old bundle is accepted, with a warning that it is older, and with the gone certificates."""
    options = replace(PRIVATE, cache=True, cache_folder=tmp_path / "cache")
    at_once = replace(QUICK, retrieval_fresh_seconds=0)
    plain = {"options": (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)}
    files = publisher.files()
    old = publisher.sign(parts.list_of(files), **plain)
    another = publisher.root.issue_ca(lab.Authority.create("DOD SW CA-61"))
    more = files | {parts.bundle: parts.as_pkcs7([*publisher.certificates, another])}
    new = publisher.sign(parts.list_of(more), **plain)

    def fetch(files, signed, year):
        entry = zipfile.ZipInfo(parts.checksums, (year, 1, 1, 0, 0, 0))
        bundle = served(parts.as_zip([*files.items(), (entry, signed)]))
        return fetch_bundle(bundle, trust_anchors=anchors, options=options, limits=at_once)

    assert fetch(more, new, 2025).warnings == ()
    assert fetch(more, new, 2025).warnings == ()
    report = fetch(files, old, 2024)
    assert report.checksum.status is ChecksumStatus.VERIFIED
    assert report.changes.gone == (another,)
    (warning,) = report.warnings
    assert "an older bundle" in warning
    assert fetch(more, new, 2025).warnings == ()


def test_which_is_older():
    """Signing times are compared before the times in the archives, which anyone can change; no time, no result."""

    def made(signed, archived):
        signing_time = signed and datetime(signed, 1, 1, tzinfo=UTC)
        verdict = ChecksumVerdict(status=ChecksumStatus.VERIFIED, signing_time=signing_time)
        archived = archived and datetime(archived, 1, 1, tzinfo=UTC)
        return BundleContents(certificates=(), rejects=(), checksum=verdict, archived=archived)

    for one, other, older in (
        (made(2024, 2026), made(2025, 2025), True),
        (made(2025, 2024), made(2024, 2025), False),
        (made(2025, 2025), made(2025, 2025), False),
        (made(None, 2024), made(2023, 2025), True),
        (made(2024, None), made(None, 2025), False),
        (made(None, None), made(None, None), False),
    ):
        assert one.is_older_than(other) is older
