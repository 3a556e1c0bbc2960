"""The page of the documentation, written from ``divergences.toml`` and the scenarios."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from .divergences import DIVERGENCES, divergence_of
from .worlds import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .divergences import Divergence
    from .worlds import Scenario

BEGIN: Final = "<!-- The rest is written by the tests: see tests/differential/test_differential.py. -->\n"
_HEADINGS: Final = {
    "crl": "The contents of a CRL",
    "several": "Several CRLs",
    "signer": "The signer of a CRL",
    "scope": "Distribution points",
    "ocsp": "OCSP responses",
    "stricter": "Where pkcs12kit is stricter than the RFC",
}
_PROGRAMS: Final = {
    "pkcs12kit": "pkcs12kit",
    "openssl": "`openssl verify -crl_check_all`",
    "openssl-extended": "... with `-extended_crl -use_deltas`",
    "openssl-ocsp": "`openssl ocsp`",
    "java": "Java",
}
_SAYS: Final = {
    "used": "uses it",
    "unused": "does not use it",
    "good": "good",
    "revoked": "revoked",
}


def render(scenarios: Sequence[Scenario]) -> str:
    """Return the generated part of the page."""
    single = [scenario for scenario in scenarios if scenario.exact]
    return BEGIN + "\n" + "\n".join([*_figures(scenarios, single), *_tables(single)]) + "\n"


def _figures(scenarios: Sequence[Scenario], single: Sequence[Scenario]) -> Iterator[str]:
    expected = Counter(scenario.expected for scenario in scenarios)
    counts = ", ".join(f"{expected[verdict]} {verdict}" for verdict in Verdict)
    yield f"There are {len(scenarios)} scenarios. By the RFCs the answers are: {counts}."
    yield f"In {len(single)} scenarios one thing is unusual. The others combine several unusual things at random."
    yield ""
    yield "| program | scenarios with one unusual thing | answers that differ |"
    yield "| --- | --- | --- |"
    for program, label in _PROGRAMS.items():
        both = program in {"java", "pkcs12kit"}
        asked = [it for it in single if both or (program == "openssl-ocsp") == (it.response is not None)]
        differing = sum(1 for it in asked if divergence_of(it, program) is not None)
        yield f"| {label} | {len(asked)} | {differing} |"
    yield ""


def _tables(single: Sequence[Scenario]) -> Iterator[str]:
    for about, heading in _HEADINGS.items():
        yield f"## {heading}"
        yield ""
        yield f"| situation | by the RFC | {'pkcs12kit' if about == 'stricter' else 'others'} | decided by |"
        yield "| --- | --- | --- | --- |"
        for entry in DIVERGENCES:
            if entry.about == about:
                yield _row(entry, single)
        yield ""


def _row(entry: Divergence, single: Sequence[Scenario]) -> str:
    others = _names(entry.programs)
    said = f"{f'{others}: ' if others else ''}{_SAYS[entry.says]}{' (on some runs)' if entry.varies else ''}"
    ours = _expected(entry, single)
    right = f"open; pkcs12kit: {ours}" if entry.right == "open" else ours
    return f"| {entry.title} | {right} | {said} | {entry.clause}. {_one_line(entry.reason)} |"


def _expected(entry: Divergence, single: Sequence[Scenario]) -> str:
    if entry.says in {"used", "unused"}:
        return _SAYS["unused" if entry.says == "used" else "used"]
    expected = {it.expected for it in single for program in entry.programs if divergence_of(it, program) is entry}
    return " or ".join(sorted(expected))


def _names(programs: Sequence[str]) -> str:
    """Return the names of programs, with OpenSSL's options where they matter."""
    names = ["Java"] if "java" in programs else []
    if "openssl-ocsp" in programs or {"openssl", "openssl-extended"} <= set(programs):
        names.insert(0, "OpenSSL")
    elif "openssl" in programs:
        names.insert(0, "OpenSSL without `-extended_crl -use_deltas`")
    elif "openssl-extended" in programs:
        names.insert(0, "OpenSSL with `-extended_crl -use_deltas`")
    return ", ".join(names)


def _one_line(text: str) -> str:
    return " ".join(text.split())
