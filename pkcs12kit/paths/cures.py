"""Hints for a path with expired, revoked or missing CA certificates: where to get those of today, as a command to copy.

A cure has up to three parts: the call of ``gather`` or ``build`` with the user's own files, the option that does the
same in another command, and what is published about CAs that follow the ones of this path.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.hints import Hint
from pkcs12kit.paths.revocation.advice import ACCEPT_UNKNOWN, advice_on, on_hold
from pkcs12kit.paths.successions import CURABLE, cas_on_the_way, known_trust_anchors, successions
from pkcs12kit.shell_words import join_words
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.successors import KnownCA, Successor
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.failure import Failure

OR_FETCH: Final = "or add --fetch, which fetches what is missing"
OF_REVOKED: Final = "ask the CA for a new certificate, or give certificates for another path with --certs"
_ENDED: Final = frozenset({FailureReason.EXPIRED, FailureReason.REVOKED})
_INTO: Final = "gathered"
_ALGORITHMS: Final = "default"
_INDEX: Final = "index.json"
"""The file of a folder that ``gather`` wrote."""
_SHOWN: Final = 4
_NAMES_TRIED: Final = 100


class Attempt(Protocol):
    """A :class:`~pkcs12kit.RejectedPath`, as far as hints need it; its module imports this one."""

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The target, and the certificates up to the one where the attempt ended."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """At least one failure."""

    @property
    def certificate(self) -> Certificate:
        """The certificate of the first failure."""

    @property
    def reason(self) -> FailureReason:
        """The reason of the first failure."""

    @property
    def section(self) -> str:
        """The section of the standard for the first failure."""

    @property
    def clock_looks_wrong(self) -> bool:
        """True where the time may be wrong."""


class Step(NamedTuple):
    """One step of a cure: a sentence, and a command to copy where there is one."""

    text: str
    command: str | None = None


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
            "--into": (_new_folder(),),
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


def _new_folder() -> str:
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


def for_unknown_status(failures: Sequence[Failure], *, fetch_option: bool = False) -> tuple[Hint, ...]:
    """Return the hints for unknown revocation statuses, the cure first, to accept them last; none for other failures.

    ``fetch_option`` is True where the command has ``--fetch``, and the user did not give it.
    """
    advice = advice_on(failures)
    if not advice:
        return ()
    call = Call.current()
    locations = [failure.evidence_locations for failure in failures]
    fetching: tuple[Hint, ...] = ()
    # Fetched data describes the present: it does not help for another time.
    if call.time is None and any(each is not None and each.can_be_fetched for each in locations):
        if fetch_option:
            fetching = (Hint(text=OR_FETCH),)
        elif not call.fetched:
            fetching = (Hint(text="or have it fetched, and see the answer", command=call.ask_for_status()),)
    if any(failure.reason is FailureReason.REVOKED for failure in failures):
        return (*advice, *fetching)
    return (*advice, *fetching, Hint(text=ACCEPT_UNKNOWN, command=call.paths_again(revocation="soft")))


def for_revoked(failure: Failure) -> tuple[Hint, ...]:
    """Return the hints for a revoked certificate: none of them accepts it."""
    return (*on_hold(failure), Hint(text=OF_REVOKED))


def cure(
    closest: Attempt,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
    others: Iterable[Certificate] = (),
    time: datetime | None = None,
    call: Call | None = None,
) -> tuple[Step, ...]:
    """Return the steps that say where the CA certificates of today are; none where another thing is wrong.

    ``trust_anchors`` and ``others`` are the anchors and further certificates of the search; ``time`` is its time, now
    by default.
    """
    is_revoked = closest.reason is FailureReason.REVOKED and closest.certificate == closest.certificates[0]
    if is_revoked or all(
        failure.reason not in CURABLE for failure in closest.failures
    ):  # the CA has to issue another certificate for a revoked one
        return ()
    call = Call.current() if call is None else call
    day = (datetime.now(UTC) if time is None else time.astimezone(UTC)).date()
    anchors, certificates = tuple(trust_anchors), (*closest.certificates, *others)
    met = known_trust_anchors(anchors) or cas_on_the_way(certificates, closest.failures)
    found = successions(certificates, closest.failures, day=day, trust_anchors=anchors)
    new_anchor = next((one.successors[-1] for one in found if one.is_trust_anchor), None)
    published = (Step(text=str(one)) for one in found[:_SHOWN])
    return (*_fetching(closest, call, anchors, _bundles(met), new_anchor), *published)


def _bundles(cas: Iterable[KnownCA]) -> tuple[str, ...]:
    """Return the published bundles for these CAs; the one of the Federal PKI has the cross-certificates of the DoD."""
    found = tuple(dict.fromkeys(ca.bundle for ca in cas))
    return ("fpki",) if "fpki" in found else found


def _fetching(
    closest: Attempt,
    call: Call,
    anchors: Sequence[TrustAnchor],
    bundles: tuple[str, ...],
    new_anchor: Successor | None,
) -> Iterator[Step]:
    """Yield the commands that fetch, or the reason why none can; nothing for a fault that they cannot cure."""
    curable = [failure for failure in closest.failures if failure.reason in CURABLE]
    ended = [failure.certificate for failure in curable if failure.reason in _ENDED]
    is_missing = len(ended) < len(curable)
    target_ends = not is_missing and any(
        failure.reason is FailureReason.EXPIRED and failure.certificate == closest.certificates[0]
        for failure in curable
    )
    new = [bundle for bundle in bundles if bundle not in call.bundles]
    if target_ends and not bundles:
        return
    if not new and (call.fetched or not _has_url(closest, anchors)):
        if not call.fetched and curable[0].reason is FailureReason.EXPIRED:
            yield Step(
                text="these certificates name no URL from which gather or build --fetch could get their successors:"
                " ask the operator of the CA"
            )
        return
    where = f", beginning with the published list {new[0]}" if new else ""
    if call.pkcs12 is not None or call.command in {"probe", "graph"}:
        yield from _for_file(call, new, where)
        return
    trust = None if new_anchor is None else ("NEW-ANCHOR.pem",)
    of_a_ca = any(certificate != closest.certificates[0] for certificate in ended)
    text = "fetch the CA certificates of today" if of_a_ca or not is_missing else "or fetch what is missing"
    if target_ends:
        text = f"with the renewed certificate, {text}"
    may_fetch = call.command in {"build", "batch"}
    if new or not is_missing or not may_fetch:  # otherwise --fetch is all that is needed
        yield Step(text=text + where, command=call.gather(new, anchors=trust))
    if not call.fetched and _has_url(closest, anchors):
        if may_fetch:
            yield Step(OR_FETCH)
        elif not is_missing:
            yield Step(text="build --fetch does the same while it builds the file")


def _for_file(call: Call, bundles: Sequence[str], where: str) -> Iterator[Step]:
    if bundles:
        options = " ".join(f"--bundle {bundle}" for bundle in bundles)
        yield Step(
            text=f"fetch the CA certificates of today{where}",
            command=f"pkcs12kit gather {options} --into {_new_folder()}",
        )
    if call.pkcs12 is not None and not call.certs_only:
        yield Step(
            text="build the file again with them" if bundles else "build the file again, and fetch what is missing",
            command=call.rebuild(fetch=not bundles, gathered=bool(bundles)),
        )


def _has_url(closest: Attempt, anchors: Iterable[TrustAnchor]) -> bool:
    """Return True if a certificate of the attempt, or an anchor, has a URL that ``gather`` would ask."""
    urls: list[str] = []
    for failure in closest.failures:
        urls += () if failure.missing_issuer is None else failure.missing_issuer.locations
    with suppress(MalformedCertificateError):
        for anchor in anchors:
            urls += () if anchor.certificate is None else anchor.certificate.extensions.ca_repositories
        if any(failure.reason in _ENDED for failure in closest.failures):
            for certificate in closest.certificates:
                urls += certificate.extensions.ca_issuers
    return any(url.lower().startswith(("http://", "https://")) for url in urls)
