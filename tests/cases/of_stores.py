"""PKCS#12 files, keys and PEM files as other programs leave them (``stores.py`` of the shared cases)."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.sources.loading import load_certificates

from ..pkcs12.decrypted_parts import plaintexts_of
from ..pkcs12.pfx_parts import oid
from .oddities import NO, PASSWORD, UNUSABLE, Oddity, Step

_JAVA: Final = "Key stores of Java"
_SEVERAL: Final = "Several keys or certificates"
_KEYS: Final = "Private keys"
_ENTRIES: Final = "Entries and attributes of PKCS#12 files"
_FORMS: Final = "Forms of files"
_OPEN: Final = "--password-file pw.txt"
_TRUST: Final = "--anchor anchor.pem"
_REST: Final = f"--certs chain.pem {_TRUST} --out {{out}}/server.p12"
_KEY: Final = "build --key keys/{} --cert {} --key-password-file pw.txt --password-file pw.txt"
_BUILD: Final = f"--pkcs12-password-file pw.txt --password-file pw.txt {_REST}"
_OWN: Final = "--contents-password-file another.txt"
_AES: Final = oid("2.16.840.1.101.3.4.1")
_GOST: Final = oid("1.2.643.7.1.1.1.1")


def _takes(serial_number):
    """Return a check that the file that was built begins with the certificate with this serial number."""

    def check(_folder, out, _call):
        decoded = decode_pfx((out / "server.p12").read_bytes(), password=PASSWORD)
        assert decoded.certificates[0].serial_number == serial_number
        assert decoded.keys[0].certificate == decoded.certificates[0]

    return check


def _holds(certificate):
    """Return a check that the file that was built begins with this certificate, and has its key."""

    def check(folder, out, _call):
        decoded = decode_pfx((out / "server.p12").read_bytes(), password=PASSWORD)
        assert decoded.certificates[0] == Certificate.from_pem((folder / certificate).read_bytes())
        assert decoded.private_key.public_key() == decoded.certificates[0].public_key

    return check


def _pem_of(serial_number):
    """Return a check that the PEM file begins with the server's key and the certificate with this serial number."""

    def check(_folder, out, _call):
        text = (out / "server.pem").read_bytes()
        certificate = Certificate.from_pem(text)
        assert certificate.serial_number == serial_number
        assert load_pem_private_key(text, None).public_key() == certificate.public_key

    return check


def _octets(private_key):
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _gives_the_key(folder, out, _call):
    """Check that the PEM file holds the server's key and nothing else."""
    text = (out / "server.pem").read_bytes()
    expected = load_pem_private_key((folder / "server.key").read_bytes(), None)
    assert _octets(load_pem_private_key(text, None)) == _octets(expected)
    assert b"CERTIFICATE" not in text


def _has_the_key_of(name, written):
    """Return a check that a file that was written has the private key of the file given, and its certificate."""

    def check(folder, out, _call):
        before, after = (decode_pfx(path.read_bytes(), password=PASSWORD) for path in (folder / name, out / written))
        assert _octets(after.private_key) == _octets(before.private_key)
        assert after.certificate == before.certificate is not None

    return check


def _keeps_the_attributes(name):
    """Return a check that a converted file has the octets of each attribute of the certificates and keys."""

    def check(folder, out, _call):
        before, after = (
            decode_pfx(path.read_bytes(), password=PASSWORD) for path in (folder / name, out / "converted.p12")
        )
        assert after.friendly_names == before.friendly_names
        assert after.local_key_ids == before.local_key_ids
        assert after.certificate_attributes == before.certificate_attributes
        assert [key.attributes for key in after.keys] == [key.attributes for key in before.keys]

    return check


def _keeps(name, algorithm, *, new_password=PASSWORD):
    """Return a check that a converted file has the key of this algorithm octet by octet, under the new password."""

    def check(folder, out, _call):
        before, after = (folder / name).read_bytes(), (out / "converted.p12").read_bytes()
        (key,) = (plain for plain in plaintexts_of(before, PASSWORD) if algorithm in plain)
        assert [plain for plain in plaintexts_of(after, new_password) if algorithm in plain] == [key]
        if new_password != PASSWORD:
            assert plaintexts_of(after, PASSWORD, within=new_password) == []

    return check


