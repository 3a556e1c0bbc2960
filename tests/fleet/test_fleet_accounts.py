"""Owners and groups that this computer does not know are mistakes in the manifest: nothing is done then."""

from __future__ import annotations

import os

import pytest

import pkcs12kit as pk
from pkcs12kit.errors import InputError

from ..calling import call
from .manifests import GOOD

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners and groups are those of POSIX")


@pytest.fixture
def manifest(tmp_path):
    """Two bundles with accounts that nobody has; their other inputs do not exist."""
    path = tmp_path / "fleet.toml"
    more = '[[bundle]]\nname = "web"\nkey = "web.key"\ncertificate = "web.pem"\ngroup = "no-such-group"\n'
    path.write_text(f'{GOOD}owner = "no-such-user"\ngroup = "no-such-group"\n{more}', "utf-8")
    return path


def test_unknown_accounts_are_refused_before_anything_is_done(manifest, tmp_path):
    """Exit status 2, each account once with its bundle and its key, and no file is written; a plan says the same."""
    for options in ((), ("--plan",)):
        done = call("batch", manifest, *options)
        assert done.status == 2
        assert "bundle 'mdm', owner: unknown user 'no-such-user'" in done.errors.replace('"', "'")
        assert "bundle 'mdm' and 1 more, group: unknown group 'no-such-group'" in done.errors.replace('"', "'")
        assert [path.name for path in tmp_path.iterdir()] == ["fleet.toml"]
    with pytest.raises(InputError, match="no-such-user"):
        pk.batch(manifest)


def test_where_the_accounts_of_this_computer_do_not_matter(manifest):
    """A check writes nothing, and other bundles are not chosen."""
    assert call("batch", manifest, "--check").status == 1
    chosen = call("batch", manifest, "--only", "web")
    assert chosen.status == 2
    assert "no-such-user" not in chosen.errors
