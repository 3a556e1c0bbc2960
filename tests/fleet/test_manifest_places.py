"""No output of a manifest is an output or an input of another bundle, in whichever way the two are written."""

from __future__ import annotations

import os

import pytest

from pkcs12kit.fleet import places

from .manifests import DEFAULTS, problems, read


def bundle(name, output, more=""):
    """Return a bundle with an output."""
    return f'[[bundle]]\nname = "{name}"\nkey = "{name}.key"\ncertificate = "{name}.pem"\noutput = "{output}"\n{more}'


@pytest.fixture
def folder(tmp_path):
    """A folder with files and links to them."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "there.p12").touch()
    (tmp_path / "hard.p12").hardlink_to(tmp_path / "there.p12")
    (tmp_path / "soft.p12").symlink_to("there.p12")
    (tmp_path / "dangling.p12").symlink_to("real/new.p12")
    return tmp_path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x.p12", "x.p12"),
        ("x.p12", "./x.p12"),
        ("x.p12", "real/../x.p12"),
        ("real/x.p12", "link/x.p12"),
        ("new/x.p12", "new/./x.p12"),
        ("link/new/x.p12", "real/new/x.p12"),
        ("there.p12", "hard.p12"),
        ("there.p12", "soft.p12"),
        ("dangling.p12", "link/new.p12"),
    ],
)
def test_two_bundles_never_write_one_file(folder, one, other):
    """Also where the file does not exist yet: the second bundle would replace the first one's key."""
    for first, second in ((one, other), (other, one), (f"{folder}/{one}", other)):
        found = problems(folder, DEFAULTS + bundle("a", first) + bundle("b", second))
        assert len(found) == 1
        assert "is the same file as output of bundle 'a'" in found[0]


def test_capital_letters_count_only_where_the_folder_tells_them_apart(folder, monkeypatch):
    """MacOS and Windows, as a rule, have one file for both names."""
    text = DEFAULTS + bundle("a", "real/\u00e9.p12") + bundle("b", "real/E\u0301.P12")
    assert len(read(folder, text).bundles) == 2
    monkeypatch.setattr(places, "ignores_case", lambda _: True)
    assert len(problems(folder, text)) == 1


def test_a_folder_that_ignores_case_is_known_by_its_other_spelling(tmp_path):
    """A folder that is found under both spellings of its name is on such a file system; simulated by a link."""
    (tmp_path / "abc").mkdir()
    assert not places.ignores_case(str(tmp_path / "abc"))
    (tmp_path / "ABC").symlink_to("abc")
    assert places.ignores_case(str(tmp_path / "abc"))
    assert places.ignores_case(str(tmp_path / "abc" / "123"))


@pytest.mark.parametrize(
    ("output", "more"),
    [
        ("b.key", ""),
        ("b.pem", ""),
        ("a.key", ""),
        ("root.pem", ""),
        ("fleet.toml", ""),
        ("pw", 'key_password_file = "pw"\n'),
        ("pw", 'password = { file = "pw" }\n'),
        ("x.crl", 'crl = "x.crl"\n'),
    ],
)
def test_an_output_is_never_an_input_of_any_bundle(folder, output, more):
    """Else a run would destroy a key, a password or the manifest."""
    text = DEFAULTS + bundle("b", "b.p12") + bundle("a", output, more)
    (found,) = problems(folder, text)
    assert "an output never replaces an input" in found
    (found,) = problems(folder, DEFAULTS + bundle("a", output, more) + bundle("b", "b.p12"))
    assert "an output never replaces an input" in found


def test_a_file_for_the_key_is_an_output(folder):
    """``key_out`` is compared as ``output`` is."""
    pem = 'to = "pem"\nkey_out = "{}"\n'
    assert len(problems(folder, DEFAULTS + bundle("a", "a.out", pem.format("./a.out")))) == 1
    assert len(problems(folder, DEFAULTS + bundle("a", "a.out", pem.format("a.key")))) == 1
    assert not problems(folder, DEFAULTS + bundle("a", "a.out", pem.format("a.out.key")))


def test_only_its_own_bundle_rewrites_a_pkcs12_file(folder):
    """As with ``build``: the file of ``pkcs12`` may be the output, but not of another bundle."""
    own = '[[bundle]]\nname = "a"\npkcs12 = "there.p12"\noutput = "hard.p12"\n'
    assert not problems(folder, DEFAULTS + own)
    assert problems(folder, DEFAULTS + own + bundle("b", "soft.p12"))
    assert problems(folder, DEFAULTS + own + '[[bundle]]\nname = "b"\npkcs12 = "there.p12"\noutput = "b.p12"\n')


def test_a_readable_output_does_not_lie_among_the_certificates(folder):
    """The next run would find the certificates of the last one there; a file with a password is not read."""
    more = 'certificates = "link"\n'
    assert not problems(folder, DEFAULTS + bundle("a", "real/x.p12", more))
    (found,) = problems(folder, DEFAULTS + bundle("a", "real/x.pem", more + 'to = "pem"\n'))
    assert "lies in the folder" in found
    (found,) = problems(folder, DEFAULTS + bundle("a", "real/sub/x.p12", more + 'profile = "no-password"\n'))
    assert "lies in the folder" in found


def test_one_default_output_for_all_matches_is_found(folder):
    """Each bundle needs a file of its own, also those of one ``each``."""
    for name in "xy":
        (folder / "real" / name).touch()
    each = '[[bundle]]\neach = "real/*"\nkey = "k"\ncertificate = "c"\noutput = "{folder}/out.p12"\n'
    (found,) = problems(folder, DEFAULTS + each)
    assert "'y'" in found
    assert os.sep not in found.partition("output:")[0]


@pytest.mark.parametrize("depth", [1_500, pytest.param(5_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("key", ["key", "output"])
def test_a_path_of_thousands_of_folders(tmp_path, key, depth):
    """Neither the depth of calls nor the time runs out: no file has such a path, and the run says so."""
    given = {"key": "mdm.key", "output": "out/{name}.p12", key: "x/" * depth + "server"}
    bundle = (
        f'[[bundle]]\nname = "mdm"\ncertificate = "mdm.pem"\nkey = "{given["key"]}"\noutput = "{given["output"]}"\n'
    )
    assert problems(tmp_path, DEFAULTS + bundle) == ()
    twice = problems(tmp_path, DEFAULTS + bundle + bundle.replace('"mdm"', '"other"'))
    assert ("is the same file as" in " ".join(twice)) == (key == "output")
