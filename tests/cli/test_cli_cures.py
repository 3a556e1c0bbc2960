"""The cure at the end of a no: commands to copy with the user's own files, and what is published of successors."""

from __future__ import annotations

import json
import pickle
import shlex
from datetime import UTC, datetime, timedelta

import click
import pytest
from cryptography import x509

from pkcs12kit import CertificatePool, NoValidPathError, TrustAnchor, find_path, find_paths, lab
from pkcs12kit.cli import cli
from pkcs12kit.lab import extensions as ext
from pkcs12kit.paths.calls import Call
from pkcs12kit.paths.cures import cure

TODAY = ("--at", "2026-12-01")
G5 = "https://www.idmanagement.gov/implement/announcements/FBCAG5/"
FEDERAL = ("fpki", "Federal", "DoD", "G5", "published")


def hints_of(outcome):
    """The hints on standard error."""
    return [line.removeprefix("hint: ") for line in outcome.errors.splitlines() if line.startswith("hint: ")]


def commands_of(hints):
    """The words of the commands to copy; each has to be understood by the command's own parser."""
    found = [shlex.split(hint[hint.index(": pkcs12kit ") + 2 :]) for hint in hints if ": pkcs12kit " in hint]
    for _, name, *arguments in found:
        context = click.Context(cli, **cli.context_settings)
        cli.get_command(context, name).make_context(name, arguments, parent=context)
    return found


@pytest.fixture
def here(fpki, folder):
    """The real certificates in the current folder."""
    for name in ("fpki-historic.pem", "dod-2019.pem", "fpki-2024-10.p7b", "fcpca.pem", "fcpcag2.pem"):
        (folder / name).write_bytes((fpki / name).read_bytes())
    for name in ("dod-id-sw-ca-37.pem", "dod-sw-ca-67.pem"):
        (folder / f"my {name}").write_bytes((fpki / name).read_bytes())
    return folder


OF_2024 = ("my dod-sw-ca-67.pem", "--certs", "fpki-2024-10.p7b", "--anchor", "fcpcag2.pem")
OF_2018 = (
    *("my dod-id-sw-ca-37.pem", "--certs", "fpki-historic.pem", "--certs", "dod-2019.pem"),
    *("--anchor", "fcpca.pem"),
)


