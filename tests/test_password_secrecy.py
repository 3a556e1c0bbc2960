"""No password comes out of whatever takes one: not in an error, nor in those that it came from, nor in a traceback.

Programs that report errors report their contexts, too. What takes a password is found by its signature: one that is
new and not called here fails the test.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import traceback
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

import pkcs12kit
from pkcs12kit import lab, profiles
from pkcs12kit.cli import cli
from pkcs12kit.errors import LimitExceededError, PasswordError, Pkcs12KitError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import comparison, decoder, encoder, passwords, readers
from pkcs12kit.sources import arguments, identities
from pkcs12kit.sources import keys as source_keys
from pkcs12kit.verifier.expectation import as_expected, load_expected
from pkcs12kit.verifier.probe import probe_servers

SECRET = "battery-staple-7"
RIGHT = "the right one"
PASSWORDS = {
    "half of a surrogate pair": f"{SECRET}\ud800",
    "what Python makes of octets that are not UTF-8": f"\udcff{SECRET}",
    "a surrogate among much": f"{SECRET * 1000}\udfff",
    "NUL": f"{SECRET}\0",
    "not in Latin-1": f"{SECRET}漢",
    "huge": SECRET * 20_000,
    "wrong": SECRET,
}
FOUND_BY_SIGNATURE_ELSEWHERE = {
    # cli: called below, as commands. Others: constructors that the functions here call with what they got.
    ("pkcs12kit.pkcs12.opening", "Opener"),
    ("pkcs12kit.sources.collecting", "Collector"),
    # References to passwords; tests/fleet tries passwords in their place.
    ("pkcs12kit.fleet.schema", "Bundle"),
    ("pkcs12kit.fleet.schema", "Defaults"),
}


@pytest.fixture(scope="module")
def world():
    """A server with its CA, its key encrypted in three ways, and files with and without a MAC."""
    topology = lab.Topology.from_edges("EE<A", "A<TA")
    server = topology.servers["EE"]
    quick = profiles.MODERN.with_iterations(encryption=2, mac=2)
    bundle = pkcs12kit.Bundle(private_key=server.private_key, certificates=(server.certificate, *topology.pool))
    pfx = pkcs12kit.encode_pfx(bundle, password=RIGHT, profile=quick)
    closed = BestAvailableEncryption(RIGHT.encode())
    formats = ((Encoding.PEM, PrivateFormat.PKCS8), (Encoding.PEM, PrivateFormat.TraditionalOpenSSL))
    return {
        "topology": topology,
        "anchor": topology.trust_anchor("TA"),
        "server": server,
        "bundle": bundle,
        "profile": quick,
        "pfx": pfx,
        "keys": [server.private_key.private_bytes(*form, closed) for form in formats],
    }


def build(world, **given):
    """Build a file from the key or from the file of the world."""
    asked = {"password": RIGHT, "profile": world["profile"]} | given
    return pkcs12kit.build(certificates=[world["topology"].pool], trust_anchors=[world["anchor"]], **asked)


def of_key(world, **given):
    """The arguments for a key and its certificate."""
    return {"key": world["keys"][0], "certificate": world["server"].certificate.to_pem().encode()} | given


# One call for each (module, function, parameter) that takes a password as text.
CALLS = {
    ("pkcs12kit.builder.build", "build", "password"): lambda w, p: build(
        w, password=p, **of_key(w, key_password=RIGHT)
    ),
    ("pkcs12kit.builder.build", "build", "key_password"): lambda w, p: build(w, **of_key(w, key_password=p)),
    ("pkcs12kit.builder.build", "build", "pkcs12_password"): lambda w, p: build(w, pkcs12=w["pfx"], pkcs12_password=p),
    ("pkcs12kit.builder.build", "build", "contents_password"): lambda w, p: build(
        w, pkcs12=w["pfx"], pkcs12_password=RIGHT, contents_password=p
    ),
    ("pkcs12kit.builder.build", "build", "certificate_password"): lambda w, p: build(
        w, **of_key(w, key_password=RIGHT) | {"certificate": w["pfx"]}, certificate_password=p
    ),
    ("pkcs12kit.builder.output", "OutputFile", "password"): None,  # a step of build, with the same arguments
    ("pkcs12kit.pkcs12.comparison", "why_copy_changed", "password"): lambda w, p: comparison.why_copy_changed(
        w["pfx"], w["pfx"], password=p, limits=DEFAULT_LIMITS
    ),
    ("pkcs12kit.pkcs12.comparison", "why_changed", "password"): lambda w, p: comparison.why_changed(
        w["pfx"], bundle=w["bundle"], password=p, profile=w["profile"], limits=DEFAULT_LIMITS
    ),
    ("pkcs12kit.pkcs12.comparison", "compare_pfx", "password"): lambda w, p: comparison.compare_pfx(
        w["pfx"], bundle=w["bundle"], password=p, profile=w["profile"], limits=DEFAULT_LIMITS
    ),
    ("pkcs12kit.fleet.secrets", "ReadSecret", "password"): None,  # tests/fleet/test_fleet_secrets.py
    ("pkcs12kit.fleet.records", "Record", "password"): None,  # the mark of its source, never a password
    ("pkcs12kit.comparison.compare", "compare_certificates", "password"): lambda w, p: pkcs12kit.compare_certificates(
        w["pfx"], w["pfx"], password=p, after_password=RIGHT
    ),
    ("pkcs12kit.comparison.compare", "compare_certificates", "after_password"): lambda w, p: (
        pkcs12kit.compare_certificates(w["pfx"], w["pfx"], password=RIGHT, after_password=p)
    ),
    ("pkcs12kit.paths.calls", "Call", "passwords"): None,  # options and names of files, for commands to copy
    # steps of the functions of the same names in sources.pkcs12_files, with the same arguments
    ("pkcs12kit.pkcs12.conversion", "convert_pfx", "password"): None,
    ("pkcs12kit.pkcs12.conversion", "convert_pfx", "contents_password"): None,
    ("pkcs12kit.pkcs12.conversion", "convert_pfx", "new_password"): None,
    ("pkcs12kit.pkcs12.decoder", "decode_pfx", "password"): None,
    ("pkcs12kit.pkcs12.decoder", "decode_pfx", "contents_password"): None,
    ("pkcs12kit.pkcs12.inspection", "inspect_pfx", "password"): None,
    ("pkcs12kit.pkcs12.inspection", "inspect_pfx", "contents_password"): None,
    ("pkcs12kit.sources.pkcs12_files", "convert_pfx", "password"): lambda w, p: pkcs12kit.convert_pfx(
        w["pfx"], password=p, new_password=RIGHT, profile=w["profile"]
    ),
    ("pkcs12kit.sources.pkcs12_files", "convert_pfx", "contents_password"): lambda w, p: pkcs12kit.convert_pfx(
        w["pfx"], password=RIGHT, contents_password=p, new_password=RIGHT, profile=w["profile"]
    ),
    ("pkcs12kit.sources.pkcs12_files", "convert_pfx", "new_password"): lambda w, p: pkcs12kit.convert_pfx(
        w["pfx"], password=RIGHT, new_password=p, profile=w["profile"]
    ),
    ("pkcs12kit.sources.pkcs12_files", "decode_pfx", "password"): lambda w, p: pkcs12kit.decode_pfx(
        w["pfx"], password=p
    ),
    ("pkcs12kit.sources.pkcs12_files", "decode_pfx", "contents_password"): lambda w, p: pkcs12kit.decode_pfx(
        w["pfx"], password=RIGHT, contents_password=p
    ),
    ("pkcs12kit.pkcs12.decoder", "decode_certificates", "password"): lambda w, p: decoder.decode_certificates(
        w["pfx"], password=p
    ),
    ("pkcs12kit.pkcs12.encoder", "encode_pfx", "password"): lambda w, p: pkcs12kit.encode_pfx(
        w["bundle"], password=p, profile=w["profile"]
    ),
    ("pkcs12kit.pkcs12.encoder", "encode_contents", "password"): lambda w, p: encoder.encode_contents(
        [], [], password=p, profile=w["profile"]
    ),
    ("pkcs12kit.sources.pkcs12_files", "inspect_pfx", "password"): lambda w, p: pkcs12kit.inspect_pfx(
        w["pfx"], password=p
    ),
    ("pkcs12kit.sources.pkcs12_files", "inspect_pfx", "contents_password"): lambda w, p: pkcs12kit.inspect_pfx(
        w["pfx"], password=RIGHT, contents_password=p
    ),
    ("pkcs12kit.pkcs12.passwords", "encode_password", "password"): lambda _, p: passwords.encode_password(p),
    ("pkcs12kit.pkcs12.passwords", "usual_encodings", "password"): lambda _, p: passwords.usual_encodings(p, "scrypt"),
    ("pkcs12kit.pkcs12.passwords", "rare_encodings", "password"): lambda _, p: passwords.rare_encodings(p, "scrypt"),
    ("pkcs12kit.pkcs12.passwords", "warnings_about", "password"): lambda _, p: tuple(passwords.warnings_about(p)),
    ("pkcs12kit.pkcs12.readers", "require_password", "password"): lambda _, p: readers.require_password(
        ("java-8", "java-17", "windows-2016"), p
    ),
    ("pkcs12kit.sources.keys", "read_private_key", "password"): lambda w, p: [
        source_keys.read_private_key(w["keys"][at], name="server.key", password=p, limits=DEFAULT_LIMITS)
        for at in (len(p) % 2, 1)
    ],
    ("pkcs12kit.sources.keys", "read_key_block", "password"): None,  # a step of the two below
    ("pkcs12kit.contents.keys", "KeyReader", "password"): None,
    ("pkcs12kit.contents.collector", "ContentsCollector", "password"): None,
    ("pkcs12kit.contents.listing", "list_contents", "password"): lambda w, p: pkcs12kit.list_contents(
        w["pfx"], w["keys"][0], password=p
    ),
    ("pkcs12kit.sources.arguments", "as_certificates", "password"): lambda w, p: arguments.as_certificates(
        w["pfx"], password=p
    ),
    ("pkcs12kit.sources.identities", "as_identity", "password"): lambda w, p: identities.as_identity(
        w["pfx"], password=p
    ),
    ("pkcs12kit.sources.identities", "as_identity", "key_password"): lambda w, p: identities.as_identity(
        w["keys"][0] + w["server"].certificate.to_pem().encode(), key_password=p
    ),
    ("pkcs12kit.sources.key_sources", "Opening", "contents_password"): None,  # made by load_identity
    ("pkcs12kit.sources.loading", "load_certificate", "password"): lambda w, p: pkcs12kit.load_certificate(
        w["pfx"], password=p
    ),
    ("pkcs12kit.sources.identities", "load_identity", "contents_password"): lambda w, p: pkcs12kit.load_identity(
        pkcs12=w["pfx"], password=RIGHT, contents_password=p
    ),
    ("pkcs12kit.sources.identities", "load_identity", "certificate_password"): lambda w, p: pkcs12kit.load_identity(
        key=w["server"].private_key, certificate=w["pfx"], certificate_password=p
    ),
    ("pkcs12kit.sources.loading", "load_certificates", "password"): lambda w, p: pkcs12kit.load_certificates(
        w["pfx"], password=p
    ),
    ("pkcs12kit.sources.identities", "load_identity", "password"): lambda w, p: pkcs12kit.load_identity(
        pkcs12=w["pfx"], password=p
    ),
    ("pkcs12kit.sources.identities", "load_identity", "key_password"): lambda w, p: pkcs12kit.load_identity(
        **of_key(w, key_password=p)
    ),
    ("pkcs12kit.verifier.expectation", "load_expected", "password"): lambda w, p: load_expected(
        w["pfx"], password=p, time=datetime.now(UTC)
    ),
    ("pkcs12kit.verifier.expectation", "as_expected", "password"): lambda w, p: as_expected(
        [w["pfx"]], password=p, time=datetime.now(UTC), limits=pkcs12kit.DEFAULT_LIMITS
    ),
    ("pkcs12kit.verifier.expiry", "expiry_report", "password"): lambda w, p: pkcs12kit.expiry_report(
        w["pfx"], password=p, trust_anchors=[w["anchor"]]
    ),
    ("pkcs12kit.verifier.expiry_bundles", "BundleReader", "password"): None,  # as expiry_report
    ("pkcs12kit.verifier.probe", "probe", "expect_password"): lambda w, p: pkcs12kit.probe(
        "127.0.0.1:1", trust_anchors=[w["anchor"]], expect=w["pfx"], expect_password=p
    ),
    ("pkcs12kit.verifier.probe", "probe_servers", "expect_password"): lambda w, p: probe_servers(
        (),
        trust_anchors=[w["anchor"]],
        parameters=pkcs12kit.ValidationParameters(time=datetime.now(UTC)),
        expect=w["pfx"],
        expect_password=p,
    ),
    ("pkcs12kit.verifier.rehearse", "rehearse", "password"): lambda w, p: pkcs12kit.rehearse(
        w["pfx"], password=p, trust_anchors=[w["anchor"]], clients=[]
    ),
    ("pkcs12kit.verifier.rehearse", "rehearse", "contents_password"): lambda w, p: pkcs12kit.rehearse(
        w["pfx"], password=p, contents_password=p, trust_anchors=[w["anchor"]], clients=[]
    ),
    ("pkcs12kit.contents.listing", "list_read", "password"): None,  # as list_contents
    ("pkcs12kit.verifier.verify", "verify", "password"): lambda w, p: pkcs12kit.verify(
        w["pfx"], password=p, trust_anchors=[w["anchor"]]
    ),
    ("pkcs12kit.verifier.verify", "verify", "key_password"): lambda w, p: pkcs12kit.verify(
        w["server"].certificate.to_pem().encode(), key=w["keys"][0], key_password=p, trust_anchors=[w["anchor"]]
    ),
    ("pkcs12kit.verifier.rehearse", "rehearse", "key_password"): lambda w, p: pkcs12kit.rehearse(
        w["server"].certificate.to_pem().encode(),
        key=w["keys"][0],
        key_password=p,
        trust_anchors=[w["anchor"]],
        clients=[],
    ),
    ("pkcs12kit.verifier.verify", "verify", "contents_password"): lambda w, p: pkcs12kit.verify(
        w["pfx"], password=RIGHT, contents_password=p, trust_anchors=[w["anchor"]]
    ),
    ("pkcs12kit.verifier.checks", "check_mac", "password"): None,  # only judges what verify has opened
    ("pkcs12kit.verifier.checks", "check_mac", "contents_password"): None,
}


def takers():
    """Find every public function and class that takes a password as text, by its signature."""
    for found in pkgutil.walk_packages(pkcs12kit.__path__, "pkcs12kit."):
        if found.name.startswith("pkcs12kit.cli") or found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) != found.name or name.startswith("_") or not callable(value):
                continue
            try:
                parameters = inspect.signature(value).parameters
            except ValueError:
                continue
            for parameter, described in parameters.items():
                if "password" in parameter and "str" in str(described.annotation):
                    yield found.name, name, parameter


def test_whatever_takes_a_password_is_called_here():
    """A function that is new is found by its signature."""
    elsewhere = {taker for taker in takers() if taker[:2] in FOUND_BY_SIGNATURE_ELSEWHERE}
    assert set(takers()) - elsewhere == set(CALLS)


def carried_by(error):
    """List the texts of an error and of all that it came from: messages, arguments, attributes, tracebacks."""
    if error is not None:
        yield "".join(traceback.format_exception(error))
    seen = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)), repr(getattr(one, "__notes__", "")))
        yield repr(getattr(one, "object", ""))  # UnicodeError has the text there
        waiting += [one.__context__, one.__cause__]


def holds_secret(text):
    """Whether any part of the password is in a text, as it is or escaped."""
    return "staple" in text


@pytest.mark.parametrize("kind", PASSWORDS)
@pytest.mark.parametrize("call", [call for call, made in CALLS.items() if made is not None], ids=".".join)
def test_no_error_carries_a_password(world, call, kind):
    """Whatever the password is: it is done, or an error of ours is raised that carries nothing of it."""
    error = raised_by(lambda: CALLS[call](world, PASSWORDS[kind]))
    assert error is None or isinstance(error, PasswordError | LimitExceededError), repr(error)
    assert not [text for text in carried_by(error) if holds_secret(text)]


def raised_by(call):
    """Return what a call raises, None for nothing."""
    try:
        call()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
        return error
    return None


def leak():
    """Hide the error of Python's own encoder, as ``from None`` does: only from what is printed."""
    try:
        PASSWORDS["half of a surrogate pair"].encode()
    except UnicodeEncodeError:
        raise ValueError("hidden") from None


