"""A manifest as it is meant: defaults, templates, one bundle for each match, absolute paths."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from pkcs12kit.errors import InputError
from pkcs12kit.fleet.arguments import build_arguments
from pkcs12kit.fleet.bundles import Secret
from pkcs12kit.fleet.manifest import load_manifest
from pkcs12kit.limits import DEFAULT_LIMITS

from .manifests import BUNDLE, DEFAULTS, GOOD, problems, read

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_bundle_is_resolved_with_its_defaults(tmp_path):
    """Paths are relative to the manifest, not to the current folder; a text stands for a list of one."""
    more = (
        'server_name = "{name}.example.mil"\nexpires_within = "30d"\nafter = ["reload", "{name}"]\nserves = "a:443"\n'
    )
    (bundle,) = read(tmp_path, GOOD + more).bundles
    assert (bundle.name, bundle.folder) == ("mdm", str(tmp_path))
    assert bundle.output == str(tmp_path / "out" / "mdm.p12")
    assert (bundle.key, bundle.certificate) == (str(tmp_path / "mdm.key"), str(tmp_path / "mdm.pem"))
    assert bundle.trust_anchors == (str(tmp_path / "root.pem"),)
    assert bundle.password == Secret("env", "PW")
    assert bundle.options == {"server_name": "mdm.example.mil"}
    assert bundle.expires_within == timedelta(days=30)
    assert (bundle.after, bundle.serves) == (("reload", "mdm"), ("a:443",))
    assert bundle.digest == pickle.loads(pickle.dumps(bundle)).digest  # noqa: S301  # from this process


def test_the_manifest_is_relative_to_its_own_folder_wherever_it_is_read(tmp_path, monkeypatch):
    """The folder of a manifest that is named by a relative path is absolute in each bundle, which may go elsewhere."""
    (tmp_path / "fleet.toml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    (bundle,) = load_manifest("fleet.toml").bundles
    assert bundle.key == str(tmp_path / "mdm.key")


def test_absolute_paths_secrets_and_byte_order_marks(tmp_path):
    """Files of passwords are resolved as other paths; commands and variables stay as they are."""
    more = 'key_password_file = "/k"\ncertificate_password = { command = ["pass", "show", "{name}"] }\n'
    (bundle,) = read(tmp_path, b"\xef\xbb\xbf" + (GOOD + more).replace("\n", "\r\n").encode()).bundles
    assert bundle.key_password == Secret("file", "/k")
    assert bundle.certificate_password == Secret("command", ("pass", "show", "mdm"))


@pytest.mark.parametrize(
    ("own", "gone"),
    [
        ('pkcs12 = "mdm.p12"\n', {"key", "certificate", "key_password"}),
        ('from = "delivery.zip"\n', {"key", "certificate", "pkcs12_password"}),
        ('to = "pem"\nkey_out = "mdm.key.out"\n', {"password", "pkcs12_password"}),
        ('profile = "no-password"\n', {"password", "pkcs12_password"}),
    ],
)
def test_a_key_of_a_bundle_stands_instead_of_the_defaults_that_it_rules_out(tmp_path, own, gone):
    """A fleet may have both forms and all kinds of input: what a bundle names itself goes before the defaults."""
    more = 'key = "{name}.key"\ncertificate = "{name}.pem"\nkey_password = { file = "pw" }\n'
    (bundle,) = read(tmp_path, DEFAULTS + more + '[[bundle]]\nname = "a"\n' + own).bundles
    for name in gone:
        assert getattr(bundle, name) is None, name


def test_servers_are_not_asked_for_certificates_without_a_key(tmp_path):
    """``certs_only`` stands instead of default servers, and contradicts those of its own bundle."""
    only = '[[bundle]]\nname = "a"\ncertificate = "ca.pem"\ncerts_only = true\n'
    (bundle,) = read(tmp_path, DEFAULTS + 'serves = "{name}:443"\n' + only).bundles
    assert bundle.serves == ()
    (found,) = problems(tmp_path, DEFAULTS + only + 'serves = "a:443"\n')
    assert "certs_only writes no server's certificate" in found


def test_for_goes_before_a_default_profile(tmp_path):
    """``for`` and ``profile`` exclude each other, also across the two tables."""
    (bundle,) = read(tmp_path, DEFAULTS + 'profile = "legacy"\n' + BUNDLE + 'for = "windows-2016"\n').bundles
    assert bundle.options == {"for": ["windows-2016"]}


def test_each_makes_one_bundle_for_each_match(tmp_path):
    """Matches are sorted; of a file ``{name}`` leaves out the last suffix, of a folder it is the whole name."""
    for host in ("b.example.mil", "a.example.mil"):
        (tmp_path / "hosts" / host).mkdir(parents=True)
        (tmp_path / "hosts" / f"{host}.key").touch()
    of_folders = '[[bundle]]\neach = "hosts/*.mil"\nfrom = "{folder}"\n'
    found = read(tmp_path, DEFAULTS + of_folders).bundles
    assert [one.name for one in found] == ["a.example.mil", "b.example.mil"]
    assert found[0].source == str(tmp_path / "hosts" / "a.example.mil")
    of_files = '[[bundle]]\neach = "hosts/*.key"\nname = "{name} key"\nkey = "{folder}/{name}.key"\ncertificate = "c"\n'
    found = read(tmp_path, DEFAULTS + of_files).bundles
    assert [one.name for one in found] == ["a.example.mil key", "b.example.mil key"]
    assert found[0].key == str(tmp_path / "hosts" / "a.example.mil.key")
    assert found[0].output == str(tmp_path / "out" / "a.example.mil.p12")


def test_each_below_any_number_of_folders(tmp_path):
    """``**`` also matches no folder, and leaves out hidden ones and those behind symbolic links."""
    for folder in (".", "x", "x/y", ".hidden"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{len(folder)}.key").touch()
    (tmp_path / "x" / "loop").symlink_to(tmp_path)
    text = DEFAULTS + '[[bundle]]\neach = "**/*.key"\nname = "{folder} {name}"\nkey = "k"\ncertificate = "c"\n'
    text = text.replace("out/{name}", "{folder}/{name}")
    assert [one.name for one in read(tmp_path, text).bundles] == [". 1", "x 1", "x/y 3"]


@pytest.mark.parametrize("name", ["{folder}", "{{name}}", "{name}", "}{", "a{b", "%s", "$HOME", "`id`", "ü"])
def test_a_match_is_filled_in_once(tmp_path, name):
    """Braces in the name of a file are characters, not templates: a name cannot make itself another path."""
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / f"{name}.key").touch()
    text = DEFAULTS + '[[bundle]]\neach = "h/*.key"\nkey = "{folder}/{name}.key"\ncertificate = "{{{name}}}"\n'
    (bundle,) = read(tmp_path, text).bundles
    assert bundle.name == name
    assert bundle.output == f"{tmp_path}/out/{name}.p12"
    assert bundle.certificate == f"{tmp_path}/{{{name}}}"


@pytest.mark.parametrize(
    "name", ["-rf.key", "~root.key", " a.key", "a\nb.key", "a\x1b[2J.key", "\udcff.key", "\u202ea.key"]
)
def test_a_match_whose_name_is_dangerous_in_a_path_or_a_command_is_refused(tmp_path, name):
    """A leading dash is an option of the command after a change; line breaks and escapes would reach logs."""
    (tmp_path / "h").mkdir()
    with open(os.fsencode(tmp_path / "h" / name), "wb"):  # noqa: PTH123  # not UTF-8
        pass
    text = DEFAULTS + '[[bundle]]\neach = "h/*.key"\nkey = "k"\ncertificate = "c"\n'
    (found,) = problems(tmp_path, text)
    assert "the match" in found
    assert found.isprintable()


def test_a_match_never_leads_to_a_folder_above(tmp_path):
    """If ``.key`` counted as a suffix, the file ``...key`` would have the name ``..``."""
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "...key").touch()
    text = DEFAULTS + '[[bundle]]\neach = "h/.*key"\nkey = "k"\ncertificate = "c"\n'
    assert [one.name for one in read(tmp_path, text).bundles] == ["...key"]


def test_arguments_of_build(tmp_path):
    """Each option has the meaning that it has for the command."""
    more = """
