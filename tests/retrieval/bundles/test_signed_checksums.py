"""The signed checksum file: the conditions for each verdict."""

from __future__ import annotations

import subprocess
import zipfile
from base64 import encodebytes
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import lab
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import InputError
from pkcs12kit.lab import extensions as ext
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL, DEFAULT
from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus, SignerRules
from pkcs12kit.retrieval.bundles.fetch import open_bundle

SHA1 = hashes.SHA1()  # noqa: S303  # to be refused
BINARY = (pkcs7.PKCS7Options.Binary,)
URL = "https://publisher.example.mil/bundle.zip"


@pytest.fixture
def check(publisher):
    """Open an archive; by default the publisher's root is the trust anchor."""

    def open_it(data, *, anchors=None, roots=(), time=None, policy=DEFAULT, limits=DEFAULT_LIMITS):
        given = [publisher.root.certificate] if anchors is None else anchors
        rules = SignerRules(
            trust_anchors=tuple(map(TrustAnchor.from_certificate, given)),
            roots=frozenset(roots),
            time=time or datetime.now(UTC),
            algorithm_policy=policy,
        )
        return open_bundle(data, url=URL, rules=rules, limits=limits)

    return open_it


def bad(contents):
    """The reasons of a bad verdict; there must be no certificates."""
    assert contents.checksum.status is ChecksumStatus.BAD
    assert contents.certificates == ()
    assert contents.rejects == ()
    return "\n".join(contents.checksum.reasons)


def weak(publisher, contents):
    """The weaknesses of a weak verdict; all certificates and the signer must be there."""
    assert contents.checksum.status is ChecksumStatus.WEAK, contents.checksum.reasons
    assert set(contents.certificates) == set(publisher.certificates)
    assert contents.checksum.trust_anchor.certificate == publisher.root.certificate
    return contents.checksum.reasons


def resigned(data, signer, change, *, digest=None):
    """Change the SignerInfo of a SignedData, and sign it again with ``digest`` if that is given."""
    info = cms.ContentInfo.load(data)
    signed_data = info["content"]
    signer_info = signed_data["signer_infos"][0]
    change(signed_data, signer_info)
    if digest is not None:
        over = signer_info["signed_attrs"]
        signed = over.untag().dump(force=True) if over.native else bytes(signed_data["encap_content_info"]["content"])
        signer_info["signature"] = signer.private_key.sign(signed, ec.ECDSA(digest))
    return info.dump(force=True)


def test_yes(publisher, check, parts):
    """A valid signature below the trust anchor and the listed checksums: all certificates, and the signer."""
    contents = check(publisher.archive())
    verdict = contents.checksum
    assert (verdict.status, verdict.reasons, verdict.left_out) == (ChecksumStatus.VERIFIED, (), ())
    assert set(contents.certificates) == set(publisher.certificates)
    assert verdict.signer == publisher.signer.certificate
    assert verdict.trust_anchor.certificate == publisher.root.certificate
    assert set(verdict.listed) == {parts.bundle, parts.of_the_root, parts.chain, parts.readme}
    assert abs(verdict.signing_time - datetime.now(UTC)) < timedelta(hours=1)
    assert verdict.to_json()["status"] == "verified"


@pytest.mark.parametrize(
    "line",
    [
        "{digest}  {name}\n",
        "{digest} {name}\n",
        "{digest} *{name}\r\n",
        "{digest}\t{name}\r\n\r\n",
        "{digest}  ./{name}\n",
        "{digest} {name}\n\x00",
    ],
)
def test_lines(publisher, check, parts, line):
    """The forms in which such lists occur; some were signed with the zero byte that ends a C string."""
    files = publisher.files()
    listing = parts.list_of(files, line=line).replace(b"\x00", b"") + b"\x00" * line.count("\x00")
    assert check(publisher.archive(files, listing=listing)).checksum.status is ChecksumStatus.VERIFIED
    upper = parts.list_of(files, line="{digest}|{name}\n")
    upper = b"".join(row.split(b"|")[0].upper() + b"  " + row.split(b"|")[1] for row in upper.splitlines(keepends=True))
    assert check(publisher.archive(files, listing=upper)).checksum.status is ChecksumStatus.VERIFIED


