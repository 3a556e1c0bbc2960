"""The keys of a manifest are the options of ``build``; the JSON Schema and the page of reference have them all."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from pkcs12kit.cli.build import command
from pkcs12kit.fleet import schema
from pkcs12kit.fleet.problems import RENAMED, RUN_OWN

from .manifests import read

SCRIPT = Path(__file__).parents[2] / "docs" / "making" / "manifest.py"
OWN = {"name", "each", "expires_within", "after", "after_timeout", "serves", "serves_timeout"}
"""The keys that ``build`` has no option for."""
PASSWORDS = {"password", "key_password", "pkcs12_password", "certificate_password", "contents_password"}


@pytest.fixture(scope="module")
def making():
    """Return the script that writes the schema and the page."""
    specification = importlib.util.spec_from_file_location("manifest_making", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def long_options():
    """Return the long options of ``build``, written as keys."""
    names = {name for option in command.params for name in option.opts if name.startswith("--")}
    return {name[2:].replace("-", "_") for name in names} | {"help"}


@pytest.mark.parametrize("option", sorted(long_options()))
def test_each_long_option_of_build_is_a_key_or_explained(option):
    """An option that build gets later has to be decided upon here, too."""
    assert sum(option in names for names in (schema.KEYS, RENAMED, RUN_OWN)) == 1


def test_each_key_is_an_option_of_build_or_of_the_fleet():
    """No key is a word of the manifest only by accident."""
    renamed = set(RENAMED.values())
    assert set(schema.KEYS) - long_options() - OWN - PASSWORDS - renamed == set()
    assert set(RUN_OWN) - long_options() == {"version"}
    assert set(schema.KEYS) - set(schema.DEFAULT_KEYS) == {"name", "each"}


def test_the_published_schema_is_the_one_of_this_release(making):
    """``python docs/making/manifest.py`` writes it."""
    assert making.SCHEMA.read_text("utf-8") == making.schema_text()


def test_each_key_is_described_in_the_schema():
    """Editors show the sentence beside the key."""
    for table in schema.manifest_schema()["$defs"].values():
        assert table["additionalProperties"] is False
        for key, said in table["properties"].items():
            assert said["description"].endswith("."), key


def test_the_page_has_each_key_with_its_description(making):
    """``python docs/making/manifest.py`` writes the table."""
    page = making.PAGE.read_text("utf-8")
    assert page == making.page_text(page)
    assert all(f"| `{key}` | " in page for key in schema.KEYS)


def test_the_manifest_on_the_page_is_right(making, tmp_path):
    """The example can be copied."""
    example = making.PAGE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "hosts" / "b.example.mil").mkdir(parents=True)
    assert [one.name for one in read(tmp_path, example).bundles] == ["mdm", "b.example.mil"]
