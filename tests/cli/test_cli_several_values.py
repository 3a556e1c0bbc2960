"""Several values after one option, and patterns: all orders of words against the readings that a call can have."""

from __future__ import annotations

import itertools
import os

import click
import pytest

from pkcs12kit.cli import cli
from pkcs12kit.cli.several import open_option, with_options_repeated

from .test_cli_completion import offered  # noqa: F401  # a fixture

NAMES = ("build", "paths", "gather", "convert", "verify", "rehearse", "inspect", "graph", "probe")


def command(name):
    """Give a command by its name."""
    return cli.get_command(click.Context(cli), name)


# A command of each shape: no argument, one, one that can be left out, two.
SHAPES = {
    0: [],
    1: [click.Argument(["first"])],
    "0 or 1": [click.Argument(["first"], required=False)],
    2: [click.Argument(["first"]), click.Argument(["second"])],
}
OPTIONS = [
    click.Option(["--several"], multiple=True, type=click.Path()),
    click.Option(["--other"], multiple=True, type=click.Path()),
    click.Option(["--single"], type=click.Path()),
    click.Option(["--text"], multiple=True),
    click.Option(["--flag"], is_flag=True),
]
VALUED = {"--several", "--other", "--single", "--text"}
TAKING = {"--several", "--other"}


def readings(words):
    """Yield every reading of a call as (arguments, values of options, in their order), the one of click first.

    An oracle that knows neither the code nor its order of cases: each word after an option that takes several values
    may be another value of it, or an argument.
    """
    fixed, free = [], []
    option, value_next = None, False
    for place, word in enumerate(words):
        if value_next:
            fixed.append((place, option, word))
            value_next = False
        elif word == "--":
            fixed += [(at, None, words[at]) for at in range(place + 1, len(words))]
            break
        elif word.startswith("--"):
            option = word if word in VALUED else None
            value_next = word in VALUED
        elif option in TAKING:
            free.append((place, option, word))
        else:
            fixed.append((place, None, word))
    for choice in itertools.product((False, True), repeat=len(free)):
        chosen = [
            (place, option if is_value else None, word)
            for (place, option, word), is_value in zip(free, choice, strict=True)
        ]
        every = sorted(fixed + chosen, key=lambda one: one[0])
        yield (
            tuple(word for _, option, word in every if option is None),
            tuple((option, word) for _, option, word in every if option is not None),
        )


def expected(words, most):
    """Return click's reading where it has room for the arguments, or the only one that has; None for any other call."""
    found = list(readings(words))
    with_room = [one for one in found if len(one[0]) <= most]
    return with_room[0] if found[0] in with_room or len(with_room) == 1 else None


def sequences(pieces, longest):
    """Yield every sequence of at most so many pieces."""
    for length in range(longest + 1):
        yield from itertools.product(pieces, repeat=length)


class TestEveryOrder:
    """Every sequence of few words, against the oracle."""

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("length", [3, pytest.param(4, marks=pytest.mark.slow)])
    def test_one_reading_or_an_error(self, shape, length):
        """A call is read in the only way there is, as click reads it, or refused; no word is lost or doubled."""
        parameters = [*SHAPES[shape], *OPTIONS]
        most = sum(one.nargs for one in SHAPES[shape])
        pieces = (["--several", "s"], ["--other", "o"], ["--single", "1"], ["--text", "t"], ["--flag"], ["a"], ["--"])
        read = refused = 0
        for sequence in sequences(pieces, length):
            words = [f"{word}{at}" if word[0] != "-" else word for at, part in enumerate(sequence) for word in part]
            one = click.Command("one", params=parameters)
            context = click.Context(one)
            try:
                given = with_options_repeated(words, parameters, context)
                options, rest, _ = one.make_parser(context).parse_args(list(given))
            except click.UsageError:
                options, rest = {}, ["refused"]
            wanted = expected(words, most)
            if rest:
                assert wanted is None, words
                refused += 1
                continue
            assert wanted is not None, words
            arguments, values = wanted
            taken = [options.get(part) for part in ("first", "second")]
            assert [word for word in taken if isinstance(word, str)] == list(arguments), words
            for name in ("several", "other", "text"):
                assert options.get(name, []) == [word for option, word in values if option == f"--{name}"], words
            read += 1
        assert min(read, refused) > 20

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("length", [2, pytest.param(4, marks=pytest.mark.slow)])
    def test_what_click_took_is_taken_as_before(self, name, length):
        """A call of a real command that click alone can read has the same values as before, or is refused.

        It is refused only by a command with any number of arguments, and there only where a word can be both.
        """
        one = command(name)
        arguments = [parameter for parameter in one.params if isinstance(parameter, click.Argument)]
        pieces = (["--certs", "x"], ["--anchor", "y"], ["--expires-within", "3d"], ["--json"], ["a"], ["b"])
        for sequence in sequences(pieces, length):
            words = [word for part in sequence for word in part]
            context = click.Context(one, help_option_names=["-h", "--help"])  # click keeps the first names it is given
            try:
                before = one.make_parser(context).parse_args(list(words))[:2]
            except click.UsageError:
                continue
            if before[1]:
                continue
            try:
                given = with_options_repeated(words, one.params, context)
            except click.UsageError:
                assert any(parameter.nargs < 0 for parameter in arguments), words
                continue
            assert given == words


