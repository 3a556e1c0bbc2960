"""The page on interoperability, from the cells that ``tests/interoperability/expected.toml`` expects to be no.

The tests of that folder hold each cell against the program, and the page against this module:
``PKCS12KIT_WRITE_PAGE=1`` lets ``test_interop_page.py`` write the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BEGIN: Final = "<!-- The rest is written by docs/making/interoperability.py. -->\n"
_NAMES: Final = {
    "rsa-2048": "RSA",
    "rsa-4096": "RSA of 4,096 bits",
    "rsa-pss": "RSASSA-PSS",
    "ec-p256": "EC P-256",
    "ec-p384": "EC P-384",
    "ec-p521": "EC P-521",
    "ec-secp256k1": "EC secp256k1",
    "ed25519": "Ed25519",
    "ed448": "Ed448",
    "ml-dsa-65": "ML-DSA-65",
    "rsa-1024": "RSA of 1,024 bits",
    "rsa-8192": "RSA of 8,192 bits",
    "dsa-2048": "DSA",
    "ec-p224": "EC P-224",
    **{f"ec-brainpool-{bits}": f"EC brainpoolP{bits}r1" for bits in (256, 384, 512)},
    "ml-dsa-44": "ML-DSA-44",
    "ml-dsa-87": "ML-DSA-87",
    **{f"ml-dsa-{size}-expanded": f"ML-DSA-{size} with its expanded form" for size in (44, 65, 87)},
    "rsa-2048-version-2": "RSA in PKCS#8 version 2",
    "ec-p256-version-2": "EC P-256 in PKCS#8 version 2",
    "ed25519-version-2": "Ed25519 in PKCS#8 version 2",
    "slh-dsa": "SLH-DSA-SHA2-128s",
    "below-p224": "a CA with EC P-224",
    "below-curves": "CAs with secp256k1 and brainpoolP384r1",
    "below-eddsa": "CAs with Ed25519 and Ed448",
    "below-ml-dsa": "CAs with ML-DSA",
    "below-pss": "a CA with RSASSA-PSS",
    "below-slh-dsa": "a CA with SLH-DSA",
}
_BELOW: Final = "below-"  # contents with an EC P-256 key
_LAST: Final = "empty"
_PASSWORDS: Final = {"ASCII": "an ASCII password", "non-ASCII": "a non-ASCII password", _LAST: "an empty password"}


class _Notes:
    """Reasons, numbered in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number_of(self, why: str) -> int:
        return self._numbers.setdefault(why, len(self._numbers) + 1)

    def lines(self) -> Iterator[str]:
        for why, number in self._numbers.items():
            named = why.startswith(("pkcs12kit", "pk12util"))
            yield f"{number}. {why if named else why[0].upper() + why[1:]}."


def _narrowed(program: str, cells: Sequence[Any], refusal: Any) -> str:  # noqa: ANN401  # the tests' classes
    """Return the keys and passwords that a refusal is for; nothing where it is for all of them."""
    own = dict.fromkeys(cell.key for cell in cells if refusal.keys and refusal.is_for(program, cell))
    keys = [_NAMES[key] for key in own]
    passwords = [_PASSWORDS[password] for password in refusal.passwords]
    return " with ".join(filter(None, (" or ".join(keys), " or ".join(passwords))))


def _answer(program: str, cells: Sequence[Any], known: Sequence[Any], notes: _Notes) -> str:
    """Sum up cells that differ only in key and password."""
    refusals = [it for it in known if any(it.is_for(program, cell) for cell in cells)]
    if not refusals:
        return "yes"
    opened = any(not any(it.is_for(program, cell) for it in refusals) for cell in cells)
    parts = [
        f"{_narrowed(program, cells, it) if opened else ''} [{notes.number_of(it.why)}]".strip() for it in refusals
    ]
    return f"yes, but not {', not '.join(parts)}" if opened else f"no {', '.join(parts)}"


def _they_read_ours(expected: Any, readings: Sequence[Any], notes: _Notes) -> Iterator[str]:  # noqa: ANN401  # as above
    profiles = list(dict.fromkeys(reading.profile for reading in readings))
    yield f"| | {' | '.join(f'`{profile}`' for profile in profiles)} |"
    yield f"| --- |{' --- |' * len(profiles)}"
    of_profile = {profile: [it for it in readings if it.profile == profile] for profile in profiles}
    for name in expected.programs:
        answers = (_answer(name, of_profile[profile], expected.read, notes) for profile in profiles)
        yield f"| {name} | {' | '.join(answers)} |"


def _rare_ones(expected: Any, readings: Sequence[Any], notes: _Notes) -> Iterator[str]:  # noqa: ANN401  # as above
    """Yield a line for each key, with the programs that open none of its files."""
    yield "| key | not opened by |"
    yield "| --- | --- |"
    for key in dict.fromkeys(reading.key for reading in readings):
        cells = [reading for reading in readings if reading.key == key]
        by_note: dict[int, list[str]] = {}
        for name in expected.programs:
            found = [next((it for it in expected.read if it.is_for(name, cell)), None) for cell in cells]
            if all(found):
                why = next((it.why for it in found if it.keys), found[0].why)
                by_note.setdefault(notes.number_of(why), []).append(name)
        named = f"EC P-256, below {_NAMES[key]}" if key.startswith(_BELOW) else _NAMES[key]
        refused = "; ".join(f"{', '.join(names)} [{number}]" for number, names in by_note.items())
        yield f"| {named} | {refused or 'none'} |"