def test_encodings(publisher, check, parts):
    """PEM, one S/MIME part, and without signed attributes, as RFC 5652 section 5.3 allows for data."""
    assert check(publisher.archive(encoding=Encoding.PEM)).checksum.status is ChecksumStatus.VERIFIED
    plain = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)
    verdict = check(publisher.archive(options=plain)).checksum
    assert (verdict.status, verdict.signing_time) == (ChecksumStatus.VERIFIED, None)
    der = publisher.sign(parts.list_of(publisher.files()))
    header = b"MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n"
    part = header + encodebytes(der)
    assert check(publisher.archive(checksums=part)).checksum.status is ChecksumStatus.VERIFIED


def test_what_openssl_signs(publisher, check, require_tool, tmp_path, parts):
    """A second implementation: BER, as ``openssl cms -sign -stream`` writes it, and its own smime command's DER."""
    (tmp_path / "list").write_bytes(parts.list_of(publisher.files()))
    key = publisher.signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "signer.pem").write_bytes(key + publisher.signer.certificate.to_pem().encode())
    (tmp_path / "ca.pem").write_text(publisher.email_certificate.to_pem())
    for how in (["cms", "-stream"], ["cms", "-keyid"], ["smime"], ["cms", "-noattr", "-md", "sha384"]):
        command = [how[0], "-sign", "-binary", "-nodetach", "-outform", "DER", *how[1:]]
        given = ["-in", "list", "-signer", "signer.pem", "-certfile", "ca.pem", "-out", "signed"]
        subprocess.run([require_tool("openssl"), *command, *given], cwd=tmp_path, check=True, capture_output=True)
        contents = check(publisher.archive(checksums=(tmp_path / "signed").read_bytes()))
        assert contents.checksum.status is ChecksumStatus.VERIFIED, (how, contents.checksum.reasons)


def test_a_pinned_root(publisher, check):
    """Without a trust anchor, the known root of the bundle counts, by its fingerprint, from the archive."""
    verdict = check(publisher.archive(), anchors=(), roots=[publisher.root.certificate.sha256]).checksum
    assert verdict.status is ChecksumStatus.VERIFIED
    assert verdict.trust_anchor.certificate == publisher.root.certificate


def test_nobody_vouches_for_the_signer(publisher, check):
    """Without a trust anchor and a known root, a valid signature proves nothing; the certificates are candidates."""
    for roots in ((), ["00" * 32]):
        contents = check(publisher.archive(), anchors=(), roots=roots)
        assert contents.checksum.status is ChecksumStatus.NOT_ANCHORED
        assert contents.checksum.trust_anchor is None
        assert "no trust anchor" in contents.checksum.reasons[0]
        assert set(contents.certificates) == set(publisher.certificates)


def test_no_checksum_file(publisher, check, parts):
    """An archive without a checksum file is used, and the verdict says so."""
    contents = check(parts.as_zip(publisher.files().items()))
    assert contents.checksum.status is ChecksumStatus.ABSENT
    assert set(contents.certificates) == set(publisher.certificates)


def test_tampered_file(publisher, check, parts):
    """One file that differs from the signed one makes the whole bundle bad, with or without a trust anchor."""
    files = publisher.files()
    listing = parts.list_of(files)
    stranger = lab.Authority.create("Stranger").certificate
    files[parts.of_the_root] = parts.as_pkcs7([*publisher.certificates, stranger])
    archive = publisher.archive(files, listing=listing)
    for anchors in (None, ()):
        assert "_DoD_Root_CA_3.der.p7b is not the signed file" in bad(check(archive, anchors=anchors))


def test_tampered_list(publisher, check, parts):
    """A list that was changed together with its file does not match the digest or the signature."""
    files = publisher.files()
    old = parts.list_of(files)
    files[parts.bundle] = parts.as_pkcs7([lab.Authority.create("Stranger").certificate])
    new = parts.list_of(files)
    assert len(old) == len(new)
    for options, words in (
        ((pkcs7.PKCS7Options.Binary,), "changed after it was signed"),
        ((pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes), "not by the key of"),
    ):
        signed = publisher.sign(old, options=options)
        assert old in signed
        assert words in bad(check(publisher.archive(files, checksums=signed.replace(old, new)), anchors=()))


