"""``pkcs12kit diff``: what is printed, exit statuses, passwords, sources of every form, and nonsense."""

import shutil
from pathlib import Path

import pytest

import pkcs12kit as pk

PASSWORD = "correct horse 42 battery"  # the one that no output may have
QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)
DAMAGED = "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"
BRIDGE = "Federal Bridge CA 2016"


def write(name, certificates):
    """Write certificates to a PEM file in the current folder."""
    Path(name).write_text("".join(one.to_pem() for one in certificates), "ascii")
    return name


@pytest.fixture
def path(replica):
    """The best path of the lab, without its anchor."""
    found = pk.find_path(replica.server.certificate, certificates=replica.pool, trust_anchors=replica.trust_anchor)
    return found.certificates


@pytest.fixture
def bundles(folder, replica, path):  # noqa: ARG001  # the files are in the current folder
    """A bundle with the best path only, and one without its bridge."""
    write("a.pem", path[1:])
    write("b.pem", [one for one in path[1:] if one.subject.common_name != BRIDGE])
    return next(one for one in path if one.subject.common_name == BRIDGE)


@pytest.fixture
def target(files):
    """The options for the lab's server."""
    return ("--target", files.certificate, "--anchor", files.trust_anchor)


class TestWithoutTargets:
    """Only certificates are compared, and the exit status is 0."""

    def test_what_went(self, call, bundles):
        """A row with name, serial number and end; the summary; a hint whose command has the names of the call."""
        outcome = call("diff", "a.pem", "b.pem")
        assert outcome.status == 0
        assert "Went: 1 certificate\n" in outcome.text
        assert any(line.startswith(BRIDGE) and bundles.serial_number_text in line for line in outcome.text.splitlines())
        assert outcome.text.splitlines()[-1].startswith("1 went, 3 unchanged; as of ")
        assert "pkcs12kit diff a.pem b.pem --target CERT --anchor FILE" in outcome.errors

    def test_json(self, call, bundles):
        """One object, with the hints."""
        printed = call("diff", "b.pem", "a.pem", "--json").json
        assert printed["ok"] is True
        assert [one["sha256"] for one in printed["came"]] == [bundles.sha256]
        assert (printed["went"], printed["renewed"], printed["rekeyed"]) == ([], [], [])
        assert printed["hints"][0]["command"] == "pkcs12kit diff b.pem a.pem --target CERT --anchor FILE"
        assert "error" not in printed

    @pytest.mark.parametrize("again", ["a.pem", "link.pem", "./a.pem"])
    def test_the_same_file(self, call, bundles, again):  # noqa: ARG002
        """A warning, because nobody means to compare a file with itself."""
        Path("link.pem").symlink_to("a.pem")
        outcome = call("diff", "a.pem", again)
        assert outcome.status == 0
        assert "warning: before and after are the same file or folder" in outcome.errors
        assert "4 unchanged" in outcome.text

    def test_order_and_repetition(self, call, folder, path):  # noqa: ARG002
        """The same certificates in another order, twice and in another form are no difference."""
        write("a.pem", path)
        Path("b.der").write_bytes(b"".join(one.der for one in [*reversed(path), *path]))
        outcome = call("diff", "a.pem", "b.der")
        assert outcome.text.splitlines()[-1].startswith("5 unchanged; as of ")

    def test_standard_input(self, call, bundles):  # noqa: ARG002
        """For one side; the hint then has no command, which could not be run again."""
        data = Path("a.pem").read_bytes()
        outcome = call("diff", "-", "b.pem", stdin=data)
        assert "1 went, 3 unchanged" in outcome.text
        assert "pkcs12kit diff" not in outcome.errors
        twice = call("diff", "-", "-", stdin=data)
        assert twice.status == 2
        assert "standard input can be read only once, not for A and B" in twice.errors

    def test_unreadable_parts_are_named(self, call, bundles):  # noqa: ARG002
        """On either side; they are never equal in silence."""
        for name in ("a.pem", "b.pem"):
            Path(name).write_text(Path(name).read_text("ascii") + DAMAGED, "ascii")
        outcome = call("diff", "a.pem", "b.pem")
        assert outcome.status == 0
        assert outcome.errors.count("it is not compared") == 2
        assert "2 not read" in outcome.text
        printed = call("diff", "a.pem", "b.pem", "--json").json
        assert [len(printed[f"not_read_{side}"]) for side in ("before", "after")] == [1, 1]
        assert len(printed["warnings"]) == 2


