"""``pkcs12kit gather --bundle``: published lists, what is said of them, what is written, and the exit status."""

from __future__ import annotations

import hashlib
import socket
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.cli.output import gather as gather_output
from pkcs12kit.lab import extensions as ext

from ..retrieval.conftest import Server

AT_HOME = ("--allow-private", "--no-cache")


class Site:
    """A root, a CA below it that issued a server's certificate, and both published in an archive, signed."""

    def __init__(self, server):
        self.base = server.base
        self.server_requests = lambda: server.requests
        self.root, self.issuing = lab.Authority.create("DoD Root CA 3"), lab.Authority.create("DOD SW CA-60")
        self.certificates = [self.root.certificate, self.root.issue_ca(self.issuing)]
        self.server = self.issuing.issue_server("mdm.example.mil").certificate
        self.key = lab.KeyType.EC_P256.generate()
        self.certify(ExtendedKeyUsageOID.CODE_SIGNING)
        self.pages = {}
        self.publish()
        server.otherwise(self.answer)

    async def answer(self, exchange):
        """Answer with what is there."""
        content = self.pages.get(exchange.target)
        await exchange.answer(content or b"", status=404 if content is None else 200)

    def certify(self, purpose):
        """Give the signer a certificate for this purpose."""
        self.signer = self.root.issue(
            "DoD PKE",
            self.key.public_key(),
            extensions=[
                ext.critical(ext.key_usage("digital_signature")),
                ext.non_critical(x509.ExtendedKeyUsage([purpose])),
            ],
        )

    def publish(self, *, tampered=False):
        """Put the archive where it is asked for."""
        bundle = pkcs7.serialize_certificates([each.as_cryptography for each in self.certificates], Encoding.DER)
        listing = f"{hashlib.sha256(bundle).hexdigest()}  all.p7b\r\n".encode()
        builder = pkcs7.PKCS7SignatureBuilder().set_data(listing)
        builder = builder.add_signer(self.signer.as_cryptography, self.key, hashes.SHA256())
        signed = builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("v1/all.p7b", bundle + b" " * tampered)
            archive.writestr("v1/v1.sha256", signed)
        self.pages["/bundle.zip"] = buffer.getvalue()


@pytest.fixture
def site(_no_proxies):
    """The publisher."""
    with Server() as server:
        yield Site(server)
    assert server.errors == []


@pytest.fixture
def own(site, tmp_path):
    """A bundles file in which ``dod`` is this publisher's."""
    (tmp_path / "own.toml").write_text(f'[bundles.dod]\ntitle = "Ours"\nurls = ["{site.base}/bundle.zip"]\n')
    return tmp_path / "own.toml"


@pytest.fixture
def gather(call, site, own, tmp_path):
    """Call ``gather`` with that file, into a folder."""
    (tmp_path / "root.pem").write_text(site.root.certificate.to_pem())
    (tmp_path / "server.pem").write_text(site.server.to_pem())

    def call_gather(*more, into=tmp_path / "published"):
        return call("gather", "--bundles", own, "--into", into, *AT_HOME, *more)

    return call_gather


def test_alone(gather, site, tmp_path):
    """Without CERT: the certificates, what the checksums prove, the first time; they are in the folder."""
    outcome = gather("--bundle", "dod", "--bundle-anchor", tmp_path / "root.pem")
    assert outcome.status == 0
    assert outcome.text.startswith(f"Bundle dod: 2 certificates from {site.base}/bundle.zip")
    assert "Checksums: right for 1 file, signed by CN=DoD PKE under CN=DoD Root CA 3" in outcome.text
    assert "Nothing to compare with" in outcome.text
    assert f"Wrote {tmp_path / 'published'}: 2 new" in outcome.text
    assert outcome.errors == ""
    assert set(pk.load_certificates(tmp_path / "published")) == set(site.certificates)


def test_not_proven(gather):
    """Nobody says who the signer is: it is used, said to prove nothing, and there is a hint."""
    outcome = gather("--bundle", "dod")
    assert outcome.status == 0
    assert "Checksums: not proven" in outcome.text
    assert "hint: --bundle-anchor FILE" in outcome.errors


