"""Work that is counted against the limits: outside data must not cause more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkcs12kit.limits import Limits

_PER_VALIDATION: Final = (
    "path_length",
    "path_bytes",
    "name_constraint_comparisons",
    "policy_nodes",
    "policy_edges",
)


class BudgetExhaustedError(LimitExceededError):
    """The end of a search or a validation at a limit, which is not a verdict.

    ``limit`` is the name of the limit, ``allowed`` its value.
    """

    def __init__(self, limit: str, allowed: int) -> None:
        super().__init__(limit, allowed)
        self.limit = limit
        self.allowed = allowed

    def __str__(self) -> str:
        return f"given up after {self.allowed} {self.limit.replace('_', ' ')}; raise limits.{self.limit} to go on"


class SearchBudget:
    """The work that the limits still allow in one call. Not shared between threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._spent: dict[str, int] = {}
        self._counted: set[object] = set()

    @classmethod
    def for_first_attempt(cls, limits: Limits) -> SearchBudget:
        """Return a budget with a tenth of the steps, for a search after which a more thorough one can follow."""
        return cls(replace(limits, discovery_steps=limits.discovery_steps // 10))

    @classmethod
    def for_many_validations(cls, limits: Limits) -> SearchBudget:
        """Return a budget in which the limits of one validation are multiplied by ``limits.exhausted_validations``.

        That is as much as a search spends on validations that exhaust their limits.
        """
        often = limits.exhausted_validations
        return cls(replace(limits, **{limit: often * getattr(limits, limit) for limit in _PER_VALIDATION}))

    @classmethod
    def for_revocation(cls, limits: Limits) -> SearchBudget:
        """Return the budget of one check of revocation: signers need few paths of their own, and short ones."""
        return cls(
            replace(limits, discovery_steps=limits.discovery_steps // 10, candidate_paths=limits.revocation_lookups)
        )

    def spend(self, limit: str, amount: int = 1) -> None:
        """Count ``amount`` against the field ``limit`` of the limits. Raises :class:`BudgetExhaustedError` past it."""
        spent = self._spent.get(limit, 0) + amount
        self._spent[limit] = spent
        allowed: int = getattr(self._limits, limit)
        if spent > allowed:
            raise BudgetExhaustedError(limit, allowed)

    def spend_once(self, limit: str, amount: int, purpose: object) -> None:
        """Count ``amount`` the first time in a validation that it is for this purpose, and nothing after that."""
        if purpose not in self._counted:
            self._counted.add(purpose)
            self.spend(limit, amount)

    def start_validation(self) -> None:
        """Set the counts that are kept per validation back to zero."""
        for limit in _PER_VALIDATION:
            self._spent.pop(limit, None)
        self._counted.clear()

    @property
    def all_spent(self) -> Mapping[str, int]:
        """The amounts that have been counted, by the names of the limits."""
        return self._spent

    def spent(self, limit: str) -> int:
        """Return the amount that has been counted against ``limit``."""
        return self._spent.get(limit, 0)
