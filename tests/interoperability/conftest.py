"""The matrix is run once a session: each program with all its files, and every test looks at one cell of it."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from pkcs12kit.errors import InputError
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx

from . import batch
from .expected import EXPECTED
from .matrix import PASSWORDS, READINGS, Contents, Outcome, Refused, judge, make_material
from .other_release import VARIABLE, OtherRelease, why_not
from .programs import Certtool, OpenSSL, Pk12util

BOUNCY_CASTLE = Path("/usr/share/java/bcprov.jar")
GO_SOURCES = Path("/usr/share/gocode")
COMMANDS = {"openssl": OpenSSL, "certtool": Certtool, "pk12util": Pk12util}


PACKAGES = {
    "pk12util": "libnss3-tools",
    "go-crypto": "golang-golang-x-crypto-dev",
    "go-sslmate": "golang-sslmate-src-go-pkcs12-dev",
}


def writings_of(name):
    """List the files that a program writes."""
    return COMMANDS[name].writings if name in COMMANDS else batch.writings_of(name)


@pytest.fixture(scope="session")
def version(request, require_tool):
    """Find the version of a program: of Debian's package where the program does not say it."""

    @cache
    def of(name):
        if name in batch.VERSION_OF:
            return request.getfixturevalue("jvm").versions[batch.VERSION_OF[name]]
        if name in PACKAGES:
            command = [require_tool("dpkg-query"), "-W", "-f", "${Version}", PACKAGES[name]]
        else:
            command = [require_tool(name), {"openssl": "version"}.get(name, "--version")]
        said = subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout
        found = re.search(r"(?:^|[: ])(\d+\.\d\S*)", said)
        return found[1] if found else f"unknown ({said!r})"

    return of


@pytest.fixture(scope="session")
def at_hand(cannot_run, version):
    """Make sure that a program is of the version that the expected results are of: ``at_hand("openssl")``."""

    def require(name):
        expected, found = EXPECTED.programs[name], version(name)
        if not found.startswith(expected.holds_for):
            cannot_run(f"the expected results are of {name} {expected.version}, and here is {found}")

    return require


@pytest.fixture(scope="session")
def other(cannot_run):
    """The other release, with a folder of this run inside its root folder."""
    root = os.environ.get(VARIABLE, "")
    if reason := why_not(root):
        cannot_run(reason)
    folder = Path(mkdtemp(prefix="tests-", dir=Path(root) / "tmp"))
    yield OtherRelease(Path(root), folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """Keys of each kind with one chain, made for this run."""
    return make_material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="session")
def ours(material, tmp_path_factory):
    """A file of ours for each cell."""
    folder = tmp_path_factory.mktemp("ours")
    files = {}
    for reading in READINGS:
        files[reading] = folder / f"{reading}.p12"
        files[reading].write_bytes(
            encode_pfx(material.bundles[reading.key], password=PASSWORDS[reading.password], profile=reading.protection)
        )
    return files


@pytest.fixture(scope="session")
def jvm(require_tool, cannot_run, material, ours, tmp_path_factory):
    """All that Java, keytool and Bouncy Castle did, in one virtual machine."""
    java = require_tool("java")
    require_tool("javac")  # java runs a source file by it
    if not BOUNCY_CASTLE.exists():
        cannot_run(f"needs Bouncy Castle in {BOUNCY_CASTLE} (Debian's libbcprov-java)")
    return batch.run_batch(
        [
            *(java, "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Xshare:auto", "-cp", str(BOUNCY_CASTLE)),
            *("--add-exports", "java.base/sun.security.tools.keytool=ALL-UNNAMED"),
            str(batch.HERE / "Keystores.java"),
        ],
        ("java", "keytool", "bouncycastle"),
        material,
        ours,
        tmp_path_factory.mktemp("jvm") / "files",
    )


