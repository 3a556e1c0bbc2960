"""A hint: what to do about an answer of no, or about unusable input, as a value that is printed elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One step that may help: a sentence, and a command to copy where there is one.

    Words in capitals in the command, such as FILE, stand for values that only the user knows.
    """

    text: str
    """The step as a clause, without a full stop."""
    command: str | None = None
    """A call of a program that does it or shows the next step, quoted for a shell of this system; None without one."""

    def to_json(self) -> dict[str, str | None]:
        """Return the hint as ``--json`` prints it."""
        return {"text": self.text, "command": self.command}

    def __str__(self) -> str:
        return self.text if self.command is None else f"{self.text}: {self.command}"