@pytest.mark.usefixtures("here")
class TestRealCertificates:
    """The published certificates of the Federal PKI, at the times at which people try them."""

    def test_today(self, call):
        """The command has the user's own names, quoted; then --fetch; then what follows the two CAs, with sources."""
        hints = hints_of(call("paths", *OF_2024, *TODAY))
        (gather,) = commands_of(hints)
        assert gather[:3] == ["pkcs12kit", "gather", "my dod-sw-ca-67.pem"]
        assert "'my dod-sw-ca-67.pem' --certs fpki-2024-10.p7b --anchor fcpcag2.pem --bundle fpki" in hints[1]
        assert "build --fetch" in hints[2]
        assert "DoD Interoperability Root CA 3 (since 2026-09-14)" in hints[3]
        assert hints[4].endswith(f"Federal Bridge CA G5 (since 2026-09-01); see {G5}")
        assert len(hints) == 5

    def test_the_anchor_has_a_successor(self, call):
        """A path to the old root cannot be had any more: the command has a place for the new one."""
        hints = hints_of(call("paths", *OF_2018, *TODAY))
        (gather,) = commands_of(hints)
        assert gather[gather.index("--anchor") + 1] == "NEW-ANCHOR.pem"
        assert "fcpca.pem" not in gather
        assert any("followed by Federal Common Policy CA G2" in hint and "fingerprint" in hint for hint in hints)
        assert any("Federal Bridge CA G4 (since 2019-12-16), then Federal Bridge CA G5" in hint for hint in hints)

    def test_the_successor_of_the_anchor_is_given(self, call):
        """With the new root among the anchors the command has both, and nobody is told to get the new one."""
        hints = hints_of(call("paths", *OF_2018, "--anchor", "fcpcag2.pem", *TODAY))
        (gather,) = commands_of(hints)
        assert {"fcpca.pem", "fcpcag2.pem"} < set(gather)
        assert not any("followed by Federal Common Policy CA G2" in hint for hint in hints)

    @pytest.mark.parametrize(
        ("given", "time"), [(OF_2018, "2019-03-01"), (OF_2024, "2024-12-01"), (OF_2024, "2026-03-01")]
    )
    def test_a_successor_that_was_not_there_yet(self, call, given, time):
        """At a time before it, a successor is not named; the list and the command are."""
        hints = hints_of(call("paths", *given, "--at", time))
        (gather,) = commands_of(hints)
        assert gather[gather.index("--anchor") + 1] == given[-1]
        assert gather[gather.index("--at") + 1].startswith(time)
        assert not any("followed" in hint for hint in hints)

    @pytest.mark.parametrize(("given", "time"), [(OF_2018, "2018-06-01"), (OF_2024, "2024-10-15")])
    def test_a_valid_path_needs_no_cure(self, call, given, time):
        """There was a path then: no hint at all."""
        assert hints_of(call("paths", *given, "--at", time)) == []

    def test_build(self, call):
        """``build`` offers its own --fetch; with it, only the list that it does not fetch."""
        given = ("--certs-only", "--cert", *OF_2024, "--out", "new.p12", *TODAY, "--password-file", "/dev/null")
        hints = hints_of(call("build", *given))
        assert any(hint.startswith("or add --fetch, which fetches what is missing: ") for hint in hints)
        gather, build = sorted(commands_of(hints), key=lambda words: words[1] != "gather")
        assert gather[2] == "my dod-sw-ca-67.pem"
        assert (build[1], build[-1]) == ("build", "--fetch")
        hints = hints_of(call("build", *given, "--fetch", "--offline", "--cache", "cache"))
        assert [words[1] for words in commands_of(hints)] == ["gather"]
        assert not any("add --fetch" in hint for hint in hints)

    def test_gather(self, call):
        """``gather`` itself adds the list, unless that was given; what follows the CAs is said in both cases."""
        given = (*OF_2024, *TODAY, "--offline", "--cache", "cache", "--into", "gathered")
        hints = hints_of(call("gather", *given))
        online, gather = commands_of(hints)
        assert {"--offline", "--bundle"}.isdisjoint(online)
        assert gather[gather.index("--bundle") + 1] == "fpki"
        assert not any("--fetch" in hint for hint in hints)
        hints = hints_of(call("gather", *given, "--bundle", "fpki"))
        [online] = commands_of(hints)
        assert "--offline" not in online
        assert online.count("fpki") == 1
        assert any(G5 in hint for hint in hints)

    def test_verify_and_rehearse(self, call, here):
        """A file with the path of 2024: the list, and the call that builds the file again."""
        (here / "password.txt").write_text("correct horse 42 battery\n")
        given = ("--password-file", "password.txt", "--anchor", "fcpcag2.pem")
        made = ("--certs-only", "--cert", *OF_2024[:-2], "--at", "2024-10-15", "--out", "ca.p12")
        assert call("build", *made, *given).status == 0
        hints = hints_of(call("verify", "ca.p12", "--certs-only", *given, *TODAY))
        assert commands_of(hints) == [["pkcs12kit", "gather", "--bundle", "fpki", "--into", "gathered"]]
        assert any(G5 in hint for hint in hints)

    def test_a_missing_cross_certificate_of_a_known_bridge(self, call):
        """A certificate whose issuer is a known CA that is missing: the list that has it."""
        hints = hints_of(call("paths", *OF_2024[:1], *OF_2024[3:], *TODAY))
        (gather,) = commands_of(hints)
        assert gather[-4:] == ["--at", "2026-12-01T00:00:00Z", "--into", "gathered"]
        assert "fpki" in gather


class Lab:
    """A root and a CA of a lab, whose cross-certificate has expired, with or without URLs."""

    def __init__(self, names=("Root", "CA"), urls=()):
        now = datetime.now(UTC)
        self.root, self.ca = (lab.Authority.create(name) for name in names)
        past = lab.Validity(now - timedelta(days=90), now - timedelta(days=1))
        access = [
            x509.AccessDescription(x509.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url))
            for url in urls
        ]
        more = (ext.non_critical(x509.AuthorityInformationAccess(access)),) if access else ()
        self.expired = self.root.issue_ca(self.ca, validity=past, extensions=more)
        self.server = self.ca.issue_server("www.example.com").certificate

    def cure(self, command="paths", **given):
        """The cure of a search in it."""
        anchor = TrustAnchor.from_certificate(self.root.certificate)
        report = find_paths(self.server, certificates=CertificatePool([self.expired]), trust_anchors=[anchor])
        call = Call.of(command, given)
        return cure(report.rejected[0], trust_anchors=report.trust_anchors, time=report.time, call=call)


