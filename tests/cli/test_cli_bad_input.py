"""Bad input, whatever it is and by whichever option it comes: one sentence, exit status 2, nothing written.

That nothing is written, no traceback is shown and no secret comes out, the fixture ``call`` checks at every call.
"""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from pkcs12kit.limits import MIB


def _key(replica):
    return replica.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _encrypted_key(replica, form=PrivateFormat.PKCS8):
    return replica.server.private_key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"the right one"))


def _request(replica):
    builder = x509.CertificateSigningRequestBuilder(replica.server.certificate.as_cryptography.subject)
    return builder.sign(replica.server.private_key, hashes.SHA256()).public_bytes(Encoding.PEM)


MAKERS = {
    # name of the file: (what is in it, what the sentence calls it where a certificate was expected)
    "empty.pem": (lambda _: b"", "nothing: it is empty"),
    "truncated.pem": (lambda r: r.server.certificate.to_pem().encode()[:600], "cut short: its END line is missing"),
    "truncated.cer": (lambda r: r.server.certificate.der[:-40], "ASN.1 data that is cut short"),
    "noise.bin": (lambda _: b"\xff" + random.Random(1).randbytes(5000), "binary data"),  # noqa: S311
    "words.txt": (lambda _: b"Please find the certificate attached.\n", "text without a PEM block"),
    "portal.html": (lambda _: b"<!DOCTYPE html><title>Sign in</title>", "an HTML page"),
    "server.key": (_key, "a private key"),
    "encrypted.key": (_encrypted_key, "an encrypted private key"),
    "server.csr": (_request, "a certificate request (CSR)"),
    "ca.crl": (lambda r: r.crls[0].der, "a certificate revocation list (CRL)"),
}
CERTIFICATE_OPTIONS = ("cert", "certs", "anchor")


@pytest.fixture
def given(folder, replica):
    """Put every kind of bad input into the current folder."""
    for name, (make, _) in MAKERS.items():
        (folder / name).write_bytes(make(replica))


OF_CANDIDATES = ("hint: self-signed, in ", "hint: and ", "hint: a self-signed certificate proves nothing by itself")


def refused(outcome, beginning, found, hint=None):
    """Check for the one sentence on standard error, and below it at most what to do next; exit status 2."""
    assert outcome.status == 2
    assert outcome.output == b""
    error, *hints = outcome.errors.splitlines()
    hints = [line for line in hints if not line.startswith(OF_CANDIDATES)]  # test_cli_no_anchor.py looks at these
    assert error.startswith(f"error: {beginning}: ")
    assert found in error
    assert len(hints) <= 1
    assert all(line.startswith("hint: ") for line in hints)
    assert hint is None or hints == [f"hint: {hint}"]


@pytest.mark.usefixtures("given")
class TestEachKind:
    """Every kind by every option: the sentence names the option, the file and what was found in it."""

    @pytest.mark.parametrize("name", MAKERS)
    def test_where_a_certificate_was_expected(self, build, name):
        """``--cert``, ``--certs`` and ``--anchor``."""
        for option in CERTIFICATE_OPTIONS:
            refused(build(**{option: name}), f"--{option} {name}", MAKERS[name][1])

    @pytest.mark.parametrize("name", MAKERS)
    def test_as_target_of_paths(self, call, files, name):
        """The argument needs no option's name."""
        refused(call("paths", name, "--anchor", files.trust_anchor), name, MAKERS[name][1])

    @pytest.mark.parametrize("name", [name for name in MAKERS if not name.endswith(".key")])
    def test_where_a_key_was_expected(self, build, name):
        """``--key``: what was found instead; of a truncated PEM block, the octets that it has."""
        found = "ASN.1 data that is cut short" if name == "truncated.pem" else MAKERS[name][1]
        refused(build(key=name), f"--key {name}", found)

    @pytest.mark.parametrize("name", MAKERS)
    def test_where_a_pkcs12_was_expected(self, build, call, name):
        """``--pkcs12``, and the argument of ``inspect``."""
        refused(build(key=None, cert=None, pkcs12=name), f"--pkcs12 {name}", "expected a PKCS#12 file, found ")
        refused(call("inspect", name), name, "expected a PKCS#12 file, found ")

    @pytest.mark.parametrize("name", [name for name in MAKERS if name != "ca.crl"])
    def test_where_a_crl_or_an_ocsp_response_was_expected(self, build, name):
        """``--crl`` and ``--ocsp``."""
        refused(build(crl=name), f"--crl {name}", "expected a certificate revocation list (CRL), found ")
        refused(build(ocsp=name), f"--ocsp {name}", "expected an OCSP response, found ")

    def test_with_json(self, build):
        """The object has the error and the hint, and no key of an answer."""
        outcome = build("--json", cert="empty.pem")
        error = "--cert empty.pem: expected a certificate, found nothing: it is empty"
        assert outcome.status == 2
        again = outcome.json["hints"].pop()
        assert again["text"] == "with the right file"
        assert " --cert FILE " in again["command"]
        assert outcome.json | {"hints": []} == {"error": error, "hints": [], "warnings": []}
        assert outcome.errors == f"error: {error}\nhint: {AGAIN}\n"


