"""Programs that are libraries: Java, keytool and Bouncy Castle in one virtual machine, Go's two in one binary."""

from __future__ import annotations

import base64
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.pkcs12.decoder import decode_pfx

from .matrix import FEW_ITERATIONS, PASSWORDS, Contents, Material, Outcome, Reading, Writing
from .programs import canonical_info, writings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COPY_PASSWORD: Final = "copied by keytool"
_JCA_NAMES: Final = {
    **dict.fromkeys(("rsa-2048", "rsa-4096"), "RSA"),
    **dict.fromkeys(("ec-p256", "ec-p384", "ec-p521", "ec-secp256k1"), "EC"),
    "rsa-pss": "RSASSA-PSS",
    "ed25519": "Ed25519",
    "ed448": "Ed448",
    "ml-dsa-65": "ML-DSA-65",
}
SETTINGS: Final = " ".join(
    f"keystore.pkcs12.{count}IterationCount={FEW_ITERATIONS}" for count in ("certPbe", "keyPbe", "mac")
)
_CIPHERS: Final = (
    *("PBEWithSHA1AndRC2_40", "PBEWithSHA1AndRC2_128", "PBEWithSHA1AndRC4_40", "PBEWithSHA1AndRC4_128"),
    "PBEWithSHA1AndDESede",
    *(f"PBEWithHmacSHA{digest}AndAES_{bits}" for digest in (1, 224, 256, 384, 512) for bits in (128, 256)),
)
_MACS: Final = tuple(f"HmacPBESHA{digest}" for digest in ("1", "224", "256", "384", "512", "512/224", "512/256"))


def _settings(**settings: str) -> str:
    return " ".join([SETTINGS, *(f"keystore.pkcs12.{name}={value}" for name, value in settings.items())])


FORMS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    # the kind of key store, its settings
    "java": {
        "default": ("PKCS12", ""),
        "as Java 8": ("PKCS12", "keystore.pkcs12.legacy="),
        **{
            cipher: ("PKCS12", _settings(certProtectionAlgorithm=cipher, keyProtectionAlgorithm=cipher))
            for cipher in _CIPHERS
        },
        **{f"MAC by {mac}": ("PKCS12", _settings(macAlgorithm=mac)) for mac in _MACS},
        "certificates in the clear": ("PKCS12", _settings(certProtectionAlgorithm="NONE")),
        "no MAC": ("PKCS12", _settings(macAlgorithm="NONE")),
    },
    "bouncycastle": {"default": ("PKCS12", ""), "PKCS12-3DES-3DES": ("PKCS12-3DES-3DES", "")},
    "go-sslmate": {"Encode": ("", "")},
    "go-crypto": {},
    "keytool": {},
}
READ_BY: Final = {"java": "jvm", "keytool": "jvm", "bouncycastle": "jvm", "go-crypto": "go", "go-sslmate": "go"}


def writings_of(program: str) -> tuple[Writing, ...]:
    """List the files that a program writes."""
    return writings(FORMS[program], thorough=("default", "as Java 8", "Encode"), slow=program == "bouncycastle")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a program did, by program and cell. A written file is a path, or why there is none."""

    read: dict[tuple[str, Reading], Contents | Outcome] = field(default_factory=dict)
    written: dict[tuple[str, Writing], Path | Outcome] = field(default_factory=dict)


def run_batch(
    command: list[str],
    cells: Sequence[tuple[str, Reading | Writing]],
    material: Material,
    ours: dict[Reading, Path],
    folder: Path,
) -> Batch:
    """Give one process all jobs of some programs, and take its results."""
    folder.mkdir()
    jobs = []
    for number, (program, cell) in enumerate(cells):
        password = "-" if PASSWORDS[cell.password] is None else str(material.password_file(cell.password))
        file = folder / f"{number}.p12"
        if isinstance(cell, Reading):
            (folder / f"{number}.p12.password").write_text(COPY_PASSWORD)
            jobs.append(["read", program, str(number), str(ours[cell]), password, str(file)])
        else:
            kind, settings = FORMS[program][cell.form]
            key, chain = (str(material.pem(cell.key, part)) for part in ("key", "chain"))
            parts = [key, _JCA_NAMES[cell.key], chain, kind, settings] if program != "go-sslmate" else [key, chain]
            jobs.append(["write", program, str(number), str(file), password, *parts])
    done = subprocess.run(
        command,
        input="".join("\t".join(job) + "\n" for job in jobs),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    batch = Batch()
    for line in done.stdout.split("\n"):  # and at nothing else that splitlines() takes for an end of a line
        if not line:
            continue
        assert "\t" in line, line
        number, answer, *parts = line.split("\t")
        program, cell = cells[int(number)]
        file = folder / f"{number}.p12"
        if isinstance(cell, Writing):
            batch.written[program, cell] = file if answer == "yes" else Outcome(yes=False, why=parts[0])
        else:
            batch.read[program, cell] = _contents(answer, parts, file)
    missing = set(cells) - set(batch.read) - set(batch.written)
    assert not missing, f"no result for {sorted(map(str, missing))[:5]}: {done.stderr[-2000:]}"
    return batch


def _contents(answer: str, parts: list[str], copy: Path) -> Contents | Outcome:
    if answer == "no":
        return Outcome(yes=False, why=parts[0])
    if copy.exists():  # keytool's
        try:
            copied = decode_pfx(copy.read_bytes(), password=COPY_PASSWORD)
        except InputError as error:
            return Outcome(yes=False, why=f"what keytool copied is not read: {error}")
        if not copied.keys:
            return Outcome(yes=False, why=f"keytool copied no key, and {len(copied.certificates)} certificates")
        return Contents.of(copied.keys[0].private_key, copied.certificates)
    key, *certificates = (base64.b64decode(part) for part in parts)
    return Contents(key=canonical_info(key), certificates=tuple(certificates))
