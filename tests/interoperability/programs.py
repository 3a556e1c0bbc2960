"""The programs that have a command: OpenSSL, NSS's pk12util, GnuTLS's certtool. A process for each file.

No password is in an argument, but for NSS's the empty one, which is no secret: certtool reads it from standard input
where it has no terminal, the others from a file.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from asn1crypto.core import Sequence
from asn1crypto.keys import ECPrivateKey
from asn1crypto.pem import unarmor
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey, MLDSA87PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from ..der import sequence
from .matrix import KEYS, PASSWORDS, WITH_EVERY_PASSWORD, Contents, Material, Reading, Refused, Writing

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from pathlib import Path

_ENVIRONMENT: Final = {**os.environ, "LC_ALL": "C.UTF-8"}
_ALL: Final = ("ASCII", "non-ASCII", "empty")


def run(*command: str | Path, given: str = "", folder: Path | None = None) -> str:
    """Run a program without a terminal and give its standard output; raise what it says where it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        input=given.encode(),
        capture_output=True,
        check=False,
        timeout=60,
        cwd=folder,
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    output, errors = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise Refused(" ".join((errors or output).split())[-600:])
    return output


def contents_of_pem(text: str) -> Contents:
    """Take the private key and the certificates out of PEM between other lines."""
    certificates = certificates_of(text)
    begin = re.search("-{5}BEGIN ([A-Z]+ )?PRIVATE KEY-{5}", text)
    if begin is None:
        raise Refused(f"no private key, and {len(certificates)} certificates: {' '.join(text.split())[:200]}")
    return Contents(key=canonical_info(unarmor(text[begin.start() :].encode())[2]), certificates=certificates)


def certificates_of(text: str) -> tuple[bytes, ...]:
    """Take the certificates out of PEM between other lines."""
    found = x509.load_pem_x509_certificates(text.encode()) if "BEGIN CERTIFICATE" in text else []
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)


def canonical_info(der: bytes) -> bytes:
    """Encode a private key (PKCS#8) again, as :func:`canonical` does: of ML-DSA the seed, of SLH-DSA the octets.

    One of ML-DSA may have the expanded key beside the seed (RFC 9881 section 6).
    """
    info = Sequence.load(der)
    algorithm, octets = info[1], info[2]  # what follows belongs to version 2 (RFC 5958 section 2)
    version_1 = sequence(b"\x02\x01\x00", algorithm.dump(), octets.dump())
    identifier = Sequence.load(algorithm.dump())[0].native
    if identifier in _SLH_DSA:
        return version_1
    if identifier in _ML_DSA and octets.native[:1] == b"\x30":
        return canonical(_ML_DSA[identifier].from_seed_bytes(Sequence.load(octets.native)[0].native))
    return canonical(load_der_private_key(version_1, None, unsafe_skip_rsa_key_validation=True))


_ML_DSA: Final = {
    "2.16.840.1.101.3.4.3.17": MLDSA44PrivateKey,
    "2.16.840.1.101.3.4.3.18": MLDSA65PrivateKey,
    "2.16.840.1.101.3.4.3.19": MLDSA87PrivateKey,
}
_SLH_DSA: Final = frozenset(f"2.16.840.1.101.3.4.3.{number}" for number in range(20, 32))


def canonical(key):
    """Encode a private key in the one way that this project does: programs differ in what is optional."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def signed_by(request: x509.CertificateSigningRequest, material: Material, reading: Reading) -> bool:
    """Tell whether a certificate request is signed by the key of a file of ours."""
    key = material.bundles[reading.key].private_key
    assert key is not None
    return request.is_signature_valid and _spki(request.public_key()) == _spki(key.public_key())


def _spki(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Program(Protocol):
    """Who reads and writes PKCS#12 files."""

    name: str
    writings: tuple[Writing, ...]

    def read(self, file: Path, reading: Reading) -> Contents:
        """Open a file of ours. Raises :class:`Refused`."""

    def write(self, file: Path, writing: Writing) -> None:
        """Write a file. Raises :class:`Refused`."""


def writings(forms: Iterable[str], *, thorough: Container[str], slow: bool = False) -> tuple[Writing, ...]:
    """List cells: every key and password for the ``thorough`` forms, EC P-256 and every password for the others.

    Of a program that is ``slow`` to write or to read: every key and every password, but not each with each, and for the
    other forms one of both. Keys of the kinds that few people use have an ASCII password alone, in the first form.
    """
    forms = tuple(forms)
    return tuple(
        Writing(form, key, password)
        for form, key, password in product(forms, KEYS, _ALL)
        if (key == "ec-p256") + (password == "ASCII") + (form in thorough) >= (2 if slow else 1)
        and (form in thorough or key == "ec-p256")
        and (key in WITH_EVERY_PASSWORD or (password == "ASCII" and form == forms[0]))
    )


