"""Explanations of failures in lines: who imposes what, what would pass, and the policies at each certificate.

They are derived once for terminals and notebooks. The texts are safe to print.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.policy_names import by_arcs, policy_label, policy_name
from pkcs12kit.errors import FailureReason
from pkcs12kit.text import harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pkcs12kit.paths.failure import Cause, Failure
    from pkcs12kit.paths.policy_table import PolicyRow
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_CAUSES: Final = 8
_POLICIES: Final = 2
_OF_ISSUERS: Final = frozenset(
    {FailureReason.BAD_SIGNATURE, FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR}
)
_IDENTIFIER: Final = re.compile(r" \((\d+(?:\.\d+)+)\)")
"""The identifier after the name of a policy."""
_PREFIXES: Final = ("id-fpki-", "id-US-", "id-")


class PolicyLine(NamedTuple):
    """The policies at one certificate, in words."""

    depth: int
    certificate: str
    states: str
    expected: str
    valid: str
    required: str


def explanation_lines(failure: Failure) -> Iterator[str]:
    """Yield a line for the causes of a failure, those that say the same together, and one for what would pass.

    The identifier of a policy with a name is shown once, in the detail of the failure or in the first line that has it.
    """
    seen = set(_IDENTIFIER.findall(failure.detail))
    for line in _explanations(failure):
        yield _IDENTIFIER.sub(lambda found: _if_new(found, seen), line)


def _if_new(found: re.Match[str], seen: set[str]) -> str:
    """Return the identifier that was found; nothing for that of a policy whose name was shown with it before."""
    identifier = found[1]
    if identifier in seen and policy_name(identifier) is not None:
        return ""
    seen.add(identifier)
    return found[0]


def _explanations(failure: Failure) -> Iterator[str]:
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for cause in failure.causes:
        certificate = _holder(failure, cause)
        grouped.setdefault((cause.extension, cause.value, cause.detail), []).append(certificate)
    label = "tried:" if failure.reason in _OF_ISSUERS else "imposed by"
    imposed = [
        f"{label} {', '.join(dict.fromkeys(by))}: {extension} {value}: {detail}"
        for (extension, value, detail), by in grouped.items()
    ]
    yield from shortened(imposed, _CAUSES)
    missing = failure.missing_issuer
    if missing is not None and missing.look_alike_count > len(missing.look_alikes):
        yield f"tried: {missing.look_alike_count:,} certificates with the issuer's name in all; none signed this one"
    if failure.would_pass is not None:
        yield f"would pass: {failure.would_pass}"


def _holder(failure: Failure, cause: Cause) -> str:
    if cause.certificate is not None:
        return cause.certificate.label
    return failure.certificate.issuer.label if failure.reason in _OF_ISSUERS else "the caller"


def policy_lines(failure: Failure) -> list[PolicyLine]:
    """Return the table of policies of a failure, from the trust anchor down."""
    return [
        PolicyLine(
            depth=row.depth,
            certificate=row.certificate.label,
            states="none" if row.states is None else _short(row.states),
            expected=_short(row.expected),
            valid=_short(row.valid) + _mapped(row),
            required="yes" if row.explicit_policy == 0 else "no",
        )
        for row in failure.policies
    ]


def _mapped(row: PolicyRow) -> str:
    """Return the remark on the mappings of a certificate."""
    if not row.mappings:
        return ""
    return " (mapped)" if row.mappings_apply else " (mapping inhibited)"


def _short(policies: Collection[str]) -> str:
    """Return few policies by name, without the beginning that most names share, and the number of many."""
    ordered = by_arcs(policies)
    if not ordered:
        return "none"
    if ordered == [ANY_POLICY]:
        return "any"
    return ", ".join(map(_short_name, ordered)) if len(ordered) <= _POLICIES else f"{len(ordered):,} policies"


def _short_name(policy: str) -> str:
    name = policy_name(policy)
    if name is None:
        return harmless(policy)
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)


def policies_of(path: ValidatedPath) -> tuple[str, ...]:
    """Return the policies that a path is valid for with their names, in the order of their arcs."""
    return tuple(map(policy_label, by_arcs(path.authority_constrained_policy_set)))