class TestInCommands:
    """With the files of a replica."""

    def test_a_pattern_that_the_shell_expanded(self, build, files, call):
        """``--certs a b c`` and the quoted pattern give what the option given three times gives."""
        sources = sorted(map(str, files.certificates.iterdir()))
        assert len(sources) > 1
        again = [part for source in sources for part in ("--certs", source)]
        ways = (again, ["--certs", *sources], [f"--certs={sources[0]}", *sources[1:]])
        reports = [build("--json", *way, certs=None).json for way in (*ways, ["--certs", files.certificates / "*"])]
        assert all(one["certificates"] == reports[0]["certificates"] for one in reports)
        anchor = ["--anchor", files.trust_anchor]
        assert call("paths", files.certificate, "--certs", *sources, *anchor).status == 0
        assert call("paths", "--certs", *sources, *anchor, "--", files.certificate).status == 0

    def test_unclear(self, call, files, folder):
        """A word that may be a value or the argument: exit status 2, and how to write it."""
        sources = sorted(map(str, files.certificates.iterdir()))[:3]
        for name, argument in (("paths", "CERT"), ("gather", "CERT"), ("verify", "FILE")):
            outcome = call(name, "--crl" if name == "verify" else "--certs", *sources, "--anchor", files.trust_anchor)
            assert outcome.status == 2
            assert f"or {argument}: write {argument} before the options" in outcome.errors
        (folder / "b.pem").touch()
        outcome = call("probe", "h.invalid", "--certs", "a.pem", "b.pem", "--anchor", files.trust_anchor)
        assert outcome.status == 2
        assert "for several values repeat the option: --certs a.pem --certs b.pem" in outcome.errors
        assert (
            "could be another value of --device, or HOST"
            in call("probe", "h", "--anchor", "x", "--device", "ios", "android").errors
        )

    def test_nothing_more_is_trusted(self, build, call, files):
        """A word after --anchor is never trusted because it stands there, and neither is what a pattern matches."""
        other = min(map(str, files.certificates.iterdir()))
        outcome = build("--anchor", files.trust_anchor, other)
        assert outcome.status == 2
        assert (
            f"the option has to be repeated for each: --anchor {files.trust_anchor} --anchor {other}" in outcome.errors
        )
        outcome = call("graph", files.certificate, "--anchor", files.trust_anchor, other, "--json")
        assert outcome.status == 2
        outcome = build(anchor=files.trust_anchor.with_name("anch*"))
        assert outcome.status == 2
        assert "a pattern is not expanded here: give the name of one file" in outcome.errors

    def test_patterns(self, build, files, folder):
        """One that matches nothing says so; a file of that name is the file; "-" is a file and not standard input."""
        outcome = build(certs=files.certificates / "*.nothing")
        assert outcome.status == 2
        assert f"--certs {files.certificates / '*.nothing'}: no file matches this pattern" in outcome.errors
        content = files.trust_anchor.read_bytes()
        for name in ("[a].pem", "a.pem", "-", ".hidden.pem"):
            (folder / name).write_bytes(content)
        (folder / "a.pem").write_bytes(b"not a certificate")
        assert build(certs="[a].pem", certs_only=None).status == 1  # no path from it; not the error of a.pem
        assert "a.pem" in build(certs="a*.pem").errors
        assert build(certs="?", stdin=b"not a certificate").status == 1

    def test_one_value(self, build):
        """An option that takes one value names the word that is too many; free text asks for quotation marks."""
        assert "(x) after --key-name a: --key-name takes one value" in build("--key-name", "a", "x").errors
        assert "a value with spaces needs quotation marks" in build("--ca-name", "My", "CA").errors


class TestCompletion:
    """The next word after such an option."""

    def test_open_option(self):
        """The option that another word would belong to."""
        build = command("build").params
        assert open_option(["--certs", "a", "b"], build).name == "certificates"
        for words in ([], ["--certs"], ["--certs", "a", "--json"], ["--anchor", "a"], ["--certs", "a", "--", "b"]):
            assert open_option(words, build) is None

    def test_offered(self, offered):  # noqa: F811  # the fixture
        """Files after the beginning of a name, and options after a hyphen or nothing."""
        assert offered("pkcs12kit build --certs a b") == {"b": ("file", "")}
        assert set(offered("pkcs12kit rehearse s.p12 --clients java gn")) == {"gnutls"}
        assert "--certs" in offered("pkcs12kit build --certs a b --")
        assert "--certs" in offered("pkcs12kit build --certs a ")


def test_patterns_have_a_limit(build, folder, monkeypatch):
    """More files than a folder may have: an error, before they are read."""
    monkeypatch.setattr("pkcs12kit.cli.patterns.DEFAULT_LIMITS", type("Few", (), {"archive_members": 2}))
    for number in range(3):
        os.close(os.open(folder / f"{number}.pem", os.O_CREAT))
    outcome = build(certs="*.pem")
    assert outcome.status == 2
    assert "the pattern matches more than 2 files; give their folder instead" in outcome.errors