def test_weak(gather, site, tmp_path):
    """What is weak about the signature is said, and what makes that a refusal; the bundle is used until then."""
    site.certify(ExtendedKeyUsageOID.SERVER_AUTH)
    site.publish()
    root = tmp_path / "root.pem"
    outcome = gather("--bundle", "dod", "--bundle-anchor", root)
    assert outcome.status == 0
    assert "Checksums: right, but weakly signed\n" in outcome.text
    assert "the signer's certificate is neither for e-mail nor for code signing" in " ".join(outcome.text.split())
    assert "signed by CN=DoD PKE under CN=DoD Root CA 3\n" in outcome.text
    assert "hint: --strict-checksums" in outcome.errors
    told = gather("--bundle", "dod", "--bundle-anchor", root, "--json").json
    assert told["bundles"][0]["checksum"]["status"] == "weak"
    assert set(pk.load_certificates(tmp_path / "published")) == set(site.certificates)
    strict = gather("--bundle", "dod", "--bundle-anchor", root, "--strict-checksums", into=tmp_path / "strict")
    assert strict.status == 1
    assert "not used" in strict.text
    assert "hint" not in strict.errors


def test_unsigned(gather, site, own, tmp_path):
    """The publisher is known to sign, and the signature is missing: exit status 1, what is missing, and the option."""
    roots = f'roots = ["{site.root.certificate.sha256}"]\n'
    own.write_text(own.read_text() + roots)
    assert gather("--bundle", "dod", into=tmp_path / "signed").status == 0
    with zipfile.ZipFile(BytesIO(site.pages["/bundle.zip"])) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".sha256")}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    site.pages["/bundle.zip"] = buffer.getvalue()
    refused = gather("--bundle", "dod")
    assert refused.status == 1
    told = " ".join(refused.text.split())
    assert "not used" in told
    assert "its publisher signs a file of checksums, and that signature is absent: the archive has none" in told
    assert "--unsigned" in told
    assert not list((tmp_path / "published").glob("*.pem"))
    allowed = gather("--bundle", "dod", "--unsigned")
    assert allowed.status == 0
    assert "Checksums: not signed" in allowed.text
    assert gather("--bundle", "dod", "--unsigned", "--strict-checksums").status == 2


def test_by_url(gather, site):
    """A URL in place of a name."""
    outcome = gather("--bundle", f"{site.base}/bundle.zip")
    assert outcome.status == 0
    assert outcome.text.startswith(f"{site.base}/bundle.zip: 2 certificates")
    outcome = gather("--bundle", f"{site.base}/gone.zip")
    assert outcome.status == 1
    assert outcome.text.startswith(f"{site.base}/gone.zip: not used")


def test_bad(gather, site, tmp_path):
    """A bundle that is not as it was signed: exit status 1, why, and what was there from before stays as it is."""
    assert gather("--bundle", "dod").status == 0
    before = {path: path.read_bytes() for path in (tmp_path / "published").iterdir()}
    site.publish(tampered=True)
    outcome = gather("--bundle", "dod")
    assert outcome.status == 1
    assert "not used" in outcome.text
    assert "all.p7b is not the signed file" in outcome.text
    assert {path: path.read_bytes() for path in (tmp_path / "published").iterdir()} == before


