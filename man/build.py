"""A script that writes the man pages from the help of the commands: ``python man/build.py``, in a clone.

It writes pkcs12kit(1), and pkcs12kit-NAME(1) for each command, to ``man/man1``, which the wheel installs as
``share/man/man1``. A page keeps its date until something else in it changes. The pages are not written while the wheel
is built, because that would need everything that the command imports.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli import cli
from pkcs12kit.cli.command import Command, range_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER: Final = Path(__file__).parent / "man1"

_PROJECT: Final = Path(__file__).parents[1]
_UNDATED: Final = "DATE"
_WIDTH: Final = 78  # columns of the source, after the custom of man(7)
_STATUS: Final = "Exit status 1: "
_EXIT: Final = {
    "0": "Yes: it is done, and no check says no.",
    "1": "The answer is no.",
    "2": "Bad usage, input that cannot be read, or a file that cannot be written.",
    "70": "An error in pkcs12kit itself, which is not an answer: please report it. --debug, before COMMAND, shows where"
    " it happened.",
    "130": "Interrupted from the keyboard; 143 after SIGTERM, 129 after SIGHUP.",
    "141": "The program that read standard output stopped before the end.",
}
_STREAMS: Final = (
    "Results go to standard output, everything else to standard error. There a line that begins with \\fBerror:\\fR"
    " says what is wrong, and one with \\fBhint:\\fR what to do next. With --json standard output has one JSON object"
    " where there is an answer, yes or no, and nothing otherwise. Lines are as wide as the terminal; in a pipe each"
    " finding is one line."
)
_TERMINAL: Final = {
    "NO_COLOR": "If it is set and not empty, there are no colours, as in pipes and where TERM is dumb.",
    "COLUMNS": "The width of lines, instead of the width of the terminal.",
}
_PASSWORDS: Final = {
    "VAR": "The variable that --password-env names holds the password. It is read once, and passed to no other"
    " program.",
}
_FETCHING: Final = {
    "http_proxy, https_proxy, no_proxy": "The proxies through which URLs are fetched.",
    "XDG_CACHE_HOME": "On Linux, the folder that contains the cache, pkcs12kit. Default: ~/.cache.",
}
_SECURITY: Final = (
    "A password is typed at the terminal, or comes from a file, an environment variable or standard input, never from"
    " an argument, which other users of the computer could see. Messages, JSON and temporary files never contain"
    " private keys or passwords. Other programs of the same user can read environment variables, so a file with mode"
    " 0600 is the better place for a password."
)
_WRITING: Final = (
    "A new file has mode 0600 from the start; a file that is replaced keeps its owner, group and mode."
    " It is read back and compared, and only then takes its name: even if the command is interrupted, either"
    " the old file or the complete new file is there."
)
_NETWORK: Final = (
    "Only pkcs12kit-gather(1), pkcs12kit-probe(1), --fetch of pkcs12kit-build(1), and pkcs12kit-batch(1) for what its"
    " manifest or --dask asks for use the network. A fetched"
    " certificate is only a candidate: only --anchor is trusted."
)
_SEE_ALSO: Final = {
    "batch": ("build", "expiry"),
    "build": ("paths", "verify", "rehearse", "gather"),
    "convert": ("inspect", "build"),
    "expiry": ("verify", "paths"),
    "gather": ("paths", "build"),
    "graph": ("paths",),
    "inspect": ("verify", "convert"),
    "lab": ("demo",),
    "demo": ("lab", "build"),
    "paths": ("graph", "gather", "build"),
    "probe": ("rehearse", "verify"),
    "rehearse": ("verify", "probe"),
    "verify": ("inspect", "rehearse"),
}


def pages() -> Mapping[str, str]:
    """Return each page by the name of its file; a page in which nothing else changes keeps its date."""
    return {name: _dated(page, FOLDER / name) for name, page in _undated()}


def _undated() -> Iterator[tuple[str, str]]:
    context = click.Context(cli, info_name="pkcs12kit", **cli.context_settings)
    yield "pkcs12kit.1", "\n".join(_main_page(context)) + "\n"
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None:
            yield f"pkcs12kit-{name}.1", "\n".join(_command_page(name, command, context)) + "\n"


def _dated(page: str, file: Path) -> str:
    old = file.read_text("utf-8") if file.is_file() else ""
    date = re.search(r'^\.TH \S+ 1 "([0-9-]{10})"', old, re.MULTILINE)
    if date is not None and old == page.replace(_UNDATED, date[1], 1):
        return old
    return page.replace(_UNDATED, f"{datetime.now(UTC):%Y-%m-%d}", 1)


def _main_page(context: click.Context) -> Iterator[str]:
    yield from _head("pkcs12kit", _lower(cleandoc(cli.help or "")))
    yield from (".SH SYNOPSIS", "\\fBpkcs12kit\\fR \\fICOMMAND\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]")
    yield from (".br", "\\fBpkcs12kit\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR")
    yield from (".SH DESCRIPTION", _text(cleandoc(cli.help or "")), ".PP", _text(_STREAMS), ".SH COMMANDS")
    for name, summary in cli.summaries():
        yield from (".TP", f"\\fBpkcs12kit\\-{name}\\fR(1)", _text(summary))
    yield from _options(cli, context)
    yield from _exit_status(_EXIT["1"])
    yield from _environment(_TERMINAL | _PASSWORDS | _FETCHING)
    yield from (".SH SECURITY", _text(_SECURITY), ".PP", _text(_WRITING), ".PP", _text(_NETWORK))
    yield from _examples(cli)
    others = [f"pkcs12kit-{name}" for name in cli.list_commands(context)]
    yield from _see_also([*others, "openssl-pkcs12"])


def _command_page(name: str, command: click.Command, group: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=group)
    summary = dict(cli.summaries())[name]
    options = {option for parameter in command.params for option in parameter.opts}
    description, answer = _without_status(cleandoc(command.help or ""))
    metavars = {
        part for parameter in command.params for part in re.findall(r"[A-Z][A-Z.]+(?:\.p12)?", _metavar(parameter))
    }
    yield from _head(f"pkcs12kit-{name}", _lower(summary))
    yield from (".SH SYNOPSIS", f"\\fBpkcs12kit {name}\\fR {' '.join(_usage(command))}", ".SH DESCRIPTION")
    for number, paragraph in enumerate(description):
        yield from ((".PP",) if number else ())
        yield from _paragraph(paragraph, metavars)
    yield from _options(command, context)
    yield from _exit_status(answer)
    needed = dict(_TERMINAL)
    needed |= _PASSWORDS if "--password-env" in options else {}
    needed |= _FETCHING if "--cache" in options else {}
    yield from _environment(needed)
    security = [_SECURITY] if "--password-file" in options else []
    security += [_WRITING] if {"--out", "--to"} & options else []
    security += [_NETWORK] if {"--cache", "--mdm"} & options else []
    for number, paragraph in enumerate(security):
        yield from (".PP" if number else ".SH SECURITY", _text(paragraph))
    yield from _examples(command)
    others = [f"pkcs12kit-{other}" for other in _SEE_ALSO.get(name, ())]
    yield from _see_also(["pkcs12kit", *others, *(["openssl-pkcs12"] if "--password-file" in options else [])])


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _head(name: str, summary: str) -> Iterator[str]:
    version = tomllib.loads((_PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    yield '.\\" Written by man/build.py from the help of the command.'
    yield f'.TH {name.upper()} 1 "{_UNDATED}" "pkcs12kit {version}" "pkcs12kit manual"'
    yield from (".nh", ".ad l")  # names of options and files must stay in one piece
    yield from (".SH NAME", f"{_text(name)} \\- {_text(summary.removesuffix('.'))}")


def _usage(command: click.Command) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    yield from (f"\\fI{_escaped(_metavar(argument))}\\fR" for argument in arguments)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.required:
            yield f"\\fB{_escaped(parameter.opts[0])}\\fR \\fI{_escaped(_metavar(parameter))}\\fR"
    yield "[\\fIoptions\\fR]"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    yield ".SH OPTIONS"
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and not one.hidden]
    groups = command.option_groups(context) if isinstance(command, Command) else {"Options": options}
    for title, members in groups.items():
        yield from ((f".SS {title}",) if len(groups) > 1 else ())
        for option in members:
            names = ", ".join(f"\\fB{_escaped(name)}\\fR" for name in option.opts)
            value = "" if option.is_flag or option.is_eager else f" {_value(option)}"
            yield from (".TP", names + value, _text(" ".join([option.help or "", *_remarks(option)])))


def _metavar(parameter: click.Parameter) -> str:
    return parameter.metavar or parameter.type.name.upper()


def _value(parameter: click.Parameter) -> str:
    """Return the value of an option; a line may break after each of a long list of names."""
    if isinstance(parameter.type, click.Choice) and parameter.metavar is None:
        return "|\\:".join(f"\\fB{_escaped(str(choice))}\\fR" for choice in parameter.type.choices)
    return f"\\fI{_escaped(_metavar(parameter))}\\fR"


def _remarks(parameter: click.Option) -> Iterator[str]:
    """Yield the remarks that help shows in brackets."""
    if parameter.required:
        yield "Required."
    if isinstance(parameter.type, (click.IntRange, click.FloatRange)):
        words = range_in_words(parameter.type)
        yield f"{words[:1].upper()}{words[1:]}."
    if parameter.show_default and parameter.default is not None:
        default = parameter.default
        yield f"Default: {f'{default:,}' if isinstance(default, int) else default}."


def _without_status(text: str) -> tuple[list[str], str]:
    """Return the paragraphs of a description, and the meaning of exit status 1, which has a section of its own."""
    paragraphs, answer = [], ""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b"):  # click's mark for lines that stay as they are
            paragraphs.append(paragraph)
            continue
        before, found, meaning = " ".join(paragraph.split()).partition(_STATUS)
        answer = meaning[:1].upper() + meaning[1:] if found else answer
        paragraphs += [before.strip()] if before.strip() else []
    return paragraphs, answer


def _exit_status(answer: str) -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for status, meaning in (_EXIT | {"1": answer}).items():
        if meaning:  # some commands never answer no
            yield from (".TP", f"\\fB{status}\\fR", _text(meaning))


def _environment(variables: Mapping[str, str]) -> Iterator[str]:
    yield ".SH ENVIRONMENT"
    for names, meaning in variables.items():
        yield from (".TP", f"\\fB{names}\\fR" if names != "VAR" else "\\fIVAR\\fR", _text(meaning))


def _examples(command: click.Command) -> Iterator[str]:
    yield ".SH EXAMPLES"
    lines = re.findall(r"^  .*$", command.epilog or "", re.MULTILINE)
    yield ".nf"
    for number, line in enumerate(lines):
        if number and not lines[number - 1].endswith("\\"):
            yield ".sp"
        yield _no_request(_escaped(line[2:]))
    yield ".fi"


def _see_also(names: list[str]) -> Iterator[str]:
    yield ".SH SEE ALSO"
    yield ",\n".join(f"\\fB{_escaped(name)}\\fR(1)" for name in names)


def _paragraph(text: str, metavars: set[str]) -> Iterator[str]:
    if not text.startswith("\b"):
        yield _text(text, metavars)
        return
    yield ".nf"
    yield from (_no_request(_escaped(line)) for line in text.splitlines()[1:])
    yield ".fi"


def _text(text: str, metavars: set[str] | None = None) -> str:
    """Return a paragraph with options bold, names of values slanted, and one sentence a line, as man(7) wants it."""
    written = _escaped(" ".join(text.split()))
    written = re.sub(r"(?<![\w\\])((?:\\-){2}[a-z0-9]+(?:\\-[a-z0-9]+)*)", r"\\fB\1\\fR", written)
    written = re.sub(r"pkcs12kit\\-([a-z]+)\(1\)", r"\\fBpkcs12kit\\-\1\\fR(1)", written)
    for metavar in sorted(metavars or (), key=len, reverse=True):
        written = re.sub(rf"(?<![\w\\]){re.escape(metavar)}(?![\w.])", rf"\\fI{metavar}\\fR", written)
    sentences = re.split(r"(?<=[a-z)\dR][.:;]) (?=[A-Z\\])", written)
    lines = (line for each in sentences for line in wrap(each, _WIDTH, break_long_words=False, break_on_hyphens=False))
    return "\n".join(map(_no_request, lines))


def _escaped(text: str) -> str:
    """Return the text so that roff reads no request in it, and a minus can be copied."""
    kept = re.sub(r"\\(?!f[BIR])", r"\\e", text).replace("-", "\\-")
    return kept.replace("~", "\\(ti").replace("^", "\\(ha")


def _no_request(line: str) -> str:
    return rf"\&{line}" if line.startswith((".", "'")) else line


def main() -> None:
    """Write all pages, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for file in FOLDER.glob("*.1"):
        if file.name not in made:
            file.unlink()
    for name, page in made.items():
        (FOLDER / name).write_text(page, "utf-8")


if __name__ == "__main__":
    main()