AGAIN = "copy or download the file again"
SIGN_IN = "the file is a web page, perhaps one to sign in: download the file again and look into it"
NO_KEY = "give the certificate of this key; the private key is not needed"
MADE = (
    "make a PKCS#12 file from a private key and certificates:"
    " pkcs12kit build --key FILE --cert FILE --certs SOURCE --anchor FILE --out NEW.p12"
)


class TestNextSteps:
    """Below the error stands what to do next, by what was given and what really is in it."""

    @pytest.mark.usefixtures("given")
    @pytest.mark.parametrize(
        ("changes", "hint"),
        [
            ({"cert": "server.key"}, "give the private key with --key"),
            ({"anchor": "server.key"}, "give the private key with --key"),
            ({"certs": "encrypted.key"}, "give the private key with --key"),
            ({"cert": "server.csr"}, "give the certificate that the CA issued for this request"),
            ({"key": "server.csr"}, "give the private key that was made with this request"),
            ({"cert": "portal.html"}, SIGN_IN),
            ({"certs": "portal.html"}, SIGN_IN),
            ({"key": "portal.html"}, SIGN_IN),
            ({"anchor": "empty.pem"}, AGAIN),
            ({"cert": "truncated.cer"}, "the end of the file is missing: copy or download it again"),
            (
                {"certs": "words.txt"},
                "give PEM with its lines -----BEGIN ...----- and -----END ...-----, or the original file",
            ),
            ({"certs": "ca.crl"}, "give CRLs with --crl"),
            ({"key": None, "cert": None, "pkcs12": "server.key"}, MADE),
            ({"key": "sever.key"}, "did you mean server.key?"),
            ({"certs": "no/where"}, "the folder no does not exist"),
            (
                {"certs": "https://pki.example/ca.p7b"},
                "URLs are not read here: download the file, and give the name of the file",
            ),
        ],
    )
    def test_of_what_cannot_be_read(self, build, changes, hint):
        """Of one kind where another belongs; not there."""
        outcome = build(**changes)
        assert outcome.status == 2
        assert [line for line in outcome.errors.splitlines()[1:] if not line.startswith(OF_CANDIDATES)] == [
            f"hint: {hint}"
        ]

    def test_swapped(self, build, files):
        """The key by ``--cert`` and the certificate by ``--key``."""
        for changes in ({"key": files.certificate, "cert": files.key}, {"cert": files.key, "key": files.certificate}):
            assert build(**changes).errors.splitlines()[1:] == ["hint: are --key and --cert swapped?"]
        assert build(key=files.certificate).errors.endswith("hint: give the private key of this certificate\n")

    def test_none_for_certificates_beside_keys(self, build, files, tmp_path):
        """A file with a certificate and two keys: the error about the keys is not followed by one about it."""
        other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        both = tmp_path / "both.pem"
        both.write_bytes(Path(files.key).read_bytes() + other + Path(files.certificate).read_bytes())
        outcome = build(key=str(both))
        assert "expected one private key, found 2" in outcome.errors
        assert "hint:" not in outcome.errors

    def test_that_do_not_belong_together(self, build, files):
        """A key and the certificate of another."""
        outcome = build(cert=files.issuing_ca)
        assert outcome.errors.endswith(
            "hint: give the certificate that was issued for this key, or the private key that belongs to this"
            " certificate\n"
        )

    def test_pkcs12_in_place_of_others(self, build, call, files):
        """The option for its password is named; where there is none, an option that has one."""
        assert build().status == 0
        for option in ("key", "cert"):
            outcome = build(**{option: "server.p12"}, out="o.p12")
            refused(outcome, f"--{option} server.p12", f"none was given; give it with --{option}-password-file")
        instead = "hint: --pkcs12 reads the key and its certificate from such a file\n"
        assert build(certs="server.p12", out="o.p12").errors.endswith(instead)
        outcome = call("paths", "server.p12", "--anchor", files.trust_anchor)
        assert outcome.errors.splitlines()[1:] == [
            "hint: write its certificates as PEM first: openssl pkcs12 -in server.p12 -nokeys -out NEW.pem"
        ]

    def test_a_call_to_copy_is_quoted(self, build, call, files, folder):
        """A name with a command in it is one word of the call that a hint has, and no command."""
        assert build(out="a;$(id).p12").status == 0
        name, anchor = "'a;$(id).p12'", ("--anchor", files.trust_anchor)
        assert f"openssl pkcs12 -in {name} -nokeys" in call("paths", "a;$(id).p12", *anchor).errors
        (folder / "a;$(id).pem").write_bytes(files.certificate.read_bytes())
        drawn = call("graph", files.trust_anchor, *anchor, "--target", "a;$(id).pem", "--json")
        assert "pkcs12kit paths 'a;$(id).pem' --certs" in drawn.errors

    def test_a_wrong_password(self, build, call, files, tmp_path):
        """Of the file to open, whichever command opens it."""
        assert build().status == 0
        wrong = tmp_path / "wrong.txt"
        wrong.write_text("not that one\n")
        anchor, given = ("--anchor", files.trust_anchor), ("--password-file", wrong)
        outcomes = [
            call("verify", "server.p12", *anchor, *given),
            call("rehearse", "server.p12", *anchor, *given),
            call("inspect", "server.p12", *given),
            call("convert", "server.p12", "o.p12", *given),
            build(key=None, cert=None, pkcs12="server.p12", pkcs12_password_file=wrong, out="o.p12"),
        ]
        for outcome in outcomes:
            assert outcome.errors.endswith(
                "hint: the password is the whole first line of the file, with every space in it\n"
            )

    def test_where_nothing_can_be_written(self, build, call, folder, files):
        """A folder that is not there or is meant to be a file, and the other way round."""
        (folder / "there").mkdir()
        assert build(out="no/where.p12").errors.endswith("hint: create the folder first: mkdir -p no\n")
        assert build(out="there").errors.endswith(
            "hint: give the name of a file in this folder, such as there/server.p12\n"
        )
        (folder / "file").touch()
        assert call("lab", "file").errors.endswith(
            "hint: give the name of a folder, or of one that does not exist yet\n"
        )
        graph = ("graph", files.certificates, "--anchor", files.trust_anchor)
        assert call(*graph, "--svg", "no/a.svg").errors.endswith("hint: create the folder first: mkdir -p no\n")

    def test_a_name_that_cannot_be_looked_up(self, build, call):
        """There is no hint, and the error stays what it is: a name of 300 characters is too long to ask about."""
        name = 300 * "a"
        for outcome in (build(key=name), build(certs=f"{name}/a"), call("inspect", name)):
            assert outcome.errors.endswith(": file name too long\n")
            assert (outcome.status, outcome.errors.count("\n")) == (2, 1)
        for outcome in (build(out=f"{name}/a.p12"), call("lab", name), call("demo", name)):
            assert outcome.errors.endswith(": File name too long\n")
            assert (outcome.status, outcome.errors.count("error:")) == (2, 1)

    def test_a_pipe_is_not_read_twice(self, build, tmp_path, replica):
        """What came through a named pipe is gone: the hint is about what was read, and not that it is empty."""
        import os
        import threading

        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=lambda: pipe.write_bytes(_key(replica)), daemon=True)  # waits for a reader
        writer.start()
        outcome = build(cert=pipe)
        writer.join(timeout=60)
        assert not writer.is_alive()
        refused(outcome, f"--cert {pipe}", "expected a certificate, found a private key")
        hints = [line for line in outcome.errors.splitlines() if line.startswith("hint: ")]
        assert hints == ["hint: give the certificate of this key; the private key is not needed"]


