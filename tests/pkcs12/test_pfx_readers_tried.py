"""Each statement of the table of readers that is marked as tried by us is tried here."""

from __future__ import annotations

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
    "openssl-3": ("openssl", "pkcs12 -in {file} -passin file:{password_file} -noenc"),
    "java-17": ("keytool", "-list -v -storetype PKCS12 -keystore {file} -storepass:file {password_file}"),
    "nss": ("pk12util", "-l {file} -w {password_file}"),
    "gnutls": ("certtool", "--p12-info --inder --infile {file} --password={password}"),
}
# How each program shows a certificate.
SHOWN = {"openssl-3": "BEGIN CERTIFICATE", "java-17": "Owner: ", "nss": "Subject: ", "gnutls": "BEGIN CERTIFICATE"}
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
# Tried by tests/interoperability/test_interop_page.py, because it takes a program of Java's to ask it.
IN_THE_MATRIX = {"bouncycastle"}
TRIED = [
    (reader.name, statement.feature, statement.opens)
    for reader in readers.READERS.values()
    for statement in reader.statements
    if statement.evidence is Evidence.TRIED and reader.name not in IN_THE_MATRIX
]


def test_all_that_is_said_to_be_tried_can_be():
    """Only the programs that run here may be marked so, and each of their features has a file."""
    assert {name for name, _, _ in TRIED} == set(PROGRAMS)
    assert set(HAVING) == set(Feature) - {Feature.PKCS12KDF}


BY_DEFAULT = {Feature.AES, Feature.PBMAC1}  # of Java, which takes long to start; the others are asked everything


@pytest.mark.parametrize(
    ("name", "feature", "opens"),
    [
        pytest.param(
            *case,
            id=f"{case[0]}-{case[1].name}-{case[2]}",
            marks=pytest.mark.slow if case[0] == "java-17" and case[1] not in BY_DEFAULT else [],
        )
        for case in TRIED
    ],
)
def test_tried(require_tool, identity_and_path, bundle, tmp_path, monkeypatch, name, feature, opens):
    """A reader that opens it shows all six certificates and the key; any other fails, or shows none of them."""
    profile, password = HAVING[feature]
    if name == "java-17" and feature is Feature.NO_MAC:  # of a key in the clear Java shows nothing
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
