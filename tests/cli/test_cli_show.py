"""``pkcs12kit show``: everything in files is listed once, nothing in it steers a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat

import pkcs12kit as pk
from pkcs12kit.lab import Authority, KeyType, Validity

from .conftest import PASSWORD

EC = KeyType.EC_P256


@pytest.fixture(scope="module")
def root():
    """A root."""
    return Authority.create("Root One", key_type=EC, validity=Validity.around(days_after=3650))


@pytest.fixture(scope="module")
def server(root):
    """A server below it."""
    return root.issue_server("www.example.mil", key_type=EC, validity=Validity.around(days_after=90))


def written(path, *certificates):
    """Write certificates to a file, in PEM."""
    path.write_text("".join(one.to_pem() for one in certificates), "ascii")
    return path.name


def test_a_folder(call, files):
    """The certificates of the lab: each once, with its files; roots and CAs are told apart; the key fits the server."""
    shown = call("show", files.certificate.parent, "--json")
    assert shown.status == 0
    answer = shown.json
    assert (
        answer["summary"] | {"roots": 4, "other_cas": 25, "end_entities": 1, "keys": 1, "unread": 0}
        == (answer["summary"])
    )
    assert len({one["sha256"] for one in answer["certificates"]}) == len(answer["certificates"]) == 30
    (server,) = (one for one in answer["certificates"] if one["kind"] == "end-entity")
    assert server["names"] == ["DNS mdm.example.mil"]
    assert answer["keys"][0]["certificates"] == [server["sha256"]]
    anchor = next(one for one in answer["certificates"] if one["subject"].startswith("CN=Federal Common Policy CA"))
    assert len(anchor["files"]) == 3
    table = call("show", files.certificate.parent).text.splitlines()
    assert table[0].split() == ["subject", "kind", "issuer", "serial", "from", "until", "state", "key", "file"]
    assert table[-1].startswith("30 certificates (4 roots, 25 other CAs), ")


def test_one_certificate_is_shown_whole(call, files, replica):
    """Each field of RFC 5280 section 4.1, both fingerprints, and the extensions, in a line each."""
    shown = call("show", files.certificate).text
    certificate = replica.server.certificate
    for text in (
        str(certificate.subject),
        str(certificate.issuer),
        "1001 (0x3e9)",
        certificate.sha256,
        "ecdsa-with-SHA256",
        "DNS mdm.example.mil",
        "server auth",
        "digital signature",
        certificate.extensions.subject_key_identifier.hex(),
        *certificate.extensions.crl_locations,
        *certificate.extensions.ocsp_responders,
        *certificate.extensions.ca_issuers,
        *certificate.extensions.certificate_policies,
    ):
        assert text in shown


class TestKinds:
    """A yes must be true: a root has signed itself (RFC 5280 section 3.2 tells self-issued from self-signed)."""

    def test_a_name_alone_makes_no_root(self, root, folder, call):
        """Another key signed this certificate, in the same name: it is self-issued, and no root."""
        other = Authority.create("Root One", key_type=EC)
        written(folder / "a.pem", root.certificate, other.issue_ca(root))
        assert [one["kind"] for one in call("show", "a.pem", "--json").json["certificates"]] == ["root", "CA"]

    def test_a_damaged_signature(self, root, folder, call):
        """One bit of the signature makes it a CA that somebody else signed."""
        der = bytearray(root.certificate.der)
        der[-1] ^= 1
        (folder / "a.der").write_bytes(der)
        assert call("show", "a.der", "--json").json["certificates"][0]["kind"] == "CA"


class TestUnread:
    """Files that cannot be read are listed with the reason, and hide nothing."""

    def test_beside_others(self, root, folder, call):
        """A file that is missing: the others are shown, and the exit status is that of unreadable input."""
        written(folder / "a.pem", root.certificate)
        (folder / "page.html").write_text("<html>", "ascii")
        shown = call("show", "a.pem", "nowhere.pem", "page.html")
        assert shown.status == 2
        assert "Root One" in shown.text
        assert "nowhere.pem: no such file or directory" in shown.text
        assert "page.html: expected certificates, keys or CRLs, found an HTML page" in shown.text
        assert shown.errors == "error: nowhere.pem: no such file or directory (and 1 more file)\n"

    def test_a_part(self, root, folder, call):
        """A block that is damaged: the exit status is 0, because something in the file can be read."""
        text = root.certificate.to_pem()
        (folder / "a.pem").write_text(text + text.replace("MII", "M*I"), "ascii")
        shown = call("show", "a.pem", "--json")
        assert (shown.status, shown.json["summary"]["unread"]) == (0, 1)
        assert shown.json["unread"][0]["position"] == 2

    def test_nothing_at_all(self, folder, call):
        """An object with the error, also here."""
        (folder / "empty").mkdir()
        shown = call("show", "empty", "--json")
        assert shown.status == 2
        assert shown.json["error"] == "empty: expected certificates, keys or CRLs, found an empty folder"


class TestFilters:
    """Only what fits; the exit status does not depend on them."""

    @pytest.mark.parametrize(
        ("arguments", "subjects"),
        [
            (["--contains", "WWW.EXAMPLE"], ["www.example.mil"]),
            (["--contains", "root one"], ["Root One", "www.example.mil"]),
            (["--issuer", "ROOT ONE", "--contains", "www"], ["www.example.mil"]),
            (["--contains", "nothing like it"], []),
            (["--expires-within", "3y"], ["www.example.mil"]),
            (["--expires-within", "1d"], []),
            (["--expires-within", "1d", "--at", "2099-01-01"], ["Root One", "www.example.mil"]),
            (["--sort", "expires"], ["www.example.mil", "Root One"]),
            (["--sort", "subject"], ["Root One", "www.example.mil"]),
        ],
    )
    def test_by_text_and_time(self, root, server, folder, call, arguments, subjects):
        """In upper and lower case, alternative names included."""
        written(folder / "a.pem", root.certificate, server.certificate)
        shown = call("show", "a.pem", *arguments, "--json")
        assert shown.status == 0
        found = [re.search("CN=([^,]*)", one["subject"])[1] for one in shown.json["certificates"]]
        assert found == subjects

    def test_by_fingerprint_and_serial_number(self, root, server, folder, call):
        """With colons or without, as other programs print them."""
        written(folder / "a.pem", root.certificate, server.certificate)
        sha256 = server.certificate.sha256
        number = server.certificate.serial_number
        with_colons = ":".join(re.findall("..", sha256)).upper()
        for text in (sha256, with_colons, with_colons[:30], f"{number:x}", hex(number), str(number)):
            found = call("show", "a.pem", "--contains", text, "--json").json["certificates"]
            assert sha256 in [one["sha256"] for one in found], text


class TestKeys:
    """Type, size, encryption and certificate; never the contents (the caller looks for those in each output)."""

    def key_lines(self, call, *arguments):
        """Return the lines about keys."""
        text = call("show", *arguments).text
        return [line.strip() for line in text.splitlines() if line.startswith(("  private key,", "  public key,"))]

    def test_in_pem(self, server, folder, call, password_file):
        """A clear key, an encrypted one with and without the password, and a public key."""
        written(folder / "a.pem", server.certificate)
        key = server.private_key
        encrypted = BestAvailableEncryption(PASSWORD.encode())
        (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encrypted))
        spki = PublicFormat.SubjectPublicKeyInfo
        (folder / "public.der").write_bytes(key.public_key().public_bytes(Encoding.DER, spki))
        label = f"www.example.mil #{server.certificate.serial_number_text[:5]}"
        closed, public = self.key_lines(call, "a.pem", "key.pem", "public.der")
        assert closed.startswith("private key, encrypted: its type, and the certificate that it fits, cannot be known")
        assert public.startswith(f"public key, EC P-256, fits {label}")
        opened, _ = self.key_lines(call, "a.pem", "key.pem", "public.der", "--password-file", password_file)
        assert opened.startswith(f"private key, EC P-256, encrypted, fits {label}")

    def test_of_another_certificate(self, root, files, folder, call):
        """It fits none that is shown."""
        written(folder / "a.pem", root.certificate)
        assert self.key_lines(call, "a.pem", files.key) == [
            f"private key, EC P-256, not encrypted, fits no certificate here  [{files.key}]"
        ]

    def test_in_pkcs12(self, root, server, folder, call, password_file):
        """Without the password what can be seen, with it everything; a hint names the options."""
        path = [server.certificate, root.certificate]
        bundle = pk.Bundle(private_key=server.private_key, certificates=path)
        profile = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
        (folder / "a.p12").write_bytes(pk.encode_pfx(bundle, password=PASSWORD, profile=profile))
        shown = call("show", "a.p12")
        assert (shown.status, shown.errors.count("hint:")) == (0, 1)
        assert "private key, encrypted: its type" in shown.text
        assert "a.p12: SafeContents 1: encrypted, so it cannot be read without the password" in shown.text
        shown = call("show", "a.p12", "--password-file", password_file, "--json").json
        assert [one["kind"] for one in shown["certificates"]] == ["end-entity", "root"]
        assert shown["keys"][0]["certificates"] == [server.certificate.sha256]
        assert shown["keys"][0]["encrypted"] is True
        (folder / "wrong.txt").write_text("wrong\n", "ascii")
        shown = call("show", "a.p12", "--password-file", "wrong.txt")
        assert (shown.status, shown.errors) == (1, "error: a.p12: the password does not open it\n")
        assert "the password does not open it" in shown.text


def test_other_contents(root, folder, call):
    """CRLs with their issuer, number and entries; what cannot be shown is named."""
    (folder / "a.crl").write_bytes(root.make_crl())
    (folder / "store.jks").write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2")
    shown = call("show", ".")
    assert re.search(r"CRL #\d+ of Root One, from \S+ until \S+, 0 entries", shown.text)
    assert "a Java keystore" in shown.text
    (crl,) = call("show", "a.crl", "--json").json["crls"]
    assert (crl["delta"], crl["indirect"], crl["entries"], crl["state"]) == (False, False, 0, "valid")


def test_a_request_is_named(server, folder, call):
    """With its subject and its key (RFC 2986 section 4.1)."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "asked.example")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(server.private_key, SHA256())
    (folder / "a.csr").write_bytes(request.public_bytes(Encoding.PEM))
    assert "a certificate request (CSR) for CN=asked.example, EC P-256" in call("show", "a.csr").text