def _keeps_the_secret(folder, out, _call):
    """Check that the secret of another password is the same, and opens only with the new one."""
    before, after = (
        (folder / "java-secret-of-another-password.p12").read_bytes(),
        (out / "converted.p12").read_bytes(),
    )
    (secret,) = plaintexts_of(before, "another")
    assert _AES in secret
    assert secret in plaintexts_of(after, PASSWORD)
    assert plaintexts_of(after, "another", within=PASSWORD) == []


def _keeps_the_unread_key(folder, out, call):
    """Check that a converted file has the key that is not read, with its algorithm and its localKeyID."""
    before, after = (
        decode_pfx(path.read_bytes(), password=PASSWORD).unread_keys
        for path in (folder / "gost-beside.p12", out / "converted.p12")
    )
    assert [(key.algorithm, key.local_key_id) for key in after] == [(key.algorithm, key.local_key_id) for key in before]
    assert len(after) == 1
    _keeps("gost-beside.p12", _GOST)(folder, out, call)


def _opens_whole(_folder, out, _call):
    """Check that the password of the file opens the converted one, its key and its certificates."""
    decoded = decode_pfx((out / "converted.p12").read_bytes(), password=PASSWORD)
    assert (len(decoded.keys), len(decoded.certificates), decoded.unread_keys) == (1, 3, ())


def _one_certificate_and_one_reject(folder, _out, _call):
    """Check the same in the library: the sound root is read, and the damaged block is a reject with its file."""
    pool = load_certificates(folder / "damaged_intermediate.pem")
    assert list(pool) == [Certificate.from_pem((folder / "anchor.pem").read_bytes())]
    (reject,) = pool.rejects
    assert "damaged_intermediate.pem" in reject.source
    assert "INTERMEDIATE CERTIFICATE" in reject.reason


def _verify(name, more="", **expected):
    return Step(line=f"verify {name} {_TRUST} {_OPEN} {more}".rstrip(), **expected)


def _convert(name, more="", **expected):
    return Step(line=f"convert {name} {{out}}/converted.p12 {_OPEN} {more}".rstrip(), **expected)


def _build_from(name, more="", **expected):
    return Step(line=f"build --pkcs12 {name} {_BUILD} {more}".rstrip(), **expected)


def _row(case, kind, oddity, outcome, *steps):
    return Oddity(script="stores", case=case, kind=kind, oddity=oddity, outcome=outcome, steps=steps)


def _key(name, oddity, outcome, certificate="server.pem", *steps):
    build = Step(line=f"{_KEY.format(name, certificate)} {_REST}", check=_holds(certificate))
    return _row(f"keys/{name}", _KEYS, oddity, outcome, *(steps or (build,)))


_ODD_ATTRIBUTE: Final = "Read, with a note. `convert` keeps the attribute octet by octet."


def _attribute(case, oddity, note):
    return _row(
        case,
        _ENTRIES,
        oddity,
        _ODD_ATTRIBUTE,
        Step(line=f"inspect {case} {_OPEN}", shows=(note,)),
        _verify(case),
        _convert(case, check=_keeps_the_attributes(case)),
    )