def test_no_answer(gather, site):
    """Nothing listens, as without a network: exit status 1 and the hint that ``gather CERT`` gives; none for a 404."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        outcome = gather("--bundle", f"http://127.0.0.1:{taken.getsockname()[1]}/bundle.zip")
    assert outcome.status == 1
    assert "hint: no server answered. Is there a network" in outcome.errors
    assert "hint:" not in gather("--bundle", f"{site.base}/nothing.zip").errors


def test_what_was_refused_of_a_bundle_beside_a_certificate(call, files, tmp_path):
    """The hint is about the address that was refused, as without a certificate; no network is missing."""
    outcome = call(
        "gather",
        files.certificate,
        "--bundle",
        "http://127.0.0.1:8080/b.zip",
        "--into",
        tmp_path / "into",
        "--no-cache",
    )
    assert outcome.status == 1
    assert "--allow-private also connects" in outcome.errors
    assert "Is there a network" not in outcome.errors


def test_what_changed(gather, site):
    """The next run into the folder says what is new and gone, and what will expire."""
    gather("--bundle", "dod")
    assert "Nothing has changed since the last time" in gather("--bundle", "dod").text
    short = lab.Validity.around(days_after=3)
    site.certificates[1] = site.root.issue_ca(lab.Authority.create("DOD SW CA-61"), validity=short)
    site.publish()
    outcome = gather("--bundle", "dod", "--expires-within", "1w")
    assert "New: 1\n" in outcome.text
    assert "Gone: 1\n" in outcome.text
    assert "Expire by " in outcome.text
    site.publish()
    told = gather("--bundle", "dod", "--json").json
    assert told["bundles"][0]["changes"]["compared"] is True
    assert told["bundles"][0]["checksum"]["status"] == "not-anchored"


def test_another_of_its_urls(gather, site, own, tmp_path):
    """What a bundle's other URL gave is not kept for ever once this one answers: they are one list."""
    own.write_text(f'[bundles.dod]\nurls = ["{site.base}/first.zip", "{site.base}/bundle.zip"]\n')
    gather("--bundle", "dod")
    gone = site.certificates[1]
    site.certificates[1] = site.root.issue_ca(lab.Authority.create("DOD SW CA-61"))
    site.publish()
    site.pages["/first.zip"] = site.pages.pop("/bundle.zip")
    assert "Gone: 1\n" in gather("--bundle", "dod").text
    assert gone not in pk.load_certificates(tmp_path / "published")
    assert "Nothing has changed since the last time" in gather("--bundle", "dod").text


def test_with_a_certificate(gather, site, tmp_path):
    """With CERT the bundle is where the search begins: the path through it needs no further URL."""
    outcome = gather(tmp_path / "server.pem", "--anchor", tmp_path / "root.pem", "--bundle", "dod")
    assert outcome.status == 0
    assert "Path, valid until " in outcome.text
    assert set(pk.load_certificates(tmp_path / "published")) == set(site.certificates)
    site.publish(tampered=True)
    assert gather(tmp_path / "server.pem", "--anchor", tmp_path / "root.pem", "--bundle", "dod").status == 1


def test_a_bundle_is_not_trusted(gather, site, tmp_path):
    """The root in the bundle is a candidate: under another anchor there is no path, exit status 1."""
    (tmp_path / "other.pem").write_text(lab.Authority.create("Other").certificate.to_pem())
    outcome = gather(tmp_path / "server.pem", "--anchor", tmp_path / "other.pem", "--bundle", "dod")
    assert outcome.status == 1
    assert "No valid path" in outcome.text
    assert str(site.root.certificate.subject.common_name) not in outcome.text.splitlines()[0]


def test_the_list(call, own):
    """The names that are known, those of the user's file among them; nothing is fetched or written."""
    text = call("gather", "--list-bundles").text
    assert all(f"{name}  " in text for name in ("dod", "eca", "fpki"))
    assert "dod  Ours" in call("gather", "--list-bundles", "--bundles", own).text
    told = call("gather", "--list-bundles", "--json", "--bundles", own).json
    assert [bundle["name"] for bundle in told["bundles"]] == ["dod", "eca", "fpki"]


