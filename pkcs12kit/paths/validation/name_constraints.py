"""Name constraints: permitted_subtrees and excluded_subtrees (RFC 5280 sections 4.2.1.10, 6.1.3 (b) (c), 6.1.4 (g))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.paths.validation import name_forms
from pkcs12kit.paths.validation.name_forms import DIRECTORY_NAME, DNS_NAME, RFC822_NAME, Base, Key, Place, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from ipaddress import IPv4Network, IPv6Network

    from cryptography import x509

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.paths.budget import Budget

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
"""Form, value, and what reading the value costs."""


class _Branch:
    """A place in the hierarchy of a form's subtrees, with the base that holds names at it, and the one for below it."""

    __slots__ = ("at", "below", "branches")

    def __init__(self) -> None:
        self.at: object = None
        self.below: object = None
        self.branches: dict[Hashable, _Branch] = {}


class _Subtrees:
    """The subtrees of one name form that one certificate permits, or excludes.

    A name is looked up step by step in a hierarchy, so that a thousand long subtrees cost it no more than its own
    length. They are read when the first name of the form comes.
    """

    def __init__(self, form: str, *, excluded: bool, imposed_by: str) -> None:
        self.form = form
        self.excluded = excluded
        self.imposed_by = imposed_by
        self.bases: list[x509.GeneralName] = []
        self._reading_cost: int | None = None
        self._refusal: str | None = None
        self._root = _Branch()
        self._wholes: dict[Hashable, object] = {}
        self._networks: list[IPv4Network | IPv6Network] = []

    def read(self, budget: Budget) -> None:
        """Prepare for comparisons. It counts in each validation, so that no answer depends on those before."""
        if self._reading_cost is not None:
            budget.spend_once(_LIMIT, self._reading_cost, self)
            return
        total = 0
        networks: list[IPv4Network | IPv6Network] = []  # its own, while other threads may be reading
        for base in self.bases:
            value = name_forms.value_of(self.form, base)
            cost = name_forms.reading_cost(value)
            budget.spend(_LIMIT, cost)
            self._read_base(value, networks)
            total += cost
        self._networks = networks
        self._reading_cost = total
        budget.spend_once(_LIMIT, 0, self)  # paid for, base by base

    def _read_base(self, value: object, networks: list[IPv4Network | IPv6Network]) -> None:
        """Take up one base, or note why no name of the form can be judged: its certificate is refused then."""
        if not name_forms.is_processed(self.form):
            self._refusal = f"name constraints on {self.form} are not processed"
            return
        if self.excluded and self.form.startswith(name_forms.OTHER_NAME):
            # What else than an equal value lies inside, only the definition of the type could say.
            self._refusal = f"excluded subtrees of {self.form} are not processed"
            return
        base = name_forms.read_base(self.form, value)
        if base is None:
            kind = "excluded" if self.excluded else "permitted"
            self._refusal = f"the {kind} subtree {quote(value)} is malformed"
        elif base.network is not None:
            networks.append(base.network)
        elif base.whole is not None:
            self._wholes[base.whole] = value
        else:
            self._plant(base, value)

    def _plant(self, base: Base, value: object) -> None:
        branch = self._root
        for step in base.key:
            branch = branch.branches.setdefault(step, _Branch())
        if base.at:
            branch.at = value
        if base.below:
            branch.below = value

    def violation(self, value: object, place: Place | None) -> str | None:
        """Say why the name ``value``, which stands at ``place``, is not allowed."""
        if self._refusal is not None:
            return f"{self.form} {quote(value)} cannot be judged: {self._refusal}{self.imposed_by}"
        if place is None:
            return f"{self.form} {quote(value)} is malformed, so that name constraints cannot place it{self.imposed_by}"
        base = self._find(place)
        if self.excluded == (base is None):
            return None
        name = f"{self.form} {quote(value)}"
        if self.excluded:
            return f"{name} lies inside the excluded subtree {quote(base)}{self.imposed_by}"
        listed = ", ".join(quote(name_forms.value_of(self.form, base)) for base in self.bases[:_LISTED_AT_MOST])
        if len(self.bases) > _LISTED_AT_MOST:
            listed += f" and {len(self.bases) - _LISTED_AT_MOST} more"
        return f"{name} lies outside the permitted subtrees {listed}{self.imposed_by}"

    def _find(self, place: Place) -> object:
        """Find the base of a subtree that the name lies in."""
        for network in self._networks:
            if place.whole in network:
                return network
        if place.whole is not None and place.whole in self._wholes:
            return self._wholes[place.whole]
        return self._climb(place.key)

    def _climb(self, key: Key) -> object:
        branch = self._root
        for step in key:
            if branch.below is not None:
                return branch.below
            if step == "*" and self.excluded and self.form == DNS_NAME:
                # A wildcard stands for any label, one that is excluded among them.
                return next((other.at for other in branch.branches.values() if other.at is not None), None)
            if step not in branch.branches:
                return None
            branch = branch.branches[step]
        return branch.at


_ByForm: TypeAlias = Mapping[str, tuple[_Subtrees, ...]]


class ImposedConstraints:
    """One value of the extension, compared by identity, which is quicker."""

    __slots__ = ("constraints",)

    def __init__(self, constraints: x509.NameConstraints) -> None:
        self.constraints = constraints


