"""Runs every code block of a page of the documentation, in the order of the page, in a folder made for it.

The language after the fence says what is done with a block:

============ ========================================================================================================
``shell``    Run by ``bash -euo pipefail``, and has to end with 0. Another status that is meant is asserted in the
             block: ``! pkcs12kit ...``, or ``pkcs12kit ... || test $? -eq 1``.
``console``  ``$ command`` lines (continued by a backslash; ``> `` before the rest is optional), each followed by what
             it prints, standard output and error together, 100 columns wide. ``...`` stands for anything, white space
             at the end of lines for nothing, and spaces between words for one: columns are as wide as what stands in
             them on this machine. The exit status is not looked at: what is printed tells.
``python``   Run in one namespace per page, as a script in the folder would be.
``pycon``    ``>>>`` with what is printed, in the same namespace, with ``...`` as above.
``sh``       Not run: for what needs a network, another machine, or another operating system. Bash has to be able to
             parse it, and each call of pkcs12kit to have options that exist and arguments that suffice.
``json``,    Parsed, no more.
``toml``
============ ========================================================================================================

Others (``_LISTINGS``) are for the reader alone; a block in any other language, or in none, fails, as does an unknown
directive. Blocks within admonitions and lists count. Comments, which are not rendered, prepare a page; each is a line
of its own:

``% run: COMMAND`` is run by bash at its place in the page, to make what the page takes for granted.

``% needs: PROGRAM...`` names programs of other makers that the page runs. Without them the test of the page is
skipped, and fails in CI.

``% data: FOLDER`` puts links to the files of this folder of ../shared/data into the folder of the page. Without
../shared/data the test of the page is skipped.

All blocks share the folder, and the environment as one terminal does: ``cd`` and ``export`` last for the rest of the
page, and what a block leaves running in the background is ended with the page. ``pkcs12kit`` and ``python3`` on PATH
are those that run the tests. Home, cache and settings are in the folder; proxies that refuse everything but loopback
stand in for a network.
"""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest
from markdown_it import MarkdownIt

from pkcs12kit.cli import cli

from ..conftest import administrators_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DOCS: Final = Path(__file__).parents[2] / "docs"
_LISTINGS: Final = frozenset(
    {"apache", "diff", "dot", "html", "ini", "mermaid", "nginx", "powershell", "properties", "text", "xml", "yaml"}
)
_DIRECTIVES: Final = frozenset(
    {"eval-rst", "figure", "image", "include", "list-table", "literalinclude", "raw", "toctree"}
)
_ADMONITIONS: Final = frozenset({"admonition", "caution", "dropdown", "important", "note", "seealso", "tip", "warning"})
_FLAGS: Final = doctest.ELLIPSIS
_SECONDS: Final = 120  # for one block: only what hangs takes as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One code block, or one comment that prepares a page."""

    language: str  # or "run", "needs", "data"
    text: str
    line: int  # of the page, where the text begins