def test_one_that_leaks_is_noticed():
    """The error of Python's own encoder has the whole password, and is the context of what is raised in its place."""
    assert [text for text in carried_by(raised_by(leak)) if holds_secret(text)]


def commands():
    """List the options of commands that say where a password is: command, option, whether it names a variable."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        for parameter in cli.get_command(context, name).params:
            if "password" in parameter.name and isinstance(parameter, click.Option) and not parameter.is_flag:
                yield name, parameter.opts[0]


@pytest.fixture(scope="module")
def files(world, tmp_path_factory):
    """The world as files."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "server.p12").write_bytes(world["pfx"])
    (folder / "server.key").write_bytes(world["keys"][1])
    (folder / "server.pem").write_text(world["server"].certificate.to_pem())
    (folder / "pool.pem").write_text("".join(certificate.to_pem() for certificate in world["topology"].pool))
    (folder / "anchor.pem").write_text(world["anchor"].certificate.to_pem())
    (folder / "right.txt").write_text(RIGHT)
    return folder


OCTETS = {
    "not UTF-8": SECRET.encode() + b"\xff",
    "a surrogate in UTF-8": SECRET.encode() + b"\xed\xa0\x80",
    "NUL": SECRET.encode() + b"\0",
    "wrong": SECRET.encode(),
}


