"""The page of the documentation, written from what ``expected.toml`` says of each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .expected import EXPECTED
from .matrix import KEYS, PROFILES, READINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .expected import Refusal
    from .matrix import Reading, Writing

    Cell = Reading | Writing

BEGIN: Final = "<!-- The rest is written by the tests: see tests/interoperability/test_interop_page.py. -->\n"
_NAMES: Final = {"rsa-2048": "RSA", "ec-p256": "EC P-256", "ec-p384": "EC P-384", "ed25519": "Ed25519"}
_PASSWORDS: Final = {"ASCII": "an ASCII password", "non-ASCII": "a non-ASCII password", "empty": "an empty password"}


class _Notes:
    """Reasons, numbered as they come."""

    def __init__(self) -> None:
        self._reasons: dict[str, int] = {}

    def of(self, why: str) -> int:
        return self._reasons.setdefault(why, len(self._reasons) + 1)

    def lines(self) -> Iterator[str]:
        for why, number in self._reasons.items():
            named = why.startswith(("pkcs12kit", "pk12util"))
            yield f"{number}. {why if named else why[0].upper() + why[1:]}."


def _narrowed(refusal: Refusal) -> str:
    """Say which keys and passwords a refusal is for; nothing where it is for all of them."""
    keys = [_NAMES[key] for key in refusal.keys]
    passwords = [_PASSWORDS[password] for password in refusal.passwords]
    return " with ".join(filter(None, (" or ".join(keys), " or ".join(passwords))))


def _read_by(program: str, profile: str, notes: _Notes) -> str:
    cells = [reading for reading in READINGS if reading.profile == profile]
    return _answer(program, cells, EXPECTED.read, notes)


def _they_read_ours(notes: _Notes) -> Iterator[str]:
    yield f"| | {' | '.join(f'`{profile}`' for profile in PROFILES)} |"
    yield f"| --- |{' --- |' * len(PROFILES)}"
    for name in EXPECTED.programs:
        yield f"| {name} | {' | '.join(_read_by(name, profile, notes) for profile in PROFILES)} |"


def _we_read_theirs(writings_of: Callable[[str], tuple[Writing, ...]], notes: _Notes) -> Iterator[str]:
    yield "| written by | with | read |"
    yield "| --- | --- | --- |"
    for name in EXPECTED.programs:
        cells = writings_of(name)
        by_answer: dict[str, list[str]] = {}
        for form in dict.fromkeys(cell.form for cell in cells):
            of_form = [cell for cell in cells if cell.form == form]
            by_answer.setdefault(_answer(name, of_form, EXPECTED.write, notes), []).append(form)
        for answer, forms in by_answer.items():
            yield f"| {name} | {', '.join(f'`{form}`' for form in forms)} | {answer} |"


def _answer(program: str, cells: Sequence[Cell], known: tuple[Refusal, ...], notes: _Notes) -> str:
    """Sum up cells that differ in key and password alone."""
    refusals = [it for it in known if any(it.is_for(program, cell) for cell in cells)]
    if not refusals:
        return "yes"
    opened = any(not any(it.is_for(program, cell) for it in refusals) for cell in cells)
    parts = [f"{_narrowed(it) if opened else ''} [{notes.of(it.why)}]".strip() for it in refusals]
    return f"yes, but not {', not '.join(parts)}" if opened else f"no {', '.join(parts)}"


def render(writings_of: Callable[[str], tuple[Writing, ...]]) -> str:
    """Write the part of the page that follows from the table."""
    notes = _Notes()
    written = sum(len(writings_of(name)) for name in EXPECTED.programs)
    read = len(READINGS) * len(EXPECTED.programs)
    keys = ", ".join(_NAMES[key] for key in KEYS)
    lines = [
        BEGIN,
        f"Tried on {EXPECTED.tried.isoformat()} with the programs of {EXPECTED.system}:",
        "",
        "| program | command or library | version |",
        "| --- | --- | --- |",
        *(f"| {name} | {it.title} | {it.version} |" for name, it in EXPECTED.programs.items()),
        "",
        "## Other programs read our files",
        "",
        f"{read} files: every profile, keys of {keys}, and passwords that are ASCII, non-ASCII and empty.",
        "",
        *_they_read_ours(notes),
        "",
        "## We read the files of other programs",
        "",
        f"{written} files: each default form with all keys and passwords, the other forms with EC P-256 only.",
        "For certtool, pk12util (600,000 iterations each) and Bouncy Castle, not every key has every password.",
        "Files that keytool wrote are read as well: it copied each of our files that it opened.",
        "",
        *_we_read_theirs(writings_of, notes),
        "",
        "## Notes",
        "",
        *notes.lines(),
        "",
        "## Programs that write certificates in another order",
        "",
        "pkcs12kit finds the chain in their files as well:",
        "",
        *(f"- {name}: {why}." for name, why in EXPECTED.own_order.items()),
    ]
    return "\n".join(lines) + "\n"
