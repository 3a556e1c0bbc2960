"""Explanations of names that name constraints do not allow (RFC 5280 sections 4.2.1.10, 6.1.3 (b) and (c))."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.subtrees import (
    DIRECTORY_NAME,
    DNS_NAME,
    IP_ADDRESS,
    OTHER_NAME,
    RFC822_NAME,
    URI,
    NameConstraints,
)
from pkcs12kit.paths.failure import Cause
from pkcs12kit.paths.validation import name_forms
from pkcs12kit.paths.validation.name_constraints import ConstrainedSubtrees, names_of
from pkcs12kit.paths.validation.name_forms import shown
from pkcs12kit.paths.validation.statements import statements_above
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.subtrees import EncodedName
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.failure import Descent
    from pkcs12kit.paths.validation.name_constraints import RefusedName

CALLER: Final = "the caller"
_LISTED: Final = 4
_TRIED: Final = 64
"""Subtrees for which an allowed name is looked for."""
_HOST: Final = "host"


class _Source(NamedTuple):
    """One value of the extension, or the caller's initial subtrees."""

    certificate: Certificate | None
    label: str
    field: str
    constraints: NameConstraints


def explain_names(failed: Certificate, descent: Descent, budget: SearchBudget) -> tuple[tuple[Cause, ...], str | None]:
    """Return each statement that does not allow a name of a certificate, and the names that would be allowed."""
    sources = list(_sources(failed, descent))
    names = names_of(failed)
    causes: list[Cause] = []
    forms: dict[str, None] = {}
    for source in sources:
        subtrees = ConstrainedSubtrees.unconstrained().constrain(source.constraints)
        refusals = list(subtrees.refusals(names, budget=budget))
        causes += _causes(source, refusals)
        forms.update(dict.fromkeys(refusal.form for refusal in refusals))
    clauses = [_allowed(form, sources, budget) for form in list(forms)[:_LISTED]]
    return tuple(causes), "; and ".join(clauses) or None


def _sources(failed: Certificate, descent: Descent) -> Iterator[_Source]:
    parameters = descent.parameters
    if parameters.initial_permitted_subtrees or parameters.initial_excluded_subtrees:
        given = NameConstraints.from_general_names(
            permitted=parameters.initial_permitted_subtrees, excluded=parameters.initial_excluded_subtrees
        )
        yield _Source(None, CALLER, "initial-subtrees", given)
    for one in statements_above(descent, failed):
        constraints = one.extensions.name_constraints
        if constraints is not None:
            yield _Source(one.certificate, one.label, "nameConstraints", constraints)


def _causes(source: _Source, refusals: Sequence[RefusedName]) -> Iterator[Cause]:
    """Yield one cause for each form and field."""
    grouped: dict[tuple[str, bool], list[RefusedName]] = {}
    for refusal in refusals:
        grouped.setdefault((refusal.form, refusal.is_excluded), []).append(refusal)
    for (form, is_excluded), found in grouped.items():
        listed = ", ".join(shortened([shown(one.value) for one in found], _LISTED))
        kind, verb = ("excluded", "excludes") if is_excluded else ("permitted", "does not permit")
        yield Cause(
            certificate=source.certificate,
            extension=source.field,
            value=f"{kind}: {form} {_bases(found[0].bases)}",
            detail=f"{verb} {form} {listed}",
        )


def _bases(bases: Iterable[EncodedName]) -> str:
    return ", ".join(shortened([base.shown_value for base in bases], _LISTED))


def _allowed(form: str, sources: Sequence[_Source], budget: SearchBudget) -> str:
    """Return a clause about the names of one form that all constraints together allow."""
    every = ConstrainedSubtrees.unconstrained()
    for source in sources:
        every = every.constrain(source.constraints)
    permitted: list[EncodedName] = []
    excluded: list[EncodedName] = []
    permitting: list[str] = []
    for source in sources:
        own = [base for base in source.constraints.permitted_subtrees or () if name_forms.form_of(base) == form]
        permitting += [source.label] if own else []
        permitted += own
        excluded += [b for b in source.constraints.excluded_subtrees or () if name_forms.form_of(b) == form]
    if not permitted:
        if not _is_judged(form, excluded):
            return f"{_none(form)}: such constraints cannot be applied"
        return f"a {form} outside {_bases(excluded)}" if not _excludes_all(form, excluded) else _none(form)
    found: dict[str, str] = {}
    for base in permitted[:_TRIED]:
        example = next((name for name in _examples(form, base) if _is_allowed(form, name, every, budget)), None)
        if example is not None:
            found.setdefault(base.shown_value, shown(example))
    if found:
        within = ", ".join(shortened(list(found), _LISTED))
        return f"a {form} within {within}, for example {next(iter(found.values()))}"
    if len(permitting) > 1 and not excluded:
        return f"{_none(form)}: what {' and '.join(permitting)} permit has nothing in common"
    return _none(form)


def _none(form: str) -> str:
    """Return the clause for a form of which no name is allowed; a certificate always has a directoryName."""
    return "no directoryName on this path" if form == DIRECTORY_NAME else f"a certificate without {form}"


def _is_judged(form: str, excluded: Sequence[EncodedName]) -> bool:
    if not name_forms.is_processed(form) or form.startswith(OTHER_NAME):
        return False
    return all(name_forms.read_base(form, name_forms.value_of(form, base), excluded=True) for base in excluded)


def _excludes_all(form: str, excluded: Sequence[EncodedName]) -> bool:
    """Return True if one of the excluded subtrees, all of which are well-formed, holds every name of the form."""
    bases = (name_forms.read_base(form, name_forms.value_of(form, base), excluded=True) for base in excluded)
    return any(base is not None and base.below and not base.key for base in bases)


def _is_allowed(form: str, name: object, subtrees: ConstrainedSubtrees, budget: SearchBudget) -> bool:
    return not any(subtrees.refusals([(form, name, name_forms.reading_cost(name))], budget=budget))


def _examples(form: str, base: EncodedName) -> Iterator[object]:
    """Yield names that lie within a subtree; none for one that is not well-formed, which allows no name."""
    value = name_forms.value_of(form, base)
    if name_forms.read_base(form, value, excluded=False) is None:
        return
    if form == IP_ADDRESS and isinstance(value, bytes):
        yield ip_address(value[: len(value) // 2])
    elif form == DIRECTORY_NAME and isinstance(value, Name):
        yield value
    elif isinstance(value, str):
        host = f"{_HOST}{value}" if value.startswith(".") else value or f"{_HOST}.example"
        if form == DNS_NAME:
            yield from (host, f"{_HOST}.{host}")
        elif form == RFC822_NAME:
            yield from ((value,) if "@" in value else (f"user@{host}", f"user@{_HOST}.{host}"))
        elif form == URI:
            yield from (f"https://{host}/", f"https://{_HOST}.{host}/")
    elif form.startswith(OTHER_NAME):
        yield value
