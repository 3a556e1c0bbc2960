"""Name constraints: permitted_subtrees and excluded_subtrees (RFC 5280 sections 4.2.1.10, 6.1.3 (b) (c), 6.1.4 (g))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from pkcs12kit.certificates.subtrees import DIRECTORY_NAME, DNS_NAME, OTHER_NAME, RFC822_NAME
from pkcs12kit.paths.validation import name_forms
from pkcs12kit.paths.validation.name_forms import HierarchyKey, NamePosition, Network, SubtreeBase, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from cryptography import x509

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.subtrees import EncodedName, NameConstraints
    from pkcs12kit.paths.budget import SearchBudget

_EMAIL_ADDRESS: Final = "1.2.840.113549.1.9.1"
_SMTP_UTF8_MAILBOX: Final = f"{OTHER_NAME} {name_forms.SMTP_UTF8_MAILBOX}"
_LIMIT: Final = "name_constraint_comparisons"
_LISTED_AT_MOST: Final = 3
_COMPARED_AT_MOST: Final = 64
_REMEMBERED: Final = 1024
_REMEMBERED_BYTES: Final = 8 * 1024
_Result = TypeVar("_Result")
_NameOfForm: TypeAlias = tuple[str, object, int]
"""A form, a value, and the cost of parsing the value."""


class _TrieNode:
    """A node in the trie of a form's subtrees, with the base that holds names at it, and that for names below it."""

    __slots__ = ("at", "below", "children")

    def __init__(self) -> None:
        self.at: EncodedName | None = None
        self.below: EncodedName | None = None
        self.children: dict[Hashable, _TrieNode] = {}


class _Subtrees:
    """The subtrees of one name form that one certificate permits, or excludes.

    The bases are kept in a trie, so that a name is looked up in the time that its own length takes, however many
    subtrees there are. They are parsed when the first name of the form is checked.
    """

    def __init__(self, form: str, *, excluded: bool, bounded: tuple[EncodedName, ...], imposed_by: str) -> None:
        self.form = form
        self.excluded = excluded
        self.bounded = bounded
        self.imposed_by = imposed_by
        self.bases: list[EncodedName] = []
        self._reading_cost: int | None = None
        self._refusal: str | None = None
        self._root = _TrieNode()
        self._wholes: dict[Hashable, EncodedName] = {}
        self._networks: list[tuple[Network, EncodedName]] = []

    def read(self, budget: SearchBudget) -> None:
        """Parse the bases. The cost counts in each validation: a result must not depend on earlier validations."""
        if self._reading_cost is not None:
            budget.spend_once(_LIMIT, self._reading_cost, self)
            return
        total = 0
        networks: list[tuple[Network, EncodedName]] = []  # local, as other threads may be parsing them as well
        for base in self.bases:
            value = name_forms.value_of(self.form, base)
            cost = name_forms.reading_cost(value)
            budget.spend(_LIMIT, cost)
            self._read_base(base, value, networks)
            total += cost
        self._networks = networks
        self._reading_cost = total
        budget.spend_once(_LIMIT, 0, self)  # the cost was counted base by base

    def _read_base(self, base: EncodedName, value: object, networks: list[tuple[Network, EncodedName]]) -> None:
        """Add one base, or record why names of the form cannot be checked: their certificates are rejected then."""
        if not name_forms.is_processed(self.form) or (self.excluded and self.form.startswith(OTHER_NAME)):
            # Of otherName only the definition of the type says which values besides an equal one lie inside.
            self._refuse(base, f"cannot be applied: such subtrees of {self.form} are not processed")
            return
        found = name_forms.read_base(self.form, value, excluded=self.excluded)
        if found is None or base in self.bounded:
            self._refuse(base, "cannot be applied: section 4.2.1.10 of RFC 5280 does not define it")
        elif found.network is not None:
            networks.append((found.network, base))
        elif found.whole is not None:
            self._wholes[found.whole] = base
        else:
            self._insert(found, base)

    def _refuse(self, base: EncodedName, reason: str) -> None:
        kind = "excluded" if self.excluded else "permitted"
        self._refusal = f"the {kind} subtree {base} of the nameConstraints {reason}"

    def _insert(self, found: SubtreeBase, base: EncodedName) -> None:
        node = self._root
        for step in found.key:
            node = node.children.setdefault(step, _TrieNode())
        if found.at:
            node.at = base
        if found.below:
            node.below = base

    def violation(self, value: object, position: NamePosition | None) -> str | None:
        """Return why the name ``value``, which has this position, is not allowed; None where it is."""
        if self._refusal is not None:
            return f"{self.form} {shown(value)} cannot be checked: {self._refusal}{self.imposed_by}"
        if position is None or (self.excluded and not position.is_certain):
            return f"{self.form} {shown(value)} is malformed, so name constraints cannot be checked{self.imposed_by}"
        base = self._find(position)
        if self.excluded == (base is None):
            return None
        name = f"{self.form} {shown(value)}"
        if base is not None:
            return f"{name} lies inside the excluded subtree {base.shown_value}{self.imposed_by}"
        listed = ", ".join(base.shown_value for base in self.bases[:_LISTED_AT_MOST])
        if len(self.bases) > _LISTED_AT_MOST:
            listed += f" and {len(self.bases) - _LISTED_AT_MOST} more"
        return f"{name} lies outside the permitted subtrees {listed}{self.imposed_by}"

    def _find(self, position: NamePosition) -> EncodedName | None:
        """Return the base of a subtree that the name lies in; None where there is none."""
        for address in position.addresses(mapped=self.excluded):
            for network, base in self._networks:
                if address in network:
                    return base
        if position.whole is not None and position.whole in self._wholes:
            return self._wholes[position.whole]
        return self._look_up(position.key)

    def _look_up(self, key: HierarchyKey) -> EncodedName | None:
        node = self._root
        for step in key:
            if node.below is not None:
                return node.below
            if step == "*" and self.excluded and self.form == DNS_NAME:
                # A wildcard stands for any label, including an excluded one.
                return next((other.at for other in node.children.values() if other.at is not None), None)
            if step not in node.children:
                return None
            node = node.children[step]
        return node.at