def test_tampered_attributes(publisher, check, parts):
    """With the digest in the attributes changed as well, the signature does not match (RFC 5652 section 5.4)."""
    files = publisher.files()
    old = parts.list_of(files)
    files[parts.bundle] = parts.as_pkcs7([lab.Authority.create("Stranger").certificate])
    new = parts.list_of(files)
    signed = publisher.sign(old).replace(old, new).replace(sha256(old).digest(), sha256(new).digest())
    assert "not by the key of" in bad(check(publisher.archive(files, checksums=signed)))


def test_a_stranger_signs(publisher, check):
    """Anyone can sign: a signer without a path to a trust anchor is refused, even with a root in the archive."""
    root = lab.Authority.create("DoD Root CA 3")  # the same name, another key
    stranger = publisher.make_signer(issuer=root)
    stranger = replace(stranger, others=(root.certificate,))
    archive = publisher.archive(signer=stranger)
    assert "DoD PKE of the lab cannot be trusted" in bad(check(archive))
    assert "cannot be trusted" in bad(check(archive, anchors=(), roots=[publisher.root.certificate.sha256]))
    assert check(archive, anchors=()).checksum.status is ChecksumStatus.NOT_ANCHORED


def test_a_given_anchor_replaces_the_pin(publisher, check):
    """With a trust anchor from the user, the known root of the bundle does not count."""
    other = lab.Authority.create("Other Root").certificate
    roots = [publisher.root.certificate.sha256]
    assert "cannot be trusted" in bad(check(publisher.archive(), anchors=[other], roots=roots))


def test_expired_signer(publisher, check):
    """A signer that had expired at the claimed signing time is refused; at a time from the user it counts."""
    signer = publisher.make_signer(validity=lab.Validity.around(days_before=200, days_after=-100))
    archive = publisher.archive(signer=signer)
    reasons = bad(check(archive))
    assert "expired" in reasons
    assert "which no one confirms" in reasons
    earlier = datetime.now(UTC) - timedelta(days=150)
    assert check(archive, time=earlier).checksum.status is ChecksumStatus.VERIFIED


def test_lapsed_signer(publisher, check, parts):
    """A signer that has expired since is weak, by the signing time or else by the time in the archive."""
    later = datetime.now(UTC) + timedelta(days=100)
    signer = publisher.make_signer(validity=lab.Validity.around(days_after=50))
    plain = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)
    for archive, says in (
        (publisher.archive(signer=signer), "the time in the signature"),
        (publisher.archive(signer=signer, options=plain), "the time in the archive"),
    ):
        (reason,) = weak(publisher, check(archive, time=later))
        assert "expired" in reason
        assert says in reason
        assert "which no one confirms" in reason
    for options, verdict in ((BINARY, ChecksumStatus.WEAK), (plain, ChecksumStatus.BAD)):
        signed = publisher.sign(parts.list_of(publisher.files()), signer=signer, options=options)
        entry = zipfile.ZipInfo(parts.checksums, (1999, 1, 1, 0, 0, 0))
        archive = parts.as_zip([*publisher.files().items(), (entry, signed)])  # before the signer was certified
        assert check(archive, time=later).checksum.status is verdict
    before = datetime.now(UTC) - timedelta(days=1000)
    assert "cannot be trusted" in bad(check(publisher.archive(), time=before))  # signed later: no claim of the past


def test_a_stranger_lapsed(publisher, check):
    """The signer must have a path to a trust anchor at the time of the signature as well."""
    root = lab.Authority.create("DoD Root CA 3")
    stranger = publisher.make_signer(issuer=root, validity=lab.Validity.around(days_after=50))
    stranger = replace(stranger, others=(root.certificate,))
    later = datetime.now(UTC) + timedelta(days=100)
    assert "cannot be trusted" in bad(check(publisher.archive(signer=stranger), time=later))


