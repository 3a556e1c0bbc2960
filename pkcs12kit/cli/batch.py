"""``pkcs12kit batch``: the bundles of a manifest, built where something has changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.reports import report_options
from pkcs12kit.cli.options.search import json_option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from pkcs12kit.cli.options.reports import ReportFiles

_INTERRUPTED: Final = 130  # the status that shells report for SIGINT


def _print_schema(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    if not value or ctx.resilient_parsing:
        return
    import json

    from pkcs12kit.cli.output.console import print_lines
    from pkcs12kit.fleet.schema import manifest_schema

    print_lines(json.dumps(manifest_schema(), indent=2))
    ctx.exit()


@click.command(
    "batch",
    cls=Command,
    most_used=("--plan", "--check", "--only", "--max-changes", "--json"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit batch fleet.toml --plan
  pkcs12kit batch fleet.toml --max-changes 10%
  pkcs12kit batch fleet.toml --only 'web*' --limit 5
  pkcs12kit batch fleet.toml --check --prometheus \\
      /var/lib/node_exporter/pkcs12kit.prom
  pkcs12kit batch fleet.toml --dask tls://scheduler:8786""",
)
@click.argument("manifest", type=FILE, metavar="MANIFEST")
@option(
    OptionGroup.CHECKS,
    "--plan",
    is_flag=True,
    help="Report what would be created or rewritten, and why. Nothing is written, and no command runs.",
)
@option(
    OptionGroup.CHECKS,
    "--check",
    is_flag=True,
    help="Judge only the paths and their ends, without any password. Nothing is written, and no command runs.",
)
@option(
    OptionGroup.INPUT,
    "--only",
    metavar="PATTERN",
    help="Work only on the bundles whose names match, such as 'web*'; quote it, so that the shell does not expand it.",
)
@option(
    OptionGroup.CHECKS,
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Change at most N bundles: those without a file first, then the soonest to expire. A later run changes the"
    " others.",
)
@option(
    OptionGroup.CHECKS,
    "--max-changes",
    metavar="N|P%",
    help="Write nothing if more than N bundles, or P% of the chosen ones, would change.",
)
@option(
    OptionGroup.INPUT,
    "--full",
    is_flag=True,
    help="Open every file, also where nothing has changed since the last run.",
)
@option(
    OptionGroup.OTHER,
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Work with N processes; by default with one for each CPU that this process may use, fewer for few bundles.",
)
@option(
    OptionGroup.NETWORK,
    "--dask",
    metavar="ADDRESS",
    help="Let the workers of a Dask scheduler do the work, such as tls://scheduler:8786. They need the same files under"
    " the same paths.",
)
@report_options
@json_option
@option(
    OptionGroup.OTHER,
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of manifests, for editors, and exit.",
)
def command(  # click gives every option its own argument
    manifest: str,
    only: str | None,
    limit: int | None,
    max_changes: str | None,
    jobs: int | None,
    dask: str | None,
    reports: ReportFiles,
    *,
    plan: bool,
    check: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Build the bundles that a manifest names, where something has changed.

    MANIFEST is a TOML file that names the bundles of many servers, with the options of build. It is checked as a whole
    before anything is done. A bundle that fails never stops another one, and each file is replaced as a whole or not at
    all. If a run ends half-way, however it ends, the next one does the rest.

    The file .NAME.state.json beside the manifest keeps what the next run needs to skip bundles that have not changed.
    It holds no secrets. Without it the next run takes longer, and commands that failed are not due any more.

    Exit status 1: a bundle failed or ends too soon, its command failed, its server does not send it, more would change
    than --max-changes allows, or a report cannot be written. Exit status 2: the manifest or the call is wrong, and
    nothing was done.
    """
    from pkcs12kit.cli.output.batch import print_batch
    from pkcs12kit.cli.output.console import print_error
    from pkcs12kit.cli.output.progress import batch_progress
    from pkcs12kit.fleet.manifest import load_manifest
    from pkcs12kit.fleet.run import BatchInterrupted, batch
    from pkcs12kit.limits import DEFAULT_LIMITS

    _require_together(plan=plan, check=check, limited=limit is not None or max_changes is not None)
    if dask is not None and jobs is not None:
        raise click.UsageError("--dask and --jobs exclude each other: Dask has workers of its own")
    loaded = load_manifest(manifest, limits=DEFAULT_LIMITS)
    reports.require_free(loaded)
    interrupted = False
    try:
        with batch_progress(as_json=as_json) as on_outcome:
            report = batch(
                loaded,
                dask=dask,
                jobs=jobs,
                plan=plan,
                check=check,
                only=only,
                limit=limit,
                max_changes=max_changes,
                full=full,
                on_outcome=on_outcome,
            )
    except BatchInterrupted as error:
        report, interrupted = error.report, True
    if interrupted:
        print_error("interrupted; the next run does the rest")
    is_written = interrupted or reports.write(report, loaded)
    print_batch(report, as_json=as_json)
    if interrupted:
        sys.exit(_INTERRUPTED)
    status = report.exit_status if is_written else 1
    if status:
        sys.exit(status)


def _require_together(*, plan: bool, check: bool, limited: bool) -> None:
    """Raise :class:`click.UsageError` for options that exclude each other."""
    if plan and check:
        raise click.UsageError("--plan and --check exclude each other: --plan judges the paths as well")
    if check and limited:
        raise click.UsageError("--check changes nothing, so --limit and --max-changes have no effect with it")