def _we_read_theirs(
    expected: Any,  # noqa: ANN401  # as above
    writings_of: Callable[[str], Sequence[Any]],
    notes: _Notes,
) -> Iterator[str]:
    yield "| written by | with | read |"
    yield "| --- | --- | --- |"
    for name in expected.programs:
        cells = writings_of(name)
        by_answer: dict[str, list[str]] = {}
        for form in dict.fromkeys(cell.form for cell in cells):
            of_form = [cell for cell in cells if cell.form == form]
            by_answer.setdefault(_answer(name, of_form, expected.write, notes), []).append(form)
        for answer, forms in by_answer.items():
            yield f"| {name} | {', '.join(f'`{form}`' for form in forms)} | {answer} |"


def _diagonal(pairs: Sequence[Any]) -> Iterator[str]:
    yield "| program | reader | files | same answer | unknown to the table | key that it copies but cannot sign with |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    figures = []
    for program in dict.fromkeys(pair.program for pair in pairs):
        of_program = [pair for pair in pairs if pair.program == program]
        unknown = sum(pair.verdict.answer.value == "unknown" for pair in of_program)
        idle = sum(pair.cannot_sign for pair in of_program)
        figures.append((len(of_program), len(of_program) - unknown - idle, unknown, idle))
        reader = ", ".join(of_program[0].verdict.versions)
        yield f"| {program} | `{reader}` | {' | '.join(map(str, figures[-1]))} |"
    yield f"| all | | {' | '.join(f'{sum(column):,}' for column in zip(*figures, strict=True))} |"
    yield ""
    yield "The unknown answers:"
    yield ""
    unknown = [pair for pair in pairs if pair.verdict.answer.value == "unknown"]
    for why in dict.fromkeys(pair.verdict.why for pair in unknown):
        of_why = [pair for pair in unknown if pair.verdict.why == why]
        programs, opened = dict.fromkeys(pair.program for pair in of_why), sum(pair.opened for pair in of_why)
        open_ = "The program opens" if len(programs) == 1 else "The programs open"
        yield f"- {', '.join(programs)}: {why}. {open_} {opened} of these {len(of_why)} files."


def render(
    expected: Any,  # noqa: ANN401  # as above
    readings: Sequence[Any],
    writings_of: Callable[[str], Sequence[Any]],
    pairs: Sequence[Any],
) -> str:
    """Return the part of the page that follows from the cells."""
    notes = _Notes()
    written = sum(len(writings_of(name)) for name in expected.programs)
    profiles = {reading.profile for reading in readings}
    of_key = {key: {it.profile for it in readings if it.key == key} for key in dict.fromkeys(it.key for it in readings)}
    usual = [reading for reading in readings if of_key[reading.key] == profiles]
    rare = [reading for reading in readings if of_key[reading.key] != profiles]
    used = dict.fromkeys(reading.profile for reading in rare)
    keys = ", ".join(_NAMES[key] for key in dict.fromkeys(reading.key for reading in usual))
    every = ", ".join(_NAMES[key] for key in dict.fromkeys(it.key for it in readings if it.password == _LAST))
    lines = [
        BEGIN,
        f"Tried on {expected.tried.isoformat()} with the programs of two releases of Debian:",
        "",
        "| program | command or library | release | version |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {it.title} | {it.system} | {it.version} |" for name, it in expected.programs.items()),
        "",
        "## Other programs read our files",
        "",
        f"{len(usual) * len(expected.programs):,} files: every profile, with keys of {keys}.",
        f"Keys of {every} have passwords that are ASCII, non-ASCII and empty; the others have an ASCII password.",
        "",
        *_they_read_ours(expected, usual, notes),
        "",
        f"{len(rare) * len(expected.programs):,} more files have keys that few people use, or CAs with such keys.",
        f"Their passwords are ASCII, and their profiles {' and '.join(f'`{profile}`' for profile in used)}.",
        "The table lists the programs that open such a file with neither profile. pkcs12kit itself writes no keys in",
        "version 2 of PKCS#8, and no SLH-DSA keys: the tests write these files.",
        "",
        *_rare_ones(expected, rare, notes),
        "",
        "## We read the files of other programs",
        "",
        f"{written:,} files: each program's default form with all keys and passwords, its other forms with EC P-256.",
        "For certtool, pk12util (600,000 iterations each) and Bouncy Castle, not every key has every password.",
        "pkcs12kit also reads files that keytool wrote. keytool made them by copying each of our files that it opened.",
        "",
        *_we_read_theirs(expected, writings_of, notes),
        "",
        "## Notes",
        "",
        *notes.lines(),
        "",
        "## Programs that write certificates in another order",
        "",
        "pkcs12kit finds the chain in their files as well:",
        "",
        *(f"- {name}: {why}." for name, why in expected.own_order.items()),
        "",
        "## The table of readers and these cells",
        "",
        "The table of [](readers.md) also has an answer for each of the files that other programs read. The tests fail",
        "if the table says yes and the program does not open the file, or if it says no and the program opens it.",
        "",
        *_diagonal(pairs),
    ]
    return "\n".join(lines) + "\n"
