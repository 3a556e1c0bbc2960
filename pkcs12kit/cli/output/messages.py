"""The warnings, errors and hints of one call, kept as they are printed: its JSON object repeats them.

So the object has the same hints as the terminal, whatever prints them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.hints import Hint

_JSON: Final = "--json"


@dataclass(slots=True)
class Messages:
    """The messages of a call, in the order in which they were printed."""

    as_json: bool = False
    """True where the call asks for a JSON object."""
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    is_answered: bool = False
    """True once the object, or the beginning of it, is on standard output."""

    @property
    def needs_object(self) -> bool:
        """True where the object that was asked for has not been printed."""
        return self.as_json and not self.is_answered

    def joined_to(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer with ``error`` where there is one, ``hints`` and ``warnings``.

        An error and warnings that the answer already has stay as they are.
        """
        joined = dict(answer)
        if self.errors:
            joined.setdefault("error", "; ".join(dict.fromkeys(self.errors)))
        joined["hints"] = [hint.to_json() for hint in dict.fromkeys(self.hints)]
        joined.setdefault("warnings", list(dict.fromkeys(self.warnings)))
        return joined


_calls: Final = [Messages()]
"""The messages of the call that runs now; one call at a time runs in a process."""


def begin(words: Sequence[str]) -> None:
    """Forget the messages of an earlier call; ``words`` are those of the call that begins."""
    _calls[:] = [Messages(as_json=asks_for_json(words))]


def current() -> Messages:
    """Return the messages of the call that runs now."""
    return _calls[0]


def asks_for_json(words: Sequence[str]) -> bool:
    """Return True if ``--json`` is among the options of a call, wherever it stands; after ``--`` it is a name."""
    options = words[: words.index("--")] if "--" in words else words
    return any(word.partition("=")[0] == _JSON for word in options)