@pytest.mark.parametrize("octets", OCTETS)
@pytest.mark.parametrize(("command", "option"), list(commands()))
def test_no_command_tells_a_password(files, monkeypatch, command, option, octets):
    """By file and by variable: nothing of it is written or raised, whatever is wrong with it."""
    wrong = files / "wrong.txt"
    wrong.write_bytes(OCTETS[octets] + b"\n")
    given = str(wrong)
    if option.endswith("-env"):
        if b"\0" in OCTETS[octets]:
            return  # no variable can hold it
        monkeypatch.setitem(os.environb, b"WRONG", OCTETS[octets])
        monkeypatch.setitem(os.environ, "WRONG", os.fsdecode(OCTETS[octets]))
        given = "WRONG"
    chain = ["--anchor", files / "anchor.pem"]
    arguments = {
        "build": [*chain, "--certs", files / "pool.pem", "--out", files / "new.p12"],
        "convert": [files / "server.p12", files / "new.p12"],
        "inspect": [files / "server.p12"],
        "show": [files / "server.p12"],
        "verify": [files / "server.p12", *chain],
        "rehearse": [files / "server.p12", *chain],
    }.get(command, [files / "server.pem", *chain])
    if command == "build":
        arguments += ["--pkcs12", files / "server.p12"] if "pkcs12" in option else ["--key", files / "server.key"]
        arguments += [] if "pkcs12" in option else ["--cert", files / "server.pem"]
        others = {"--pkcs12-password-file" if "pkcs12" in option else "--key-password-file", "--password-file"}
    else:
        others = {"--password-file"}
    others -= {option, *(["--password-file"] if option == "--password-env" else [])}
    right = files / ("wrong.txt" if command == "rehearse" else "right.txt")  # it would start clients with the right one
    arguments += [part for other in sorted(others) for part in (other, right)]
    result = CliRunner().invoke(cli, [*map(str, (command, *arguments)), option, given])
    assert not holds_secret(result.output)
    if result.exception is not None:
        assert not [text for text in carried_by(result.exception) if holds_secret(text)]
        assert isinstance(result.exception, SystemExit | Pkcs12KitError), repr(result.exception)
