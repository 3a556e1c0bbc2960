"""The options of ``batch`` for files with its report: JUnit, Prometheus, and a picture."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.outputs import force_option
from pkcs12kit.cli.options.values import OUTPUT_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.fleet.bundles import Manifest
    from pkcs12kit.fleet.report import FleetReport
    from pkcs12kit.outputs.existing import Form
    from pkcs12kit.outputs.output import Output

_STANDARD_OUTPUT: Final = "-"


class ReportFiles(NamedTuple):
    """The files that the report is written to; None for one that was not asked for."""

    junit: str | None
    prometheus: str | None
    svg: str | None
    force: bool

    @property
    def files(self) -> dict[str, str]:
        """The files by the names of their options."""
        named = {"--junit": self.junit, "--prometheus": self.prometheus, "--svg": self.svg}
        return {name: file for name, file in named.items() if file is not None}

    def require_free(self, manifest: Manifest) -> None:
        """Raise :class:`~pkcs12kit.OutputError` if a file cannot be written, or must not be replaced.

        Never replaced are the manifest, its state, and the inputs and outputs of its bundles; without --force also
        files of another kind. Call it before anything is done.
        """
        from pkcs12kit.outputs.input_files import require_distinct

        require_distinct(self.files.items())
        for name, file in self.files.items():
            self._require_apart(name, file, manifest)
            self._place(name, file).require_free()

    def _require_apart(self, name: str, file: str, manifest: Manifest) -> None:
        from pkcs12kit.errors import OutputError
        from pkcs12kit.fleet.places import input_folder_above, taken_by
        from pkcs12kit.limits import DEFAULT_LIMITS
        from pkcs12kit.outputs.existing import why_not_replaced
        from pkcs12kit.sources.reading import shown_path

        what = taken_by(file, manifest)
        if what is None and why_not_replaced(file, self._form(name), limits=DEFAULT_LIMITS) is not None:
            folder = input_folder_above(file, manifest)
            what = None if folder is None else f"in the folder {folder}"
        if what is not None:
            raise OutputError(
                f"{name} {shown_path(file)} is also {what}: a report never replaces it; give another name"
            )

    def write(self, report: FleetReport, manifest: Manifest) -> bool:
        """Write each file that was asked for, as a whole or not at all; print an error for one that cannot be written.

        Return True if all were written. The bundles are done by now, so an error here must not hide their report.
        """
        from pkcs12kit.cli.output.console import print_error
        from pkcs12kit.errors import OutputError

        is_written = True
        for name, file in self.files.items():
            try:
                self._require_apart(name, file, manifest)
                self._place(name, file).write(self._text(name, file, report).encode())
            except OutputError as error:
                print_error(error)
                is_written = False
        return is_written

    def _text(self, name: str, file: str, report: FleetReport) -> str:
        from pkcs12kit.limits import DEFAULT_LIMITS
        from pkcs12kit.outputs.existing import content_of

        if name == "--junit":
            return report.to_junit()
        if name == "--svg":
            return report.to_svg()
        before = content_of(file, DEFAULT_LIMITS) or b""
        return report.to_prometheus(before=before.decode(errors="replace"))

    def _place(self, name: str, file: str) -> Output:
        from pkcs12kit.outputs.output import Output

        return Output(file, self._form(name), name=name, overwrite=self.force)

    def _form(self, name: str) -> Form:
        from pkcs12kit.outputs.existing import Form

        return {"--junit": Form.JUNIT, "--prometheus": Form.METRICS, "--svg": Form.PICTURE}[name]


def report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--junit``, ``--prometheus``, ``--svg`` and ``--force``; the command gets them together, as ``reports``."""

    @wraps(command)
    def with_reports(
        *,
        report_junit: str | None,
        report_prometheus: str | None,
        report_svg: str | None,
        force: bool,
        **given: Any,  # noqa: ANN401  # whatever else the command takes
    ) -> Any:  # noqa: ANN401  # click's
        reports = ReportFiles(report_junit, report_prometheus, report_svg, force)
        for name, file in reports.files.items():
            if file == _STANDARD_OUTPUT:
                raise click.UsageError(f"{name} needs the name of a file: standard output has the answer")
        return command(reports=reports, **given)

    helps = {
        "junit": "Write the report as JUnit XML, which GitLab and Jenkins show.",
        "prometheus": "Write metrics for the textfile collector of node_exporter; FILE ends in .prom.",
        "svg": "Write a picture of when the bundles end, as an SVG image.",
    }
    decorated: Callable[..., Any] = force_option(with_reports)
    for form, help_text in reversed(helps.items()):
        decorated = option(
            OptionGroup.OUTPUT, f"--{form}", f"report_{form}", type=OUTPUT_FILE, metavar="FILE", help=help_text
        )(decorated)
    return decorated