def _imposed(constraints: x509.NameConstraints) -> ImposedConstraints:
    """Give equal values of the extension one identity, as long as they are few subtrees."""
    subtrees = len(constraints.permitted_subtrees or ()) + len(constraints.excluded_subtrees or ())
    return _remembered_imposed(constraints) if subtrees <= _COMPARED_AT_MOST else ImposedConstraints(constraints)


@lru_cache(maxsize=_REMEMBERED)
def _remembered_imposed(constraints: x509.NameConstraints) -> ImposedConstraints:
    return ImposedConstraints(constraints)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConstrainedSubtrees:
    """The state variables permitted_subtrees and excluded_subtrees of RFC 5280 section 6.1.2 (b) and (c).

    Each certificate's permitted subtrees are kept as a layer of their own: a name lies in the intersection of all
    layers when it lies in each layer that has its form. :meth:`constrain` makes a new value.

    Not processed, so that a certificate with such a name is refused: registeredID; otherName beyond the equality of
    a whole permitted value; malformed subtrees. x400Address and ediPartyName never come here, because
    pyca/cryptography does not decode them.
    """

    _by_form: _ByForm = field(default_factory=lambda: MappingProxyType({}))
    imposed: frozenset[ImposedConstraints] = frozenset()
    """What was laid on one another; the same twice is laid on once."""

    @classmethod
    def unconstrained(cls) -> ConstrainedSubtrees:
        """Allow every name."""
        return cls()

    def constrain(self, constraints: x509.NameConstraints, *, imposed_by: str = "") -> ConstrainedSubtrees:
        """Intersect the permitted subtrees, unite the excluded ones (section 6.1.4 (g)).

        ``imposed_by`` names the constraining certificate in messages. That minimum and maximum are absent from the
        extension :func:`bounds_violation` checks; pyca/cryptography does not hand them out.
        """
        return self._with(_layers(constraints, imposed_by), constraints)

    def constrain_by(self, certificate: Certificate) -> ConstrainedSubtrees:
        """Do so with a certificate's own name constraints, where it has any; they are prepared once."""
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
        self, subject: Name, subject_alternative_name: Iterable[x509.GeneralName] | None, *, budget: Budget
    ) -> str | None:
        """Say which name of a certificate is not allowed, None when all are (section 6.1.3 (b) and (c)).

        A common name is never taken for a dNSName. Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`:
        each name held against each subtree of its form counts against ``name_constraint_comparisons``, and reading a
        name or a subtree counts as some more, by its length.
        """
        return (
            self._violation(_names(subject, tuple(subject_alternative_name or ())), budget) if self._by_form else None
        )

    def violation_by(self, certificate: Certificate, *, budget: Budget) -> str | None:
        """Do so for all names of a certificate; they are listed once."""
        return self._violation(_names_of(certificate), budget) if self._by_form else None

    def _violation(self, names: Iterable[_NameOfForm], budget: Budget) -> str | None:
        for form, value, cost in names:
            layers = self._by_form.get(form)
            if not layers:
                continue
            budget.spend(_LIMIT, cost + sum(len(subtrees.bases) for subtrees in layers))
            place = name_forms.read_name(form, value)
            for subtrees in layers:
                subtrees.read(budget)
                found = subtrees.violation(value, place)
                if found is not None:
                    return found
        return None


def _remembered(function: Callable[[Certificate], _Result]) -> Callable[[Certificate], _Result]:
    """Remember what a function says of the certificates asked about last; of large ones nothing, for want of memory."""
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
    return _layers(constraints, certificate.subject.short_text)


@_remembered
def _names_of(certificate: Certificate) -> tuple[_NameOfForm, ...]:
    return tuple(_names(certificate.subject, certificate.extensions.subject_alternative_name or ()))


def _names(subject: Name, alternatives: tuple[x509.GeneralName, ...]) -> Iterator[_NameOfForm]:
    for form, name in _general_names(subject, alternatives):
        value = name_forms.value_of(form, name)
        yield form, value, name_forms.reading_cost(value)


def _general_names(subject: Name, alternatives: tuple[x509.GeneralName, ...]) -> Iterator[tuple[str, object]]:
    """List the names that constraints apply to, each with its form (section 4.2.1.10)."""
    if subject:
        yield DIRECTORY_NAME, subject
    if not alternatives:
        # Only a certificate without subjectAltName: its emailAddress attributes are mailboxes then.
        for attributes in subject.relative_distinguished_names:
            for oid, value in attributes:
                if oid == _EMAIL_ADDRESS:
                    yield RFC822_NAME, value
    for name in alternatives:
        form = name_forms.form_of(name)
        yield form, name
        if form == _SMTP_UTF8_MAILBOX:
            # RFC 9598 section 6: rfc822Name constraints hold for both kinds of mailbox.
            yield RFC822_NAME, name


@_remembered
def bounds_violation(certificate: Certificate) -> str | None:
    """Say which subtree of a certificate's name constraints has a minimum or maximum, None when none has.

    RFC 5280 section 4.2.1.10: minimum MUST be zero and maximum absent; who does not process other values MUST
    reject. Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where the extensions cannot be read.
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
    """Whether pyca/cryptography, which drops minimum and maximum, encodes the extension again as it stands in ``der``.

    Where the certificate holds the identifier of the extension twice this says no. Decoding anew takes 25 times longer.
    """
    try:
        encoded = constraints.public_bytes()
    except ValueError:
        return False
    before, _, after = der.partition(_NAME_CONSTRAINTS)
    return encoded in after and after.index(encoded) <= _HEADERS_AT_MOST and _NAME_CONSTRAINTS not in (before + after)