def _blocks_of(text: str, first: int = 1) -> Iterator[Block]:
    """Take the blocks out of a page, in their order; ``first`` is the number of its first line."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.map is None:
            continue
        line = first + token.map[0]
        if token.type == "inline":
            for offset, one in enumerate(token.content.splitlines()):
                if comment := re.fullmatch(r"% (run|needs|data): (.+)", one):
                    yield Block(language=comment[1], text=comment[2], line=line + offset)
        elif token.type in {"fence", "code_block"}:
            language, _, _ = token.info.strip().partition(" ")
            directive = language.strip("{}")
            if language != f"{{{directive}}}":
                yield Block(language=language, text=token.content, line=line + (token.type == "fence"))
            elif directive in _ADMONITIONS:
                yield from _blocks_of(token.content, line + 1)
            elif directive not in _DIRECTIVES:
                yield Block(language=language, text=token.content, line=line + 1)


class _Terminal:
    """The folder of a page, and the environment that its blocks share."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch
        self._left_running: list[int] = []
        programs, home, page = (folder / name for name in ("bin", "home", "page"))
        for made in (programs, home, page):
            made.mkdir()
        interpreter = shlex.quote(sys.executable)
        for name, call in (("pkcs12kit", "-P -m pkcs12kit"), ("python", ""), ("python3", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {interpreter} {call} "$@"\n')
            (programs / name).chmod(0o755)
        # A block's end says what it exported, where it went, and whether something still runs.
        (folder / "begin.sh").write_text(
            "unset BASH_ENV\n"
            f"trap 'jobs -p >{shlex.quote(str(folder / 'jobs'))}; env -0 >{shlex.quote(str(folder / 'env'))}' EXIT\n"
        )
        if sources := os.environ.get("PYTHONPATH"):
            monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, sources.split(os.pathsep))))
        monkeypatch.chdir(page)
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE", "LINES"):
            monkeypatch.delenv(name, raising=False)
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: nothing listens
        for name, value in {
            "PATH": f"{programs}:{administrators_path()}",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "no_proxy": "localhost,127.0.0.1,::1",
            "NO_PROXY": "localhost,127.0.0.1,::1",
        }.items():
            monkeypatch.setenv(name, value)

    def bash(self, script: str, options: str) -> tuple[int, str]:
        """Run a script; give its exit status and all that it printed."""
        printed = self._folder / "printed"  # not a pipe: what runs on in the background would hold it open
        with printed.open("wb") as output:
            process = subprocess.Popen(
                ["bash", *options.split(), "-c", script],
                env=os.environ | {"BASH_ENV": str(self._folder / "begin.sh")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = process.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
        jobs = self._folder / "jobs"
        if jobs.exists() and jobs.read_text():
            self._left_running.append(process.pid)
        self._take_over()
        return status, printed.read_text("utf-8", "backslashreplace")

    def _take_over(self) -> None:
        """Let what the last block exported, and where it went, hold for the next."""
        exported = self._folder / "env"
        if not exported.exists():
            return
        variables = dict(one.split("=", 1) for one in exported.read_text("utf-8").split("\0") if one)
        exported.unlink()
        for name in ("SHLVL", "_", "OLDPWD", "BASH_ENV"):
            variables.pop(name, None)
        self._monkeypatch.chdir(variables["PWD"])
        for name in os.environ.keys() - variables.keys():
            self._monkeypatch.delenv(name)
        for name, value in variables.items():
            if os.environ.get(name) != value:
                self._monkeypatch.setenv(name, value)

    def close(self) -> None:
        """End what blocks left running."""
        for group in self._left_running:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)


def _stripped(text: str) -> str:
    lines = (re.sub(r"(?<=\S) {2,}", " ", line.rstrip()) for line in text.rstrip().splitlines())
    return "".join(f"{line}\n" for line in lines)


def _called(text: str) -> Iterator[list[str]]:
    """Give the arguments of each call of pkcs12kit in a shell script."""
    text = re.sub(r"(^|\s)#.*", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"(?<=\s)\d+(?=[<>])", "", text)  # the number of a descriptor is not an argument
    lexer = shlex.shlex(text.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.wordchars += ":%@,+$^!{}[]"
    words: list[str] | None = None
    for word in [*lexer, ";"]:
        if set(word) <= set("();<>|&"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(word)
        elif word.rpartition("/")[2] == "pkcs12kit":
            words = []


class _Page:
    """Runs the blocks of one page; each method gives what is wrong with a block, or nothing."""

    def __init__(self, page: Path, terminal: _Terminal) -> None:
        self._page, self._terminal = page, terminal
        self._namespace: dict[str, object] = {"__name__": "__main__"}

    def wrong(self, block: Block) -> str | None:
        """Do with a block what its language says."""
        does: Mapping[str, Callable[[Block], str | None]] = {
            "shell": self._shell,
            "run": self._shell,
            "console": self._console,
            "sh": self._sh,
            "python": self._python,
            "pycon": self._pycon,
            "json": lambda it: self._parsed(json.loads, it),
            "toml": lambda it: self._parsed(tomllib.loads, it),
        }
        if block.language in does:
            return does[block.language](block)
        return None if block.language in _LISTINGS else f"the harness knows no language {block.language!r}"

    def _shell(self, block: Block) -> str | None:
        status, printed = self._terminal.bash(block.text, "-euo pipefail")
        return f"exit status {status}\n{printed}" if status else None

    def _console(self, block: Block) -> str | None:
        before, *commands = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        if before.strip():
            return "a console block begins with '$ '"
        checker = doctest.OutputChecker()
        for one in commands:
            end = re.match(r"(?:[^\n]*\\\n)*[^\n]*\n?", one).end()
            _, printed = self._terminal.bash(re.sub(r"\\\n> ", r"\\\n", one[:end]), "-uo pipefail")
            example, printed = doctest.Example(one[:end], _stripped(one[end:])), _stripped(printed)
            if not checker.check_output(example.want, printed, _FLAGS):
                return f"$ {one[:end]}{checker.output_difference(example, printed, _FLAGS | doctest.REPORT_NDIFF)}"
        return None

    def _sh(self, block: Block) -> str | None:
        status, printed = self._terminal.bash(block.text, "-n")
        if status:
            return printed
        for arguments in _called(block.text):
            try:
                with cli.make_context("pkcs12kit", list(arguments)) as group:
                    name, command, rest = cli.resolve_command(group, arguments)
                    command.make_context(name, rest, parent=group)
            except click.UsageError as error:
                return f"pkcs12kit {shlex.join(arguments)}: {error.format_message()}"
            except click.exceptions.Exit:  # of --help
                continue
        return None

    def _python(self, block: Block) -> str | None:
        try:
            # At its line, so that a traceback has the page's; and without this module's own __future__.
            code = compile("\n" * (block.line - 1) + block.text, self._page, "exec", dont_inherit=True)
            exec(code, self._namespace)  # noqa: S102  # the page is ours
        except Exception:  # noqa: BLE001  # whatever it is, it is the finding
            return traceback.format_exc()
        return None

    def _pycon(self, block: Block) -> str | None:
        test = doctest.DocTestParser().get_doctest(block.text, {}, self._page.name, str(self._page), block.line - 1)
        test.globs = self._namespace
        report = io.StringIO()
        result = doctest.DocTestRunner(optionflags=_FLAGS).run(test, out=report.write, clear_globs=False)
        if result.failed:
            return report.getvalue()
        return None if result.attempted else "a pycon block has a line with >>>"

    @staticmethod
    def _parsed(parse: Callable[[str], object], block: Block) -> str | None:
        try:
            parse(block.text)
        except ValueError as error:
            return str(error)
        return None


@pytest.fixture
def run_page(tmp_path, monkeypatch, cannot_run, request):
    """Run the blocks of a page; a block that is not as it says fails the test, with page and line."""
    terminal = _Terminal(tmp_path, monkeypatch)

    def run(path: Path) -> None:
        blocks = list(_blocks_of(path.read_text("utf-8")))
        needed = {name for block in blocks if block.language == "needs" for name in block.text.split()}
        if lacking := sorted(name for name in needed if shutil.which(name) is None):
            cannot_run(f"{path.name} needs {', '.join(lacking)}")
        for data in (block.text for block in blocks if block.language == "data"):
            for file in (request.getfixturevalue("shared") / "data" / data).iterdir():
                Path(file.name).symlink_to(file)
        page = _Page(path, terminal)
        for block in blocks:
            wrong = None if block.language in {"needs", "data"} else page.wrong(block)
            if wrong is not None:
                pytest.fail(f"{path}:{block.line}: {block.language}\n{block.text}\n{wrong}", pytrace=False)

    yield run
    terminal.close()
