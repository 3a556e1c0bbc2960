"""The page on architecture has the layers of the import contract, and it and CONTRIBUTING.md name files that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGE = "docs/contributing/architecture.md"


@pytest.fixture(scope="module")
def page():
    """The text of the page."""
    return (PROJECT / PAGE).read_text("utf-8")


@pytest.fixture(scope="module")
def contracts():
    """The contracts of import-linter, by their type."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    return {contract["type"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_the_layers_are_those_of_the_contract(page, contracts):
    """Each layer is a row, from the top down, with its names in order; ':' lets the names import each other."""
    layers = contracts["layers"]["layers"]
    expected = [(re.split(r" [|:] ", layer), "yes" if " : " in layer else "no") for layer in layers]
    section = page.partition("## The layers")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \| .+ \| (yes|no) \|$", section, re.MULTILINE)
    assert [(re.findall(r"`(\w+)`", names), each_other) for names, each_other in rows] == expected
    assert contracts["layers"]["exhaustive"]
    assert all(f"`{name}`" in section for name in contracts["layers"]["exhaustive_ignores"])


def test_the_independent_parts_are_those_of_the_contract(page, contracts):
    """The second contract is explained."""
    modules = [name.removeprefix("pkcs12kit.") for name in contracts["independence"]["modules"]]
    assert [name for name in modules if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", [PAGE, "CONTRIBUTING.md"])
def test_named_files_exist(name):
    """Each file and folder of the project that is named in code font is there."""
    text = (PROJECT / name).read_text("utf-8")
    named = re.findall(r"`((?:pkcs12kit|tests|docs|man)/[\w./-]+)`", text)
    assert len(named) > 5
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_names_within_files_exist():
    """The classes, functions and tables that CONTRIBUTING.md names are in the files that it names."""
    text = (PROJECT / "CONTRIBUTING.md").read_text("utf-8")
    for file, names in {
        "pkcs12kit/findings.py": ("Check", "FILE_CHECKS", "SERVED_CHAIN_CHECKS", "SERVER_CHECKS"),
        "pkcs12kit/errors.py": ("FailureReason",),
        "pkcs12kit/pkcs12/readers.py": ("READERS",),
        "pkcs12kit/pkcs12/reader_table.py": ("ENTRIES", "FAMILIES"),
        "pkcs12kit/devices/table.py": ("_TABLE", "DEVICES", "_rsa"),
        "pkcs12kit/devices/model.py": ("Quantity",),
        "pkcs12kit/devices/properties.py": ("measure",),
        "pkcs12kit/paths/failure.py": ("refuse",),
        "pkcs12kit/verifier/checks.py": ("_NO_CHAIN",),
        "pkcs12kit/verifier/advice.py": ("_remedy",),
        "pkcs12kit/verifier/probe_checks.py": ("check_server",),
        "pkcs12kit/verifier/hints.py": ("_BY_CHECK",),
        "pkcs12kit/paths/hints.py": ("_BY_REASON",),
        "pkcs12kit/tls/probing/starttls_protocols.py": ("_PROTOCOLS",),
        "tests/tls/test_starttls.py": ("GOOD", "SPEAKS_FIRST", "NO", "STRANGE"),
    }.items():
        assert f"`{file}`" in text
        for name in names:
            assert f"`{name}" in text
            assert re.search(rf"^(?:class |def )?{name}\b", (PROJECT / file).read_text("utf-8"), re.MULTILINE)