class TestKeys:
    """Encrypted keys without their password, and keys that are none."""

    @pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
    def test_encrypted_with_no_or_the_wrong_password(self, build, folder, replica, form, tmp_path):
        """Both are said, and the right one opens it. Without a terminal nobody is asked."""
        (folder / "enc.key").write_bytes(_encrypted_key(replica, form))
        wrong, right = tmp_path / "wrong.txt", tmp_path / "right.txt"
        wrong.write_text("this is the wrong one")
        right.write_text("the right one\r\n")
        refused(build(key="enc.key"), "--key enc.key", "the private key is encrypted, and no password was given")
        outcome = build(key="enc.key", key_password_file=wrong)
        refused(outcome, "--key enc.key", "the password does not open the private key")
        assert "wrong one" not in outcome.errors
        assert build(key="enc.key", key_password_file=right).status == 0

    def test_damaged(self, build, folder, replica):
        """A key that is cut short is said to be, and nothing of it is shown."""
        pem = _key(replica)
        (folder / "cut.key").write_bytes(pem[:150])
        refused(build(key="cut.key"), "--key cut.key", "cut short")


class TestSizeAndShape:
    """What asks for more work than it is worth is refused before the work is done."""

    def test_a_file_of_one_gibibyte(self, build, call, folder):
        """Its size is looked at first; the sentence has the limit and its name."""
        with (folder / "giant.pem").open("wb") as stream:
            stream.truncate(1024 * MIB)
        for option in ("key", *CERTIFICATE_OPTIONS, "crl"):
            refused(build(**{option: "giant.pem"}), f"--{option} giant.pem", "larger than 67,108,864 bytes")
        refused(call("inspect", "giant.pem"), "giant.pem", "larger than 67,108,864 bytes (limits.input_bytes)")

    def test_a_zip_bomb(self, build, folder):
        """It is unpacked up to the limit and no further, in memory."""
        with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for number in range(3):
                archive.writestr(f"{number}.pem", bytes(60 * MIB))
        refused(build(certs="bomb.zip"), "--certs bomb.zip", "unpacks to more than 134,217,728 bytes")

    def test_a_zip_entry_that_leaves_its_folder(self, build, folder, files):
        """``../`` is refused though nothing is ever unpacked to disk: such an archive is made to harm."""
        for name in ("../escaped.pem", "/etc/escaped.pem", "a/../../escaped.pem"):
            with zipfile.ZipFile(folder / "slip.zip", "w") as archive:
                archive.writestr(name, files.bundle.read_bytes())
            refused(build(certs="slip.zip"), "--certs slip.zip", "leads outside its folder")

    def test_files_that_are_not_there(self, build, call, files):
        """By every option; a folder where a file was expected."""
        for option in ("key", *CERTIFICATE_OPTIONS, "crl", "ocsp", "password_file", "key_password_file"):
            shown = option.replace("_", "-")
            refused(build(**{option: "nowhere.pem"}), f"--{shown} nowhere.pem", "no such file or directory")
        refused(build(key=files.folder), f"--key {files.folder}", "a folder; expected a file")
        refused(call("inspect", "nowhere.p12"), "nowhere.p12", "no such file or directory")

    def test_an_empty_folder(self, build, folder):
        """It was given for the certificates in it."""
        (folder / "cas").mkdir()
        refused(build(certs="cas"), "--certs cas", "found an empty folder")
        refused(build(certs="cas/"), "--certs cas/", "found an empty folder")

    def test_a_member_of_a_folder_that_cannot_be_read(self, build, folder, files):
        """It is a warning where others can be, and the path is found."""
        (folder / "cas").mkdir()
        (folder / "cas" / "a.pem").write_bytes(files.bundle.read_bytes())
        (folder / "cas" / "b.p7b").write_bytes(b"\x30\x82\x10\x00\x06\x09")
        outcome = build(certs="cas")
        assert outcome.status == 0
        assert outcome.errors.startswith("warning: cas/b.p7b: ")
        assert outcome.errors.count("\n") == 1

    def test_several_certificates_where_one_is_meant(self, call, files):
        """``paths`` asks which one."""
        outcome = call("paths", files.bundle, "--anchor", files.trust_anchor)
        refused(outcome, files.bundle, "give a file that holds only the certificate that you mean")

    def test_options_with_the_same_file(self, build, folder):
        """Where two options name it, the sentence does not guess which."""
        (folder / "empty.pem").touch()
        outcome = build(certs="empty.pem", anchor="empty.pem")
        refused(outcome, "empty.pem", "nothing: it is empty")

    def test_a_name_that_begins_like_another(self, build, folder, replica):
        """``--cert a.pem`` is not blamed for ``--anchor a.pem.old``."""
        (folder / "a.pem").write_text(replica.server.certificate.to_pem())
        (folder / "a.pem.old").touch()
        refused(build(cert="a.pem", anchor="a.pem.old"), "--anchor a.pem.old", "nothing: it is empty")

    def test_a_file_in_a_folder_that_is_given_too(self, call, build, files, folder):
        """``paths cas/two.pem --certs cas``: what is wrong with the file is not said of the folder."""
        (folder / "cas").mkdir()
        (folder / "cas" / "two.pem").write_bytes(files.bundle.read_bytes())
        outcome = call("paths", "cas/two.pem", "--certs", "cas", "--anchor", files.trust_anchor)
        refused(outcome, "cas/two.pem", "give a file that holds only the certificate that you mean")
        (folder / "cas" / "empty.pem").touch()
        refused(build(certs="cas", anchor="cas/empty.pem"), "--anchor cas/empty.pem", "nothing: it is empty")

    def test_text_given_as_a_path(self, build, replica):
        """A key pasted where a path belongs is not echoed."""
        outcome = build(key=_key(replica).decode())
        assert outcome.status == 2
        assert "give contents as bytes" in outcome.errors


def test_hostile_file_names(build, folder):
    """A file name cannot steer the terminal either."""
    name = "\x1b[2J\u202e.pem"
    (folder / name).touch()
    outcome = build(anchor=name)
    refused(outcome, r"--anchor \x1b[2J\u202e.pem", "nothing: it is empty")
