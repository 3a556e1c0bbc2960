"""How long a user waits for the keys of a PKCS#12 file: beside OpenSSL, Java and hashlib, in one run.

python benchmarks/key_derivation.py [--check] [--quick]

Three tables, in milliseconds on the clock, each figure the least of several runs in which the columns take turns:

- Opening a file with 600,000 iterations for each of MAC, certificates and key, as NSS and Firefox write it, from the
  start of a program to its exit. Wanted: at most 1.5 times ``openssl pkcs12``. Java's ``keytool`` where there is one.
- Writing a file, beside the same derivations by hashlib one after the other. Wanted: at most 0.6 of these, where there
  are two processors.
- 100,000 iterations of each function by itself.

``--quick`` runs each column three times. With ``--check``, more than wanted is exit status 1.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12 import PASSWORD, make_bundle

import pkcs12kit as pk
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.derivation import KeyDerivation
from pkcs12kit.pkcs12.libcrypto import libcrypto_kdf
from pkcs12kit.pkcs12.passwords import encode_password
from pkcs12kit.pkcs12.pkcs12_kdf import MAC, KdfInputs, pkcs12_kdf
from pkcs12kit.pkcs12.protection import PBKDF2

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS: Final = 12
QUICK_RUNS: Final = 3
OF_NSS: Final = 600_000
OPENING: Final = 1.5
WRITING: Final = 0.6
SALT: Final = b"saltsalt"
ITERATIONS: Final = 100_000


def main() -> int:
    """Measure, print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit 1 if something takes longer than wanted")
    parser.add_argument("--quick", action="store_true", help="few runs")
    options = parser.parse_args()
    runs = QUICK_RUNS if options.quick else RUNS
    with tempfile.TemporaryDirectory() as folder:
        met = [opening(Path(folder), runs), *(writing(name, runs) for name in ("modern-2023", "fips-2026"))]
    functions(runs)
    print(f"as wanted: {'yes' if all(met) else 'no'}")
    return int(options.check and not all(met))


def opening(folder: Path, runs: int) -> bool:
    """Print how long programs take to open a file as NSS writes it, and return if pkcs12kit is as fast as wanted."""
    file, password = folder / "nss.p12", folder / "password"
    as_nss = pk.profiles.MODERN_2023.with_iterations(encryption=OF_NSS, mac=OF_NSS)
    file.write_bytes(pk.encode_pfx(make_bundle(), password=PASSWORD, profile=as_nss))
    password.write_text(PASSWORD)
    own = Path(sysconfig.get_path("scripts"), "pkcs12kit")
    commands = {
        "pkcs12kit inspect": [str(own), "inspect", str(file), "--password-file", str(password)],
        "openssl pkcs12": ["openssl", "pkcs12", "-in", str(file), "-passin", f"file:{password}", "-nodes"],
        "keytool -list": ["keytool", "-list", "-keystore", str(file), "-storepass:file", str(password)],
    }
    at_hand = {name: command for name, command in commands.items() if shutil.which(command[0])}
    found = dict(zip(at_hand, measure(runs, *(run(command) for command in at_hand.values())), strict=True))
    print(f"{'opening, 600,000 iterations each':36}" + "".join(f"{name:>20}" for name in found))
    print(f"{'milliseconds':36}" + "".join(f"{figure:20.0f}" for figure in found.values()))
    if "openssl pkcs12" not in found:
        return True
    ratio = found["pkcs12kit inspect"] / found["openssl pkcs12"]
    print(f"{'ratio to openssl, wanted 1.5':36}{ratio:20.2f}\n")
    return ratio <= OPENING


def run(command: list[str]) -> Callable[[], object]:
    """Return a function that runs a command, and shows nothing of what it prints: the file's key."""
    return lambda: subprocess.run(command, check=True, capture_output=True)


def writing(name: str, runs: int) -> bool:
    """Print how long writing takes beside the derivations by hashlib alone, and return if that is as wanted."""
    bundle, profile = make_bundle(), pk.profiles.find(name)
    iterations, mac_iterations = profile.encryption_iterations, profile.mac_iterations
    is_pbmac1 = profile.mac_algorithm == "PBMAC1"

    def by_hashlib() -> None:
        for count in (iterations, iterations, *([mac_iterations] if is_pbmac1 else [])):
            hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, count, 32)
        if not is_pbmac1:
            hash_again(mac_iterations)

    alone, written = measure(runs, by_hashlib, lambda: pk.encode_pfx(bundle, password=PASSWORD, profile=profile))
    print(f"{'writing ' + name:36}{'encode_pfx':>20}{'hashlib':>20}{'ratio, wanted 0.6':>20}")
    print(f"{'milliseconds':36}{written:20.1f}{alone:20.1f}{written / alone:20.2f}\n")
    return written / alone <= WRITING


def functions(runs: int) -> None:
    """Print how long each function takes by itself."""
    password = encode_password(PASSWORD)
    inputs = KdfInputs(password=password.bmp, salt=SALT, iterations=ITERATIONS, purpose=MAC, length=32)
    pbkdf2 = KeyDerivation(algorithm=PBKDF2, digest="SHA-256", iterations=ITERATIONS, salt=SALT)
    columns: dict[str, Callable[[], object]] = {
        "PKCS12KDF by libcrypto": lambda: libcrypto(inputs) if libcrypto is not None else None,
        "PKCS12KDF in Python": lambda: pkcs12_kdf(inputs, digest="SHA-256"),
        "SHA-256 by hashlib": lambda: hash_again(ITERATIONS),
        "PBKDF2 by pyca/cryptography": lambda: pbkdf2.derive(password, 32, WorkBudget(DEFAULT_LIMITS)),
        "PBKDF2 by hashlib": lambda: hashlib.pbkdf2_hmac("sha256", password.utf8, SALT, ITERATIONS, 32),
    }
    libcrypto = libcrypto_kdf("SHA-256")
    if libcrypto is None:
        columns.pop("PKCS12KDF by libcrypto")
    print("100,000 iterations with SHA-256")
    for name, figure in zip(columns, measure(runs, *columns.values()), strict=True):
        print(f"{name:36}{figure:20.1f}")
    print()


def hash_again(times: int) -> None:
    """Hash a digest again and again, which is all that Python can do of PKCS12KDF."""
    new, derived = hashlib.sha256, SALT
    for _ in range(times):
        derived = new(derived).digest()


def measure(runs: int, *columns: Callable[[], object]) -> list[float]:
    """Time the columns in turn; milliseconds on the clock, the least of each."""
    least = [float("inf")] * len(columns)
    for _ in range(runs):
        for number, column in enumerate(columns):
            start = time.perf_counter()
            column()
            least[number] = min(least[number], (time.perf_counter() - start) * 1e3)
    return least


if __name__ == "__main__":
    sys.exit(main())