def test_a_password_at_the_terminal(root, server, folder, terminal):
    """It is asked for where certificates are encrypted, and again after a wrong answer."""
    bundle = pk.Bundle(private_key=server.private_key, certificates=[server.certificate, root.certificate])
    profile = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
    (folder / "a.p12").write_bytes(pk.encode_pfx(bundle, password=PASSWORD, profile=profile))
    screen = terminal("show", "a.p12")
    for answer in ("not it", PASSWORD):
        screen.expect("Password of the PKCS#12 file:")
        screen.type(f"{answer}\n")
    screen.expect("www.example.mil")
    assert screen.finish() == 0


def test_a_zip_and_standard_input(root, server, folder, call):
    """Their files have names of their own."""
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("in/root.cer", root.certificate.der)
        archive.writestr("server.pem", server.certificate.to_pem())
    shown = call("show", "-", "--json", stdin=(folder / "a.zip").read_bytes()).json
    assert [one["files"] for one in shown["certificates"]] == [
        ["standard input!in/root.cer"],
        ["standard input!server.pem"],
    ]


class TestHostile:
    """Names come from outside."""

    @pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1"])
    def test_no_formula_in_a_spreadsheet(self, name, folder, call):
        """Such a cell begins with an apostrophe, in each column."""
        written(folder / "a.pem", Authority.create(name, key_type=EC).certificate)
        (folder / "=1.pem").write_bytes((folder / "a.pem").read_bytes())
        rows = list(csv.DictReader(io.StringIO(call("show", "=1.pem", "a.pem", "--csv").text)))
        assert rows[0]["files"].startswith("'=1.pem")
        assert not [cell for row in rows for cell in row.values() if cell.lstrip()[:1] in set("=+-@\uff1d")]

    @pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "a\nb", "\u200bx", "\x07"])
    def test_nothing_steers_the_terminal(self, text, root, folder, call):
        """In a table, whole, in CSV and in JSON."""
        hostile = Authority.create(f"Name {text}", key_type=EC)
        one = written(folder / "a.pem", hostile.certificate)
        two = written(folder / "b.pem", hostile.certificate, root.certificate)
        for arguments in ([one], [two], [two, "--csv"], [two, "--json"]):
            shown = call("show", *arguments).text
            assert shown.replace("\n", "").isprintable()
            assert "\x1b" not in shown


def test_names_that_look_alike(folder, call, monkeypatch):
    """Two long names that differ only in the middle are not shortened to the same text, at any width."""
    names = [f"{'Department ' * 2}{middle}{' of the Interior' * 2}" for middle in ("North", "South")]
    certificates = [Authority.create(name, key_type=EC).certificate for name in names]
    written(folder / "a.pem", *certificates)
    for width in (40, 60, 80, 120, 200):
        monkeypatch.setattr("pkcs12kit.cli.output.contents.terminal_width", lambda width=width: width)
        joined = "".join(call("show", "a.pem").text.split())
        assert "North" in joined
        assert "South" in joined
