"""The matrix is run once a session: each program with all its files, and every test looks at one cell of it."""

from __future__ import annotations

import multiprocessing
import os
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

from . import batch
from .expected import EXPECTED
from .matrix import PASSWORDS, READINGS, Contents, Outcome, Refused, add_rare_contents, judge, make_material
from .programs import Certtool, OpenSSL, Pk12util
from .releases import BOUNCY_CASTLE, GO_SOURCES, VARIABLE, OtherRelease, ThisRelease, why_not

HERE = Path(__file__).parent
COMMANDS = {"openssl": OpenSSL, "certtool": Certtool, "pk12util": Pk12util}
PACKAGES = {
    "pk12util": "libnss3-tools",
    "bouncycastle": "libbcprov-java",
    "go-crypto": "golang-golang-x-crypto-dev",
    "go-sslmate": "golang-sslmate-src-go-pkcs12-dev",
}
EXPORTS = ("--add-exports", "java.base/sun.security.tools.keytool=ALL-UNNAMED")


def writings_of(name):
    """List the files that a program writes, of whatever version."""
    program = EXPECTED.programs[name].program
    return COMMANDS[program].writings if program in COMMANDS else batch.writings_of(program)


@pytest.fixture(scope="session")
def other_or_none():
    """The other release, with a folder of this run inside its root folder; None where there is none."""
    root = os.environ.get(VARIABLE, "")
    if why_not(root):
        yield None
        return
    folder = Path(mkdtemp(prefix="tests-", dir=Path(root) / "tmp"))
    yield OtherRelease(Path(root), folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def other(cannot_run, other_or_none):
    """The other release, which has to be there."""
    if other_or_none is None:
        cannot_run(why_not(os.environ.get(VARIABLE, "")))
    return other_or_none


@pytest.fixture(scope="session")
def folder(other_or_none, tmp_path_factory):
    """Where the programs of both releases find files, and write them."""
    folder = tmp_path_factory.mktemp("matrix") if other_or_none is None else other_or_none.folder / "matrix"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def place(other_or_none, folder, cannot_run):
    """Find the release that has a version of a program: ``place("openssl-3.5")``."""
    releases = [ThisRelease(folder), *([] if other_or_none is None else [other_or_none])]

    @cache
    def versions_of(release, program):
        if program in {"java", "keytool"}:
            return tuple(release.javas)
        return (release.version(program, PACKAGES.get(program, "")),)

    @cache
    def find(name):
        expected, found = EXPECTED.programs[name], []
        for release in releases:
            found += versions_of(release, expected.program)
            for version in versions_of(release, expected.program):
                if version.startswith(expected.holds_for):
                    return release, version
        reason = why_not(os.environ.get(VARIABLE, ""))
        here = ", ".join(filter(None, found)) or "no version"
        cannot_run(f"needs {name}, and here is {here}" + (f"; the other release {reason}" if reason else ""))
        return None

    return find


@pytest.fixture(scope="session")
def material(folder):
    """Keys of each kind with their chains, made for this run."""
    (folder / "material").mkdir()
    made = make_material(folder / "material")
    add_rare_contents(made)
    return made


@pytest.fixture(scope="session")
def ours(material, folder):
    """A file of ours for each cell."""
    files = {}
    (folder / "ours").mkdir()
    for reading in READINGS:
        files[reading] = folder / "ours" / f"{reading}.p12"
        files[reading].write_bytes(material.file_of(reading))
    return files


@pytest.fixture(scope="session")
def classes(require_tool, cannot_run, folder):
    """``Keystores.java``, compiled for the oldest Java."""
    jar = Path("/") / BOUNCY_CASTLE
    if not jar.exists():
        cannot_run(f"needs Bouncy Castle in {jar} (Debian's libbcprov-java)")
    target = folder / "classes"
    done = subprocess.run(
        [
            *(require_tool("javac"), "-nowarn", "-source", "17", "-target", "17", *EXPORTS),
            *("-cp", jar, "-d", target, HERE / "Keystores.java"),
        ],
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="session")
def jvm(classes):
    """Give Java, keytool or Bouncy Castle all its cells, in one virtual machine."""

    def command(release, program, version):
        home = release.javas[max(release.javas, key=_as_numbers) if program == "bouncycastle" else version]
        few = [f"-D{it}" for it in batch.SETTINGS.split()] if program == "keytool" else []
        return [
            *(release.java(home), *few, "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Xshare:auto", *EXPORTS),
            *("-cp", f"{release.root / BOUNCY_CASTLE}:{classes}", "Keystores"),
        ]

    return command


def _as_numbers(version):
    return [int(part) for part in version.replace("_", ".").split(".")]


@pytest.fixture(scope="session")
def go(folder):
    """Build the program of Go's two libraries, from Debian's sources, with nothing from the network."""

    @cache
    def build(release):
        source, program = folder / "keystores.go", folder / f"keystores-{release.root.name}"
        shutil.copy(HERE / "keystores.go", source)
        # From Go 1.20 on its own packages are compiled as well, which takes a minute: once for a root folder.
        cache_of = folder / "go" if release.root == Path("/") else release.root / "var/cache/go-build"
        environment = {
            **os.environ,
            "CGO_ENABLED": "0",
            "GO111MODULE": "off",
            "GOCACHE": str(cache_of),
            "GOFLAGS": "",
            "GOPATH": str(release.root / GO_SOURCES),
            "GOPROXY": "off",
        }
        built = subprocess.run(
            [release.program("go"), "build", "-o", program, source],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        assert built.returncode == 0, built.stderr
        return program

    return lambda release, program, version: [str(build(release))]  # noqa: ARG005  # as jvm


@pytest.fixture(scope="session")
def in_batch(request, place, material, ours, folder):
    """Give a program that is a library all its cells: ``in_batch("java-17", READINGS)``."""

    def do(name, cells):
        if not cells:
            return batch.Batch()
        program = EXPECTED.programs[name].program
        release, version = place(name)
        command = request.getfixturevalue(batch.READ_BY[program])(release, program, version)
        scratch = folder / f"{name}-{type(cells[0]).__name__}"
        return batch.run_batch(command, [(program, cell) for cell in cells], material, ours, scratch)

    return do


@pytest.fixture(scope="session")
def command(place, material, folder):
    """Make one of the programs that have a command: ``command("openssl-3.5")``."""

    @cache
    def make(name):
        release, _ = place(name)
        program, extra = EXPECTED.programs[name].program, {}
        if program == "pk12util":
            scratch = folder / f"{name}-databases"
            scratch.mkdir()
            extra = {"certutil": release.program("certutil"), "folder": scratch}
        return COMMANDS[program](program=release.program(program), material=material, **extra)

    return make


@pytest.fixture(scope="session")
def readings(command, in_batch, material, ours):
    """What a program found in each file of ours: ``readings("openssl-3.5")[reading]`` is an Outcome."""

    def read(chosen, reading):
        try:
            return chosen.read(ours[reading], reading)
        except Refused as refused:
            return Outcome(yes=False, why=str(refused))

    @cache
    def of(name):
        program = EXPECTED.programs[name].program
        if program in batch.READ_BY:
            found = in_batch(name, READINGS).read
            by_reading = {reading: found[program, reading] for reading in READINGS}
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
def written(command, in_batch, material, folder):
    """What we found in each file of a program's: ``written("openssl-3.5")[writing]`` is an Outcome."""

    def write(chosen, file, writing):
        try:
            chosen.write(file, writing)
        except Refused as refused:
            return Outcome(yes=False, why=f"not written: {refused}")
        return file

    @cache
    def of(name):
        program = EXPECTED.programs[name].program
        cells = writings_of(name)
        if program in batch.READ_BY:
            results = in_batch(name, cells).written
            files = {cell: results[program, cell] for cell in cells}
        else:
            chosen = command(name)
            scratch = folder / f"{name}-files"
            scratch.mkdir()
            with ThreadPoolExecutor(2) as pool:
                done = pool.map(lambda it: write(chosen, scratch / f"{cells.index(it)}.p12", it), cells)
                files = dict(zip(cells, done, strict=True))
        # Deriving keys by 600,000 iterations is what takes the time: in two processes. They do not mind a thread that
        # an earlier test left, of which Python warns.
        with (
            warnings.catch_warnings(action="ignore", category=DeprecationWarning),
            ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool,
        ):
            found = dict(zip(files, pool.map(decode, files, files.values()), strict=True))
        in_order = program not in EXPECTED.own_order
        return {
            cell: it if isinstance(it, Outcome) else judge(material.contents(cell.key), it, in_order=in_order)
            for cell, it in found.items()
        }

    return of
