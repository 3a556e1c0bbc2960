"""Certificates from every container that users have, recognized only by their content."""

from __future__ import annotations

import base64
import io
import subprocess
import sys

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, pkcs12

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import InputError, MalformedCertificateError, PfxPasswordError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.loading import load_certificate, load_certificates, load_trust_anchors

from .conftest import der, issue, key_pem, make_ber_pkcs7, make_pkcs7, make_zip, pem


def ders(pool):
    """List the encodings in a pool."""
    return [certificate.der for certificate in pool]


def armor(label, data):
    """Put data between BEGIN and END lines."""
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label, base64.encodebytes(data), label)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("fpki-2024-10.p7b", 146),
        ("fpki-2025-06.p7b", 139),
        ("fpki-unmanaged-bundle.p7b", 11),
        ("Certificates_PKCS7_v5_14_DoD.pem.p7b", 49),
        ("dod-2019.pem", 42),
        ("fpki-historic.pem", 23),
        ("fcpcag2-from-fbcag4.cer", 1),
        ("fcpca.pem", 1),
    ],
)
def test_real_bundles_load_completely(fpki, name, count):
    """Every published bundle loads whole, the 49 and 5 certificates that pyca/cryptography refuses among them."""
    pool = load_certificates(fpki / name)
    assert (len(pool), pool.rejects) == (count, ())


def test_a_folder_of_real_bundles_loads_without_a_reject(fpki):
    """The certificates of every bundle are read, each once; the README beside them is skipped."""
    pool = load_certificates(fpki)
    each = {certificate for path in fpki.iterdir() if path.suffix != ".md" for certificate in load_certificates(path)}
    assert set(pool) == each
    assert len(pool) == len(each) >= 234
    assert pool.rejects == ()


def _utf16(text):
    return text.decode().encode("utf-16")


@pytest.mark.parametrize(
    "disguise",
    [
        pytest.param(lambda text: text, id="plain"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="byte order mark"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda text: text.replace(b"\n", b"\r"), id="CR"),
        pytest.param(_utf16, id="UTF-16"),
        pytest.param(lambda text: text.replace(b"-----BEGIN", b"subject=\xff\x00 junk: 1\n-----BEGIN"), id="junk"),
        pytest.param(lambda text: text.replace(b"-----\n-----", b"----------"), id="no line break between blocks"),
        pytest.param(lambda text: text.replace(b"\n", b" \n "), id="indented"),
        pytest.param(lambda text: text.replace(b" CERTIFICATE", b" X509 CERTIFICATE"), id="old label"),
    ],
)
def test_pem_in_any_dress(chain, disguise):
    """RFC 7468 section 2: what stands around the blocks, and how lines end, does not matter."""
    pool = load_certificates(disguise(pem(*chain)))
    assert ders(pool) == [der(certificate) for certificate in chain]
    assert pool.rejects == ()