class TestTargets:
    """The paths of targets, and exit status 1 if one broke."""

    def test_broke(self, call, bundles, target):
        """The certificate that is enough is named, in text and in JSON; the other way round the path was made."""
        outcome = call("diff", "a.pem", "b.pem", *target)
        assert outcome.status == 1
        assert "Broke: 1 target had a valid path before, and has none after" in outcome.text
        assert "put back, it is enough on its own: Federal Bridge CA 2016 #" in outcome.text
        assert "error: 1 of 1 path broke: mdm.example.mil" in outcome.errors
        printed = call("diff", "a.pem", "b.pem", *target, "--json").json
        assert printed["ok"] is False
        assert printed["error"] in outcome.errors
        assert [one["sha256"] for one in printed["targets"][0]["decisive"]] == [bundles.sha256]
        (_, command) = [hint["command"] for hint in printed["hints"]]
        again = call(*command.split()[1:])
        assert again.status == 1
        other = call("diff", "b.pem", "a.pem", *target)
        assert other.status == 0
        assert "Made: 1 target had no valid path before, and has one after" in other.text

    def test_same_and_none(self, call, bundles, files, target):  # noqa: ARG002
        """Neither is an answer of no: nothing broke."""
        same = call("diff", "a.pem", "a.pem", *target)
        assert (same.status, "Same: the best path of 1 target" in same.text) == (0, True)
        none = call("diff", files.issuing_ca, files.trust_anchor, *target)
        assert (none.status, "None: no path of 1 target is valid" in none.text) == (0, True)

    def test_changed(self, call, bundles, files, target):
        """Another best path, with both; the other certificates of the lab have a second bridge."""
        more = ("--certs", files.certificates)
        assert call("diff", "a.pem", "b.pem", *target, *more).status == 0
        rest = [one for one in pk.load_certificates(files.certificates) if one != bundles]
        outcome = call("diff", "a.pem", "b.pem", *target, "--certs", write("rest.pem", rest))
        assert outcome.status == 0
        assert "Changed: the best path of 1 target is another" in outcome.text
        assert f"{BRIDGE} <- " in outcome.text

    def test_what_needs_a_target(self, call, bundles, files):  # noqa: ARG002
        """An option without effect could be taken for a check that was made."""
        for given in (("--anchor", files.trust_anchor), ("--certs", "a.pem"), ("--server-name", "a.example")):
            outcome = call("diff", "a.pem", "b.pem", *given)
            assert outcome.status == 2
            assert f"{given[0]} has an effect only with --target CERT" in outcome.errors

    def test_a_target_needs_an_anchor(self, call, bundles, files):  # noqa: ARG002
        """It is never guessed; the candidates are listed as for every command."""
        outcome = call("diff", "a.pem", files.trust_anchor, "--target", files.certificate)
        assert outcome.status == 2
        assert "missing option '--anchor'" in outcome.errors
        assert "SHA-256" in outcome.errors


