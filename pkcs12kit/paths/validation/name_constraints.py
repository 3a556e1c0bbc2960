"""Name constraints: permitted_subtrees and excluded_subtrees (RFC 5280 sections 4.2.1.10, 6.1.3 (b) (c), 6.1.4 (g))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.paths.validation import name_forms
from pkcs12kit.paths.validation.name_forms import (
    DIRECTORY_NAME,
    DNS_NAME,
    RFC822_NAME,
    HierarchyKey,
    NamePosition,
    SubtreeBase,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from ipaddress import IPv4Network, IPv6Network

    from cryptography import x509

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.paths.budget import SearchBudget

_EMAIL_ADDRESS: Final = "1.2.840.113549.1.9.1"
_SMTP_UTF8_MAILBOX: Final = f"{name_forms.OTHER_NAME} {name_forms.SMTP_UTF8_MAILBOX}"
_LIMIT: Final = "name_constraint_comparisons"
_LISTED_AT_MOST: Final = 3
_NAME_CONSTRAINTS: Final = b"\x06\x03\x55\x1d\x1e"
_HEADERS_AT_MOST: Final = 9
"""Octets between that identifier and the value: critical, and the header of an OCTET STRING of up to 16 MiB."""
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
        self.at: object = None
        self.below: object = None
        self.children: dict[Hashable, _TrieNode] = {}


class _Subtrees:
    """The subtrees of one name form that one certificate permits, or excludes.

    The bases are kept in a trie, so that a name is looked up in the time that its own length takes, however many
    subtrees there are. They are parsed when the first name of the form is checked.
    """

    def __init__(self, form: str, *, excluded: bool, imposed_by: str) -> None:
        self.form = form
        self.excluded = excluded
        self.imposed_by = imposed_by
        self.bases: list[x509.GeneralName] = []
        self._reading_cost: int | None = None
        self._refusal: str | None = None
        self._root = _TrieNode()
        self._wholes: dict[Hashable, object] = {}
        self._networks: list[IPv4Network | IPv6Network] = []

    def read(self, budget: SearchBudget) -> None:
        """Parse the bases. The cost counts in each validation: a result must not depend on earlier validations."""
        if self._reading_cost is not None:
            budget.spend_once(_LIMIT, self._reading_cost, self)
            return
        total = 0
        networks: list[IPv4Network | IPv6Network] = []  # local, as other threads may be parsing them as well
        for base in self.bases:
            value = name_forms.value_of(self.form, base)
            cost = name_forms.reading_cost(value)
            budget.spend(_LIMIT, cost)
            self._read_base(value, networks)
            total += cost
        self._networks = networks
        self._reading_cost = total
        budget.spend_once(_LIMIT, 0, self)  # the cost was counted base by base

    def _read_base(self, value: object, networks: list[IPv4Network | IPv6Network]) -> None:
        """Add one base, or record why names of the form cannot be checked: their certificates are rejected then."""
        if not name_forms.is_processed(self.form):
            self._refusal = f"name constraints on {self.form} are not processed"
            return
        if self.excluded and self.form.startswith(name_forms.OTHER_NAME):
            # Only the definition of the type says which values besides an equal one lie inside.
            self._refusal = f"excluded subtrees of {self.form} are not processed"
            return
        base = name_forms.read_base(self.form, value)
        if base is None:
            kind = "excluded" if self.excluded else "permitted"
            self._refusal = f"the {kind} subtree {shown(value)} is malformed"
        elif base.network is not None:
            networks.append(base.network)
        elif base.whole is not None:
            self._wholes[base.whole] = value
        else:
            self._insert(base, value)

    def _insert(self, base: SubtreeBase, value: object) -> None:
        node = self._root
        for step in base.key:
            node = node.children.setdefault(step, _TrieNode())
        if base.at:
            node.at = value
        if base.below:
            node.below = value

    def violation(self, value: object, position: NamePosition | None) -> str | None:
        """Return why the name ``value``, which has this position, is not allowed; None where it is."""
        if self._refusal is not None:
            return f"{self.form} {shown(value)} cannot be checked: {self._refusal}{self.imposed_by}"
        if position is None:
            return f"{self.form} {shown(value)} is malformed, so name constraints cannot be checked{self.imposed_by}"
        base = self._find(position)
        if self.excluded == (base is None):
            return None
        name = f"{self.form} {shown(value)}"
        if self.excluded:
            return f"{name} lies inside the excluded subtree {shown(base)}{self.imposed_by}"
        listed = ", ".join(shown(name_forms.value_of(self.form, base)) for base in self.bases[:_LISTED_AT_MOST])
        if len(self.bases) > _LISTED_AT_MOST:
            listed += f" and {len(self.bases) - _LISTED_AT_MOST} more"
        return f"{name} lies outside the permitted subtrees {listed}{self.imposed_by}"

    def _find(self, position: NamePosition) -> object:
        """Return the base of a subtree that the name lies in; None where there is none."""
        for network in self._networks:
            if position.whole in network:
                return network
        if position.whole is not None and position.whole in self._wholes:
            return self._wholes[position.whole]
        return self._look_up(position.key)

    def _look_up(self, key: HierarchyKey) -> object:
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


_ByForm: TypeAlias = Mapping[str, tuple[_Subtrees, ...]]


class ImposedConstraints:
    """One value of the extension, compared by identity, which is faster."""

    __slots__ = ("constraints",)

    def __init__(self, constraints: x509.NameConstraints) -> None:
        self.constraints = constraints


def _imposed(constraints: x509.NameConstraints) -> ImposedConstraints:
    """Return the same object for equal values of the extension, unless they have many subtrees."""
    subtrees = len(constraints.permitted_subtrees or ()) + len(constraints.excluded_subtrees or ())
    return _remembered_imposed(constraints) if subtrees <= _COMPARED_AT_MOST else ImposedConstraints(constraints)


@lru_cache(maxsize=_REMEMBERED)
def _remembered_imposed(constraints: x509.NameConstraints) -> ImposedConstraints:
    return ImposedConstraints(constraints)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConstrainedSubtrees:
    """The state variables permitted_subtrees and excluded_subtrees of RFC 5280 section 6.1.2 (b) and (c).

    Each certificate's permitted subtrees are a separate layer: a name lies in the intersection of all layers where it
    lies in each layer that has its form. :meth:`constrain` returns a new value.

    These are not processed, so that a certificate with such a name is rejected: registeredID; otherName, except for a
    permitted value that is equal as a whole; malformed subtrees. x400Address and ediPartyName never occur here, because
    pyca/cryptography does not decode them.
    """

    _by_form: _ByForm = field(default_factory=lambda: MappingProxyType({}))
    imposed: frozenset[ImposedConstraints] = frozenset()
    """The values of the extension that were combined, each once."""

    @classmethod
    def unconstrained(cls) -> ConstrainedSubtrees:
        """Return the value that allows every name."""
        return cls()

    def constrain(self, constraints: x509.NameConstraints, *, imposed_by: str = "") -> ConstrainedSubtrees:
        """Return the intersection of the permitted subtrees and the union of the excluded ones (section 6.1.4 (g)).

        ``imposed_by`` names the constraining certificate in messages. :func:`bounds_violation` checks that the
        extension has no minimum or maximum, which pyca/cryptography does not return.
        """
        return self._with(_layers(constraints, imposed_by), constraints)

    def constrain_by(self, certificate: Certificate) -> ConstrainedSubtrees:
        """Return these subtrees constrained by a certificate's name constraints, if any, which are prepared once."""
        constraints = certificate.extensions.name_constraints
        return self if constraints is None else self._with(_layers_of(certificate), constraints)

    def _with(self, layers: tuple[_Subtrees, ...], constraints: x509.NameConstraints) -> ConstrainedSubtrees:
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
        return self._violation(_names_of(certificate), budget) if self._by_form else None

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


