"""How long writing and reading a PKCS#12 file takes, beside the key derivations in it run bare, in one run.

python benchmarks/pkcs12.py [--check]

Wanted: at most 1.15 times the derivations, or 6 milliseconds above them where they take less than 40: those of the
legacy profiles, with the 2,048 iterations that their readers expect, take 7. With ``--check`` more is exit status 1.
The files hold an EC P-256 key and six certificates, and are protected by each profile that derives a key at all, with
its own iteration counts. Columns take turns, and each figure is the least processor time of several runs: what it costs
when nothing else disturbs it. What pyca takes to check an RSA key when it loads one, some tens of milliseconds, is no
derivation and not in here.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

import pkcs12kit as pk
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.digests import digest_size
from pkcs12kit.pkcs12.passwords import encode_password
from pkcs12kit.pkcs12.pending_keys import one_at_a_time
from pkcs12kit.pkcs12.pkcs12_kdf import IV, KEY, MAC

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.pkcs12.derivation import KeyDerivation
    from pkcs12kit.pkcs12.encryption import Encryption

ALLOWED_RATIO: Final = 1.15
ALLOWED_MILLISECONDS: Final = 6.0
RUNS: Final = 12
PASSWORD: Final = "correct horse battery staple"  # noqa: S105  # of files that nobody keeps
KEY_LENGTHS: Final = {"AES-256-CBC": 32, "DES-EDE3-CBC": 24, "RC2-40-CBC": 5}


def main(*, check: bool) -> int:
    """Measure each profile and print one line each; 1 where one takes too long."""
    print(f"{'milliseconds':32}{'derivations':>12}{'encoding':>12}{'decoding':>12}   ratios")
    bundle = make_bundle()
    too_long = 0
    for profile in pk.profiles.PROFILES:
        if not profile.takes_password:
            continue
        data = pk.encode_pfx(bundle, password=PASSWORD, profile=profile)
        bare, encoding, decoding = measure(
            derivations(data),
            lambda profile=profile: pk.encode_pfx(bundle, password=PASSWORD, profile=profile),
            lambda data=data: pk.decode_pfx(data, password=PASSWORD),
        )
        is_too_long = max(encoding, decoding) > max(ALLOWED_RATIO * bare, bare + ALLOWED_MILLISECONDS)
        too_long += is_too_long
        print(
            f"{profile.name:32}{bare:12.1f}{encoding:12.1f}{decoding:12.1f}"
            f"   {encoding / bare:.2f} and {decoding / bare:.2f}{' (too long)' if is_too_long else ''}"
        )
    return int(check and too_long > 0)


def measure(*columns: Callable[[], object]) -> list[float]:
    """Time the columns in turn; milliseconds, the least of each.

    Keys are derived one after the other: threads on one core make each other's processor time longer.
    """
    least = [float("inf")] * len(columns)
    with one_at_a_time():
        for _ in range(RUNS):
            for number, column in enumerate(columns):
                start = time.process_time()
                column()
                least[number] = min(least[number], (time.process_time() - start) * 1e3)
    return least


def derivations(data: bytes) -> Callable[[], object]:
    """Prepare the key derivations of a file, as its report lists them, and nothing else."""
    report = pk.inspect_pfx(data, password=PASSWORD)
    encryptions = [safe.encryption for safe in report.safe_contents]
    encryptions += [bag.encryption for safe in report.safe_contents for bag in safe.bags or ()]
    present = [encryption for encryption in encryptions if encryption is not None]

    def run() -> None:
        for encryption in present:
            derive_key(encryption)
        if report.mac is not None:
            derive(report.mac.derivation, digest_size(str(report.mac.digest)), MAC)

    return run


def derive_key(encryption: Encryption) -> None:
    """Derive the key of one encryption, and its IV where PKCS12KDF gives it."""
    length = KEY_LENGTHS[str(encryption.cipher)]
    derive(encryption.derivation, length, KEY)
    if encryption.kdf != "PBKDF2":
        derive(encryption.derivation, 8, IV)


def derive(derivation: KeyDerivation | None, length: int, purpose: int) -> None:
    """Run one derivation."""
    if derivation is not None:
        derivation.derive(encode_password(PASSWORD), length, WorkBudget(DEFAULT_LIMITS), purpose=purpose)


def make_bundle() -> pk.Bundle:
    """Make a chain of six certificates, each with a key of its own."""
    names = ["server.example", *(f"CA {number}" for number in range(5))]
    private_keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificates = []
    for number, name in enumerate(names):
        issuer = min(number + 1, len(names) - 1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[issuer])]))
            .public_key(private_keys[number].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=365))
        )
        signed = builder.sign(private_keys[issuer], hashes.SHA256())
        certificates.append(pk.Certificate.from_der(signed.public_bytes(Encoding.DER)))
    return pk.Bundle(private_key=private_keys[0], certificates=tuple(certificates), friendly_name=names[0])


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
