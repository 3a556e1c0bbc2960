"""Each output of each command against each input of it, through links and other spellings: exit 2, nothing is read.

The options come from the commands themselves; one that is not in the table fails a test. All other files of a call do
not exist, so that anything that is read before the check gives another error.
"""

from __future__ import annotations

import os
import stat

import click
import pytest

from pkcs12kit.cli import _COMMANDS, cli

from ..calling import call
from ..thoroughness import mostly_slow

SEARCH = ("--anchor", "--certs", "--crl", "--ocsp", "--policy-names")
PASSWORDS = tuple(f"--{of}password-file" for of in ("", "contents-", "key-", "pkcs12-", "cert-"))
PICTURES = ("--svg", "--dot", "--mermaid")
OPENING = ("FILE", "--password-file", "--contents-password-file")
# command: (what it reads, what it writes)
TABLE = {
    "batch": (("MANIFEST",), ("--junit", "--prometheus", "--svg")),
    "build": (
        ("--key", "--cert", "--pkcs12", "--from", *SEARCH, *PASSWORDS),
        ("--out", "--key-out", "--cache"),
    ),
    "completion": ((), ()),
    "convert": (("IN.p12", "--password-file", "--contents-password-file", "--new-password-file"), ("OUT",)),
    "demo": ((), ("[FOLDER]",)),
    "diff": (("A", "B", "--target", *SEARCH, "--password-file", "--after-password-file"), ()),
    "expiry": (("FILE...", "--anchor", "--certs", "--policy-names", "--password-file"), ()),
    "gather": (
        ("[CERT]", "--anchor", "--certs", "--policy-names", "--bundle", "--bundles", "--bundle-anchor"),
        ("--into", "--cache"),
    ),
    "graph": (("SOURCE...", "--certs", "--anchor", "--target"), PICTURES),
    "inspect": (OPENING, ()),
    "lab": ((), ("FOLDER",)),
    "paths": (("CERT", *SEARCH, "--with", "--without"), PICTURES),
    "probe": (("--anchor", "--certs", "--policy-names", "--expect", "--password-file"), ()),
    "rehearse": ((*OPENING, "--key", "--key-password-file", "--anchor", "--certs", "--policy-names"), ()),
    "show": (("FILE...", "--password-file", "--policy-names"), ()),
    "verify": ((*OPENING, "--key", "--key-password-file", "--anchor", "--crl", "--ocsp", "--policy-names"), ()),
}
PAIRS = [
    (command, output, given) for command, (inputs, outputs) in TABLE.items() for output in outputs for given in inputs
]
PFX = bytes.fromhex("30050201033000")  # by its beginning, a PKCS#12 file
SECRET = b"the only copy\n"


def name_of(parameter):
    """The option, or the argument as help shows it."""
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.metavar


def linked(link, target):
    """Make a symbolic link and return it."""
    link.symlink_to(target)
    return link


def hard_linked(link, victim):
    """Make a hard link and return it."""
    os.link(victim, link)
    return link


def in_folder(folder, victim):
    """Make a folder with a link to the victim and return it."""
    folder.mkdir()
    linked(folder / "link.pem", victim)
    return folder


# way: the input and the output, for the victim and a free name outside of its folder, the current one
WAYS = {
    "same": lambda victim, _: (victim.name, victim.name),
    "absolute": lambda victim, _: (victim.name, victim),
    "dots": lambda victim, _: (victim, f"./../{victim.parent.name}/./{victim.name}"),
    "slashes": lambda victim, _: (victim, f"/{victim.parent}///{victim.name}"),
    "link": lambda victim, free: (victim, linked(free, victim)),
    "input link": lambda victim, free: (linked(free, victim), victim),
    "link to a link": lambda victim, free: (linked(free, victim), linked(free.with_name("more"), free.name)),
    "hard link": lambda victim, free: (victim, hard_linked(free, victim)),
    "folder link": lambda victim, free: (victim, linked(free, victim.parent) / victim.name),
    "in a folder": lambda victim, _: (victim.parent, victim),
    "link in a folder": lambda victim, free: (in_folder(free, victim), victim),
    "dangling": lambda victim, free: (linked(free, victim.with_name("not there")), victim.with_name("not there")),
}
FOLDERS = {"in a folder", "link in a folder"}


# each pair in a few ways by default, so that each way is tried with several pairs
CASES = [
    pytest.param(*pair, way, id="-".join((*pair, way)))
    for number, pair in enumerate(PAIRS)
    for way in (*list(WAYS)[number % len(WAYS) :], *list(WAYS)[: number % len(WAYS)])
]


def state(folder):
    """What must not change of the files: names, contents, modes, inodes, links."""
    return {
        path: (path.lstat().st_ino, path.lstat().st_mode, path.is_file() and path.read_bytes())
        for path in sorted(folder.rglob("*"))
    }


def words(command, **given):
    """Return the words of a call whose other required files do not exist."""
    options, arguments = [], []
    for parameter in cli.get_command(None, command).params:
        name = name_of(parameter)
        if name not in given and not parameter.required:
            continue
        value = given.get(name, f"missing{len(options)}{len(arguments)}.pem")
        if isinstance(parameter, click.Option):
            options += [name, value]
        else:
            arguments.append(value)
    return [command, *options, *([] if not arguments else ["--", *arguments])]


def test_each_file_has_its_place_in_the_table():
    """A new option that takes a file or folder is an input or an output here, or this fails."""
    assert TABLE.keys() == _COMMANDS.keys()
    for command, (inputs, outputs) in TABLE.items():
        found = {True: set(), False: set()}
        for parameter in cli.get_command(None, command).params:
            if hasattr(parameter.type, "is_input"):
                found[getattr(parameter.type, "is_output", False)].add(name_of(parameter))
            else:
                assert parameter.type.name not in {"file", "dir", "path", "filename"}, name_of(parameter)
        assert found == {True: set(outputs), False: set(inputs)}, command