class RefusedName(NamedTuple):
    """A name that constraints do not allow."""

    form: str
    value: object
    is_excluded: bool
    """True where excluded subtrees refuse it, False where it is not within the permitted ones."""
    bases: tuple[EncodedName, ...]
    """The subtrees of its form in that field."""


_ByForm: TypeAlias = Mapping[str, tuple[_Subtrees, ...]]


class ImposedConstraints:
    """One value of the extension, compared by identity, which is faster."""

    __slots__ = ("constraints",)

    def __init__(self, constraints: NameConstraints) -> None:
        self.constraints = constraints


def _imposed(constraints: NameConstraints) -> ImposedConstraints:
    """Return the same object for equal values of the extension, unless they have many subtrees."""
    few = len(constraints.subtrees) <= _COMPARED_AT_MOST
    return _remembered_imposed(constraints) if few else ImposedConstraints(constraints)


@lru_cache(maxsize=_REMEMBERED)
def _remembered_imposed(constraints: NameConstraints) -> ImposedConstraints:
    return ImposedConstraints(constraints)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConstrainedSubtrees:
    """The state variables permitted_subtrees and excluded_subtrees of RFC 5280 section 6.1.2 (b) and (c).

    Each certificate's permitted subtrees are a separate layer: a name lies in the intersection of all layers where it
    lies in each layer that has its form. :meth:`constrain` returns a new value.

    These are not processed, so that a certificate with such a name is rejected: registeredID; otherName, except for a
    permitted value that is equal as a whole; x400Address and ediPartyName; subtrees that the clause does not define.
    """

    _by_form: _ByForm = field(default_factory=lambda: MappingProxyType({}))
    imposed: frozenset[ImposedConstraints] = frozenset()
    """The values of the extension that were combined, each once."""

    @classmethod
    def unconstrained(cls) -> ConstrainedSubtrees:
        """Return the value that allows every name."""
        return cls()

    def constrain(self, constraints: NameConstraints, *, imposed_by: str = "") -> ConstrainedSubtrees:
        """Return the intersection of the permitted subtrees and the union of the excluded ones (section 6.1.4 (g)).

        ``imposed_by`` names the constraining certificate in messages.
        """
        return self._with(_layers(constraints, imposed_by), constraints)

    def constrain_by(self, certificate: Certificate) -> ConstrainedSubtrees:
        """Return these subtrees constrained by a certificate's name constraints, if any, which are prepared once."""
        constraints = certificate.extensions.name_constraints
        return self if constraints is None else self._with(_layers_of(certificate), constraints)

    def _with(self, layers: tuple[_Subtrees, ...], constraints: NameConstraints) -> ConstrainedSubtrees:
        imposed = _imposed(constraints)
        if imposed in self.imposed:
            return self
        by_form = dict(self._by_form)
        for subtrees in layers:
            by_form[subtrees.form] = (*by_form.get(subtrees.form, ()), subtrees)
        return ConstrainedSubtrees(_by_form=MappingProxyType(by_form), imposed=self.imposed | {imposed})

    def violation(
        self, subject: Name, subject_alternative_name: Iterable[x509.GeneralName] | None, *, budget: SearchBudget
    ) -> str | None:
        """Return which name of a certificate is not allowed; None where all are (section 6.1.3 (b) and (c)).

        A common name is never treated as a dNSName. Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`: the
        comparison of a name with a subtree of its form counts against ``name_constraint_comparisons``, and parsing a
        name or a subtree counts as several comparisons, by its length.
        """
        return (
            self._violation(_names(subject, tuple(subject_alternative_name or ())), budget) if self._by_form else None
        )

    def violation_by(self, certificate: Certificate, *, budget: SearchBudget) -> str | None:
        """Return which name of a certificate is not allowed, as :meth:`violation` does; names are collected once."""
        return self._violation(names_of(certificate), budget) if self._by_form else None

    def refusals(self, names: Iterable[_NameOfForm], *, budget: SearchBudget) -> Iterator[RefusedName]:
        """Yield every name of these that is not allowed, once for each certificate and field that does not allow it."""
        for form, value, cost in names:
            layers = self._by_form.get(form, ())
            budget.spend(_LIMIT, cost + sum(len(subtrees.bases) for subtrees in layers))
            position = name_forms.read_name(form, value) if layers else None
            for subtrees in layers:
                subtrees.read(budget)
                if subtrees.violation(value, position) is not None:
                    yield RefusedName(form, value, subtrees.excluded, tuple(subtrees.bases))

    def _violation(self, names: Iterable[_NameOfForm], budget: SearchBudget) -> str | None:
        for form, value, cost in names:
            layers = self._by_form.get(form)
            if not layers:
                continue
            budget.spend(_LIMIT, cost + sum(len(subtrees.bases) for subtrees in layers))
            position = name_forms.read_name(form, value)
            for subtrees in layers:
                subtrees.read(budget)
                found = subtrees.violation(value, position)
                if found is not None:
                    return found
        return None


