"""Counting work against the limits that outside data must not exceed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import LimitExceededError

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits

_OF_ONE_VALIDATION: Final = (
    "path_length",
    "path_bytes",
    "name_constraint_comparisons",
    "policy_nodes",
    "policy_edges",
)


class BudgetExhaustedError(LimitExceededError):
    """A search or a validation was given up: ``limit`` names the budget, ``allowed`` is its figure. Not a verdict."""

    def __init__(self, limit: str, allowed: int) -> None:
        super().__init__(limit, allowed)
        self.limit = limit
        self.allowed = allowed

    def __str__(self) -> str:
        return f"given up after {self.allowed} {self.limit.replace('_', ' ')}; raise limits.{self.limit} to go on"


class Budget:
    """What is left of the limits, for one call. Not shared between threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._spent: dict[str, int] = {}
        self._counted: set[object] = set()

    @classmethod
    def for_first_tries(cls, limits: Limits) -> Budget:
        """Let a tenth of the steps suffice for a search that another follows where it does not."""
        return cls(replace(limits, discovery_steps=limits.discovery_steps // 10))

    @classmethod
    def for_many_validations(cls, limits: Limits) -> Budget:
        """Let what counts for one validation suffice for a search, as often as validations may exhaust it."""
        often = limits.exhausted_validations
        return cls(replace(limits, **{limit: often * getattr(limits, limit) for limit in _OF_ONE_VALIDATION}))

    @classmethod
    def for_revocation(cls, limits: Limits) -> Budget:
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
        """Do so the first time in a validation that it is for this purpose; the same work is not paid for twice."""
        if purpose not in self._counted:
            self._counted.add(purpose)
            self.spend(limit, amount)

    def start_validation(self) -> None:
        """Begin the next validation: what is counted for one validation starts from nothing again."""
        for limit in _OF_ONE_VALIDATION:
            self._spent.pop(limit, None)
        self._counted.clear()

    def spent(self, limit: str) -> int:
        """How much has been counted against ``limit`` so far."""
        return self._spent.get(limit, 0)
