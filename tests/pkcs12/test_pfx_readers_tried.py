"""Each statement of the table of readers that is marked as tried by us is tried here."""

from __future__ import annotations

import re
import subprocess

import pytest

from pkcs12kit.findings import Evidence
from pkcs12kit.pkcs12 import profiles, readers
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.compatibility import Feature
from pkcs12kit.pkcs12.encoder import encode_pfx

from .conftest import PASSWORD
from .pfx_parts import in_version_2

pytestmark = pytest.mark.released_iterations  # readers open files as they are written by default

PROGRAMS = {
    "openssl": ("openssl", "pkcs12 -in {file} -passin file:{password_file} -noenc"),
    "java": ("keytool", "-list -v -storetype PKCS12 -keystore {file} -storepass:file {password_file}"),
    "nss": ("pk12util", "-l {file} -w {password_file}"),
    "gnutls": ("certtool", "--p12-info --inder --infile {file} --password={password}"),
}
# How each program shows a certificate, and how it, or the package that has it, says its version.
SHOWN = {"openssl": "BEGIN CERTIFICATE", "java": "Owner: ", "nss": "Subject: ", "gnutls": "BEGIN CERTIFICATE"}
VERSIONS = {
    "openssl": ("openssl", "version"),
    "java": ("keytool", "-J-version"),
    "nss": ("dpkg-query", "-W", "-f", "${Version}", "libnss3-tools"),
    "gnutls": ("certtool", "--version"),
}
# A file that has one feature, and otherwise what all four of them open: profile, password.
HAVING = {
    Feature.AES: (profiles.MODERN_2023, PASSWORD),
    Feature.MAC_SHA256: (profiles.MODERN_2023, PASSWORD),
    Feature.TRIPLE_DES: (profiles.LEGACY_3DES, PASSWORD),
    Feature.MAC_SHA1: (profiles.LEGACY_3DES, PASSWORD),
    Feature.RC2_40: (profiles.LEGACY_RC2, PASSWORD),
    Feature.CLEAR_CERTIFICATES: (profiles.UNENCRYPTED_CERTIFICATES_2023, PASSWORD),
    Feature.PBMAC1: (profiles.FIPS_2026, PASSWORD),
    Feature.NO_MAC: (profiles.NO_PASSWORD, None),
    Feature.CLEAR_KEY: (profiles.NO_PASSWORD, None),
    Feature.EMPTY_PASSWORD: (profiles.MODERN_2023, ""),
    Feature.NON_ASCII_PASSWORD: (profiles.MODERN_2023, "pässwörd"),
    Feature.VERSION_2_KEY: (profiles.MODERN_2023, PASSWORD),
}
TRIED = [
    (name, feature)
    for name in PROGRAMS
    for feature in HAVING
    # NSS and GnuTLS list a file without opening its key, so a list shows nothing about the key.
    if feature is not Feature.VERSION_2_KEY or name in {"openssl", "java"}
]


def test_each_feature_of_a_file_has_a_file():
    """What is said of files, and not of what is in them, can be tried."""
    of_contents = {it for it in Feature if it.name.endswith("_CERTIFICATE")} | {Feature.SEED_ONLY_KEY}
    assert set(HAVING) == set(Feature) - of_contents - {Feature.PKCS12KDF}


BY_DEFAULT = {Feature.AES, Feature.PBMAC1}  # of Java, which takes long to start; the others are asked everything


def statement_of(name, feature, require_tool):
    """What the table says of the version that is here; skips where it has no such version, or did not try that."""
    program, *words = VERSIONS[name]
    done = subprocess.run(
        [require_tool(program), *words], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    version = re.search(r"\d+(?:\.\d+)+", done.stdout + done.stderr)
    if version is None:
        pytest.skip(f"{program} does not tell the version of {name}")
    found = readers.find(f"{name}-{version[0]}")
    if len(found.entries) > 1 or "not in the table" in found.remark:
        pytest.skip(found.remark)
    statement = found.statement_on(feature)
    if statement is None or statement.evidence is not Evidence.TRIED:
        pytest.skip(f"{found.name}: not tried")
    return statement


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        pytest.param(
            *case,
            id=f"{case[0]}-{case[1].name}",
            marks=pytest.mark.slow if case[0] == "java" and case[1] not in BY_DEFAULT else [],
        )
        for case in TRIED
    ],
)
def test_tried(require_tool, identity_and_path, bundle, tmp_path, monkeypatch, name, feature):
    """A reader that opens it shows all six certificates and the key; any other fails, or shows none of them."""
    opens = statement_of(name, feature, require_tool).opens
    profile, password = HAVING[feature]
    if name == "java" and feature is Feature.NO_MAC:  # of a key in the clear Java shows nothing
        bundle = Bundle.certificates_only(identity_and_path[1], truststore=True)
    if feature is Feature.VERSION_2_KEY:
        monkeypatch.setattr("pkcs12kit.pkcs12.encoder.encode_private_key", lambda key, _: in_version_2(key))
    file, password_file = tmp_path / "file.p12", tmp_path / "password.txt"
    file.write_bytes(encode_pfx(bundle, password=password, profile=profile))
    password_file.write_text(password or "", "utf-8")
    tool, template = PROGRAMS[name]
    command = template.split()
    if not password:  # none of them reads an empty file as an empty password
        template = template.replace("-storepass:file {password_file}", "").replace("file:{password_file}", "pass:")
        command = [*template.replace("-w {password_file}", "-W").split(), *([""] if name == "nss" else [])]
    arguments = [part.format(file=file, password_file=password_file, password=password or "") for part in command]
    done = subprocess.run(
        [require_tool(tool), *arguments],
        input="\n",
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=60,
    )
    shown = done.stdout.count(SHOWN[name])
    if not opens:
        assert done.returncode != 0 or shown == 0, done.stdout
        return
    assert done.returncode == 0, done.stdout + done.stderr
    assert shown == 6