@dataclass(frozen=True, kw_only=True)
class OpenSSL:
    """The ``openssl pkcs12`` command."""

    name: ClassVar[str] = "openssl"
    forms: ClassVar[dict[str, str]] = {
        "default": "",
        "-legacy": "-legacy",
        "no MAC": "-nomac",
        "nothing encrypted": "-certpbe NONE -keypbe NONE",
        "certificates in the clear": "-certpbe NONE",
        **{
            cipher: f"-certpbe {cipher} -keypbe {cipher}"
            for cipher in (
                *("AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC"),
                *("CAMELLIA-128-CBC", "CAMELLIA-192-CBC", "CAMELLIA-256-CBC"),
                *("ARIA-128-CBC", "ARIA-192-CBC", "ARIA-256-CBC", "SM4-CBC"),
            )
        },
        **{
            cipher: f"-legacy -certpbe {cipher} -keypbe {cipher}"
            for cipher in (
                *("DES-CBC", "RC2-CBC", "SEED-CBC", "BF-CBC", "CAST5-CBC"),
                *("PBE-SHA1-3DES", "PBE-SHA1-2DES", "PBE-SHA1-RC2-128", "PBE-SHA1-RC2-40"),
                *("PBE-SHA1-RC4-128", "PBE-SHA1-RC4-40", "PBE-MD5-DES", "PBE-SHA1-DES", "PBE-MD5-RC2-64"),
            )
        },
        **{
            f"MAC by {digest}": f"-macalg {digest}"
            for digest in ("md5", "sha1", "sha224", "sha384", "sha512", "sha512-256", "sha3-256", "sha3-512")
        },
        **{
            f"MAC by {digest}": f"-macalg {digest}"
            for digest in ("sha512-224", "sha3-224", "sha3-384", "ripemd160", "sm3", "blake2b512")
        },
        "PBMAC1": "-pbmac1_pbkdf2 -macalg sha256",
    }
    writings: ClassVar = writings(forms, thorough=("default", "-legacy", "AES-128-CBC", "MAC by sha512"))
    program: str
    material: Material

    def read(self, file: Path, reading: Reading) -> Contents:
        """Open a file of ours."""
        password = "pass:" if not PASSWORDS[reading.password] else f"file:{self._password(reading.password)}"
        return contents_of_pem(run(self.program, "pkcs12", "-in", file, "-passin", password, "-noenc"))

    def write(self, file: Path, writing: Writing) -> None:
        """Write a file."""
        password = "pass:" if not PASSWORDS[writing.password] else f"file:{self._password(writing.password)}"
        run(
            *(self.program, "pkcs12", "-export", "-out", file, "-passout", password, "-name", "mdm.example.mil"),
            *("-inkey", self.material.pem(writing.key, "key"), "-in", self.material.pem(writing.key, "certificate")),
            *("-certfile", self.material.pem(writing.key, "issuers"), *self.forms[writing.form].split()),
        )

    def _password(self, password: str) -> Path:
        return self.material.password_file(password)


@dataclass(frozen=True, kw_only=True)
class Certtool:
    """GnuTLS."""

    name: ClassVar[str] = "certtool"
    forms: ClassVar[dict[str, str]] = {
        "default": "",
        **{
            cipher: f"--pkcs-cipher={cipher}"
            for cipher in (
                *("3des", "3des-pkcs12", "aes-128", "aes-192", "rc2-40", "arcfour"),
                *("gost28147-tc26z", "gost28147-cpa"),
            )
        },
        **{f"MAC by {digest}": f"--hash={digest}" for digest in ("SHA1", "SHA384", "SHA512")},
    }
    writings: ClassVar = writings(forms, thorough=("default",), slow=True)  # 600,000 iterations for each encryption
    program: str
    material: Material

    def read(self, file: Path, reading: Reading) -> Contents:
        """Open a file of ours."""
        password, given = self._password(reading.password)
        listed = run(self.program, "--p12-info", "--inder", "--infile", file, *password, given=given)
        # It shows the key still encrypted, and decrypts it in a second step.
        key = re.search("-{5}BEGIN ENCRYPTED PRIVATE KEY-{5}.*?PRIVATE KEY-{5}", listed, re.DOTALL)
        if key is None:
            raise Refused(f"no encrypted private key: {' '.join(listed.split())[:200]}")
        key_file = file.with_suffix(".key")
        key_file.write_text(key[0])
        shown = run(self.program, "--key-info", "--pkcs8", "--infile", key_file, *password, given=given)
        return Contents(key=self._key(shown, reading), certificates=certificates_of(listed))

    def _key(self, shown: str, reading: Reading) -> bytes:
        """Take a key as it is shown: one for EC without its curve."""
        pem = shown[shown.index("-----BEGIN") :]
        if "ENCRYPTED" in pem:  # again, by the empty password
            pem = run("openssl", "pkey", "-passin", "pass:", given=pem)
        if "EC PRIVATE KEY" not in pem:
            return canonical(load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True))
        curve = self.material.bundles[reading.key].private_key.curve
        number = ECPrivateKey.load(unarmor(pem.encode())[2])["private_key"].native
        return canonical(ec.derive_private_key(number, curve))

    def write(self, file: Path, writing: Writing) -> None:
        """Write a file."""
        password, given = self._password(writing.password)
        run(
            *(self.program, "--to-p12", "--outder", "--outfile", file, "--p12-name", "mdm.example.mil"),
            *("--load-privkey", self.material.pem(writing.key, "key")),
            *("--load-certificate", self.material.pem(writing.key, "chain")),
            *(*self.forms[writing.form].split(), *password),
            given=given * 2,  # it asks twice
        )
        if not file.exists() or not file.stat().st_size:
            raise Refused("nothing was written")

    def _password(self, password: str) -> tuple[tuple[str, ...], str]:
        """Give the arguments and the standard input that say a password."""
        if PASSWORDS[password]:
            return (), f"{PASSWORDS[password]}\n"
        return ("--null-password" if PASSWORDS[password] is None else "--empty-password",), ""