def _layers(constraints: x509.NameConstraints, imposed_by: str) -> tuple[_Subtrees, ...]:
    source = f", imposed by {imposed_by}" if imposed_by else ""
    layers: dict[tuple[bool, str], _Subtrees] = {}
    for excluded, bases in ((True, constraints.excluded_subtrees), (False, constraints.permitted_subtrees)):
        for base in bases or ():
            form = name_forms.form_of(base)
            if (excluded, form) not in layers:
                layers[excluded, form] = _Subtrees(form, excluded=excluded, imposed_by=source)
            layers[excluded, form].bases.append(base)
    return tuple(layers.values())


@_remembered
def _layers_of(certificate: Certificate) -> tuple[_Subtrees, ...]:
    constraints = certificate.extensions.name_constraints
    if constraints is None:
        return ()
    return _layers(constraints, certificate.label)


@_remembered
def _names_of(certificate: Certificate) -> tuple[_NameOfForm, ...]:
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


@_remembered
def bounds_violation(certificate: Certificate) -> str | None:
    """Return which subtree of a certificate's name constraints has a minimum or maximum; None where none has.

    RFC 5280 section 4.2.1.10: minimum MUST be zero and maximum absent; an implementation that does not process other
    values MUST reject them. Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where the extensions cannot be
    read.
    """
    constraints = certificate.extensions.name_constraints
    if constraints is None or _nothing_was_dropped(constraints, certificate.der):
        return None
    from asn1crypto import x509 as asn1_x509

    try:
        decoded = asn1_x509.Certificate.load(certificate.der).name_constraints_value
        for kind in ("permitted_subtrees", "excluded_subtrees"):
            for subtree in decoded[kind] or ():
                if subtree["minimum"].native or subtree["maximum"].native is not None:
                    return f"its name constraints have a {kind[:-1].replace('_', ' ')} with a minimum or maximum"
    except UNREADABLE as error:
        return f"the bounds of its name constraints cannot be read: {str(error).partition(chr(10))[0]}"
    return None


def _nothing_was_dropped(constraints: x509.NameConstraints, der: bytes) -> bool:
    """Return True where pyca/cryptography, which drops minimum and maximum, encodes the extension as it is in ``der``.

    Returns False where the certificate holds the identifier of the extension twice. To decode the extension with
    asn1crypto instead takes 25 times longer.
    """
    try:
        encoded = constraints.public_bytes()
    except ValueError:
        return False
    before, _, after = der.partition(_NAME_CONSTRAINTS)
    return encoded in after and after.index(encoded) <= _HEADERS_AT_MOST and _NAME_CONSTRAINTS not in (before + after)
