"""The user's call of the command, for hints: its files and options, and the commands to copy that are made of them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.shell_words import join_words
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

_INTO: Final = "gathered"
_ALGORITHMS: Final = "default"
_INDEX: Final = "index.json"
"""The file of a folder that ``gather`` wrote."""
_NAMES_TRIED: Final = 100


class Call(NamedTuple):
    """The files and options of the user's call, for commands to copy. Words in capitals stand for unknown values."""

    command: str = ""
    certificate: str = "CERT"
    pkcs12: str | None = None
    certificates: tuple[str, ...] = ()
    trust_anchors: tuple[str, ...] = ("FILE",)
    time: datetime | None = None
    bundles: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    fetched: bool = False
    certs_only: bool = False
    is_pkcs12: bool = True
    """False where the file is a chain in PEM or PKCS#7."""
    key: str | None = None
    passwords: tuple[str, ...] = ()
    """The options that open the file, as ``verify`` and ``convert`` have them."""
    readers: tuple[str, ...] = ()
    repeat: Callable[..., str | None] | None = None
    """A function that returns the call of ``paths`` for the same files, with other values; None in a library."""
    repeat_itself: Callable[..., str | None] | None = None
    """A function that returns this call with other values; None in a library."""

    def again(self, **changes: object) -> str | None:
        """Return this call with changes; None if it cannot be repeated."""
        return None if self.repeat_itself is None else self.repeat_itself(**changes)

    def paths_again(self, **changes: object) -> str | None:
        """Return the call of ``paths`` for the same files and requirements, with changes; None if there is none."""
        return None if self.repeat is None else self.repeat(**changes)

    @classmethod
    def current(cls) -> Call:
        """Return the call of the command that runs now; placeholders where there is none, as in a library."""
        return _CURRENT.get() or cls()

    @contextmanager
    def as_current(self) -> Iterator[None]:
        """Make this the current call while the block runs."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @classmethod
    def of(cls, command: str, given: Mapping[str, Any]) -> Call:
        """Return the call of a command by its parameters. Standard input, which was read, becomes a placeholder."""
        pkcs12 = given.get("pkcs12") or (given.get("file") if command in {"verify", "rehearse"} else None)
        return cls(
            command=command,
            certificate=_word(given.get("certificate"), "CERT"),
            pkcs12=None if pkcs12 is None else _word(pkcs12, "FILE.p12"),
            certificates=tuple(_word(each, "SOURCE") for each in given.get("certificates") or ()),
            trust_anchors=tuple(_word(each, "FILE") for each in given.get("trust_anchors") or ()) or ("FILE",),
            time=given.get("time"),
            bundles=tuple(given.get("bundles") or ()),
            requirements=tuple(_requirements(given)),
            fetched=bool(given.get("fetch")) or command == "gather",
            certs_only=bool(given.get("certs_only")),
            key=None if given.get("key") is None else _word(given["key"], "FILE.key"),
            passwords=tuple(_passwords(given)),
            readers=tuple(given.get("readers") or ()),
        )

    def gather(self, bundles: Iterable[str], *, anchors: Sequence[str] | None = None) -> str:
        """Return the call of ``gather`` for the certificate, the sources and the anchors of this call."""
        words = ["pkcs12kit", "gather", self.certificate]
        for option, values in {
            "--certs": self.certificates,
            "--anchor": self.trust_anchors if anchors is None else anchors,
            "--bundle": tuple(dict.fromkeys((*self.bundles, *bundles))),
            "--at": () if self.time is None else (format_time(self.time),),
            "--into": (new_folder(),),
        }.items():
            words += [word for value in values for word in (option, value)]
        return join_words((*words, *self.requirements))

    def rebuild(self, *, fetch: bool = False, gathered: bool = False, more: Sequence[str] = ()) -> str:
        """Return the call of ``build`` that makes the file again, with another name, in the same format.

        ``more`` are further words. The folder of :meth:`gather` is used if it is ``gathered`` before.
        """
        file = self.pkcs12 or "FILE.p12"
        sources = (*self.certificates, *((_INTO,) if gathered else ()))
        if self.is_pkcs12:
            words = ("--pkcs12", file, *_for_build(self.passwords))
        else:
            words = ("--key", self.key or file, "--cert", file)
            sources = (file, *sources)
        if self.certs_only:
            words = ("--certs-only", "--cert", file, *_for_build(self.passwords, "--cert-password-file"))
            sources = tuple(dict.fromkeys((*(() if self.is_pkcs12 else (file,)), *sources)))
        words += tuple(word for source in sources for word in ("--certs", source))
        words += tuple(word for anchor in self.trust_anchors for word in ("--anchor", anchor))
        words += () if self.time is None else ("--at", format_time(self.time))
        words += (*self.requirements, *(("--fetch",) if fetch else ()), *more)
        words += ("--out", new_file(file)) if self.is_pkcs12 else ("--to", "pem", "--out", new_file(file))
        return join_words(("pkcs12kit", "build", *words))

    def convert(self, readers: Iterable[str]) -> str:
        """Return the call of ``convert`` that protects the file for these readers."""
        file = self.pkcs12 or "FILE.p12"
        options = [word for reader in readers for word in ("--for", reader)] or ["--for", "READER"]
        return join_words(("pkcs12kit", "convert", file, new_file(file), *options, *self.passwords))

    def ask_for_status(self) -> str:
        """Return the call of ``build`` that fetches CRLs and OCSP responses. Of a certificate it writes nothing."""
        revocation = ("--revocation", "require")
        if self.pkcs12 is not None:
            return f"{self.rebuild(fetch=True)} {' '.join(revocation)}"
        words = ["pkcs12kit", "build", "--certs-only", "--cert", self.certificate]
        words += [word for source in self.certificates for word in ("--certs", source)]
        words += [word for anchor in self.trust_anchors for word in ("--anchor", anchor)]
        return join_words((*words, "--fetch", *revocation, "--to", "pem", "--out", "NEW.pem", "--dry-run"))


def _passwords(given: Mapping[str, Any]) -> Iterator[str]:
    for name in ("password_file", "password_env"):
        value = given.get(name)
        if isinstance(value, str) and value != "-":
            yield from (f"--{name.replace('_', '-')}", value)


def _for_build(passwords: tuple[str, ...], of_input: str = "--pkcs12-password-file") -> tuple[str, ...]:
    """Return the options of ``build`` that open the old file and protect the new one with the same password."""
    return (of_input, passwords[1], *passwords) if passwords[:1] == ("--password-file",) else passwords


def new_file(name: str) -> str:
    """Return a name like that of a file, which no file has; a placeholder for a placeholder."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  # "./" at the beginning stays
    if name.startswith("FILE"):
        return f"NEW{suffix}"
    for number in range(1, _NAMES_TRIED):
        new = f"{stem}-new{'' if number == 1 else f'-{number}'}{suffix}"
        if not os.path.lexists(new):
            return new
    return f"NEW{suffix}"


def new_folder() -> str:
    """Return the name of the folder for gathered certificates; another one if a folder of this name is not theirs."""
    for number in range(1, _NAMES_TRIED):
        folder = _INTO if number == 1 else f"{_INTO}-{number}"
        if not os.path.lexists(folder) or os.path.isfile(os.path.join(folder, _INDEX)):  # noqa: PTH113, PTH118
            return folder
    return "FOLDER"


def _requirements(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options that say what the path must be valid for: without them another path may be found first."""
    for policy in given.get("policies") or ():
        yield from ("--policy", policy)
    if given.get("server_name"):
        yield from ("--server-name", given["server_name"])
    if given.get("algorithms", _ALGORITHMS) != _ALGORITHMS:
        yield from ("--algorithms", given["algorithms"])
    if given.get("ignore_anchor_validity"):
        yield "--ignore-anchor-validity"


_CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)


def _word(value: object, placeholder: str) -> str:
    """Return a file's name as a word of a command line; a placeholder for standard input and for no name."""
    text = "" if value is None else str(value)
    if text in {"", "-"}:
        return placeholder
    return f"./{text}" if text.startswith("-") else text
