"""What a reader of PFX files can do, and what follows from that for one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from pkcs12kit.pkcs12.facts import Feature, PfxFacts, of_profile
from pkcs12kit.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.facts import Protection
    from pkcs12kit.pkcs12.profiles import Profile


class Answer(Enum):
    """Whether a reader opens a file. The value is what ``--json`` prints."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Standing(Enum):
    """How a statement is known."""

    DOCUMENTED = "documented"
    """By the maker: documentation, release note, source code, a maintainer's word."""
    REPORTED = "reported"
    """By users of it."""
    TRIED = "tried by us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that is known of a reader. ``source`` is an address, or says how it was tried."""

    feature: Feature
    opens: bool
    standing: Standing
    source: str
    note: str = ""

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"{'opens' if self.opens else 'does not open'} {self.feature.value}{note}; {self.standing.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The iteration counts that a reader takes, and the shortest salt, in bytes. None is no limit that is known of.

    ``total`` is for all uses of the password in a file together.
    """

    encryption: int | None = None
    mac: int | None = None
    total: int | None = None
    minimum: int = 1
    salt_length: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderVerdict:
    """Whether one reader opens one file, and why that is the answer; ``sources`` has where it is known from."""

    answer: Answer
    why: str
    sources: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Describe it for ``inspect --json``."""
        return {"opens": self.answer.value, "why": self.why, "sources": list(self.sources)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A program or library that opens PFX files, by the name that ``--for`` takes. ``title`` says which versions."""

    name: str
    title: str
    statements: tuple[Statement, ...]
    bounds: Bounds = field(default_factory=Bounds)

    def of(self, feature: Feature) -> Statement | None:
        """Find what is known of one feature; None where nothing is."""
        return next((statement for statement in self.statements if statement.feature is feature), None)

    def opens(self, facts: PfxFacts) -> ReaderVerdict:
        """Say whether it opens a file with these facts. One no makes it a no, else one unknown an unknown."""
        known = [statement for statement in map(self.of, facts.features) if statement is not None]
        sources = tuple(dict.fromkeys(statement.source for statement in known))
        refused = [statement for statement in known if not statement.opens]
        if refused:
            why = "; ".join(map(str, refused))
            return ReaderVerdict(answer=Answer.NO, why=why, sources=tuple(statement.source for statement in refused))
        if beyond := tuple(self._beyond(facts)):
            return ReaderVerdict(answer=Answer.NO, why="; ".join(beyond), sources=(self.bounds.source,))
        unknown = tuple(self._unknown(facts))
        if unknown:
            return ReaderVerdict(
                answer=Answer.UNKNOWN, why=f"nothing is known of {', '.join(unknown)}", sources=sources
            )
        why = ", ".join(feature.value for feature in facts.features if feature is not Feature.PKCS12KDF)
        if not facts.complete:
            why += "; as far as can be seen without opening all of it"
        return ReaderVerdict(answer=Answer.YES, why=why, sources=sources)

    def _unknown(self, facts: PfxFacts) -> Iterator[str]:
        for protection in facts.protections:
            if not protection.features:
                yield str(protection)
        for feature in facts.features:
            # Whoever does not speak of PKCS12KDF has nothing against it.
            if feature is not Feature.PKCS12KDF and self.of(feature) is None:
                yield feature.value

    def _beyond(self, facts: PfxFacts) -> Iterator[str]:
        total = 0
        for protection in facts.protections:
            limit = self.bounds.mac if protection is facts.mac else self.bounds.encryption
            yield from self._beyond_of(protection, limit)
            total += protection.iterations or 0
        if self.bounds.total is not None and total > self.bounds.total:
            yield f"{counted(total, 'iteration')} in all, and {self.bounds.total:,} are allowed"

    def _beyond_of(self, protection: Protection, limit: int | None) -> Iterator[str]:
        iterations = protection.iterations
        if iterations is not None and limit is not None and iterations > limit:
            yield f"{protection}: {counted(iterations, 'iteration')}, and {limit:,} are allowed"
        if iterations is not None and iterations < self.bounds.minimum:
            yield f"{protection}: {counted(iterations, 'iteration')}, and {self.bounds.minimum:,} are the least"
        if protection.salt_length is not None and protection.salt_length < self.bounds.salt_length:
            salt = counted(protection.salt_length, "byte")
            yield f"{protection}: a salt of {salt}, and {self.bounds.salt_length} are the least"

    def cap(self, profile: Profile) -> Profile:
        """Lower the iteration counts of a profile to what this reader takes. Its total is shared out evenly."""
        if not profile.takes_password:
            return profile
        each = [] if self.bounds.total is None else [self.bounds.total // len(of_profile(profile).protections)]
        return profile.with_iterations(
            encryption=min([profile.encryption_iterations, *_given(self.bounds.encryption), *each]),
            mac=min([profile.mac_iterations, *_given(self.bounds.mac), *each]),
        )


def _given(limit: int | None) -> list[int]:
    return [] if limit is None else [limit]