def test_usage(call, gather, tmp_path):
    """What is missing, what goes with nothing, and an unknown name or a damaged file: exit status 2, and which."""
    for arguments, words in (
        (("--into", tmp_path / "x"), "it may be left out only with --bundle"),
        (("--bundle", "dod"), "--into"),
        (("--bundle", "dod", "--into", tmp_path / "x", "--anchor", tmp_path / "root.pem"), "--anchor is for"),
        (("--bundle", "jitc", "--into", tmp_path / "x"), "unknown bundle 'jitc'. Known names: dod, eca, fpki"),
    ):
        outcome = call("gather", *arguments)
        assert outcome.status == 2
        assert words in outcome.errors
    (tmp_path / "own.toml").write_text("[bundles.x")
    outcome = gather("--bundle", "dod")
    assert outcome.status == 2
    assert f"--bundles {tmp_path / 'own.toml'}: not TOML" in outcome.errors


def test_from_a_file(gather, site, tmp_path):
    """A carried archive is checked as a downloaded one; nothing is fetched, and the folder says where it came from."""
    file = tmp_path / "carried.bin"
    file.write_bytes(site.pages["/bundle.zip"])
    site.pages.clear()
    outcome = gather("--bundle", file, "--bundle-anchor", tmp_path / "root.pem")
    assert (outcome.status, outcome.errors) == (0, "")
    assert outcome.text.startswith(f"{file}: 2 certificates from {file}; a file on this computer")
    assert "Checksums: right for 1 file, signed by CN=DoD PKE under CN=DoD Root CA 3" in outcome.text
    assert f'"url": "{file.as_uri()}"' in (tmp_path / "published" / "index.json").read_text()
    again = gather("--bundle", file, "--bundle-anchor", tmp_path / "root.pem")
    assert "Nothing has changed since the last time" in again.text
    refused = gather("--bundle", file, into=tmp_path / "other")
    assert refused.status == 1
    assert "not used: " in refused.text
    assert "--unsigned" in refused.text
    allowed = gather("--bundle", file, "--unsigned", "--json", into=tmp_path / "other")
    assert allowed.status == 0
    (bundle,) = allowed.json["bundles"]
    assert bundle["bundle"]["file"] == str(file)
    assert bundle["urls"][0]["status"] == "read"


def test_a_file_that_is_only_a_source(gather, site, tmp_path):
    """A list without an archive cannot be signed: it is used, and a warning says what that means."""
    file = tmp_path / "fpki.p7b"
    file.write_bytes(pkcs7.serialize_certificates([one.as_cryptography for one in site.certificates], Encoding.DER))
    outcome = gather("--bundle", file)
    assert outcome.status == 0
    assert "warning: " in outcome.errors
    assert "only a source of candidates" in outcome.errors


@pytest.mark.parametrize(
    ("name", "why"),
    [("nowhere.zip", "no such file or directory"), (".", "a folder; a bundle is one file"), ("fpky", "unknown bundle")],
)
def test_a_file_that_cannot_be_read(gather, name, why):
    """Exit status 2, as for any other input that cannot be read."""
    outcome = gather("--bundle", name)
    assert outcome.status == 2
    assert why in outcome.errors


@pytest.mark.parametrize(
    ("age", "text"), [(0, "0 minutes old"), (59, "59 minutes old"), (150, "2 hours old"), (4 * 1440 + 1, "4 days old")]
)
def test_a_cached_copy_is_called_that(call, site, own, tmp_path, monkeypatch, age, text):
    """Where the server was not asked, the copy has its age, and nothing is said of changes of the published list."""
    given = ("gather", "--bundles", own, "--bundle", "dod", "--allow-private", "--cache", tmp_path / "cache")
    assert call(*given, "--into", tmp_path / "one").status == 0
    later = datetime.now(UTC) + timedelta(minutes=age)

    class Later(datetime):
        @classmethod
        def now(cls, _tz=None):
            return later

    monkeypatch.setattr(gather_output, "datetime", Later)
    asked = len(site.server_requests())
    for into in ("one", "two"):
        outcome = call(*given, "--into", tmp_path / into, *(["--offline"] if age > 60 else []))
        assert outcome.status == 0
        assert "from the cache, fetched at " in outcome.text
        assert f"{text}; the server was not asked" in outcome.text
        assert "This is the cached copy again" in outcome.text
        assert "Nothing has changed" not in outcome.text
    assert len(site.server_requests()) == asked