@pytest.mark.parametrize(("command", "output", "given", "way"), mostly_slow(CASES, every=5))
def test_is_refused_before_anything_is_read(command, output, given, way, tmp_path, monkeypatch):
    """The only copy of a key or a password stands afterwards, byte for byte; ``--force`` does not help."""
    folder = tmp_path / "current"
    folder.mkdir()
    victim = folder / "victim.p12"
    victim.write_bytes(SECRET)
    victim.chmod(0o640)
    monkeypatch.chdir(folder)
    source, target = WAYS[way](victim, tmp_path / "elsewhere")
    if given == "--bundle":
        source = folder / source  # else it is the name of a bundle
    if way in FOLDERS and output in {"--into", "--cache"}:
        target = source  # an output folder is the input folder
    before = state(tmp_path)
    forces = [[], ["--force"]] if any(o.opts[0] == "--force" for o in cli.get_command(None, command).params) else [[]]
    for force in forces:
        call_words = words(command, **{given: source, output: target})
        done = call(call_words[0], *force, *call_words[1:])
        assert done.status == 2
        rewritten = (given, output) in {("--pkcs12", "--out"), ("IN.p12", "OUT")}
        expected = "only such a file can be rewritten in place" if rewritten else "an output never replaces an input"
        message = " ".join(done.errors.split())
        if rewritten and way in {*FOLDERS, "dangling"}:
            assert message.startswith("error: ")
        else:
            assert expected in message
            assert message.startswith(f"error: {output.strip('[]')} ") or output == "[FOLDER]"
        assert SECRET.decode().strip() not in done.errors + done.output
        assert state(tmp_path) == before


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc")  # noqa: PTH112
@pytest.mark.parametrize(("command", "output", "given"), mostly_slow([pytest.param(*pair) for pair in PAIRS], every=7))
def test_descriptor(command, output, given, tmp_path):
    """``/proc/self/fd/N`` is another name of an open file."""
    victim = tmp_path / "victim"
    victim.write_bytes(SECRET)
    with victim.open("rb") as opened:
        done = call(*words(command, **{given: victim, output: f"/proc/self/fd/{opened.fileno()}"}))
    assert done.status == 2
    assert "is also the file of" in done.errors
    assert victim.read_bytes() == SECRET


@pytest.mark.parametrize("way", ["link", "link to a link"])
def test_link_to_the_file_that_is_rewritten(way, tmp_path):
    """It is refused before anything is read: the link or the file would have to go."""
    victim = tmp_path / "server.p12"
    victim.write_bytes(PFX)
    source, target = WAYS[way](victim, tmp_path / "elsewhere")
    for command, given, output in (("build", "--pkcs12", "--out"), ("convert", "IN.p12", "OUT")):
        done = call(*words(command, **{given: source, output: target, "--password-file": "missing"}))
        assert (done.status, "it is a symbolic link; give the path" in done.errors) == (2, True)
    assert victim.read_bytes() == PFX


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_pkcs12_does_not_become_pem(force, tmp_path):
    """Only a PKCS#12 file takes the place of the one that is rewritten; not even the key beside it."""
    file = tmp_path / "server.p12"
    file.write_bytes(PFX)
    for given in (
        words("build", **{"--pkcs12": file, "--out": file}),
        words("build", **{"--pkcs12": file, "--out": tmp_path / "new.pem", "--key-out": file}),
        words("convert", **{"IN.p12": file, "OUT": file}),
    ):
        done = call(given[0], "--to", "pem", *force, *given[1:])
        assert (done.status, "an output never replaces an input" in done.errors) == (2, True)
    assert file.read_bytes() == PFX


def test_two_outputs(tmp_path):
    """Two outputs of one call are two files."""
    given = words("paths", CERT="missing", **{"--svg": tmp_path / "a", "--dot": f"{tmp_path}/./a"})
    done = call(*given)
    assert (done.status, "give two names" in done.errors) == (2, True)


@pytest.mark.parametrize("name", ["index.json", "CA_by_Root_0123456789abcdef0123456789abcdef.cer"])
def test_files_of_a_gathered_folder(name, tmp_path):
    """A later run may remove or replace them: as input they are refused, alone or in a folder; other files are not."""
    gathered = tmp_path / "more" / "gathered"
    gathered.mkdir(parents=True)
    (gathered / name).write_bytes(SECRET)
    link = tmp_path / "link.pem"
    link.symlink_to(gathered / name)
    for option, source in (("--certs", tmp_path / "more"), ("--anchor", gathered / name), ("[CERT]", link)):
        done = call(*words("gather", **{option: source, "--into": gathered}))
        assert (done.status, "an output never replaces an input" in done.errors) == (2, True)
    (gathered / name).rename(gathered / "mine.pem")
    done = call(*words("gather", **{"[CERT]": gathered / "mine.pem", "--into": gathered}))
    assert "expected a certificate, found text" in done.errors


def test_files_of_a_cache(tmp_path):
    """An entry of the cache is not an input: the cache removes old ones."""
    entry = tmp_path / f"{'0' * 64}.entry"
    entry.write_bytes(SECRET)
    done = call(*words("build", **{"--key": entry, "--out": "new.p12", "--cache": tmp_path}), "--fetch")
    assert (done.status, "an output never replaces an input" in done.errors) == (2, True)


def test_mode_of_the_victims_is_what_is_checked(tmp_path):
    """The oracle of this module sees a change of mode."""
    (tmp_path / "a").write_bytes(SECRET)
    before = state(tmp_path)
    (tmp_path / "a").chmod(stat.S_IRUSR)
    assert state(tmp_path) != before
