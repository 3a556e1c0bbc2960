"""Versions of programs: names such as ``java-17``, conditions such as ``java>=17``, and the versions that they mean.

The tables of readers and of devices have entries for some versions of each program. A name that has no entry is judged
by the entries around it, and the answer says so. Versions are compared by their numbers: 3.110 comes after 3.87.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from pkcs12kit.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Number: TypeAlias = tuple[int, ...]

_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,3}", re.ASCII)
_CONDITION: Final = re.compile(r"\s*([^\s<>=!~]{1,60})\s*([<>=!~]{1,3})\s*([^\s<>=!~]{0,60})\s*")
_LONGEST_CONDITION: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A program and the versions of it that a table has, oldest first.

    ``numbers`` are the version numbers by the names of the entries. A family with one entry for all versions has its
    own name there, and an empty number. An entry stands for every version whose number begins with its own, up to the
    next entry: with ``java-25`` and ``java-25.0.5``, the first one for every update, and the second from 25.0.5 on.
    """

    name: str
    title: str
    numbers: Mapping[str, Number]
    oldest: Number = ()
    """The oldest version that the only entry stands for; empty if there are several entries, or if it has no bounds."""

    @property
    def newest(self) -> str:
        """The name of the entry for the newest version."""
        return tuple(self.numbers)[-1]

    @property
    def has_versions(self) -> bool:
        """False if one entry stands for all versions."""
        return self.name not in self.numbers

    def stem(self, entry: str) -> str:
        """Return the first entry whose number that of ``entry`` begins with: of an update, its version.

        Updates get what later versions had first, so that those after an update need not have it.
        """
        return next(name for name, number in self.numbers.items() if _begins(self.numbers[entry], number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The entries of a table that a name stands for, oldest first. All of them have to give the same answer.

    ``remark`` is a sentence for the user; empty if the name is that of an entry.
    """

    name: str
    entries: tuple[str, ...]
    remark: str = ""


class Names:
    """The names of a table: its entries, families, and groups, which are names for several entries.

    The versions of a family may be groups.
    """

    def __init__(self, kind: str, families: Sequence[Family], groups: Mapping[str, tuple[str, ...]]) -> None:
        self.kind = kind
        self.families = {family.name: family for family in families}
        self.groups = groups
        self.entries = tuple(entry for family in families for entry in family.numbers if entry not in groups)
        bare = (family.name for family in families if family.has_versions)
        self.known = (*self.entries, *bare, *groups)

    def meaning_of(self, text: str) -> Meaning:
        """Return the entries that a name or a condition stands for.

        - The name of an entry: this entry. A group: its entries.
        - The name of a family: the entry of its newest version.
        - A family and the beginning of a number (``openssl-3``): all versions whose numbers begin so.
        - A family and another number (``java-19``): the entries around it, the newest one for a newer version.
        - A family, ``>=`` and a number: all versions from it on, and the one below a number that has no entry.

        Raises :class:`~pkcs12kit.UnknownNameError` for other texts, and for versions below the oldest.
        """
        if text in self.groups:
            return _meaning(text, self.groups[text])
        meaning = self._meaning_of(text)
        groups = [entry for entry in meaning.entries if entry in self.groups]
        if not groups:
            return meaning
        each = "; ".join(f"{group} means {_enumerated(self.groups[group])}" for group in groups)
        entries = dict.fromkeys(one for entry in meaning.entries for one in self.groups.get(entry, (entry,)))
        return Meaning(name=meaning.name, entries=tuple(entries), remark=f"{meaning.remark}; {each}")

    def _meaning_of(self, text: str) -> Meaning:
        if text in self.entries:
            return Meaning(name=text, entries=(text,))
        if text in self.families:
            newest = self.families[text].newest
            remark = f"{text} means {newest}, the newest version in the table"
            return Meaning(name=text, entries=(newest,), remark=remark)
        condition = _CONDITION.fullmatch(text) if len(text) <= _LONGEST_CONDITION else None
        if condition is not None:
            return self._from(text, *condition.groups())
        family = max((one for one in self.families if text.startswith(f"{one}-")), key=len, default="")
        number = text.removeprefix(f"{family}-")
        if not family or _NUMBER.fullmatch(number) is None:
            raise UnknownNameError(self.kind, text, self.known)
        return self._of_version(text, self.families[family], number)

    def _from(self, text: str, name: str, operator: str, number: str) -> Meaning:
        family = self.families.get(name)
        if family is None:
            raise UnknownNameError(self.kind, name, self.families)
        if operator != ">=" or _NUMBER.fullmatch(number) is None:
            example = f"{name}>={_text(family.numbers[family.newest]) or '1'}"
            why = f"only conditions such as {example!r} are possible"
            raise UnknownNameError(self.kind, text, self._names_of(family), why=why)
        wanted = _parse(number)
        if not family.has_versions:
            return self._all_versions(text, family, wanted)
        numbers = family.numbers
        chosen = [entry for entry, known in numbers.items() if known >= wanted or _begins(known, wanted)]
        below = [entry for entry in numbers if entry not in chosen]
        stands = [entry for entry in below if _begins(wanted, numbers[entry])]
        name = f"{family.name}>={number}"
        if stands and wanted not in numbers.values():
            within = _within(family, stands, below)
            return _meaning(name, (within, *chosen), f": {within} stands for {family.name}-{number}")
        if any(_begins(known, wanted) for known in numbers.values()):
            return _meaning(name, chosen)
        if not below:
            raise self._too_old(text, family)
        before = family.stem(below[-1]) if chosen else below[-1]
        why = f": {family.name}-{number} is not in the table, and {before} is a version below it"
        return _meaning(name, (before, *chosen), why)

    def _of_version(self, text: str, family: Family, number: str) -> Meaning:
        wanted, numbers = _parse(number), family.numbers
        if not family.has_versions:
            return self._all_versions(text, family, wanted)
        below = [entry for entry, known in numbers.items() if known < wanted]
        stands = [entry for entry in below if _begins(wanted, numbers[entry])]
        longer = [entry for entry, known in numbers.items() if _begins(known, wanted)]
        above = [entry for entry, known in numbers.items() if known > wanted]
        if longer:
            return _meaning(text, (*stands[-1:], *longer))
        if stands:
            within = _within(family, stands, below)
            return Meaning(name=text, entries=(within,), remark=f"{text} is judged as {within}")
        if not below:
            raise self._too_old(text, family)
        if not above:
            remark = f"{text} is not in the table: it is judged as {below[-1]}, the newest version there"
            return Meaning(name=text, entries=(below[-1],), remark=remark)
        entries = (family.stem(below[-1]), above[0])
        remark = f"{text} is not in the table: it is judged as {' and '.join(entries)}, the versions around it"
        return Meaning(name=text, entries=entries, remark=remark)

    def _all_versions(self, text: str, family: Family, wanted: Number) -> Meaning:
        if wanted < family.oldest:
            raise self._too_old(text, family)
        remark = f"{text} is judged as {family.name}, which stands for all its versions"
        return Meaning(name=text, entries=(family.name,), remark=remark)

    def _too_old(self, text: str, family: Family) -> UnknownNameError:
        first = next(iter(family.numbers)) if family.has_versions else f"{family.name}-{_text(family.oldest)}"
        why = f"the oldest version in the table is {first}"
        return UnknownNameError(self.kind, text, self._names_of(family), why=why)

    def _names_of(self, family: Family) -> tuple[str, ...]:
        groups = (name for name, entries in self.groups.items() if any(entry in family.numbers for entry in entries))
        return tuple(dict.fromkeys((*family.numbers, family.name, *groups)))


def _meaning(text: str, entries: Sequence[str], why: str = "") -> Meaning:
    remark = "" if (text,) == tuple(entries) else f"{text} means {_enumerated(entries)}{why}"
    return Meaning(name=text, entries=tuple(entries), remark=remark)


def _within(family: Family, stands: Sequence[str], below: Sequence[str]) -> str:
    """Return the last entry below a version that belongs to the same entry as that version does."""
    number = family.numbers[stands[-1]]
    return [entry for entry in below if _begins(family.numbers[entry], number)][-1]


def _enumerated(entries: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(entries[:-1]), entries[-1])))


def _parse(number: str) -> Number:
    return tuple(map(int, number.split(".")))


def _text(number: Number) -> str:
    return ".".join(map(str, number))


def _begins(longer: Number, shorter: Number) -> bool:
    return longer[: len(shorter)] == shorter
