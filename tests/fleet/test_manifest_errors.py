"""Mistakes in a manifest: all of them are reported together, each with its place, and never with a password."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from pkcs12kit.errors import InputError
from pkcs12kit.fleet.manifest import load_manifest
from pkcs12kit.fleet.problems import ManifestError
from pkcs12kit.limits import DEFAULT_LIMITS

from ..calling import UNUSABLE, call
from .manifests import BUNDLE, DEFAULTS, GOOD, problems, read

PASSWORD = "correct horse {battery}"
PASSWORDS = ("password", "key_password")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('pasword = "x"', "did you mean 'password'"),
        ('cert = "x"', "did you mean certificate?"),
        ('certs = "x"', "did you mean certificates?"),
        ('anchor = "x"', "did you mean trust_anchors?"),
        ('out = "x"', "did you mean output?"),
        ('server-name = "x"', "did you mean 'server_name'?"),
        ('cafile = "x"', "did you mean 'trust_anchors' or 'certificates'?"),
        ('password_file = "x"', 'did you mean password = { file = "..." }?'),
        ("dry_run = true", "batch --plan"),
        ("if_changed = true", "leave it out"),
        ("json = true", "batch --json"),
        ('for = "tomcat"', "did you mean 'java-17'"),
        ('profile = "moderm"', "did you mean 'modern'"),
        ('to = "nginx"', "did you mean 'pem'?"),
        ('revocation = "hard"', "Known names: off, soft, require"),
        ('server_name = "https://mdm.example.mil/"', "is a URL"),
        ('policy = ["1.2", "x"]', "item 2: 'x' is not an object identifier"),
        ('at = "tomorrow"', "is not a time"),
        ("at = 07:30:00", "not a time of day"),
        ("at = 0001-01-01T00:00:00+01:00", "before the year 1"),
        ('expires_within = "1 month"', "is not a duration"),
        ("expires_within = 30", "expected a text, not an integer"),
        ('mode = "0689"', "is not a mode"),
        ("mode = 0o644", "0644"),
        ("mode = true", "not true or false"),
        ('key_id = "xyz"', "is not a localKeyID"),
        ("iterations = 0", "at least 1"),
        ("iterations = true", "expected an integer, not true or false"),
        ("fetch = 1", "expected true or false, not an integer"),
        ("timeout = nan", "seconds"),
        ("certificates = []", "empty list"),
        ("certificates = [1]", "item 1: expected a text"),
        ('certificates = "-"', "standard input"),
        ('output = "~/x.p12"', "'~' is not replaced"),
        ('server_name = ""', "is empty"),
        ('friendly_name = "a\\u0000"', "NUL"),
        ('after = "reload"', "expected a list of words"),
        ("after = []", "is empty"),
        ('serves = "gopher://x:1"', "unknown STARTTLS protocol"),
        ('output = "{host}.p12"', "is not a template"),
        ('output = "{folder}/x.p12"', "only in a bundle with each"),
        ('output = "a}.p12"', "a single }"),
        ('name = "{name}"', None),
        ("owner = -1", "name or the number"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_place(tmp_path, line, said):
    """The sentence has the line, the bundle and the key, and says how to write it."""
    if said is None:
        line, said = "", "a name has templates only with each"
        text = GOOD.replace('name = "mdm"', 'name = "{name}"')
    else:
        text = GOOD + line + "\n"
    found = problems(tmp_path, text)
    assert len(found) == 1, found
    assert said in found[0]
    assert found[0].startswith("line ")
    assert "bundle '" in found[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "version: is missing"),
        ("version = 2\nnews = 1\n", "this release of pkcs12kit reads version 1"),
        ("version = true\n", "expected the integer 1"),
        ("version = 1\n", "bundle: is missing"),
        ('version = 1\n[bundle]\nname = "a"\n', "write each bundle as [[bundle]]"),
        ("version = 1\nbundle = []\n", "is empty"),
        ('version = 1\ndefaults = "x"\n' + BUNDLE, "expected a table"),
        ("version = 1\nbundle = [1]\n", "write each bundle as [[bundle]]"),
        (GOOD.replace("[defaults]", "[default]"), "did you mean 'defaults'?"),
        (GOOD.replace("[defaults]\n", ""), "belongs into [defaults]"),
        (GOOD.replace("out/{name}.p12", "out.p12"), "every bundle would write the same file"),
        (GOOD.replace('"out/{name}.p12"', '"out/{{name}}.p12"'), "every bundle would write the same file"),
        (DEFAULTS + "[[bundle]]\n", "a bundle has a name, or each"),
        (DEFAULTS + '[[bundle]]\neach = "*.none"\n', "matches no file"),
        (GOOD.replace('trust_anchors = "root.pem"\n', ""), "trust_anchors is missing"),
        (GOOD.replace('password = { env = "PW" }\n', ""), "password is missing"),
        (GOOD.replace('certificate = "mdm.pem"\n', ""), "a key needs its certificate"),
        (GOOD + BUNDLE.replace('"mdm', '"a/../mdm').replace("a/../mdm", "mdm", 1), "is also the name of bundle 1"),
    ],
)
def test_a_wrong_structure_is_named(tmp_path, text, said):
    """A manifest of another version is not judged by keys that this release may not know."""
    found = problems(tmp_path, text)
    assert any(said in one for one in found), found


def test_all_mistakes_are_reported_together_in_the_order_of_their_lines(tmp_path):
    """Nobody has to run it again and again; those after a wrong bundle are found as well."""
    text = (
        GOOD + 'cert = "x"\n[[bundle]]\nname = "b"\nkey = 1\n[[bundle]]\nname = "c"\npkcs12 = "c.p12"\nfor = "tomcat"\n'
    )
    found = problems(tmp_path, text)
    assert [one.partition(",")[0] for one in found] == ["line 11", "line 14", "line 18"]


def test_a_mistake_in_the_defaults_is_reported_once(tmp_path):
    """A thousand bundles with one wrong default are one mistake."""
    bundles = "".join(f'[[bundle]]\nname = "{number}"\nkey = "k"\ncertificate = "c"\n' for number in range(5))
    (found,) = problems(tmp_path, DEFAULTS + "offline = true\n" + bundles)
    assert "[defaults], offline" in found
    (found,) = problems(tmp_path, DEFAULTS + 'server_name = "http://x"\n' + bundles)
    assert "[defaults], server_name" in found


def test_the_number_of_reported_mistakes_is_limited(tmp_path):
    """A file of another kind has thousands."""
    path = tmp_path / "fleet.toml"
    path.write_text(GOOD + "".join(f"x{number} = 1\n" for number in range(50)))
    with pytest.raises(ManifestError, match="and 47 more") as caught:
        load_manifest(path, limits=replace(DEFAULT_LIMITS, manifest_errors=3))
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("key", PASSWORDS)
@pytest.mark.parametrize(
    "value",
    [
        f'"{PASSWORD}"',
        f'["{PASSWORD}"]',
        f'{{ value = "{PASSWORD}" }}',
        f'{{ "{PASSWORD}" = "" }}',
        f'{{ file = ["{PASSWORD}"] }}',
        f'{{ env = {{ x = "{PASSWORD}" }} }}',
        f'{{ file = "x", env = "{PASSWORD}" }}',
        f'{{ command = "{PASSWORD}" }}',
        f'{{ env = "={PASSWORD}" }}',
        '{ file = "" }',
        '{ env = "" }',
        "{ command = [] }",
        '{ command = [""] }',
        '{ file = "-" }',
        "{}",
        "1234",
        "2018-06-01",
    ],
)
def test_passwords_in_the_manifest_and_empty_references_are_refused(tmp_path, key, value):
    """The error never repeats any of a value that may be a password."""
    text = GOOD.replace('password = { env = "PW" }\n', "")
    for place in (text.replace("[defaults]\n", f"[defaults]\n{key} = {value}\n"), f"{text}{key} = {value}\n"):
        with pytest.raises(ManifestError) as caught:
            read(tmp_path, place)
        assert key in str(caught.value)
        for secret in (*PASSWORD.split(), "1234", "2018"):
            assert secret not in str(caught.value)
            assert secret not in repr(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "password = hunter2",
        'password = "hunter2',
        "password = 'hunter2\n",
        'password = "hunter2" hunter2',
        'password = """hunter2',
        'password = "hunter2\\q"',
        'password hunter2 = "x"',
        'password."hunter2" = 1\npassword."hunter2" = 2',
        "[password.hunter2]\n[password.hunter2]",
        "password = { hunter2 = 1, hunter2 = 2 }",
        "password = hunter2\x00",
    ],
)
def test_an_error_of_toml_never_repeats_a_password(tmp_path, line):
    """A password without quotation marks is the most likely mistake of all."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, f"{GOOD}{line}\n")
    assert "hunter2" not in str(caught.value)
    assert "not valid TOML" in str(caught.value)


@pytest.mark.parametrize("data", [b"\xff", b"version = 1\n# \xe4\n", b"a = " + b"[" * 100_000, b"a = " + b"1" * 5_000])
def test_text_that_is_no_toml(tmp_path, data):
    """Neither another encoding nor deep nesting nor a number without end is an error of the program."""
    with pytest.raises(InputError):
        read(tmp_path, data)


def test_limits_of_a_manifest(tmp_path):
    """A file that is too large is not parsed, and patterns may not list a whole disk."""
    for number in range(20):
        (tmp_path / f"{number}.key").touch()
    path = tmp_path / "fleet.toml"
    path.write_text(DEFAULTS + '[[bundle]]\neach = "*.key"\nkey = "k"\ncertificate = "c"\n')
    assert len(load_manifest(path).bundles) == 20
    for name, allowed in (("manifest_bytes", 10), ("manifest_entries", 10), ("manifest_bundles", 10)):
        with pytest.raises(InputError, match=name if name != "manifest_bytes" else "bytes"):
            load_manifest(path, limits=replace(DEFAULT_LIMITS, **{name: allowed}))


def test_an_error_with_several_mistakes_crosses_to_another_process(tmp_path):
    """It is equal there, with each mistake apart."""
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, GOOD + 'cert = "x"\nout = "y"\n')
    copied = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # from this process
    assert (str(copied), copied.problems, copied.several) == (
        str(caught.value),
        caught.value.problems,
        caught.value.several,
    )


def test_the_command_prints_each_mistake_on_a_line_of_its_own(tmp_path):
    """The exit status is 2, nothing is written, and the JSON object has all of them in its error."""
    (tmp_path / "fleet.toml").write_text(GOOD + 'cert = "x"\npassword = "hunter2"\n')
    done = call("batch", tmp_path / "fleet.toml", "--json")
    assert done.status == UNUSABLE
    lines = done.errors.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"error: {tmp_path}/fleet.toml: line 1") for line in lines)
    assert "2 mistakes in the manifest" in json.loads(done.output)["error"]
    assert "hunter2" not in done.output + done.errors
    assert [one.name for one in tmp_path.iterdir()] == ["fleet.toml"]
