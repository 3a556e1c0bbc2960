"""Random manifests: the answer is bundles or an error with sentences, never a traceback, and never with a password."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit.errors import InputError
from pkcs12kit.fleet import schema
from pkcs12kit.fleet.arguments import build_arguments
from pkcs12kit.fleet.bundles import PASSWORDS
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.times import now

from ..thoroughness import examples
from .manifests import read

SECRET = "hunter2"
GOOD = {
    "name": '"a"',
    "key": '"k"',
    "certificate": '"c"',
    "output": '"{name}.p12"',
    "trust_anchors": '["root"]',
    "password": '{ env = "PW" }',
}
TEXTS = st.text(st.sampled_from("ab{}~-./ name:folder\0\n\u00e9"), max_size=12).map(json.dumps)
WORDS = st.sampled_from(
    [
        '"{name}"', '"{folder}"', '"x"', '"modern"', '"no-password"', '"pem"', '"pkcs12"', '"30d"', '"0640"', '"off"',
        '"windows-2016"', '"1.2.3"', '"a.example"', '"ff"', "true", "false", "1", "-1", "0o640", "1.5", "nan", "inf",
        "2018-06-01", "2018-06-01T00:00:00Z", "07:30:00", "[]", '["x"]', '["a", "b"]', "[1]", "[[]]", "{}",
        '{ file = "x" }', '{ env = "x" }', '{ command = ["x"] }', "99999999999999999999", '""', '"-"', '"*"', '"**"',
    ]
)  # fmt: skip
VALUES = WORDS | TEXTS
SECRETS_THERE = st.sampled_from(
    [
        f'"{SECRET}"', f'["{SECRET}"]', f'{{ x = "{SECRET}" }}', f'{{ "{SECRET}" = 1 }}', f"{{ file = ['{SECRET}'] }}",
        f'"{{{SECRET}}}"', SECRET, f'"{SECRET}', f"{{ {SECRET} = 1, {SECRET} = 2 }}", f'{{ command = "{SECRET}" }}',
        f'{{ env = "={SECRET}" }}', f'[[["{SECRET}"]]]', f"'''{SECRET}",
    ]
)  # fmt: skip
KEYS = st.sampled_from((*schema.KEYS, "cert", "json", "x", "{name}"))
FOLDER = Path(tempfile.mkdtemp(prefix="manifests"))


def lines(table):
    """Return the lines of a table of TOML values."""
    return "".join(f"{key if key.isidentifier() else repr(key)} = {value}\n" for key, value in table.items())


def read_or_refused(text):
    """Return the manifest of a text, or the error about it."""
    try:
        return read(FOLDER, text)
    except InputError as error:
        return error


@settings(max_examples=examples(400), deadline=None)
@given(
    defaults=st.dictionaries(KEYS, VALUES, max_size=4),
    own=st.dictionaries(KEYS, VALUES, max_size=4),
    left_out=st.sets(st.sampled_from(sorted(GOOD)), max_size=2),
)
def test_any_manifest_is_read_or_refused_in_sentences(defaults, own, left_out):
    """What is read can be built: its arguments are made without an error of another kind."""
    good = {key: value for key, value in GOOD.items() if key not in left_out}
    text = f"version = 1\n[defaults]\n{lines(defaults)}[[bundle]]\n{lines(good | own)}"
    found = read_or_refused(text)
    if isinstance(found, InputError):
        assert str(found).isprintable()
        return
    for bundle in found.bundles:
        assert len(bundle.digest) == 64
        if not bundle.options.keys() & {"crl", "ocsp"}:  # files that do not exist
            build_arguments(bundle, time=now(), evidence="", limits=DEFAULT_LIMITS)


@settings(max_examples=examples(200), deadline=None)
@given(
    key=st.sampled_from(PASSWORDS),
    value=SECRETS_THERE,
    in_defaults=st.booleans(),
    own=st.dictionaries(KEYS, WORDS, max_size=2),
)
def test_no_error_repeats_a_password(key, value, in_defaults, own):
    """Neither pydantic's errors nor those of TOML reach the text, the repr or the causes that are shown."""
    table = GOOD | {one: said for one, said in own.items() if one != key}
    text = "version = 1\n[defaults]\n"
    table.pop("password")
    text += f"{key} = {value}\n" if in_defaults else ""
    text += f"[[bundle]]\n{lines(table)}" + ("" if in_defaults else f"{key} = {value}\n")
    error = read_or_refused(text)
    assert isinstance(error, InputError), text
    assert SECRET not in str(error)
    assert SECRET not in repr(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
