"""The course of one run: the jobs of its steps, what became of each bundle, and what the state keeps of it."""

from __future__ import annotations

import os
import secrets
import time as clock
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import OutputError, Pkcs12KitError
from pkcs12kit.fleet.executors import run_jobs
from pkcs12kit.fleet.hooks import hook_seconds, hooks_of, run_hooks
from pkcs12kit.fleet.jobs import Job, Task
from pkcs12kit.fleet.manifest_words import in_manifest_words
from pkcs12kit.fleet.outcomes import BundleOutcome, Status
from pkcs12kit.fleet.pools import evidence_digest, evidence_files, fleet_digest
from pkcs12kit.fleet.serving import await_served

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.executors import Submits
    from pkcs12kit.fleet.hooks import HookEvent
    from pkcs12kit.fleet.run_state import FleetState
    from pkcs12kit.limits import Limits

_SAVED_AFTER: Final = 5.0
"""Seconds between two times that the state is saved while files are written."""
_SHARE_OF_SAVING: Final = 20
"""The least pause, as a multiple of what the last time took."""


class Course:
    """One run over the chosen bundles; its methods are called in the order in which they stand here."""

    def __init__(  # noqa: PLR0913  # the steps share all of them
        self,
        chosen: Sequence[FleetBundle],
        state: FleetState,
        submitter: Submits,
        *,
        time: datetime,
        full: bool,
        limits: Limits,
        hidden_variables: Collection[str],
        on_outcome: Callable[[BundleOutcome, int, int], object] | None,
        on_warning: Callable[[str], object],
    ) -> None:
        self._bundles = {one.name: one for one in chosen}
        self._state = state
        self._submitter = submitter
        self._time = time
        self._full = full
        self._limits = limits
        self._hidden_variables = hidden_variables
        self._on_outcome = on_outcome
        self._on_warning = on_warning
        self._run = secrets.token_hex(8)
        self._done: dict[str, BundleOutcome] = {}
        self._planned: dict[str, BundleOutcome] = {}
        self._pool_digest = cache(partial(fleet_digest, limits=limits))
        self._evidence_digest = cache(partial(evidence_digest, limits=limits))
        self._next_save = clock.monotonic() + _SAVED_AFTER
        self._cannot_save = False
        self._reloaded: set[str] = set()

    @property
    def outcomes(self) -> tuple[BundleOutcome, ...]:
        """The bundles that are done, in the order of the manifest."""
        return tuple(self._done[name] for name in self._bundles if name in self._done)

    @property
    def planned(self) -> tuple[BundleOutcome, ...]:
        """The bundles that were looked at, with what is to be done, in the order of the manifest."""
        return tuple(self._planned[name] for name in self._bundles if name in self._planned)

    @property
    def total(self) -> int:
        """The number of bundles."""
        return len(self._bundles)

    @property
    def to_build(self) -> list[str]:
        """The names of the bundles that are not done: their files have to be written."""
        return [name for name in self._bundles if name not in self._done]

    def check(self) -> None:
        """Judge the path of every bundle."""
        self._work(self._bundles.values(), Task.CHECK, self._finish)

    def look(self, *, all_bundles: bool) -> None:
        """Find out which files have to be written. A file that is not there is, so only a limit asks for its path."""
        there = [one for one in self._bundles.values() if all_bundles or os.path.lexists(one.output)]
        self._work(there, Task.PLAN, self._plan)

    def end_plan(self) -> None:
        """End the run: all that would be done counts as done."""
        for name in self.to_build:
            self._finish(self._planned[name])

    def defer(self, names: Iterable[str]) -> None:
        """Leave files as they are, for a later run."""
        for name in names:
            self._finish(replace(self._planned[name], status=Status.DEFERRED))

    def build(self) -> None:
        """Write the files that are left, after the state says so: a run that is killed is known by that.

        Raises :class:`~pkcs12kit.OutputError` if the state cannot say so and a command would be forgotten.
        """
        bundles = [self._bundles[name] for name in self.to_build]
        if not bundles:
            return
        for one in bundles:
            self._state.change(one.name, added={"pending": [self._run]})
        if any(one.after for one in bundles):
            self._state.save()
        else:
            self.save()
        self._work(bundles, Task.BUILD, self._finish)

    def run_commands(self) -> None:
        """Run each command that is due once, for all its bundles; it does not get the variables with passwords."""
        self.save()
        bundles = self._in_place()
        due = hooks_of(one for one in bundles if self._state.of(one.name).hook)
        seen = {name: self._state.of(name).hook for names in due.values() for name in names}

        def note(event: HookEvent) -> None:
            if not event.has_ended:
                return
            for name in event.names:
                if event.error is None:
                    self._state.change(name, removed={"hook": seen[name]})
                    self._reloaded.add(name)
                else:
                    self._done[name] = replace(self._done[name], hook_error=event.error)

        if due:
            run_hooks(
                due,
                folder=bundles[0].folder,
                seconds=hook_seconds(bundles, limits=self._limits),
                hidden_variables=self._hidden_variables,
                on_event=note,
                limits=self._limits,
            )
            self.save()

    def await_servers(self) -> None:
        """Ask the servers of the files until they send them; not those whose command has failed."""
        asked = [(one, self._done[one.name]) for one in self._in_place() if one.serves]
        errors = await_served(
            [(bundle, self._with_record(outcome)) for bundle, outcome in asked if outcome.hook_error is None],
            reloaded=self._reloaded,
            limits=self._limits,
        )
        for name, error in errors.items():
            self._done[name] = replace(self._done[name], served_error=error)

    def _with_record(self, outcome: BundleOutcome) -> BundleOutcome:
        """Return an outcome with the record of the bundle, also where the state has nothing new to keep."""
        return replace(outcome, record=outcome.record or self._state.of(outcome.name).record)

    def save(self) -> None:
        """Save the state; warn once if that is not possible."""
        began = clock.monotonic()
        try:
            self._state.save()
        except OutputError as error:
            if not self._cannot_save:
                self._on_warning(f"{error}; the next run opens files again that this one has opened")
            self._cannot_save = True
        ended = clock.monotonic()
        self._next_save = ended + max(_SAVED_AFTER, _SHARE_OF_SAVING * (ended - began))

    def _in_place(self) -> list[FleetBundle]:
        """Return the bundles whose files are in place, those of this run or of an earlier one."""
        return [one for name, one in self._bundles.items() if self._done[name].status is not Status.FAILED]

    def _plan(self, outcome: BundleOutcome) -> None:
        self._planned[outcome.name] = outcome
        if not outcome.changed:
            self._finish(outcome)

    def _finish(self, outcome: BundleOutcome) -> None:
        self._done[outcome.name] = outcome
        if outcome.status in {Status.CREATED, Status.REWRITTEN, Status.UNCHANGED}:
            self._keep(outcome)
        if self._on_outcome is not None:
            self._on_outcome(outcome, len(self._done), self.total)

    def _keep(self, outcome: BundleOutcome) -> None:
        """Keep what the state has to know of a file that is in place."""
        bundle = self._bundles[outcome.name]
        before = self._state.of(outcome.name)
        # A file that is right although a run was about to write it was written by that run. One that still goes on
        # keeps its mark: it runs the command itself, or the run after its end.
        ended = before.pending if self._state.alone else before.pending & {self._run}
        is_due = bool(bundle.after) and (outcome.changed or bool(ended))
        self._state.change(
            outcome.name,
            record=outcome.record,
            added={"hook": [self._run] if is_due else ()},
            removed={"pending": ended, "hook": () if bundle.after else before.hook},
        )
        if clock.monotonic() > self._next_save:
            self.save()

    def _work(self, bundles: Iterable[FleetBundle], task: Task, on_outcome: Callable[[BundleOutcome], object]) -> None:
        def take(outcome: BundleOutcome) -> None:
            on_outcome(in_manifest_words(outcome))

        jobs = []
        for one in bundles:
            try:
                jobs.append(self._job(one, task))
            except Pkcs12KitError as error:
                take(BundleOutcome.failure(one, str(error), error.hints))
        if jobs:
            run_jobs(self._submitter, jobs, take)

    def _job(self, bundle: FleetBundle, task: Task) -> Job:
        """Return a job. Raises :class:`~pkcs12kit.InputError` for files of several bundles that cannot be read."""
        return Job(
            bundle=bundle,
            task=task,
            pool=self._pool_digest(bundle.certificates, bundle.trust_anchors),
            evidence=self._evidence_digest(*evidence_files(bundle)),
            record=None if self._full else self._state.of(bundle.name).record,
            time=self._time,
            limits=self._limits,
        )
