"""The call again with the input that was meant: a command for each error about a file, a password or an output."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pkcs12kit.cli.output.next_steps import for_its_own_name
from pkcs12kit.cli.output.replay import again, command_line
from pkcs12kit.errors import InputError, KeyMismatchError, LimitExceededError, OutputError, PasswordError
from pkcs12kit.findings import Check
from pkcs12kit.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.errors import Pkcs12KitError
    from pkcs12kit.findings import Finding

_STANDARD_INPUT: Final = "-"
_FILE: Final = "FILE"
"""Stands for a file that only the user knows."""
_NEW: Final = {"pkcs12": "NEW.p12", "pem": "NEW.pem"}
_MEANT: Final = re.compile(r"did you mean (.+)\?", re.DOTALL)
_ANOTHER_NAME: Final = "give another name"
"""In the text of each error for which another name of the output helps; not in that of a full disk."""
_SWAPPED: Final = "are --key and --cert swapped?"
_AS_PARTS: Final = "make a PKCS#12 file from a private key and certificates"
_RIGHT_PASSWORD: Final = "with the right password in a file"  # noqa: S105  # a hint
_AS_CRLS: Final = "give CRLs with --crl"
_PASSWORDS: Final = {
    "key": "key_password_file",
    "pkcs12": "pkcs12_password_file",
    "certificate": "cert_password_file",
    "source": "key_password_file",
    "file": "password_file",
}
_ANCHORS: Final = "trust_anchors"


def with_command(hints: tuple[Hint, ...], error: Pkcs12KitError, named: Sequence[tuple[str, str]]) -> tuple[Hint, ...]:
    """Return the hints for an error with at least one command, if the call can be repeated.

    ``named`` has the parameters that the error may be about, each with its value.
    """
    context = click.get_current_context(silent=True)
    if context is None or error.several or isinstance(error, LimitExceededError) or not _lacks_command(hints, context):
        return hints
    if isinstance(error, OutputError):
        made = _another_output(context.params) if _ANOTHER_NAME in str(error) else None
    elif isinstance(error, KeyMismatchError):
        made = _fitting(context.params)
    elif isinstance(error, InputError) and len({value for _, value in named}) == 1:
        name, value = next((one for one in named if one[0] == "key" and "private key" in str(error)), named[0])
        made = _of_input(hints[0].text if hints else "", error, name, value)
    else:
        made = None
    return hints if made is None or made.command is None else (*hints, made)


def right_password() -> tuple[Hint, ...]:
    """Return the hint with the current call and another file for the password of its input; none without a call."""
    context = click.get_current_context(silent=True)
    if context is None or "password_file" not in context.params:
        return ()
    command = again(password_file=_FILE, password_env=None, password_stdin=None)
    return () if command is None else (Hint(text=_RIGHT_PASSWORD, command=command),)


def _lacks_command(hints: tuple[Hint, ...], context: click.Context) -> bool:
    """Return True where no hint has a command, or only one that does not know the files of ``build``."""
    known = [hint.command for hint in hints if hint.command is not None]
    return not known or (context.info_name == "build" and known[0].startswith("pkcs12kit build --key FILE "))


def _of_input(text: str, error: InputError, name: str, value: str) -> Hint | None:
    """Return the call with what was meant in the place of an input; ``text`` is the hint that there is."""
    given = click.get_current_context().params
    if name.endswith("password_file"):
        return Hint(text=_RIGHT_PASSWORD, command=again(**{name: _FILE}))
    if isinstance(error, PasswordError):
        return _with_password(name, given)
    meant = _MEANT.fullmatch(text)
    how, changes = "with the right file", {name: _replaced(given[name], value, _FILE)}
    if text == _SWAPPED:
        how, changes = "the other way round", {"key": given["certificate"], "certificate": given["key"]}
    elif text == _AS_CRLS and "crls" in given:
        left = _replaced(given[name], value, None)
        if name != "certificates":  # an input that every call has
            left = left or _FILE
        how, changes = "as a CRL", {name: left, "crls": (*given["crls"], value)}
    elif text.startswith(_AS_PARTS) and name == "pkcs12":
        how, changes = "with the private key in a file of its own", {name: None, "certificate": value, "key": _FILE}
    elif meant is not None and name != _ANCHORS:  # a file with a similar name is not trusted by a command to copy
        how, changes = "with that name", {name: _replaced(given[name], value, meant[1])}
    return Hint(text=how, command=again(**changes))


def _replaced(values: object, old: str, new: str | None) -> object:
    """Return the value of a parameter with one file replaced, or left out for None."""
    if not isinstance(values, tuple):
        return new
    return tuple(new if each == old else each for each in values if each != old or new is not None)


def _with_password(name: str, given: dict[str, Any]) -> Hint | None:
    """Return the call with another file for the password of an input."""
    option = _PASSWORDS.get(name)
    if option is None or option not in given:
        return None
    return Hint(text=_RIGHT_PASSWORD, command=again(**{option: _FILE}))


def _fitting(given: dict[str, Any]) -> Hint:
    """Return the call that lists which certificate a key fits."""
    files = (given.get(name) for name in ("key", "pkcs12", "certificate", "file", "source"))
    names = [each for each in files if isinstance(each, str) and Path(each).exists()]
    return Hint(text="list which key fits which certificate", command=command_line("pkcs12kit", "show", *names))


def _another_output(given: dict[str, Any]) -> Hint | None:
    """Return the call with another name for the new file; None for a folder or a picture."""
    if not isinstance(given.get("output"), str) or given["output"] == "-":
        return None
    form = given.get("form") or "pkcs12"
    return Hint(text="with another name for the new file", command=again(output=_NEW[form], force=None))


def with_file_command(
    hints: tuple[Hint, ...], findings: Iterable[Finding], target: Certificate | None
) -> tuple[Hint, ...]:
    """Return the hints for a file with at least one command, if the file has a name."""
    context = click.get_current_context(silent=True)
    given = {} if context is None else context.params
    if given.get("file") in {None, _STANDARD_INPUT} or any(hint.command is not None for hint in hints):
        return hints
    problems = {finding.check for finding in findings if finding.is_problem}
    return (*hints, *_showing(target, problems, given))


def _showing(target: Certificate | None, problems: set[Check], given: dict[str, Any]) -> Iterator[Hint]:
    """Yield the call with the file's own server name, or the one that lists what is in the file."""
    if problems == {Check.SERVER_NAME} and target is not None:
        yield Hint(text="check it for the name that it has", command=for_its_own_name(target))
        return
    if given.get("certs_only") and Check.PRIVATE_KEY in problems:
        yield Hint(text="check the private key too", command=again(certs_only=None))
        return
    if given.get("time") is not None and problems & {Check.PATH, Check.EXPIRY}:
        yield Hint(text="check the file for now", command=again(time=None))
    files = [name for name in (given["file"], given.get("key")) if name not in {None, _STANDARD_INPUT}]
    opened = ("--password-file", given["password_file"]) if given.get("password_file") else ()
    text = "list which key fits which certificate" if Check.PRIVATE_KEY in problems else "list what is in the file"
    yield Hint(text=text, command=command_line("pkcs12kit", "show", *files, *opened))