def test_what_the_signer_may(publisher, check):
    """A code signing certificate may sign; one for TLS servers is weak; one for encryption only is refused."""
    code = publisher.make_signer(purpose=ExtendedKeyUsageOID.CODE_SIGNING)
    assert check(publisher.archive(signer=code)).checksum.status is ChecksumStatus.VERIFIED
    server = publisher.make_signer(purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    (reason,) = weak(publisher, check(publisher.archive(signer=server)))
    assert "neither for e-mail nor for code signing" in reason
    encrypting = publisher.make_signer(usage="key_agreement")
    assert "not for signatures" in bad(check(publisher.archive(signer=encrypting)))


def test_weak_digest(publisher, check, parts):
    """SHA-1 is a weakness where the policy refuses it; changed content is refused all the same."""

    def weaken(signed_data, signer_info):
        for algorithm in (signed_data["digest_algorithms"][0], signer_info["digest_algorithm"]):
            algorithm["algorithm"] = "sha1"
        signer_info["signature_algorithm"]["algorithm"] = "sha1_ecdsa"

    plain = publisher.sign(
        parts.list_of(publisher.files()), options=(pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)
    )
    archive = publisher.archive(checksums=resigned(plain, publisher.signer, weaken, digest=SHA1))
    assert weak(publisher, check(archive)) == (
        "the checksum file is signed with SHA-1, which algorithm policy 'default' refuses",
    )
    assert check(archive, policy=ALLOW_ALL).checksum.status is ChecksumStatus.VERIFIED
    verdict = check(archive, anchors=()).checksum
    assert verdict.status is ChecksumStatus.NOT_ANCHORED
    assert "SHA-1" in verdict.reasons[1]
    files = publisher.files() | {parts.bundle: parts.as_pkcs7([publisher.root.certificate])}
    signed = resigned(plain, publisher.signer, weaken, digest=SHA1)
    assert "is not the signed file" in bad(check(publisher.archive(files, checksums=signed)))
    changed = signed.replace(parts.list_of(publisher.files()), parts.list_of(files))
    assert "not by the key of" in bad(check(publisher.archive(files, checksums=changed)))


@pytest.mark.parametrize("algorithm", ["rsassa_pkcs1v15", "sha1_rsa"])
def test_as_disa_signs(publisher, check, parts, algorithm):
    """RSA with SHA-1, no signed attributes, a signer that has expired since: weak for both reasons."""
    key = rsa.generate_private_key(65537, 2048)
    signer = publisher.make_signer(key=key, validity=lab.Validity.around(days_after=50))
    listing = parts.list_of(publisher.files())
    info = cms.ContentInfo.load(
        publisher.sign(listing, signer=signer, options=(*BINARY, pkcs7.PKCS7Options.NoAttributes))
    )
    signer_info = info["content"]["signer_infos"][0]
    signer_info["digest_algorithm"]["algorithm"] = "sha1"
    signer_info["signature_algorithm"] = {"algorithm": algorithm}
    signer_info["signature"] = key.sign(listing, padding.PKCS1v15(), SHA1)
    archive = publisher.archive(checksums=info.dump(force=True))
    later, roots = datetime.now(UTC) + timedelta(days=100), [publisher.root.certificate.sha256]
    digest, lapsed = weak(publisher, check(archive, anchors=(), roots=roots, time=later))
    assert "SHA-1" in digest
    assert "the time in the archive" in lapsed
    signer_info["signature"] = key.sign(listing + b"x", padding.PKCS1v15(), SHA1)
    archive = publisher.archive(checksums=info.dump(force=True))
    assert "not by the key of" in bad(check(archive, anchors=(), roots=roots, time=later))


def test_two_digests(publisher, check, parts):
    """Two different digests in one SignerInfo are refused."""

    def hide(_, signer_info):
        signer_info["signature_algorithm"]["algorithm"] = "sha1_ecdsa"

    archive = publisher.archive(
        checksums=resigned(publisher.sign(parts.list_of(publisher.files())), publisher.signer, hide)
    )
    assert "two digests for its signature: sha256 and sha1" in bad(check(archive))


def test_attributes_in_another_order(publisher, check, parts):
    """The signature is over the SET OF in DER, whatever its order in the file (RFC 5652 section 5.4)."""
    signed = publisher.sign(parts.list_of(publisher.files()))
    attributes = cms.ContentInfo.load(signed)["content"]["signer_infos"][0]["signed_attrs"]
    encodings = [attribute.dump() for attribute in attributes]
    sent = signed.replace(b"".join(encodings), b"".join(reversed(encodings)))
    assert sent != signed
    assert check(publisher.archive(checksums=sent)).checksum.status is ChecksumStatus.VERIFIED


def test_content_of_another_type(publisher, check, parts):
    """Signed content of another type than data is refused."""
    plain = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)
    signed = publisher.sign(parts.list_of(publisher.files()), options=plain)
    data_type = core.ObjectIdentifier("1.2.840.113549.1.7.1").dump()
    renamed = signed.replace(data_type, core.ObjectIdentifier("1.2.840.113549.1.7.99").dump())
    assert len(renamed) == len(signed)
    assert "content of type 1.2.840.113549.1.7.99" in bad(check(publisher.archive(checksums=renamed)))