at = 2018-06-01T00:00:00+02:00
server_name = "mdm.example.mil"
policy = "2.16.840.1.101.3.2.1.3.8"
algorithms = "sp800-78"
ranking = "shortest"
ignore_anchor_validity = true
key_id = "01:ff"
max_iterations = 1000
fetch = true
offline = true
timeout = 2.5
mode = "0640"
group = 0
for = ["windows-2016"]
iterations = 4096
ca_name = ["one", "two"]
no_anchor = true
force = true
"""
    (bundle,) = read(tmp_path, GOOD + more).bundles
    given = build_arguments(bundle, time=NOW, evidence="", limits=DEFAULT_LIMITS)
    parameters = given["parameters"]
    assert parameters.time == datetime(2018, 5, 31, 22, tzinfo=UTC)
    assert parameters.initial_explicit_policy
    assert parameters.algorithm_policy.name == "sp800-78"
    assert not parameters.check_trust_anchor_validity
    assert given["limits"].pfx_iterations == 1000
    assert given["limits"].retrieval_seconds == 2.5
    assert given["fetch"].offline
    assert given["profile"].name == "legacy-3des"
    assert given["profile"].encryption_iterations == 4096
    assert (given["mode"], given["group"], given["key_id"]) == (0o640, 0, b"\x01\xff")
    assert (given["include_anchor"], given["overwrite"], given["ca_names"]) == (False, True, ("one", "two"))


def test_the_time_of_the_run_is_for_bundles_without_their_own(tmp_path):
    """All bundles of a run are judged at one time."""
    (bundle,) = read(tmp_path, GOOD).bundles
    assert build_arguments(bundle, time=NOW, evidence="", limits=DEFAULT_LIMITS)["parameters"].time == NOW


def test_a_manifest_that_everybody_may_change_is_warned_of(tmp_path):
    """It names commands that are run."""
    assert not read(tmp_path, GOOD).warnings
    (tmp_path / "fleet.toml").chmod(0o666)
    (warning,) = load_manifest(tmp_path / "fleet.toml").warnings
    assert "may change the manifest" in warning


@pytest.mark.parametrize("path", ["-", "missing.toml", "."])
def test_a_manifest_that_cannot_be_read(tmp_path, monkeypatch, path):
    """Standard input has no folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        load_manifest(path)