class TestPkcs12:
    """PKCS#12 files on either side; no password is ever an argument, and no key is shown."""

    @pytest.fixture
    def delivered(self, folder, replica, path, bundles):  # noqa: ARG002
        """Two deliveries for one server: the second has a new key, and another password."""
        authority = pk.lab.Authority.create("other")
        other = authority.issue_server("mdm.example.mil").private_key
        ca = path[1]
        renewed = pk.lab.Authority(name=ca.as_cryptography.subject, private_key=authority.private_key, certificate=ca)
        server = renewed.issue_server("mdm.example.mil", subject=path[0].as_cryptography.subject, private_key=other)
        for name, password, identity in (("a", PASSWORD, replica.server), ("b", "second", server)):
            bundle = pk.Bundle(private_key=identity.private_key, certificates=(identity.certificate, *path[1:]))
            Path(f"{name}.p12").write_bytes(pk.encode_pfx(bundle, password=password, profile=QUICK))
            Path(f"{name}.txt").write_text(f"{password}\n", "ascii")

    def test_two_passwords(self, call, delivered):  # noqa: ARG002
        """The server was rekeyed: the key's hash is shown, and the key is not."""
        given = ("--password-file", "a.txt", "--after-password-file", "b.txt")
        outcome = call("diff", "a.p12", "b.p12", *given)
        assert outcome.status == 0
        assert "Rekeyed, with another key: 1 certificate\n  mdm.example.mil, issued by " in outcome.text
        assert "public key: EC P-256, SHA-256 " in outcome.text

    def test_wrong_or_missing(self, call, delivered):  # noqa: ARG002
        """The file and the option are named; exit status 2, because nothing was compared."""
        missing = call("diff", "a.p12", "b.p12")
        assert missing.status == 2
        assert "a.p12" in missing.errors
        assert "--password-file" in missing.errors
        wrong = call("diff", "a.p12", "b.p12", "--password-file", "a.txt")
        assert wrong.status == 2
        assert "b.p12" in wrong.errors

    def test_beside_a_pem_file(self, call, delivered):  # noqa: ARG002
        """The password is for the side that needs one."""
        outcome = call("diff", "a.pem", "a.p12", "--password-file", "a.txt")
        assert outcome.text.splitlines()[-1].startswith("1 came, 4 unchanged")

    def test_at_a_terminal(self, terminal, delivered):  # noqa: ARG002
        """Each side asks for its own password."""
        started = terminal("diff", "a.p12", "b.p12", COLUMNS="60", NO_COLOR="1")
        started.expect("Password of a.p12")
        started.type(f"{PASSWORD}\n")
        started.expect("Password of b.p12")
        started.type("second\n")
        assert started.finish() == 0
        assert "Rekeyed" in started.shown
        assert max(map(len, started.shown.splitlines())) <= 60


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("missing.pem", None, "missing.pem"),
        ("empty.pem", b"", "empty"),
        ("noise.bin", bytes(range(256)) * 4, "expected a certificate"),
        ("damaged.pem", DAMAGED.encode(), "no certificate in it can be read"),
        ("empty-folder", "folder", "an empty folder"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_nonsense(call, bundles, name, content, why, is_first):  # noqa: ARG001
    """Exit status 2 with the name, on either side: an empty side would make every path break, or none."""
    if content == "folder":
        Path(name).mkdir()
    elif content is not None:
        Path(name).write_bytes(content)
    outcome = call("diff", *((name, "a.pem") if is_first else ("a.pem", name)))
    assert outcome.status == 2
    assert name in outcome.errors
    assert why in outcome.errors


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_in_a_terminal(call, monkeypatch, folder, fpki, columns):  # noqa: ARG001
    """No line is wider than the terminal, and without colours each class still has its title."""
    sides = ("fpki-2024-10.p7b", "fpki-2025-06.p7b")
    for name in sides:
        shutil.copy(fpki / name, name)
    monkeypatch.setattr("pkcs12kit.cli.output.diff.terminal_width", lambda: columns)
    monkeypatch.setenv("NO_COLOR", "1")
    lines = call("diff", *sides, "--at", "2025-06-10").text.splitlines()
    assert max(map(len, lines)) <= columns
    assert not any("\x1b" in line for line in lines)
    assert "Went: 25 certificates" in lines
    assert "Renewed, with the same key: 11 certificates" in lines


def test_two_states_of_a_lab(call, folder, path, files, target):  # noqa: ARG001
    """Folders that ``pkcs12kit lab`` has written, the second without the issuing CA; keys and CRLs are passed over."""
    kept = [one for one in pk.load_certificates(files.folder) if one != path[1]]
    shutil.copytree(files.folder, "lab", ignore=shutil.ignore_patterns("certs", "bundle.pem", "issuing-ca.pem"))
    write("lab/kept.pem", kept)
    outcome = call("diff", files.folder, "lab")
    assert outcome.status == 0
    assert outcome.text.splitlines()[-1].startswith(f"1 went, {len(kept)} unchanged; as of ")
    printed = call("diff", files.folder, "lab", *target, "--json")
    assert printed.status == 1
    assert [one["sha256"] for one in printed.json["went"]] == [path[1].sha256]
    assert [one["outcome"] for one in printed.json["targets"]] == ["broke"]