ODDITIES: Final = (
    _row(
        "java-secrets.p12",
        _JAVA,
        "A secret key in the file of the server's key",
        "`convert` encrypts the secret key with the new password as well.",
        _verify("java-secrets.p12"),
        _convert(
            "java-secrets.p12",
            "--new-password-file another.txt",
            check=_keeps("java-secrets.p12", _AES, new_password="another"),
        ),
    ),
    _row(
        "java-secret-of-another-password.p12",
        _JAVA,
        "A secret key with a password of its own",
        "`convert` with a new password refuses the file and names the entry, unless `--contents-password-file` gives"
        " the password of the entry. If the password of the file stays, a warning names the entry.",
        _convert(
            "java-secret-of-another-password.p12",
            "--new-password-file another.txt",
            status=UNUSABLE,
            shows=("would not get the new password", "'aeskey'"),
        ),
        _convert("java-secret-of-another-password.p12", shows=("warning", "'aeskey'", "kept as it is")),
        _convert(
            "java-secret-of-another-password.p12",
            f"{_OWN} --new-password-file pw.txt",
            check=_keeps_the_secret,
        ),
    ),
    _row(
        "java-mark-on-leaf.p12",
        _JAVA,
        "Java's mark of a trusted certificate on the certificate of the key",
        "`verify --for java-17` says no: Java has the key without its chain.",
        _verify("java-mark-on-leaf.p12", "--for java-17", status=NO),
    ),
    _row(
        "java-names-differ-in-case.p12",
        _JAVA,
        "The names of two keys differ only in case",
        "`verify --for java-17` says no: Java has one of the two keys.",
        _verify("java-names-differ-in-case.p12", "--for java-17 --key-name Tomcat", status=NO, shows=("tomcat",)),
    ),
    _row(
        "java-truststore-one-name.p12",
        _JAVA,
        "Two trusted certificates have one name",
        "`verify --for java-17 --certs-only` says no: Java has one of the two.",
        _verify("java-truststore-one-name.p12", "--for java-17 --certs-only", status=NO, shows=("CA certificate",)),
    ),
    _row(
        "java-sound.p12",
        _JAVA,
        "Two CA certificates without Java's mark have one name",
        "`verify --for java-17` says yes: Java has the whole chain.",
        _verify("java-sound.p12", "--for java-17"),
    ),
    _row(
        "version-2-ed25519.p12",
        _KEYS,
        "PKCS#8 version 2, with the public key, inside a PKCS#12 file",
        "Read. A public key that does not belong to the private key is refused.",
        Step(line=f"inspect version-2-ed25519.p12 {_OPEN}"),
        _verify("version-2-ed25519.p12"),
        _convert("version-2-ed25519.p12", check=_has_the_key_of("version-2-ed25519.p12", "converted.p12")),
        _build_from("version-2-ed25519.p12", check=_has_the_key_of("version-2-ed25519.p12", "server.p12")),
    ),
    _key("version2.key", "PKCS#8 version 2, with the public key under an explicit tag", "Read.", "keys/version2.pem"),
    _row(
        "renewed.p12",
        _SEVERAL,
        "One key with two certificates, of which one has expired",
        "The valid certificate is taken, the newest of several. The other one is named.",
        _build_from("renewed.p12", shows=("#1001", "not used: #900"), check=_takes(1001)),
        Step(
            line=f"convert renewed.p12 {{out}}/server.pem --to pem {_OPEN}",
            shows=("not used: #900",),
            check=_pem_of(1001),
        ),
        Step(line=f"inspect renewed.p12 {_OPEN}", hides=("does not belong to", "do not have the same localKeyID")),
    ),
    _row(
        "two-keys.p12",
        _SEVERAL,
        "Two keys without names",
        "`--key-id` chooses one. Without it the command lists both, and the option.",
        _build_from("two-keys.p12", status=UNUSABLE, shows=("01020304", "6563", "--key-id")),
        _build_from("two-keys.p12", "--key-id 01020304", check=_takes(1001)),
        _build_from("two-keys.p12", "--key-id 6563", check=_takes(1002)),
        Step(
            line=f"convert two-keys.p12 {{out}}/server.pem --to pem {_OPEN}",
            status=UNUSABLE,
            shows=("01020304", "6563", "--key-id"),
        ),
        Step(
            line=f"convert two-keys.p12 {{out}}/server.pem --to pem --key-id 6563 {_OPEN}",
            check=_pem_of(1002),
        ),
    ),
    _row(
        "one-key-twice.p12",
        _SEVERAL,
        "The same key twice",
        "One key.",
        _build_from("one-key-twice.p12", check=_takes(1001)),
        Step(line=f"convert one-key-twice.p12 {{out}}/server.pem --to pem {_OPEN}", check=_pem_of(1001)),
        _verify("one-key-twice.p12"),
    ),
    _key("twice.key", "The same key twice in a PEM file, in two encodings", "One key."),
    _key("camellia.key", "PBES2 with Camellia", "Read."),
    _key("sha1-des.key", "PBES1 with DES (`PBE-SHA1-DES`)", "Read."),
    _key("sha3.key", "PBKDF2 with HMAC-SHA3-256", "Read."),
    _key(
        "aria.key",
        "PBES2 with ARIA",
        "Refused as an encryption that is not supported, by name: no library that pkcs12kit uses can decrypt it.",
        "server.pem",
        Step(
            line=f"{_KEY.format('aria.key', 'server.pem')} {_REST}",
            status=UNUSABLE,
            shows=("keys/aria.key", "ARIA-256-CBC", "is not supported"),
            hides=("does not open", "wrong password", "password is"),
        ),
    ),
    _key("traditional_blanks.key", "Traditional encryption (`DEK-Info`), with blanks at the ends of lines", "Read."),
    _key("traditional_cr.key", "Traditional encryption, with CR as line end", "Read."),
    *(
        _row(
            name,
            _FORMS,
            oddity,
            "Read as the PKCS#12 file that it is.",
            Step(line=f"inspect {name} {_OPEN}"),
            _verify(name),
            _convert(name),
            _build_from(name, check=_takes(1001)),
        )
        for name, oddity in (
            ("armored.p12", "A PKCS#12 file in PEM (`BEGIN PKCS12`)"),
            ("certtool.p12", "The same as certtool writes it, with its text before it"),
        )
    ),
    _row(
        "gost-beside.p12",
        _ENTRIES,
        "A GOST key, which pkcs12kit does not read, and a key that it reads",
        "`inspect` names the key that is not read and its algorithm; the other one works; `convert` keeps both.",
        Step(line=f"inspect gost-beside.p12 {_OPEN}", status=NO, shows=("not read: GOST R 34.10-2012",)),
        _verify("gost-beside.p12", "--key-id 01020304"),
        _convert("gost-beside.p12", check=_keeps_the_unread_key),
        Step(
            line=f"convert gost-beside.p12 {{out}}/server.pem --to pem --key-id 01020304 {_OPEN}", check=_pem_of(1001)
        ),
    ),
    _attribute("name-as-utf8string.p12", "friendlyName as a UTF8String", "its friendlyName is a UTF8String"),
    _attribute("name-of-two-values.p12", "friendlyName with two values", "its friendlyName has 2 values"),
    _attribute("id-as-bit-string.p12", "localKeyID as a BIT STRING", "its localKeyID is a BIT STRING"),
    _row(
        "damaged_intermediate.pem",
        _FORMS,
        "A damaged block `INTERMEDIATE CERTIFICATE` and a sound one",
        "The sound certificate is read; the damaged one is reported with its file.",
        Step(
            line=f"paths server.pem --certs damaged_intermediate.pem {_TRUST}",
            status=NO,
            shows=("damaged_intermediate.pem: ", "INTERMEDIATE CERTIFICATE"),
            check=_one_certificate_and_one_reject,
        ),
    ),
    _row(
        "prf-md5.p12",
        _KEYS,
        "PBKDF2 with HMAC-MD5",
        "Read.",
        _verify("prf-md5.p12"),
        _build_from("prf-md5.p12", check=_takes(1001)),
    ),
    _row(
        "key-alone.p12",
        _ENTRIES,
        "A key without a certificate",
        "`convert --to pem --key-only` writes the key; `build --pkcs12` takes it with `--cert`.",
        Step(line=f"convert key-alone.p12 {{out}}/server.pem --to pem --key-only {_OPEN}", check=_gives_the_key),
        _build_from("key-alone.p12", "--cert server.pem", check=_takes(1001)),
        _build_from("key-alone.p12", "--cert second.pem", status=UNUSABLE, shows=("key-alone.p12", "second.pem")),
    ),
    _row(
        "key-with-own-password.p12",
        _ENTRIES,
        "The key has another password than the file",
        "`--contents-password-file` of `build`, `inspect`, `verify` and `convert` takes the second password.",
        Step(line=f"inspect key-with-own-password.p12 {_OPEN}", status=NO, shows=("there may be another password",)),
        Step(line=f"inspect key-with-own-password.p12 {_OPEN} {_OWN}"),
        _verify("key-with-own-password.p12", status=NO, shows=("--contents-password-file",)),
        _verify("key-with-own-password.p12", _OWN),
        _convert("key-with-own-password.p12", "--new-password-file pw.txt", status=UNUSABLE),
        _convert("key-with-own-password.p12", _OWN, check=_opens_whole),
        Step(line=f"convert key-with-own-password.p12 {{out}}/server.pem --to pem {_OPEN} {_OWN}", check=_pem_of(1001)),
        _build_from("key-with-own-password.p12", status=UNUSABLE, shows=("--contents-password-file",)),
        _build_from("key-with-own-password.p12", _OWN, check=_takes(1001)),
    ),
)
