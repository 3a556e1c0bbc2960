"""The check of each kind of value in a manifest. A function returns the value as it is used, or raises an error.

An error repeats the value only where it cannot be a password.
"""

from __future__ import annotations

from datetime import date, datetime, time
from math import isfinite
from typing import Any, Final

from pkcs12kit.errors import InputError, UnknownNameError
from pkcs12kit.fleet.bundles import Secret
from pkcs12kit.other_names import meant_values
from pkcs12kit.paths.validation.server_name import require_server_name
from pkcs12kit.pkcs12 import profiles, readers
from pkcs12kit.text import alternatives, quoted
from pkcs12kit.tls.probing.target import server_of_text
from pkcs12kit.typed_values import (
    parse_duration,
    parse_key_id,
    parse_mode,
    parse_object_identifier,
    parse_time,
    time_in_utc,
)

KINDS_OF_SECRETS: Final = ("file", "env", "command")
_DAY: Final = 86_400  # seconds
_SEVERAL: Final = 'give one of them: { file = "..." }, { env = "..." } or { command = ["...", "..."] }'
_NAMES: Final = {
    bool: "true or false",
    str: "a text",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "a table",
    datetime: "a time",
    date: "a date",
    time: "a time of day",
}


def kind_of(value: object) -> str:
    """Return the kind of a value in words, never the value."""
    return _NAMES.get(type(value), type(value).__name__)


def text(value: str) -> str:
    """Return a text that is not empty."""
    if not value.strip():
        raise InputError("is empty")
    if "\0" in value:
        raise InputError("has the character NUL")
    return value


def path(value: str) -> str:
    """Return the path of a file or a folder. ``~`` is not expanded, and there is no standard input."""
    text(value)
    if value == "-":
        raise InputError("'-', standard input or output, is not for a manifest; name a file")
    if value.startswith("~"):
        raise InputError(
            "'~' is not replaced by a home folder: write the whole path, or ./~ for a name that begins with it"
        )
    return value


def secret(value: Any) -> Secret:  # noqa: ANN401  # of TOML
    """Return a reference to a password. No error repeats anything of the value."""
    if not isinstance(value, dict):
        raise InputError(f"a password does not belong into a manifest, {kind_of(value)} is refused; {_SEVERAL}")
    if len(value) != 1:
        raise InputError(f"a table with {len(value)} keys; {_SEVERAL}")
    ((kind, source),) = value.items()
    if kind not in KINDS_OF_SECRETS:
        raise InputError(f"a table with another key; {_SEVERAL}")
    if kind == "command":
        return Secret(kind, tuple(_words(source, f"{kind} is")))
    if not isinstance(source, str):
        raise InputError(f"{kind} is {kind_of(source)}; expected a text")
    try:
        path(source) if kind == "file" else text(source)
    except InputError as error:
        raise InputError(f"{kind}: {error}") from None
    if kind == "env" and "=" in source:
        raise InputError("env: an environment variable has no '=' in its name; give only the name")
    return Secret(kind, source)


def secret_file(value: str) -> Secret:
    """Return the reference to a password in a file, from its path."""
    return Secret("file", path(value))


def command(value: Any) -> tuple[str, ...]:  # noqa: ANN401  # of TOML
    """Return the words of a command, which is run without a shell."""
    return tuple(_words(value, "is"))


def _words(value: object, subject: str) -> list[str]:
    if not isinstance(value, list):
        raise InputError(f'{subject} {kind_of(value)}; expected a list of words, like ["program", "argument"]')
    if not all(isinstance(word, str) for word in value):
        raise InputError(f"{subject} a list with something else than texts")
    if not value or not value[0].strip():
        raise InputError(f"{subject} empty; expected the words of a command")
    if any("\0" in word for word in value):
        raise InputError(f"{subject} a list in which a word has the character NUL")
    return value


def mode(value: Any) -> int:  # noqa: ANN401  # of TOML
    """Return a mode, from text in octal digits or a number."""
    if isinstance(value, str):
        return parse_mode(value)
    if type(value) is not int:
        raise InputError(f'expected octal digits, like "0640" or 0o640, not {kind_of(value)}')
    if not 0 <= value <= 0o7777:  # noqa: PLR2004  # all bits of a mode
        raise InputError(f"{value} is not a mode; write it in octal digits, like 0o640")
    return value


def account(value: Any) -> str | int:  # noqa: ANN401  # of TOML
    """Return the name or the number of a user or a group. A run checks whether it is known."""
    if isinstance(value, str):
        return text(value)
    if type(value) is not int or value < 0:
        raise InputError("expected the name or the number of an account")
    return value


def instant(value: Any) -> datetime:  # noqa: ANN401  # of TOML
    """Return a time in UTC, from text or one of TOML's times."""
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, datetime):
        return time_in_utc(value)
    if isinstance(value, date):
        return parse_time(value.isoformat())
    raise InputError(f"expected a time like 2018-06-01T00:00:00Z, not {kind_of(value)}")


def seconds(value: Any) -> float:  # noqa: ANN401  # of TOML
    """Return a number of seconds: more than 0, and at most a day."""
    if type(value) not in {int, float}:
        raise InputError(f"expected a number of seconds, not {kind_of(value)}")
    if not isfinite(value) or not 0 < value <= _DAY:
        raise InputError(f"expected more than 0 and at most {_DAY:,} seconds")
    return float(value)


def duration(value: str) -> str:
    """Return a span of time, as text."""
    parse_duration(value)
    return value


def policy(value: str) -> str:
    """Return an object identifier."""
    return parse_object_identifier(value)


def key_id(value: str) -> str:
    """Return the ID of a key, as text."""
    parse_key_id(value)
    return value


def server_name(value: str) -> str:
    """Return a DNS name or an IP address that a certificate is for."""
    require_server_name(value)
    return value


def host(value: str) -> str:
    """Return a server, ``host:port``, or ``smtp://host:port`` and the like for TLS that begins with STARTTLS."""
    server_of_text(value)
    return value


def profile(value: str) -> str:
    """Return the name of a profile."""
    return one_of(value, "profile", profiles.names())


def reader(value: str) -> str:
    """Return the name of a program that opens PKCS#12 files, or a condition such as ``java>=17``."""
    try:
        readers.find(value)
    except UnknownNameError as error:
        if error.why:
            raise
        return one_of(value, "reader", tuple(readers.READERS))
    return value


def one_of(value: str, kind: str, known: tuple[str, ...]) -> str:
    """Return one of several names."""
    if value in known:
        return value
    meant = meant_values(value, known)
    if meant:
        raise InputError(f"unknown {kind} {quoted(value)}: did you mean {alternatives(meant)}?")
    raise UnknownNameError(kind, value, known)


ALGORITHMS: Final = ("default", "sp800-78", "allow-all")
RANKINGS: Final = ("longest-lasting", "shortest")
FORMS: Final = ("pkcs12", "pem")
REVOCATION_MODES: Final = ("off", "soft", "require")
