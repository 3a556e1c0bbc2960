"""We read what the programs of the other release of Debian write: Debian 13's on Debian 12, and the reverse.

Each cell is held to ``expected.toml``, as those of this system's programs are.
"""

from __future__ import annotations

import subprocess
from functools import cache

import pytest

from pkcs12kit.pkcs12.decoder import decode_pfx

from ..running import openssl_version
from . import batch
from .conftest import BOUNCY_CASTLE, COMMANDS, decode
from .expected import EXPECTED
from .matrix import PASSWORDS, Outcome, Refused, Writing, judge, make_material
from .programs import OpenSSL
from .test_interop_matrix import check

KEYS = ("ec-p256", "rsa-2048")
# certtool and pk12util derive each key by 600,000 iterations.
SLOW = {"certtool": ("default", "3des-pkcs12", "MAC by SHA512"), "pk12util": ("default", "certificates in the clear")}
LIBRARIES = {"java": ("default", "as Java 8", "PBEWithHmacSHA512AndAES_256"), "bouncycastle": ("default",)}
CELLS = [
    (name, Writing(form, key, "ASCII"))
    for name, program in COMMANDS.items()
    for form in SLOW.get(name, program.forms)
    for key in (KEYS[:1] if form != "default" else KEYS)
] + [(name, Writing(form, key, "ASCII")) for name, forms in LIBRARIES.items() for form in forms for key in KEYS]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def their_material(other):
    """Keys and chains for the programs of the other release."""
    folder = other.folder / "material"
    folder.mkdir()
    return make_material(folder)


@pytest.fixture(scope="session")
def their_command(other, their_material):
    """Make one of the programs that have a command."""

    @cache
    def make(name):
        extra = {}
        if name == "pk12util":
            folder = other.folder / "nss"
            folder.mkdir()
            extra = {"certutil": other.program("certutil"), "folder": folder}
        return COMMANDS[name](program=other.program(name), material=their_material, **extra)

    return make


@pytest.fixture(scope="session")
def their_jvm(other, their_material, require_tool, monkeypatch_session):
    """What Java and Bouncy Castle of the other release wrote, in one virtual machine; compiled by this system's."""
    classes = other.folder / "classes"
    exports = ("--add-exports", "java.base/sun.security.tools.keytool=ALL-UNNAMED")
    subprocess.run(
        [require_tool("javac"), *exports, "-cp", str(BOUNCY_CASTLE), "-d", classes, batch.HERE / "Keystores.java"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    monkeypatch_session.setattr(
        batch, "writings_of", lambda program: tuple(writing for name, writing in CELLS if name == program)
    )
    command = [
        other.program("java"),
        "-Dfile.encoding=UTF-8",
        *exports,
        "-cp",
        f"{BOUNCY_CASTLE}:{classes}",
        "Keystores",
    ]
    return batch.run_batch(command, tuple(LIBRARIES), their_material, {}, other.folder / "jvm")


@pytest.fixture(scope="session")
def monkeypatch_session():
    """Restore what is patched when the session ends."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture
def wrote(request, other):
    """Return what we found in a file that a program wrote."""

    def do(name, writing):
        if name in LIBRARIES:
            file = request.getfixturevalue("their_jvm").written[name, writing]
            return decode(writing, file)
        file = other.folder / f"{name}-{writing}.p12"
        try:
            request.getfixturevalue("their_command")(name).write(file, writing)
        except Refused as refused:
            return Outcome(yes=False, why=f"not written: {refused}")
        return decode(writing, file)

    return do


@pytest.mark.parametrize(("name", "writing"), CELLS, ids=[f"{name}-{writing}" for name, writing in CELLS])
def test_we_read_what_the_other_release_writes(wrote, their_material, name, writing):
    """The key and every certificate that the program was given, or a refusal that is known."""
    outcome = wrote(name, writing)
    if not isinstance(outcome, Outcome):
        outcome = judge(their_material.contents(writing.key), outcome, in_order=name not in EXPECTED.own_order)
    check(EXPECTED.write, name, writing, outcome)


def test_we_read_pbmac1_of_openssl(other, their_command, monkeypatch):
    """PBMAC1 (RFC 9579), which OpenSSL writes from 3.4, is read; an older OpenSSL has no such option."""
    monkeypatch.setitem(OpenSSL.forms, "PBMAC1", "-pbmac1_pbkdf2 -macalg sha256")
    file, writing = other.folder / "pbmac1.p12", Writing("PBMAC1", "ec-p256", "ASCII")
    if openssl_version(other.program("openssl")).startswith("3.0."):
        with pytest.raises(Refused, match="pbmac1"):
            their_command("openssl").write(file, writing)
        return
    their_command("openssl").write(file, writing)
    decoded = decode_pfx(file.read_bytes(), password=PASSWORDS["ASCII"])
    assert decoded.mac is not None
    assert decoded.mac.algorithm == "PBMAC1"