def test_weak_key(publisher, check):
    """A signature with a key that the policy refuses is bad."""
    weak = publisher.make_signer(key=rsa.generate_private_key(65537, 1024))  # noqa: S505  # to be refused
    assert "signed with a weak key: RSA key of 1024 bits" in bad(check(publisher.archive(signer=weak)))


def test_one_serial_number(publisher, check, parts):
    """The signer is found by issuer and serial number together, not by the serial number only."""
    serial = publisher.signer.certificate.serial_number
    other = lab.Authority.create("Other")
    decoy = other.issue("Decoy", other.private_key.public_key(), serial_number=serial)
    files = publisher.files() | {f"{parts.folder}decoy.pem": decoy.to_pem().encode()}
    assert check(publisher.archive(files)).checksum.status is ChecksumStatus.VERIFIED
    without = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCerts)
    assert "does not come with the certificate" in bad(check(publisher.archive(files, options=without)))


@pytest.mark.parametrize("gone", ["content_type", "message_digest"])
def test_missing_attribute(publisher, check, gone, parts):
    """Signed attributes without contentType or messageDigest are refused (RFC 5652 section 5.3)."""

    def take_away(_, signer_info):
        kept = [attribute for attribute in signer_info["signed_attrs"] if attribute["type"].native != gone]
        signer_info["signed_attrs"] = cms.CMSAttributes(kept)

    data = resigned(
        publisher.sign(parts.list_of(publisher.files())), publisher.signer, take_away, digest=hashes.SHA256()
    )
    assert "the checksum file" in bad(check(publisher.archive(checksums=data)))


def test_not_signed(publisher, check, parts):
    """A plain list, only certificates, a detached signature, nothing and noise are bad, each with its reason."""
    listing = parts.list_of(publisher.files())
    detached = publisher.sign(listing, options=(pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary))
    certificates = pkcs7.serialize_certificates([publisher.root.certificate.as_cryptography], Encoding.DER)
    for data, words in (
        (listing, "is not signed"),
        (certificates, "is not signed"),
        (detached, "detached signature"),
        (b"", "is not signed"),
        (publisher.sign(listing)[:-200], "the checksum file"),
        (b"-----BEGIN CMS-----\nMAA=\n-----END CMS-----\n", "is not signed"),
    ):
        assert words in bad(check(publisher.archive(checksums=data)))


def test_without_the_signers_certificate(publisher, check):
    """A signature without the signer's certificate is bad."""
    options = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCerts)
    assert "does not come with the certificate of its signer" in bad(check(publisher.archive(options=options)))


def test_missing_and_extra_files(publisher, check, parts):
    """A missing listed file is bad, and so is unlisted PKCS#7, by its name or by its content."""
    files = publisher.files()
    listing = parts.list_of(files)
    less = {name: data for name, data in files.items() if name != parts.of_the_root}
    assert "_DoD_Root_CA_3.der.p7b is listed, but missing" in bad(check(publisher.archive(less, listing=listing)))
    extra = parts.as_pkcs7([lab.Authority.create("Stranger").certificate])
    for name in ("extra.p7b", f"{parts.folder}extra.p7b", "extra.bin", parts.bundle.removeprefix(parts.folder)):
        reasons = bad(check(publisher.archive({**files, name: extra}, listing=listing)))
        assert f"{name} is not listed" in reasons