@pytest.fixture(scope="session")
def go(require_tool, cannot_run, material, ours, tmp_path_factory):
    """All that Go's two libraries did, in one program; built from Debian's sources, with nothing from the network."""
    folder = tmp_path_factory.mktemp("go")
    for package in ("golang.org/x/crypto/pkcs12", "software.sslmate.com/src/go-pkcs12"):
        if not (GO_SOURCES / "src" / package).is_dir():
            cannot_run(f"needs the Go package {package} in {GO_SOURCES} (Debian's -dev packages)")
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "GOPATH": str(GO_SOURCES),
        "GOPROXY": "off",
    }
    program = folder / "keystores"
    built = subprocess.run(
        [require_tool("go"), "build", "-o", program, batch.HERE / "keystores.go"],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    return batch.run_batch([str(program)], ("go-crypto", "go-sslmate"), material, ours, folder / "files")


@pytest.fixture(scope="session")
def command(require_tool, material, tmp_path_factory):
    """Make one of the programs that have a command: ``command("openssl")``."""

    @cache
    def make(name):
        extra = {}
        if name == "pk12util":
            extra = {"certutil": require_tool("certutil"), "folder": tmp_path_factory.mktemp("nss")}
        return COMMANDS[name](program=require_tool(name), material=material, **extra)

    return make


@pytest.fixture(scope="session")
def readings(request, command, material, ours):
    """What a program found in each file of ours: ``readings("openssl")[reading]`` is an Outcome."""

    def read(chosen, reading):
        try:
            return chosen.read(ours[reading], reading)
        except Refused as refused:
            return Outcome(yes=False, why=str(refused))

    @cache
    def of(name):
        if name in batch.READ_BY:
            found = request.getfixturevalue(batch.READ_BY[name]).read
            by_reading = {reading: found[name, reading] for reading in READINGS}
        else:
            chosen = command(name)
            with ThreadPoolExecutor(2) as pool:
                by_reading = dict(zip(READINGS, pool.map(lambda it: read(chosen, it), READINGS), strict=True))
        return {
            reading: it if isinstance(it, Outcome) else judge(material.contents(reading.key), it)
            for reading, it in by_reading.items()
        }

    return of


def decode(writing, file):
    """Read a file of theirs."""
    if isinstance(file, Outcome):
        return file
    try:
        decoded = decode_pfx(file.read_bytes(), password=PASSWORDS[writing.password])
        return Contents.of(decoded.identity.private_key, decoded.certificates)
    except InputError as error:
        return Outcome(yes=False, why=f"{type(error).__name__}: {error}")


@pytest.fixture(scope="session")
def written(request, command, material, tmp_path_factory):
    """What we found in each file of a program's: ``written("openssl")[writing]`` is an Outcome."""

    def write(chosen, file, writing):
        try:
            chosen.write(file, writing)
        except Refused as refused:
            return Outcome(yes=False, why=f"not written: {refused}")
        return file

    @cache
    def of(name):
        if name in batch.READ_BY:
            results = request.getfixturevalue(batch.READ_BY[name]).written
            files = {cell: results[name, cell] for cell in writings_of(name)}
        else:
            chosen, cells = command(name), writings_of(name)
            folder = tmp_path_factory.mktemp(f"{name}-files")
            with ThreadPoolExecutor(2) as pool:
                done = pool.map(lambda it: write(chosen, folder / f"{cells.index(it)}.p12", it), cells)
                files = dict(zip(cells, done, strict=True))
        # Deriving keys by 600,000 iterations is what takes the time: in two processes. They do not mind a thread that
        # an earlier test left, of which Python warns.
        with (
            warnings.catch_warnings(action="ignore", category=DeprecationWarning),
            ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool,
        ):
            found = dict(zip(files, pool.map(decode, files, files.values()), strict=True))
        in_order = name not in EXPECTED.own_order
        return {
            cell: it if isinstance(it, Outcome) else judge(material.contents(cell.key), it, in_order=in_order)
            for cell, it in found.items()
        }

    return of
