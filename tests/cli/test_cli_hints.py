"""Hints as values: made from reports and errors without a terminal, and printed as one line each."""

from __future__ import annotations

import io
import shlex
import sys

import click
import pytest

from pkcs12kit import (
    CertificatePool,
    InputError,
    OutputError,
    TrustAnchor,
    find_paths,
    lab,
    load_certificate,
    verify,
    write_pfx,
)
from pkcs12kit.cli import cli
from pkcs12kit.cli.output import input_hints
from pkcs12kit.cli.output.console import print_hints
from pkcs12kit.cli.output.input_hints import hints_for_error
from pkcs12kit.hints import Hint
from pkcs12kit.paths import hints as path_hints
from pkcs12kit.paths.hints import GATHER, hints_for_no_path
from pkcs12kit.retrieval.hints import hints_for_retrievals
from pkcs12kit.retrieval.http.permitted import RefusedError, require_permitted_url
from pkcs12kit.retrieval.retrieved import Purpose, Retrieval, Status
from pkcs12kit.sources import kind_hints
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.verifier import hints


def commands_of(module):
    """List the commands in the tables of a module of hints."""
    tables = [value for name, value in vars(module).items() if not name.startswith("__")]
    values = [value for table in tables for value in (table.values() if isinstance(table, dict) else [table])]
    pairs = [part for value in values if isinstance(value, tuple) for pair in value for part in (pair,)]
    found = [*values, *(part for pair in pairs if isinstance(pair, tuple) for part in pair)]
    return [one.command for one in found if isinstance(one, Hint) and one.command]


@pytest.mark.parametrize(
    "command",
    sorted({*commands_of(path_hints), *commands_of(hints), *commands_of(input_hints), *commands_of(kind_hints)}),
)
def test_commands_parse(command):
    """Each command of a hint is one of ours, and its parser takes the options."""
    program, name, *arguments = shlex.split(command)
    assert program == "pkcs12kit"
    values = {"READER": "java-17", "FOLDER": "there"}
    context = click.Context(cli, **cli.context_settings)  # click keeps the first names of --help that it is given
    cli.get_command(context, name).make_context(name, [values.get(word, word) for word in arguments], parent=context)


def test_a_hint_is_one_line(monkeypatch):
    """The command stands after the sentence; text from outside cannot steer a terminal."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    print_hints([Hint(text="do this"), Hint(text="do \x1b[2J that", command="program 'a b'")])
    assert sys.stderr.getvalue() == "hint: do this\nhint: do \\x1b[2J that: program 'a b'\n"


def test_of_a_search():
    """A missing issuer is to be given, or to be fetched where the certificate has its URL."""
    root, ca = lab.Authority.create("Root"), lab.Authority.create("CA")
    server = ca.issue_server("s.example").certificate
    anchor = TrustAnchor.from_certificate(root.certificate)
    report = find_paths(server, certificates=CertificatePool(), trust_anchors=[anchor])
    (hint,) = hints_for_no_path(report, sources_given=True, fetching=GATHER)  # the certificate has no URL
    assert hint == Hint(text="give the missing certificate with --certs")
    (hint,) = hints_for_no_path(report, sources_given=False)
    assert hint.text.startswith("no --certs given")


def test_of_a_file_with_several_faults(files, tmp_path):
    """Each check that failed has its own hint: all are to be mended."""
    from pkcs12kit import build

    build(
        key=files.key,
        certificate=files.certificate,
        certificates=[files.bundle],
        trust_anchors=[files.trust_anchor],
        output=tmp_path / "server.p12",
        password="no secret",
    )
    report = verify(
        tmp_path / "server.p12",
        trust_anchors=[files.trust_anchor],
        password="no secret",
        server_name="other.example",
        readers=["java-8"],
    )
    texts = [hint.text for hint in report.hints]
    assert len(texts) == 2
    assert "--server-name" in texts[0]
    assert "the reader can open it" in texts[1]


def test_of_an_error(tmp_path):
    """An error of input is explained from the file that it is about; an error of output from its folder."""
    (tmp_path / "server.pem").touch()
    missing = tmp_path / "sever.pem"
    with pytest.raises(InputError) as no:
        load_certificate(missing)
    (hint,) = hints_for_error(no.value, {}, [("certificate", str(missing))])
    assert str(hint) == f"did you mean {tmp_path / 'server.pem'}?"
    with pytest.raises(OutputError) as no:
        write_pfx(tmp_path / "a b" / "server.p12", b"")
    (hint,) = no.value.hints
    assert hint.command == f"mkdir -p '{tmp_path / 'a b'}'"


def test_hints_on_contact_are_about_contacts():
    """The table of hints is by value, so that it loads nothing: each key is the value of a Contact."""
    assert set(hints._BY_CONTACT) <= {contact.value for contact in Contact}


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/a", "http://pki.internal/a", "http://intranet/a", "http://[fe80::1%251]/"],
    ids=["address", "domain", "single label", "zone"],
)
def test_a_private_address_has_the_hint_that_allows_it(url):
    """Whichever rule refuses a URL that --allow-private would permit, the hint names that option."""
    with pytest.raises(RefusedError) as refused:
        require_permitted_url(url, allow_private=False)
    require_permitted_url(url, allow_private=True)
    retrieval = Retrieval(url=url, purpose=Purpose.CA_ISSUERS, status=Status.REFUSED, why=str(refused.value))
    (hint,) = hints_for_retrievals([retrieval])
    assert "--allow-private" in hint.text


@pytest.mark.parametrize("name", ["build", "paths", "gather", "verify", "rehearse", "probe", "lab"])
def test_a_url_as_server_name(call, name):
    """Before anything is read: none of the files exists."""
    given = {
        "build": ["--key", "no", "--cert", "no", "--anchor", "no", "--out", "new.p12"],
        "gather": ["no", "--anchor", "no", "--into", "new"],
        "lab": ["new"],
    }.get(name, ["no", "--anchor", "no"])
    outcome = call(name, *given, "--server-name", "https://host:443/")
    assert (outcome.status, outcome.output) == (2, b"")
    assert "'--server-name': 'https://host:443/' is a URL: host name or IP address only; write host\n" in outcome.errors