@pytest.mark.parametrize("label", [b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA", b"CERTIFICATE"])
@pytest.mark.parametrize("make", [make_pkcs7, make_ber_pkcs7])
def test_pkcs7_in_pem_whatever_the_label(chain, make, label):
    """The content decides: a PKCS#7 labelled CERTIFICATE is read as the PKCS#7 that it is."""
    certificates = [der(certificate) for certificate in chain]
    pool = load_certificates(armor(label, make(certificates)))
    assert sorted(ders(pool)) == sorted(certificates)
    assert pool.rejects == ()


@pytest.mark.parametrize("make", [make_pkcs7, make_ber_pkcs7])
@pytest.mark.parametrize("encode", [bytes, base64.b64encode, base64.encodebytes, lambda data: data + b"\r\n"])
def test_pkcs7_in_der_ber_and_base64(chain, make, encode):
    """X.690 section 8.1.3.6: indefinite lengths are read; certificates come out byte for byte."""
    certificates = [der(certificate) for certificate in chain]
    assert sorted(ders(load_certificates(encode(make(certificates))))) == sorted(certificates)


def test_pkcs7_as_openssl_streams_it(require_tool, tmp_path, leaf, chain):
    """OpenSSL's own BER: ``-stream`` writes indefinite lengths, with signed content before the certificates."""
    for name, data in (
        ("key", key_pem(leaf[1])),
        ("leaf", pem(leaf[0])),
        ("chain", pem(*chain[1:])),
        ("text", b"hello"),
    ):
        (tmp_path / name).write_bytes(data)
    command = [require_tool("openssl"), "cms", "-sign", "-stream", "-nodetach", "-outform", "DER", "-in", "text"]
    command += ["-signer", "leaf", "-inkey", "key", "-certfile", "chain", "-out", "signed"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    data = (tmp_path / "signed").read_bytes()
    assert data[1] == 0x80
    assert set(ders(load_certificates(data))) == {der(certificate) for certificate in chain}


def test_dozens_of_certificates_of_lenient_kind_in_ber_keep_their_bytes(fpki):
    """DISA's certificates with the NULL parameter come out of BER as they went in."""
    certificates = ders(load_certificates(fpki / "Certificates_PKCS7_v5_14_DoD.pem.p7b"))
    assert ders(load_certificates(make_ber_pkcs7(certificates))) == certificates


@pytest.mark.parametrize("encode", [bytes, base64.b64encode, lambda data: data + b"\n", lambda data: data + bytes(5)])
def test_der_alone_and_one_after_another(chain, encode):
    """One DER certificate, and several written one after another (``cat *.cer``), with or without padding."""
    assert ders(load_certificates(encode(der(chain[0])))) == [der(chain[0])]
    assert len(load_certificates(encode(b"".join(map(der, chain))))) == 3


def test_trusted_certificate_of_openssl(chain):
    """``BEGIN TRUSTED CERTIFICATE``: trust settings follow the certificate within the block, and are left."""
    settings = core.SequenceOf([core.ObjectIdentifier("1.3.6.1.5.5.7.3.1")], spec=core.ObjectIdentifier).dump()
    pool = load_certificates(armor(b"TRUSTED CERTIFICATE", der(chain[0]) + settings))
    assert (ders(pool), pool.rejects) == ([der(chain[0])], ())


@pytest.mark.parametrize("tags", [(0,), (1,), (0, 1)])
def test_cross_certificate_pair(chain, tags):
    """RFC 4523 section 2.3: issuedToThisCA [0], issuedByThisCA [1], or both."""

    def explicit(tag, certificate):
        class Explicit(core.Asn1Value):
            class_ = 2
            method = 1

        Explicit.tag = tag
        return Explicit(contents=der(certificate)).dump()

    class Pair(core.Asn1Value):
        class_, method, tag = 0, 1, 16

    expected = [chain[tag] for tag in tags]
    contents = b"".join(explicit(tag, chain[tag]) for tag in tags)
    data = core.Sequence(contents=contents).dump()
    assert ders(load_certificates(data)) == [der(certificate) for certificate in expected]
    assert ders(load_certificates(base64.b64encode(data))) == [der(certificate) for certificate in expected]


class TestPkcs12:
    """A PKCS#12 file as a source of certificates: its private key is not opened."""

    def test_encrypted_certificates_need_the_password(self, tmp_path, leaf, chain):
        """With the password all certificates are read; without it or with a wrong one, the error names the file."""
        file = tmp_path / "server.p12"
        encryption = BestAvailableEncryption(b"secret")
        file.write_bytes(pkcs12.serialize_key_and_certificates(b"x", leaf[1], leaf[0], chain[1:], encryption))
        assert set(ders(load_certificates(file, password="secret"))) == {der(certificate) for certificate in chain}
        for wrong in (None, "hunter2"):
            with pytest.raises(PfxPasswordError, match=r"server\.p12: ") as raised:
                load_certificates(file, password=wrong)
            assert "hunter2" not in str(raised.value)
        (tmp_path / "root.pem").write_bytes(pem(chain[2]))
        pool = load_certificates(tmp_path)
        assert len(pool) == 1
        assert [reject.source for reject in pool.rejects] == [str(file)]

    def test_without_any_password(self, leaf, chain):
        """A file without encryption is read without a password."""
        data = pkcs12.serialize_key_and_certificates(b"x", leaf[1], leaf[0], chain[1:], NoEncryption())
        assert len(load_certificates(data)) == 3

    def test_unencrypted_certificates_under_a_mac(self, require_tool, tmp_path, leaf, chain):
        """RFC 7292 section 4: certificates that are not encrypted can be had although the MAC wants the password."""
        (tmp_path / "key").write_bytes(key_pem(leaf[1]))
        (tmp_path / "chain").write_bytes(pem(*chain))
        command = [require_tool("openssl"), "pkcs12", "-export", "-inkey", "key", "-in", "chain", "-out", "out.p12"]
        subprocess.run([*command, "-certpbe", "NONE", "-passout", "pass:secret"], check=True, cwd=tmp_path)
        assert len(load_certificates(tmp_path / "out.p12")) == 3
        with pytest.raises(PfxPasswordError):
            load_certificates(tmp_path / "out.p12", password="wrong")


class TestRejects:
    """One bad certificate never loses the rest, and is told by source, position and reason."""

    def test_a_damaged_block_between_sound_ones(self, tmp_path, chain):
        """Base64 that does not decode, in the second of four."""
        file = tmp_path / "bundle.pem"
        blocks = [pem(certificate) for certificate in chain]
        file.write_bytes(blocks[0] + blocks[1].replace(b"MII", b"M*I", 1) + blocks[1] + blocks[2])
        pool = load_certificates(file)
        assert ders(pool) == [der(certificate) for certificate in chain]
        assert [(reject.source, reject.position) for reject in pool.rejects] == [(str(file), 2)]
        assert "base64 is damaged" in pool.rejects[0].reason

    @pytest.mark.parametrize("where", [0, 1, 2])
    def test_a_block_without_its_end(self, chain, where):
        """A missing END line only loses its own block, at any position."""
        blocks = [pem(certificate) for certificate in chain]
        blocks[where] = blocks[where].partition(b"-----END")[0]
        pool = load_certificates(b"".join(blocks))
        assert len(pool) == 2
        assert [(reject.position, "END line" in reject.reason) for reject in pool.rejects] == [(where + 1, True)]

    def test_a_block_that_decodes_to_something_else(self, chain):
        """Sound base64 of half a certificate, and of text."""
        bad = armor(b"CERTIFICATE", der(chain[0])[:100]) + armor(b"CERTIFICATE", b"hello")
        pool = load_certificates(pem(chain[0]) + bad + pem(chain[1]))
        assert len(pool) == 2
        assert [reject.position for reject in pool.rejects] == [2, 3]
        assert "cut short" in pool.rejects[0].reason

    @pytest.mark.parametrize("make", [make_pkcs7, make_ber_pkcs7])
    def test_one_bad_certificate_in_a_pkcs7(self, chain, make):
        """A certificate that neither parser can read is a reject; the others beside it are read."""
        broken = bytearray(der(chain[1]))
        broken[broken.index(b"\x17\x0d")] = 0x01  # notBefore is no time any more
        pool = load_certificates(make([der(chain[0]), bytes(broken), der(chain[2])]))
        assert len(pool) == 2
        assert len(pool.rejects) == 1

    def test_a_certificate_choice_that_is_none(self, chain):
        """RFC 5652 section 10.2.2: a PKCS#7 may hold attribute certificates too."""
        pool = load_certificates(make_ber_pkcs7([der(chain[0]), b"\xa1\x02\x05\x00", der(chain[1])]))
        assert (len(pool), [reject.position for reject in pool.rejects]) == (2, [2])

    def test_pkcs7_cut_within_its_set(self, chain):
        """A BER bundle cut short gives what came before the cut."""
        whole = make_ber_pkcs7([der(certificate) for certificate in chain])
        pool = load_certificates(whole[: len(whole) - len(der(chain[2]))])
        assert len(pool) == 2
        assert "cut short" in pool.rejects[0].reason

    def test_neighbours_in_pem_are_passed_over(self, leaf, chain, request_pem, crl_pem):
        """Keys, requests and CRLs beside certificates are no rejects."""
        pool = load_certificates(key_pem(leaf[1]) + request_pem + crl_pem + pem(*chain))
        assert (len(pool), pool.rejects) == (3, ())

    def test_an_oversized_certificate(self, chain):
        """``limits.certificate_bytes`` bounds each certificate on its own."""
        import dataclasses

        limits = dataclasses.replace(DEFAULT_LIMITS, certificate_bytes=len(der(chain[0])))
        large, _ = issue("x" * 64)
        pool = load_certificates(pem(large, chain[0]), limits=limits)
        assert ders(pool) == [der(chain[0])]
        assert "limits.certificate_bytes" in pool.rejects[0].reason

    def test_text_after_der(self, chain):
        """Bytes after a DER certificate that are no padding are told of."""
        pool = load_certificates(der(chain[0]) + b"trailing text")
        assert (len(pool), len(pool.rejects)) == (1, 1)


def test_a_name_that_is_no_text(monkeypatch, chain):
    """A commonName of type BIT STRING is kept as bytes.

    If it were unreadable, only its certificate would be rejected.
    """
    certificate, _ = issue("Seed")
    nameless = der(certificate).replace(b"\x0c\x04Seed", b"\x03\x04\x00eed")
    assert [str(found.subject) for found in load_certificates(nameless)] == ["CN=#030400656564"]

    def refuse(_):
        raise MalformedCertificateError("unreadable distinguished name")

    monkeypatch.setattr(lenient, "read_name", refuse)
    slipped = nameless.replace(bytes.fromhex("0603551d130101ff"), bytes.fromhex("0603551d13010101"))  # BER's other TRUE
    assert slipped != nameless
    pool = load_certificates(make_ber_pkcs7([der(chain[0]), slipped, der(chain[1])]))
    assert (len(pool), [reject.position for reject in pool.rejects]) == (2, [2])


def test_exact_duplicates_are_one_certificate(chain):
    """The same DER from PEM and from a PKCS#7 counts once."""
    assert len(load_certificates(pem(*chain), make_pkcs7([der(chain[0])]), der(chain[0]))) == 3


def test_standard_input(monkeypatch, chain):
    """``-`` reads standard input, as bytes."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(der(chain[0]))))
    assert ders(load_certificates("-")) == [der(chain[0])]


def test_no_source_gives_an_empty_pool():
    """No source makes an empty pool."""
    assert len(load_certificates()) == 0


class TestOneCertificate:
    """``load_certificate``: exactly one is expected."""

    def test_any_form(self, chain):
        """PEM, DER, PKCS#7 and zip of one certificate, also given twice."""
        one = chain[0]
        for source in (pem(one), der(one), make_pkcs7([der(one)]), make_zip({"a": der(one)}), pem(one, one)):
            assert load_certificate(source) == Certificate(der(one))

    def test_several_or_rejects_are_refused(self, tmp_path, chain):
        """The sentence says how many there are and what to do."""
        file = tmp_path / "chain.pem"
        file.write_bytes(pem(*chain))
        with pytest.raises(InputError, match=r"chain\.pem: expected one certificate, found 3; give"):
            load_certificate(file)
        with pytest.raises(InputError, match="base64"):
            load_certificate(pem(chain[0]) + pem(chain[1]).replace(b"MII", b"M*I", 1))


class TestTrustAnchors:
    """``load_trust_anchors``: all of them or none."""

    def test_order_is_kept_and_each_is_there_once(self, root, chain):
        """A root that was renewed with its key has two certificates, which may constrain differently: both stay."""
        again, _ = issue("Root", key=root[1], serial=9)
        anchors = load_trust_anchors(pem(chain[1]), pem(chain[2], again), pem(chain[2]))
        assert [anchor.name.common_name for anchor in anchors] == ["Intermediate", "Root", "Root"]
        assert anchors[1].certificate == Certificate(der(chain[2]))
        assert anchors[1].node == anchors[2].node

    def test_fails_closed(self, tmp_path, chain):
        """No anchor at all, and one unreadable among several, are refused."""
        with pytest.raises(InputError, match="no trust anchor"):
            load_trust_anchors()
        file = tmp_path / "anchors.pem"
        file.write_bytes(pem(chain[0]) + pem(chain[1]).replace(b"MII", b"M*I", 1))
        with pytest.raises(InputError, match=r"anchors\.pem: certificate 2: .*base64"):
            load_trust_anchors(file)

    def test_the_real_anchors(self, fpki):
        """Both Federal Common Policy CAs."""
        anchors = load_trust_anchors(fpki / "fcpca.pem", fpki / "fcpcag2.pem")
        assert [anchor.name.common_name for anchor in anchors] == [
            "Federal Common Policy CA",
            "Federal Common Policy CA G2",
        ]


def test_certificates_keep_the_encoding_they_came_in(chain):
    """PEM export of what was read equals what was written."""
    assert load_certificate(pem(chain[0])).to_pem().encode() == chain[0].public_bytes(Encoding.PEM)
