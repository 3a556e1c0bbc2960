"""The lock files of the checks hold what pyproject.toml asks for: each version within its ranges, each with hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PYTHONS = ("3.11", "3.12", "3.13")
PROJECT = PYPROJECT["project"]
BUILD = PYPROJECT["build-system"]["requires"]
FILES = {
    "requirements.txt": [
        *PROJECT["dependencies"],
        *(line for extra in PROJECT["optional-dependencies"].values() for line in extra),
        *(line for group in PYPROJECT["dependency-groups"].values() for line in group),
        *BUILD,
    ],
    "runtime.txt": PROJECT["dependencies"],
}


def locked(text):
    """Return each requirement of a lock file with its hashes."""
    lines = text.replace("\\\n", " ").splitlines()
    return [
        (Requirement(line.partition(" --hash")[0]), re.findall(r"--hash=sha256:([0-9a-f]{64})(?=\s|$)", line))
        for line in lines
    ]


def versions(requirements, python):
    """Return the version of each distribution that is locked for a version of Python on Linux."""
    environment = default_environment() | {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
    }
    found = {}
    for requirement in requirements:
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            name = canonicalize_name(requirement.name)
            assert name not in found
            found[name] = pin.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", FILES)
def test_holds_what_is_asked_for(name, python):
    """Each requirement of pyproject.toml is locked, to one version, within its range. ``.ci/lock`` renews the files."""
    found = versions([one for one, _ in locked((ROOT / ".ci" / name).read_text("utf-8"))], python)
    for wanted in map(Requirement, FILES[name]):
        assert found[canonicalize_name(wanted.name)] in wanted.specifier, wanted


@pytest.mark.parametrize("name", FILES)
def test_every_line_has_hashes_and_no_address(name):
    """What is installed is what was locked, from whatever index: hashes by SHA-256, and no URL or path."""
    text = (ROOT / ".ci" / name).read_text("utf-8")
    assert "/" not in text
    for requirement, hashes in locked(text):
        assert hashes, requirement
        assert requirement.url is None


@pytest.mark.parametrize("python", PYTHONS)
def test_the_package_runs_with_the_versions_of_the_checks(python):
    """What runtime.txt locks is a part of what requirements.txt locks, with the same hashes."""
    everything, runtime = (locked((ROOT / ".ci" / name).read_text("utf-8")) for name in FILES)
    every_version = versions([one for one, _ in everything], python)
    assert versions([one for one, _ in runtime], python).items() <= every_version.items()
    hashes = {str(one.specifier) + one.name: found for one, found in everything}
    assert all(hashes[str(one.specifier) + one.name] == found for one, found in runtime)