@pytest.mark.parametrize("names", [("Root", "CA"), ("Federal Common Policy CA G2", "Federal Bridge CA G4")])
@pytest.mark.parametrize("urls", [(), ("http://pki.example.com/ca.p7c",), ("ldap://pki.example.com/",)])
def test_another_pki(names, urls):
    """A lab gets the generic cure, and no word about the Federal PKI, even where it has its names."""
    steps = Lab(names, urls).cure(
        certificate="server.pem", certificates=("a b.pem", "-x.pem"), trust_anchors=("r.pem",)
    )
    text = " ".join(f"{step.text} {step.command}" for step in steps)
    assert not any(word in text for word in FEDERAL)
    assert "gather" in text
    assert "--fetch" in text
    if any(url.startswith("http") for url in urls):
        assert steps[0].command == (
            "pkcs12kit gather server.pem --certs 'a b.pem' --certs ./-x.pem --anchor r.pem --into gathered"
        )
    else:  # a command that finds nothing is no cure
        assert steps[0].command is None
        assert "name no URL" in steps[0].text


def test_standard_input_cannot_be_read_again():
    """Certificates that came from standard input are placeholders in the command."""
    steps = Lab(urls=("http://pki.example.com/ca.p7c",)).cure(
        certificate="-", certificates=("-",), trust_anchors=("-",)
    )
    assert steps[0].command == "pkcs12kit gather CERT --certs SOURCE --anchor FILE --into gathered"


@pytest.mark.parametrize(
    ("option", "typed", "written"),
    [
        ("--mode", "0640", "0640"),
        ("--mode", "600", "0600"),
        ("--key-id", "01:ff", "01ff"),
        ("--at", "2026-06-01", "2026-06-01T00:00:00Z"),
        ("--policy", "2.16.840.1.101.3.2.1.3.6", "2.16.840.1.101.3.2.1.3.6"),
        ("--iterations", "20000", "20000"),
    ],
)
def test_values_are_repeated_as_they_are_typed(call, password_file, option, typed, written):
    """A mode in octal digits, an ID in hexadecimal: the command of a hint means what the user's call meant."""
    given = ("--pkcs12", "none.p12", "--anchor", "a.pem", "--password-file", password_file, "--out", "new.p12")
    words = shlex.split(call("build", *given, option, typed, "--json").json["hints"][0]["command"])
    assert words[words.index(option) + 1] == written


@pytest.mark.parametrize("command", ["verify", "rehearse"])
def test_a_file_of_another_pki(command):
    """Of a PKCS#12 file, the command builds it again, from the file itself."""
    made = Lab(urls=("http://pki.example.com/ca.p7c",))
    (step,) = made.cure(command, file="my server.p12", trust_anchors=("r.pem",))
    assert step.command == "pkcs12kit build --pkcs12 'my server.p12' --anchor r.pem --fetch --out 'my server-new.p12'"


def test_the_library(fpki):
    """The error of the library has the successors as notes, the report has them as data; JSON has the same."""
    given = {
        "certificates": fpki / "fpki-2024-10.p7b",
        "trust_anchors": fpki / "fcpcag2.pem",
        "time": datetime(2026, 12, 1, tzinfo=UTC),
    }
    with pytest.raises(NoValidPathError) as no:
        find_path(fpki / "dod-sw-ca-67.pem", **given)
    assert any(G5 in note for note in no.value.__notes__)
    copied = pickle.loads(pickle.dumps(no.value))  # noqa: S301  # our own
    assert copied.__notes__ == no.value.__notes__
    found = no.value.report.successions
    assert [one.ca.name for one in found] == ["DoD Interoperability Root CA 2", "Federal Bridge CA G4"]
    answer = json.loads(json.dumps(no.value.report.to_json()))["successions"]
    assert answer[1]["followed_by"][0]["name"] == "Federal Bridge CA G5"
    assert answer[1]["is_trust_anchor"] is False
    earlier = find_paths(fpki / "dod-sw-ca-67.pem", **given | {"time": datetime(2024, 10, 15, tzinfo=UTC)})
    assert earlier.successions == ()


def test_json(call, here):  # noqa: ARG001  # the certificates in the current folder
    """``--json`` has the successors in the answer of ``paths`` and ``build``."""
    of_paths = call("paths", *OF_2024, *TODAY, "--json").json["successions"]
    given = ("--certs-only", "--cert", *OF_2024, "--out", "new.p12", *TODAY, "--password-file", "/dev/null")
    assert call("build", *given, "--json").json["successions"] == of_paths != []