def test_files_that_are_not_listed(publisher, check, parts):
    """Another unlisted file with certificates is not used and is reported; an unlisted text does not matter."""
    files = publisher.files()
    stranger = lab.Authority.create("Stranger").certificate
    more = {**files, f"{parts.folder}stranger.pem": stranger.to_pem().encode(), f"{parts.folder}NEWS.txt": b"news"}
    contents = check(publisher.archive(more, listing=parts.list_of(files)))
    assert contents.checksum.status is ChecksumStatus.VERIFIED
    assert contents.checksum.left_out == (f"{parts.folder}stranger.pem",)
    assert stranger not in contents.certificates


def test_several_of_one_name(publisher, check, parts):
    """Two files of one name, two checksum files, and two checksums for one name are ambiguous, and bad."""
    files = publisher.files()
    signed = publisher.sign(parts.list_of(files))
    stranger = parts.as_pkcs7([lab.Authority.create("Stranger").certificate])
    for twice in ([(parts.bundle, stranger), *files.items()], [*files.items(), (parts.bundle, stranger)]):
        assert "several files have the name" in bad(check(parts.as_zip([*twice, (parts.checksums, signed)])))
    two = parts.as_zip([*files.items(), (parts.checksums, signed), ("other.sha256", signed)])
    assert "2 checksum files" in bad(check(two))
    listing = parts.list_of(files) + parts.list_of({parts.bundle: stranger})
    assert "listed twice" in bad(check(publisher.archive(files, listing=listing)))


def test_nonsense_in_the_list(publisher, check, parts):
    """Signed text without checksums, an empty text and binary data are bad."""
    listing = parts.list_of(publisher.files())
    assert "line 5 of the signed content is not a checksum" in bad(
        check(publisher.archive(listing=listing + b"hello\n"))
    )
    assert "lists no file" in bad(check(publisher.archive(listing=b"\r\n")))
    assert "not text" in bad(check(publisher.archive(listing=b"\xff\xfe\xff")))


def test_many_wrong_lines(publisher, check, parts):
    """There are at most fifty reasons and a count of the others; a line of white space takes linear time."""
    listing = parts.list_of(publisher.files())
    reasons = check(publisher.archive(listing=listing + b"x\n" * 1000)).checksum.reasons
    assert (len(reasons), reasons[-1]) == (51, "and 950 more")
    spaces = b"0" * 64 + b" x" + b" " * 200_000 + b"x\n"
    assert "is listed, but missing" in bad(check(publisher.archive(listing=listing + spaces)))


def test_names_that_lead_out(publisher, check, parts):
    """An archive with a name that leads out of its folder is not read; a listed name like that is missing."""
    files = {**publisher.files(), "../evil.p7b": b"x"}
    with pytest.raises(InputError, match="outside its folder"):
        check(publisher.archive(files))
    listing = parts.list_of(publisher.files()) + b"0" * 64 + b"  ../../etc/passwd\r\n"
    assert "../../etc/passwd is listed, but missing" in bad(check(publisher.archive(listing=listing)))


def test_limits(publisher, check):
    """A checksum file above its limit is not parsed; a zip bomb is not unpacked."""
    archive = publisher.archive()
    small = replace(DEFAULT_LIMITS, retrieval_checksum_bytes=100)
    assert "limits.retrieval_checksum_bytes" in bad(check(archive, limits=small))
    few = replace(DEFAULT_LIMITS, retrieval_certificates=1)
    assert "limits.retrieval_certificates" in bad(check(archive, limits=few))
    with pytest.raises(InputError, match=r"limits\.archive_bytes"):
        check(archive, limits=replace(DEFAULT_LIMITS, archive_bytes=100))


def test_a_list_of_itself(publisher, check, parts):
    """A line for the checksum file itself is ignored: it can never be right, and the signature covers the file."""
    files = publisher.files()
    listing = parts.list_of(files | {parts.checksums: b""})
    assert check(publisher.archive(files, listing=listing)).checksum.status is ChecksumStatus.VERIFIED
    only = parts.list_of({parts.checksums: b""})
    with pytest.raises(InputError, match="without certificates"):
        check(publisher.archive({parts.chain: files[parts.chain]}, listing=only))


