"""The run over all bundles of a manifest: what to do, in which order, and what became of it."""

from __future__ import annotations

from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_flags, require_functions, require_kind
from pkcs12kit.errors import ArgumentError, OutputError
from pkcs12kit.fleet.bundles import Manifest
from pkcs12kit.fleet.course import Course
from pkcs12kit.fleet.executors import opened_executor
from pkcs12kit.fleet.hooks import password_variables
from pkcs12kit.fleet.manifest import load_manifest
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.plan import MostChanges, chosen_bundles, within_limit
from pkcs12kit.fleet.problems import require_accounts
from pkcs12kit.fleet.report import FleetReport
from pkcs12kit.fleet.run_state import FleetState
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.sources.reading import shown_path
from pkcs12kit.times import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pkcs12kit.fleet.outcomes import BundleOutcome


class BatchInterrupted(KeyboardInterrupt):
    """An interrupted run; ``report`` has what became of the bundles until then. The state is saved."""

    def __init__(self, report: FleetReport) -> None:
        super().__init__()
        self.report = report


def batch(  # noqa: PLR0913  # the one call of a script that keeps a fleet: each option has its own keyword
    manifest: str | PathLike[str] | Manifest,
    *,
    executor: object = None,
    dask: str | None = None,
    jobs: int | None = None,
    plan: bool = False,
    check: bool = False,
    only: str | None = None,
    limit: int | None = None,
    max_changes: int | str | None = None,
    full: bool = False,
    on_outcome: Callable[[BundleOutcome, int, int], object] | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> FleetReport:
    """Build the bundles of a manifest that have changed, and return what became of each.

    A bundle that fails never stops another one: see :attr:`FleetReport.ok`. Each file is replaced as a whole or not at
    all. A call that ends half-way, however it ends, loses nothing: the next one does the rest.

    - ``manifest``: the file, TOML, that names the bundles; whatever is wrong in it is found before anything is done.
    - ``executor``: where the work is done: anything with ``submit`` that returns
      ``concurrent.futures.Future``, such as threads or MPI. It is not shut down, and one that never answers is waited
      for. If it breaks, the bundles that are left fail, and the next call does them. By default processes of its own.
    - ``dask``: the address of a Dask scheduler, whose workers do the work instead.
    - ``jobs``: the number of processes; by default the CPUs that this process may use, and fewer for few bundles.
    - ``plan``: True to say only what would change: nothing is written and no command runs.
    - ``check``: True to judge only the paths and their ends, without any password.
    - ``only``: a pattern, such as ``"web*"``, for the names of the bundles to work on.
    - ``limit``: the most bundles to change: those without a file first, then the soonest to expire. A later run changes
      the others.
    - ``max_changes``: a number of bundles, or a share of them such as ``"10%"``. If more would change, nothing is
      written: see :attr:`FleetReport.stopped`.
    - ``full``: True to open every file, also where nothing has changed since the last run.
    - ``on_outcome``: called with each outcome, the number of bundles that are done, and the number of all of them.
    - ``on_warning``: called with each sentence about the manifest or the state that a user should know.

    The file ``.NAME.state.json`` beside the manifest keeps what the next run needs; it holds no secrets. Without it the
    next run takes longer, and commands that failed are not due any more.

    Raises :class:`~pkcs12kit.InputError` for a manifest or a call that is wrong, and :class:`~pkcs12kit.OutputError` if
    the state cannot be written although a command would have to be remembered. Nothing has been done then.
    """
    require_kind("manifest", manifest, str, PathLike, Manifest)
    require_flags(plan=plan, check=check, full=full)
    require_kind("only", only, str, optional=True)
    require_kind("dask", dask, str, optional=True)
    require_functions(on_outcome=on_outcome, on_warning=on_warning)
    require_kind("limits", limits, Limits)
    _require_positive(limit=limit, jobs=jobs)
    most = None if max_changes is None else MostChanges(max_changes)
    mode = _mode(plan=plan, check=check, limited=limit is not None or most is not None)
    warnings: list[str] = []

    def warn(sentence: str) -> None:
        warnings.append(sentence)
        if on_warning is not None:
            on_warning(sentence)

    loaded = manifest if isinstance(manifest, Manifest) else load_manifest(manifest, limits=limits)
    for sentence in loaded.warnings:
        warn(sentence)
    chosen = chosen_bundles(loaded.bundles, only)
    if mode != "check" and executor is None and dask is None:  # other machines may have other accounts
        require_accounts(shown_path(str(loaded.path)), chosen, limits)
    stopped: str | None = None
    time = now()

    with ExitStack() as stack:
        submitter = stack.enter_context(
            opened_executor(executor, jobs=jobs, dask=dask, bundles=len(chosen), on_warning=warn)
        )
        state = _state(stack, loaded.path, limits, warn, may_write=mode == "run")
        state.keep_only(one.name for one in loaded.bundles)
        course = Course(
            chosen,
            state,
            submitter,
            time=time,
            full=full,
            limits=limits,
            hidden_variables=password_variables(loaded.bundles),
            on_outcome=on_outcome,
            on_warning=warn,
        )

        def report() -> FleetReport:
            return FleetReport(
                manifest=loaded.path,
                mode=mode,
                bundles=course.outcomes,
                time=time,
                stopped=stopped,
                warnings=tuple(warnings),
            )

        try:
            if mode == "check":
                course.check()
            else:
                stopped = _run(course, limit, most, plan=plan)
        except KeyboardInterrupt:
            raise BatchInterrupted(report()) from None
        return report()


def _run(course: Course, limit: int | None, most: MostChanges | None, *, plan: bool) -> str | None:
    """Build what has changed and run what is due; return why nothing was written, if more would change than may."""
    try:
        course.look(all_bundles=plan or limit is not None or most is not None)
        why = None if most is None else most.why_stopped(len(course.to_build), course.total)
        if why is not None:
            course.defer(course.to_build)
            return why
        left = within_limit(course.planned, limit)
        course.defer([one.name for one in left if one.status is Status.DEFERRED])
        if plan:
            course.end_plan()
            return None
        course.build()
        course.run_commands()
        course.await_servers()
    finally:
        if not plan:
            course.save()
    return None


def _state(
    stack: ExitStack, manifest: Path, limits: Limits, warn: Callable[[str], object], *, may_write: bool
) -> FleetState:
    if may_write:
        try:
            return stack.enter_context(FleetState.opened(manifest, limits=limits, on_warning=warn))
        except OutputError as error:
            warn(f"{error}; the next run opens every file again")
    state = FleetState.load(manifest, limits=limits, on_warning=warn)
    state.alone = not may_write
    return state


def _mode(*, plan: bool, check: bool, limited: bool) -> str:
    """Return the name of the mode. Raises :class:`~pkcs12kit.ArgumentError` for options that exclude each other."""
    if plan and check:
        raise ArgumentError("plan and check exclude each other: a plan also judges the paths")
    if check and limited:
        raise ArgumentError("limit and max_changes have no effect with check, which changes nothing")
    return "plan" if plan else "check" if check else "run"


def _require_positive(**numbers: int | None) -> None:
    for name, number in numbers.items():
        require_kind(name, number, int, optional=True)
        if number is not None and number < 1:
            raise ArgumentError(f"{name}: at least 1, not {number}")
