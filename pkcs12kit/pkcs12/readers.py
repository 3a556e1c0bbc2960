"""Readers: the programs that open PFX files, by name, and their verdicts. The table is in ``reader_table``.

A name is that of an entry of the table (``java-17``), of a program (``java`` is its newest version in the table), of
several versions (``openssl-3``), or a condition (``java>=17``: all versions from it on). All versions that a name
stands for have to open a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.key_kinds import KeyKind, key_kind
from pkcs12kit.errors import ArgumentError, InputError, PasswordError
from pkcs12kit.findings import Answer
from pkcs12kit.pkcs12.compatibility import PfxFacts, Reader, merge, of_profile
from pkcs12kit.pkcs12.features import Feature, contents_of
from pkcs12kit.pkcs12.protection import Profile
from pkcs12kit.pkcs12.reader_table import ENTRIES, FAMILIES, GROUPS
from pkcs12kit.versions import Names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.compatibility import ReaderVerdict
    from pkcs12kit.pkcs12.features import Ability

__all__ = ["PROGRAMS", "READERS", "find", "judge", "judge_profile"]

_NAMES: Final = Names("reader", FAMILIES, GROUPS)


PROGRAMS: Final = tuple(family.name for family in FAMILIES)
"""The names of the programs, without versions."""


def _resolved(name: str) -> Reader:
    meaning = _NAMES.meaning_of(name)
    if meaning.entries == (meaning.name,):
        return ENTRIES[meaning.name]
    return merge(meaning.name, [ENTRIES[entry] for entry in meaning.entries], meaning.remark)


READERS: Final = {name: _resolved(name) for name in _NAMES.known}
"""Every reader, by name: first the entries of the table, by program and version, then names for one or several."""


def find(reader: str | Reader) -> Reader:
    """Return the reader of a name (``java-17``, ``java``, ``java>=17``, ...); a reader is returned as it is.

    A version that is not in the table is judged by the versions around it; its ``remark`` says so.

    Raises :class:`~pkcs12kit.UnknownNameError`, also for a version older than those in the table, and
    :class:`~pkcs12kit.ArgumentError` for an object of another kind.
    """
    if isinstance(reader, Reader):
        return reader
    require_kind("reader", reader, str, Reader)
    return READERS[reader] if reader in READERS else _resolved(reader)


def remarks_on(readers: Iterable[str | Reader]) -> tuple[str, ...]:
    """Return a sentence for each of these names that is not the name of one version, with its meaning."""
    return tuple(dict.fromkeys(remark for remark in (find(reader).remark for reader in readers) if remark))


def is_java(readers: Iterable[str | Reader]) -> bool:
    """Return True if one of these readers is a version of Java, or stands for one."""
    return any(name.startswith("java-") for reader in readers for name in find(reader).entries)


def judge(facts: PfxFacts) -> dict[str, ReaderVerdict]:
    """Return the verdict of each reader of :data:`READERS`, by its name, on a file with these facts.

    Raises :class:`~pkcs12kit.ArgumentError` for facts of another kind.
    """
    require_kind("facts", facts, PfxFacts)
    return {name: reader.judge(facts) for name, reader in READERS.items()}


def judge_profile(profile: Profile, *, key: object = None) -> dict[str, ReaderVerdict]:
    """Return the verdict of each reader, by its name, on a file with a key under this profile.

    ``key`` is the key, a certificate of it or its :class:`~pkcs12kit.certificates.key_kinds.KeyKind`; None leaves the
    kind of key out of consideration. Raises :class:`~pkcs12kit.ArgumentError` for values of other kinds.
    """
    require_kind("profile", profile, Profile)
    return judge(of_profile(profile, key=None if key is None else key_kind(key)))


def require_password(readers: Iterable[str | Reader], password: str) -> None:
    """Raise :class:`~pkcs12kit.errors.PasswordError` if one of these readers is known not to open such a password.

    A reader about which nothing is known does not raise. Raises :class:`~pkcs12kit.UnknownNameError` for an unknown
    reader.
    """
    features = ((Feature.EMPTY_PASSWORD, not password), (Feature.NON_ASCII_PASSWORD, not password.isascii()))
    for reader in map(find, readers):
        for statement in (reader.statement_on(feature) for feature, applies in features if applies):
            if statement is not None and not statement.opens:
                raise PasswordError(f"this password cannot be used for {reader.name}: {statement}")


def require_contents(readers: Iterable[str | Reader], contents: Iterable[Ability]) -> None:
    """Raise :class:`~pkcs12kit.errors.InputError` unless each reader is known to open keys and certificates.

    ``contents`` are the abilities that these take, as in :attr:`PfxFacts.contents`. No profile can make up for a key
    that a program does not support.
    """
    contents = tuple(dict.fromkeys(contents))
    for reader in map(find, readers):
        for ability in contents:
            statement = reader.statement_on(ability)
            if statement is None or not statement.opens:
                of_key = isinstance(ability, KeyKind) or ability is Feature.SEED_ONLY_KEY
                raise InputError(
                    f"{reader.name} is not known to open a file with {'this key' if of_key else 'these certificates'},"
                    f" under any profile: {statement or f'nothing is known about {ability.value}'}"
                )


def refuses_protection(reader: str | Reader, facts: PfxFacts) -> bool:
    """Return True if a reader is known not to open a file, and only another protection or password is needed for it."""
    found = find(reader)
    statements = [found.statement_on(ability) for ability in facts.contents]
    return found.judge(facts).answer is Answer.NO and all(one is not None and one.opens for one in statements)


def require_all_open(readers: Iterable[str | Reader], profile: Profile) -> None:
    """Raise :class:`~pkcs12kit.errors.InputError` unless each reader is known to open a file under this profile."""
    for reader in map(find, readers):
        verdict = reader.judge(of_profile(profile))
        if verdict.answer is not Answer.YES:
            raise InputError(f"{reader.name} is not known to open the profile {profile.name}: {verdict.why}")


def choose(
    readers: Iterable[str | Reader],
    candidates: Iterable[Profile],
    *,
    key: KeyKind | None = None,
    certificates: Iterable[Certificate] = (),
) -> Profile:
    """Return the first candidate that every one of these readers is known to open, with iterations capped for them.

    Raises as :func:`~pkcs12kit.pkcs12.profiles.for_readers` does.
    """
    wanted = list({reader.name: reader for reader in map(find, readers)}.values())
    if not wanted:
        raise ArgumentError("for_readers: give the name of at least one reader")
    certificates = tuple(certificates)
    require_contents(wanted, contents_of(key, certificates))
    opened: dict[str, list[str]] = {reader.name: [] for reader in wanted}
    for candidate in candidates:
        profile = candidate
        for reader in wanted:
            profile = reader.cap(profile)
        facts = of_profile(profile, key=key, certificates=certificates)
        verdicts = [(reader.name, reader.judge(facts)) for reader in wanted]
        if all(verdict.answer is Answer.YES for _, verdict in verdicts):
            return profile
        for name, verdict in verdicts:
            if verdict.answer is Answer.YES:
                opened[name].append(profile.name)
    if len(wanted) == 1:
        raise InputError(f"{wanted[0].name} is not known to open any profile")
    each = "; ".join(f"{name} opens {', '.join(profiles) or 'none of them'}" for name, profiles in opened.items())
    raise InputError(
        f"no profile is known to be opened by all of {', '.join(opened)}: {each}. Write one file for each of them"
    )