def _remembered(function: Callable[[Certificate], _Result]) -> Callable[[Certificate], _Result]:
    """Return a function that remembers its results for the latest certificates, except large ones, to save memory."""
    remembering = lru_cache(maxsize=_REMEMBERED)(function)

    @wraps(function)
    def ask(certificate: Certificate) -> _Result:
        return remembering(certificate) if len(certificate.der) <= _REMEMBERED_BYTES else function(certificate)

    return ask


def _layers(constraints: NameConstraints, imposed_by: str) -> tuple[_Subtrees, ...]:
    source = f", imposed by {imposed_by}" if imposed_by else ""
    layers: dict[tuple[bool, str], _Subtrees] = {}
    for excluded, bases in ((True, constraints.excluded_subtrees), (False, constraints.permitted_subtrees)):
        for base in bases or ():
            form = name_forms.form_of(base)
            if (excluded, form) not in layers:
                layers[excluded, form] = _Subtrees(
                    form, excluded=excluded, bounded=constraints.bounded, imposed_by=source
                )
            layers[excluded, form].bases.append(base)
    return tuple(layers.values())


@_remembered
def _layers_of(certificate: Certificate) -> tuple[_Subtrees, ...]:
    constraints = certificate.extensions.name_constraints
    if constraints is None:
        return ()
    return _layers(constraints, certificate.label)


@_remembered
def names_of(certificate: Certificate) -> tuple[_NameOfForm, ...]:
    """Return the names of a certificate that constraints apply to: the form, the value, and the cost of parsing it."""
    return tuple(_names(certificate.subject, certificate.extensions.subject_alternative_name or ()))


def _names(subject: Name, alternatives: tuple[x509.GeneralName, ...]) -> Iterator[_NameOfForm]:
    for form, name in _general_names(subject, alternatives):
        value = name_forms.value_of(form, name)
        yield form, value, name_forms.reading_cost(value)


def _general_names(subject: Name, alternatives: tuple[x509.GeneralName, ...]) -> Iterator[tuple[str, object]]:
    """Yield the names that constraints apply to, each with its form (section 4.2.1.10)."""
    if subject:
        yield DIRECTORY_NAME, subject
    if not alternatives:
        # Where there is no subjectAltName, emailAddress attributes of the subject are mailboxes.
        for attributes in subject.relative_distinguished_names:
            for oid, value in attributes:
                if oid == _EMAIL_ADDRESS:
                    yield RFC822_NAME, value
    for name in alternatives:
        form = name_forms.form_of(name)
        yield form, name
        if form == _SMTP_UTF8_MAILBOX:
            # RFC 9598 section 6: rfc822Name constraints apply to both kinds of mailbox.
            yield RFC822_NAME, name


def malformed_constraints(constraints: NameConstraints) -> str | None:
    """Return how name constraints break the rules for all subtrees; None where they do not (section 4.2.1.10).

    minimum MUST be zero and maximum absent, or the application MUST process or reject them. The extension and each
    field have at least one subtree: a field without any could be taken for one that permits everything or nothing.
    """
    if constraints.bounded:
        return f"has nameConstraints with a minimum or maximum for the subtree {constraints.bounded[0]}"
    fields = (constraints.permitted_subtrees, constraints.excluded_subtrees)
    if () in fields or fields == (None, None):
        return "has nameConstraints without a subtree where one is required"
    return None
