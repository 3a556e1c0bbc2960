"""The sentences of ``build`` in a batch: every option that they name is a key of the manifest."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit.cli.build import command as build
from pkcs12kit.fleet import manifest_words, schema
from pkcs12kit.fleet.manifest_words import FLAGS, KEYS, words
from pkcs12kit.fleet.problems import RENAMED, RUN_OWN

from ..calling import call
from ..cli.hint_commands import require_parsable
from .hosts import Hosts

PACKAGE = Path(pk.__file__).parent
OPTION = re.compile(r"(?<![\w/.-])--([a-z][a-z-]+[a-z])(?![\w-])")
COMMAND = re.compile(r"^(pkcs12kit |--[a-z-]+$)")


def texts_of(node):
    """Yield the texts that a module may print, with X for values; not its docstrings."""
    for one in ast.walk(node):
        body = getattr(one, "body", None)
        if isinstance(body, list):
            one.body = [
                part for part in body if not isinstance(part, ast.Expr) or not isinstance(part.value, ast.Constant)
            ]
    inside = {part for one in ast.walk(node) if isinstance(one, ast.JoinedStr) for part in one.values}
    for one in ast.walk(node):
        if isinstance(one, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "X" for part in one.values)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and one not in inside:
            yield one.value


def every_text():
    """Return the texts of the library that name options of the command, apart from those that are commands."""
    modules = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in {"cli", "fleet"}]
    texts = {text for path in modules for text in texts_of(ast.parse(path.read_text("utf-8")))}
    return sorted(text for text in texts if OPTION.search(text) and not COMMAND.match(text))


def test_no_text_of_the_library_names_an_option_in_a_batch():
    """All hints, errors and warnings that there are, read from the source; other commands' options stay."""
    texts = every_text()
    assert len(texts) > 60
    assert [text for text in texts if set(OPTION.findall(words(text))) & KEYS.keys()] == []
    assert [text for text in texts if "(in Python:" in words(text) and set(OPTION.findall(text)) & KEYS.keys()] == []


def test_every_option_of_build_has_its_key():
    """A new option of ``build`` is a key of a manifest by its own name, by another, or is not one of a bundle."""
    options = {name[2:] for one in build.params for name in (*one.opts, *one.secondary_opts) if name.startswith("--")}
    own = {name.replace("_", "-") for name in RUN_OWN}
    assert options - KEYS.keys() - own - {"password-stdin", "debug"} == set()
    assert set(KEYS.values()) <= set(schema.KEYS)
    for name, key in RENAMED.items():
        if name.replace("_", "-") in KEYS:
            assert key.startswith(KEYS[name.replace("_", "-")])
    fields = {field.alias or name: field.annotation for name, field in schema.Bundle.model_fields.items()}
    assert {key for key, annotation in fields.items() if annotation is bool} == FLAGS
    assert {key for key, kind in fields.items() if kind is int} | {"timeout"} >= manifest_words._NUMBERS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("give the missing certificate with --certs", "give the missing certificate in 'certificates'"),
        ("give another --anchor if the clients", "give another file in 'trust_anchors' if the clients"),
        ("or leave --server-name out, if it", "or leave 'server_name' out, if it"),
        ("--server-name NAME asks", 'server_name = "NAME" asks'),
        ("leave --offline out, and", "leave 'offline' out, and"),
        ("or add --fetch, which", "or add fetch = true, which"),
        ("build --fetch does the same", "fetch = true does the same"),
        ("--at TIME checks another time", 'at = "TIME" checks another time'),
        ("--timeout SECONDS allows more", "timeout = SECONDS allows more"),
        ("with --force (in Python: overwrite=True)", "with force = true"),
        ("with --key-name or --key-id (in Python: key_name= or key_id=)", "in 'key_name' or 'key_id'"),
        ("with --revocation soft", 'with revocation = "soft"'),
        ("choose with --group staff or --mode 0600", 'choose with group = "staff" or mode = "0600"'),
        ("one of: --key 'a \"b.key', --key-name x (for", 'one of: key = "a \\"b.key", key_name = "x" (for'),
        ("(--max-iterations raises it)", "('max_iterations' raises it)"),
        ("--bundle-anchor FILE names the root", None),
        ("once without --check: the state", None),
        ("/a/--certs/b: no such file", None),
        ("a--certs.pem: no such file", None),
        ("--certs-old: no such file", None),
        ("nothing (in Python: nothing)", None),
    ],
)
def test_words(given, said):
    """Values are those of TOML; the rest of a sentence stays as it is."""
    assert words(given) == (given if said is None else said)
    assert words(words(given)) == words(given)


BROKEN = {
    # a bundle: its lines, and a part of its error
    "name": ('server_name = "other.example"', "other.example"),
    "expired": ('at = "2090-01-01"', "no valid path"),
    "early": ('at = "1999-01-01"', "no valid path"),
    "anchor": ('trust_anchors = "hosts/host001.pem"', "no valid path"),
    "issuer": ('certificates = "cas/middle.pem"', "no valid path"),
    "policy": ('policy = "1.2.3.4"', "polic"),
    "revocation": ('revocation = "require"', "revocation"),
    "swapped": ('key = "hosts/host000.pem"\ncertificate = "hosts/host000.key"', "hosts/host000"),
    "not a PKCS#12 file": ('pkcs12 = "hosts/host000.pem"', "PKCS#12"),
    "no key": ('from = "cas"', "no private key"),
    "other kind": ('output = "password.bak"', "already exists"),
    "key of another": ('key = "hosts/host001.key"', "key"),
}


def test_every_kind_of_failure(tmp_path):
    """Neither errors nor hints name options, each command is one that is there, and names the bundle's own files."""
    hosts = Hosts(tmp_path, 2)
    (tmp_path / "password.bak").write_text("not a file to replace")
    lines = []
    for name, (text, _) in BROKEN.items():
        keys = dict(line.split(" = ", 1) for line in text.splitlines())
        if not keys.keys() & {"from", "pkcs12"}:
            keys = {"key": '"hosts/host000.key"', "certificate": '"hosts/host000.pem"', **keys}
        keys = {"output": f'"out/{name}.p12"', **keys}
        lines.append(f'[[bundle]]\nname = "{name}"\n' + "\n".join(f"{key} = {value}" for key, value in keys.items()))
    text = hosts.path.read_text("utf-8").partition("[[bundle]]")[0]
    hosts.path.write_text(text + "\n".join(lines), "utf-8")
    report = pk.batch(hosts.path, jobs=1)
    for one in report.bundles:
        assert (one.name, one.status.value) == (one.name, "failed")
        assert BROKEN[one.name][1] in one.error
        said = (one.error, *one.warnings, *(hint.text for hint in one.hints))
        assert [text for text in said if set(OPTION.findall(text)) & KEYS.keys()] == []
        for hint in one.hints:
            require_parsable(hint.command)
            assert hint.command is None or not {"CERT", "SOURCE"} & set(hint.command.split())
    shown = call("batch", hosts.path, "--jobs", "1")
    assert shown.status == 1
    sentences = [line.partition(": pkcs12kit ")[0] for line in shown.errors.splitlines()]
    assert [text for text in sentences if set(OPTION.findall(text)) & KEYS.keys()] == []