def test_backslashes(publisher, check, parts):
    """Names with backslashes, from archivers on Windows, are the same names; a name that occurs twice is bad."""
    files = publisher.files()
    signed = publisher.sign(parts.list_of(files))
    members = [(name.replace("/", "\\"), data) for name, data in (*files.items(), (parts.checksums, signed))]
    contents = check(parts.as_zip(members))
    assert contents.checksum.status is ChecksumStatus.VERIFIED
    assert set(contents.certificates) == set(publisher.certificates)
    assert "several files have the name" in bad(check(parts.as_zip([*members, (parts.bundle, files[parts.bundle])])))
    extra = (f"{parts.folder}extra.p7b".replace("/", "\\"), files[parts.bundle])
    assert "extra.p7b is not listed" in bad(check(parts.as_zip([*members, extra])))


def test_an_issuer_that_may_not(publisher, check):
    """A signer below a certificate that may not issue any is refused (RFC 5280 section 6.1.4 (k), (n))."""
    issuer = lab.Authority.create("No CA")
    signer = publisher.make_signer(issuer=issuer)
    is_ca = ext.critical(x509.BasicConstraints(ca=True, path_length=None))
    for extensions in (
        (is_ca, ext.critical(ext.key_usage("digital_signature"))),
        (ext.critical(ext.key_usage("digital_signature")),),
    ):
        certificate = publisher.root.issue("No CA", issuer.private_key.public_key(), extensions=extensions)
        archive = publisher.archive(signer=replace(signer, others=(certificate,)))
        assert "may not issue certificates" in bad(check(archive))
    certificate = publisher.root.issue_ca(issuer)
    archive = publisher.archive(signer=replace(signer, others=(certificate,)))
    assert check(archive).checksum.status is ChecksumStatus.VERIFIED


def test_several_signers(publisher, check, parts):
    """Two signatures, one of them valid, are ambiguous, and bad."""
    stranger = publisher.make_signer(issuer=lab.Authority.create("Stranger"))
    builder = pkcs7.PKCS7SignatureBuilder().set_data(parts.list_of(publisher.files()))
    for signer in (publisher.signer, stranger):
        builder = builder.add_signer(signer.certificate.as_cryptography, signer.private_key, hashes.SHA256())
    signed = builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    assert "has 2 signatures" in bad(check(publisher.archive(checksums=signed)))


@pytest.mark.parametrize("twice", ["content_type", "message_digest"])
def test_an_attribute_twice(publisher, check, parts, twice):
    """A second contentType or messageDigest is refused, even if signed (RFC 5652 sections 11.1 and 11.2)."""

    def repeat(_, signer_info):
        attributes = list(signer_info["signed_attrs"])
        attributes += [each.copy() for each in attributes if each["type"].native == twice]
        signer_info["signed_attrs"] = cms.CMSAttributes(attributes)

    signed = publisher.sign(parts.list_of(publisher.files()))
    data = resigned(signed, publisher.signer, repeat, digest=hashes.SHA256())
    assert "the checksum file" in bad(check(publisher.archive(checksums=data)))


def test_md5(publisher, check, parts):
    """MD5 is refused, not a weakness: attackers can make files with its digests (RFC 6151 section 2)."""

    def weaken(signed_data, signer_info):
        for algorithm in (signed_data["digest_algorithms"][0], signer_info["digest_algorithm"]):
            algorithm["algorithm"] = "md5"

    plain = publisher.sign(
        parts.list_of(publisher.files()), options=(pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)
    )
    signer_info = cms.ContentInfo.load(plain)["content"]["signer_infos"][0]
    assert signer_info["signature_algorithm"]["algorithm"].native == "sha256_ecdsa"

    def unnamed(signed_data, signer_info):
        weaken(signed_data, signer_info)
        signer_info["signature_algorithm"] = {"algorithm": "rsassa_pkcs1v15"}

    for change, words in (
        (weaken, "two digests for its signature: md5 and sha256"),
        (unnamed, "signed with MD5, which algorithm policy"),
    ):
        assert words in bad(check(publisher.archive(checksums=resigned(plain, publisher.signer, change))))