@dataclass(frozen=True, kw_only=True)
class Pk12util:
    """NSS: the certificates from ``pk12util -l``; of the key, which NSS does not give away, a signature."""

    name: ClassVar[str] = "pk12util"
    forms: ClassVar[dict[str, tuple[str, ...]]] = {
        "default": (),
        **{
            cipher: ("-c", cipher, "-C", cipher)
            for cipher in (
                *("AES-128-CBC", "AES-192-CBC", "CAMELLIA-128-CBC", "CAMELLIA-192-CBC", "CAMELLIA-256-CBC"),
                *(
                    "PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC",
                    "PKCS #12 V2 PBE With SHA-1 And 2KEY Triple DES-CBC",
                ),
                *("PKCS #12 V2 PBE With SHA-1 And 128 Bit RC2 CBC", "PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC"),
                *("PKCS #12 V2 PBE With SHA-1 And 128 Bit RC4", "PKCS #12 V2 PBE With SHA-1 And 40 Bit RC4"),
                *("PKCS #5 Password Based Encryption with MD5 and DES-CBC",),
                *("PKCS #5 Password Based Encryption with SHA-1 and DES-CBC",),
            )
        },
        "certificates in the clear": ("-C", "none"),
        **{f"MAC by {digest}": ("-M", digest) for digest in ("SHA-1", "SHA-384", "SHA-512")},
    }
    writings: ClassVar = writings(forms, thorough=("default",), slow=True)  # 600,000 iterations for each encryption
    program: str
    certutil: str
    material: Material
    folder: Path

    def read(self, file: Path, reading: Reading) -> Contents:
        """Open a file of ours; the key is given back as it is once NSS has signed with it."""
        scratch = self.folder / f"read-{threading.get_ident()}-{reading}"
        self._new_database(scratch)
        password = self._password(reading.password)
        run(self.program, "-l", file, "-r", *password, folder=scratch)
        certificates = tuple(found.read_bytes() for found in sorted(scratch.glob("file*.der")))
        run(self.program, "-i", file, "-d", f"sql:{scratch}", "-K", "", *password)
        request = scratch / "request.der"
        options = ("-d", f"sql:{scratch}", "-f", self.material.password_file("empty"))
        run(self.certutil, "-R", "-k", "mdm.example.mil", "-s", "CN=x", "-o", request, *options)
        signed = signed_by(x509.load_der_x509_csr(request.read_bytes()), self.material, reading)
        key = self.material.contents(reading.key).key if signed else b""
        return Contents(key=key, certificates=certificates)

    def write(self, file: Path, writing: Writing) -> None:
        """Write a file from a database that took the key from a file of OpenSSL's."""
        options = ("-d", f"sql:{self._filled_database(writing.key)}", "-K", "", *self._password(writing.password))
        run(self.program, "-o", file, "-n", "mdm.example.mil", *options, *self.forms[writing.form])

    def _password(self, password: str) -> tuple[str | Path, ...]:
        return ("-w", self.material.password_file(password)) if PASSWORDS[password] else ("-W", "")

    def _new_database(self, folder: Path) -> None:
        folder.mkdir()
        run(self.certutil, "-N", "--empty-password", "-d", f"sql:{folder}")

    def _filled_database(self, key: str) -> Path:
        database = self.folder / f"write-{key}"
        with _FILLING:
            if not database.exists():
                self._new_database(database)
                source = self.folder / f"{key}.p12"
                OpenSSL(program="openssl", material=self.material).write(source, Writing("default", key, "ASCII"))
                run(self.program, "-i", source, "-d", f"sql:{database}", "-K", "", *self._password("ASCII"))
        return database


_FILLING: Final = threading.Lock()
