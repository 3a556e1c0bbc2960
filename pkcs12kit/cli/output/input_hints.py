"""Hints for input that cannot be used, for files that cannot be written, and for words of a call that mean nothing."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.output.console import at_terminal
from pkcs12kit.cli.patterns import first_match, is_pattern
from pkcs12kit.errors import (
    ContentsPasswordError,
    InputError,
    KeyChoiceError,
    KeyMismatchError,
    LimitExceededError,
    OutputError,
    PasswordError,
)
from pkcs12kit.hints import Hint
from pkcs12kit.shell_words import quote_word
from pkcs12kit.sources.kind_hints import Taken, hints_for_kind, kinds_in
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pkcs12kit.errors import Pkcs12KitError

_EXPLAINED: Final = (LimitExceededError, KeyMismatchError, KeyChoiceError)
"""The errors to which the content of a file adds nothing."""
_KEYS: Final = frozenset({Kind.PRIVATE_KEY, Kind.ENCRYPTED_PRIVATE_KEY, Kind.OPENSSH_PRIVATE_KEY})
# name of the parameter: the kind of file that it takes
_TAKES: Final = {
    "key": Taken.KEY,
    "certificate": Taken.CERTIFICATE,
    "target_file": Taken.CERTIFICATE,
    "certificates": Taken.CERTIFICATE,
    "trust_anchors": Taken.CERTIFICATE,
    "bundle_anchors": Taken.CERTIFICATE,
    "sources": Taken.CERTIFICATE,
    "more_sources": Taken.CERTIFICATE,
    "pkcs12": Taken.PKCS12,
    "file": Taken.PKCS12,
    "crls": Taken.REVOCATION,
    "ocsp_responses": Taken.REVOCATION,
}
_IDENTITY: Final = Hint(text="--pkcs12 reads the key and its certificate from such a file")
_IDENTITIES: Final = frozenset({"key", "pkcs12"})
_DELIVERY: Final = Hint(text="--from takes a delivered folder or zip, and finds the key and its certificate in it")
_PASSWORD_SOURCES: Final = ("password_file", "password_env", "password_stdin")
_WRONG_PASSWORD: Final = {
    "file": "the password is the whole first line of the file, with every space in it",
    "env": "the password is the whole value of {}, with every space in it",
    "stdin": "the password is the whole first line of standard input, with every space in it",
}
_CONTENTS: Final = Hint(text="--contents-password-file gives another password for the contents and the key")
_OTHER_CONTENTS: Final = Hint(text="neither the password nor that of --contents-password-file opens it")
_TYPED: Final = Hint(
    text="run the command again, which asks for the password: capital letters, spaces and the keyboard layout count"
)
_SWAPPED: Final = Hint(text="are --key and --cert swapped?")
TO_OPEN: Final = Hint(text="--password-file, --password-env or --password-stdin opens the encrypted parts")
"""For a listing in which parts stayed closed, because no password was given."""
_NO_PASSWORD: Final = Hint(text="give the name of a file that holds the password, not the password itself")
_NOT_FETCHED: Final = Hint(text="URLs are not read here: download the file, and give the name of the file")

# A hyphen, or what programs for letters and documents make of two, before the name of an option.
_DASHED: Final = re.compile(r"(-|[\u2010-\u2015\u2212]{1,2})([a-z][a-z0-9-]+)(?:=.*)?", re.DOTALL)
_FROM: Final = "--from"


def hints_for_error(
    error: Pkcs12KitError, given: Mapping[str, object], named: Iterable[tuple[str, str]]
) -> tuple[Hint, ...]:
    """Return the hints for an error of a command; none where its text already says what to do.

    ``given`` has all parameters of the command; ``named`` those that the error may be about, each with its value.
    """
    hint = None
    with suppress(OSError):  # a file that may not be read, or a name that is too long: the error says so
        if isinstance(error, OutputError):
            hint = _for_place(given)
        elif isinstance(error, InputError) and not isinstance(error, _EXPLAINED):
            about = partial(_for_password, error) if isinstance(error, PasswordError) else partial(_for_file, error)
            hint = next((found for name, value in named if (found := about(value, given, name)) is not None), None)
    return () if hint is None else (hint,)


def hints_for_wrong_password(
    given: Mapping[str, object], error: Pkcs12KitError | None = None, sources: Iterable[str] = _PASSWORD_SOURCES
) -> tuple[Hint, ...]:
    """Return what counts as the password, for one that opened nothing: by the option that it came from.

    Without any of the options ``sources`` it was typed at a terminal; where there is no terminal, there is no hint. If
    the password opened the file, but not everything in it, the option for a second password is the hint.
    """
    if isinstance(error, ContentsPasswordError) and "contents_password_file" in given:
        return (_CONTENTS if given["contents_password_file"] is None else _OTHER_CONTENTS,)
    for source in sources:
        if value := given.get(source):
            if source.endswith("file") and _is_blank(value):
                return (Hint(text=f"the first line of {value} is empty, so the empty password was tried"),)
            return (Hint(text=_WRONG_PASSWORD[source.rpartition("_")[2]].format(value)),)
    return (_TYPED,) if at_terminal() else ()


def _is_blank(file: object) -> bool:
    """Return True for a file whose first line is empty; False where it cannot be read again, as a pipe."""
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.password_text import first_line
    from pkcs12kit.sources.reading import read_source

    with suppress(InputError, OSError):
        return (
            isinstance(file, str) and Path(file).is_file() and not first_line(read_source(file, DEFAULT_LIMITS), file)
        )
    return False


def _for_password(error: PasswordError, value: str, given: Mapping[str, object], name: str) -> Hint | None:
    source = {
        "key": "key_password_file",
        "pkcs12": "pkcs12_password_file",
        "certificate": "cert_password_file",
        "source": "key_password_file",
    }.get(name)
    if _TAKES.get(name) is Taken.CERTIFICATE and source not in given:  # no option gives this file's password
        if "pkcs12" in given:
            return _IDENTITY
        return Hint(
            text="write its certificates as PEM first",
            command=f"openssl pkcs12 -in {quote_word(value)} -nokeys -out NEW.pem",
        )
    return next(iter(hints_for_wrong_password(given, error, (source,) if source else _PASSWORD_SOURCES)), None)


def _for_file(error: InputError, value: str, given: Mapping[str, object], name: str) -> Hint | None:
    path = Path(value)
    if value == "-":
        return None
    if path.is_dir():
        return _DELIVERY if name in _IDENTITIES and {"pkcs12", "source"} <= given.keys() else None
    if path.exists():
        return _for_content(value, given, name)
    found = _NOT_FETCHED if "://" in value else _for_pattern(value) or next(iter(error.hints), None)
    return _NO_PASSWORD if found is None and name.endswith("password_file") else found


def _for_place(given: Mapping[str, object]) -> Hint | None:
    """Return the hint for a file that could not be written."""
    for name in ("output", "output_svg", "output_dot", "output_mermaid", "folder"):
        value = given.get(name)
        if not isinstance(value, str) or value == "-":
            continue
        place = Path(value)
        if name == "folder":
            return (
                Hint(text="give the name of a folder, or of one that does not exist yet") if place.is_file() else None
            )
        if place.is_dir():
            example = f", such as {place / 'server.p12'}" if name == "output" else ""
            return Hint(text=f"give the name of a file in this folder{example}")
    return None


def _for_pattern(value: str) -> Hint | None:
    """Return what to do about a pattern that was given where one file is expected; None for another name."""
    found = first_match(value) if is_pattern(value) else None
    if found is None:
        return None
    return Hint(text=f"a pattern is not expanded here: give the name of one file, such as {found}")


def _for_content(value: str, given: Mapping[str, object], name: str) -> Hint | None:
    """Return the hint for a file that holds another kind of thing than the parameter takes."""
    takes, kinds = _TAKES.get(name), _kinds_in(value)
    if takes is None or (name == "file" and "output" not in given and kinds & (_KEYS | {Kind.CERTIFICATE})):
        return None  # all commands but convert also take a chain in PEM
    if Kind.ZIP in kinds and name in _IDENTITIES and {"pkcs12", "source"} <= given.keys():
        return _DELIVERY
    other = {"key": given.get("certificate"), "certificate": given.get("key")}.get(name)
    wanted = {"key": Kind.CERTIFICATE, "certificate": Kind.PRIVATE_KEY}.get(name)
    if wanted in kinds and isinstance(other, str) and _kinds_in(other) & (_KEYS | {Kind.CERTIFICATE}) - {wanted}:
        return _SWAPPED
    if takes is Taken.CERTIFICATE and kinds & _KEYS and "key" in given:
        return Hint(text="give the private key with --key")
    if takes is Taken.KEY and kinds & _KEYS:
        return None  # certificates beside the key are no fault
    return next(iter(hints_for_kind(takes, kinds)), None)


def _kinds_in(file: str) -> frozenset[Kind]:
    """Return the kind of a file, or the kinds of its PEM blocks; none where the file cannot be read."""
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.reading import read_source

    if not Path(file).is_file():  # a pipe has been read already, and can be read only once
        return frozenset()
    with suppress(InputError):
        return kinds_in(read_source(file, DEFAULT_LIMITS), file)
    return frozenset()


def hints_for_call(error: click.UsageError, args: Sequence[str], ctx: click.Context) -> tuple[Hint, ...]:
    """Return the hints for a call that click does not accept; ``args`` are the words after the command's name."""
    options = {name for one in ctx.command.params if isinstance(one, click.Option) for name in one.opts}
    near = tuple(_with_other_dashes(args, options))
    if near:
        return near
    if _FROM in options and "unexpected extra argument" in error.message and any(map(_is_delivery, args)):
        return (Hint(text=f"write {_FROM} before a delivered folder or zip, and --certs before CA certificates"),)
    return ()


def _with_other_dashes(args: Sequence[str], options: set[str]) -> Iterator[Hint]:
    """Yield a hint for the first word that is an option but for its dashes."""
    for word in args:
        found = _DASHED.fullmatch(word)
        if found is not None and f"--{found[2]}" in options:
            yield Hint(text=f"write two hyphens before the name of an option: --{found[2]}")
            return


def _is_delivery(word: str) -> bool:
    try:
        return Path(word).is_dir() or (word.lower().endswith(".zip") and Path(word).is_file())
    except (OSError, ValueError):  # no name that a file can have
        return False
