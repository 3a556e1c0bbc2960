"""The options of ``batch`` for files with its report: JUnit, Prometheus, and a picture."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.outputs import force_option
from pkcs12kit.cli.options.values import OUTPUT_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs12kit.fleet.bundles import FleetBundle, Manifest
    from pkcs12kit.fleet.report import FleetReport
    from pkcs12kit.outputs.output import Output


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

        Never replaced are the manifest, the inputs and outputs of its bundles, and without --force files of another
        kind. Call it before anything is done.
        """
        from pkcs12kit.outputs.input_files import require_distinct

        if not self.files:
            return
        outputs = ((f"the output of {bundle.name}", path) for bundle in manifest.bundles for path in _outputs(bundle))
        named = list(dict.fromkeys(outputs))
        for name, file in self.files.items():
            require_distinct([*named, (name, file)])
        require_distinct(self.files.items())
        for place in self._places(manifest).values():
            place.require_free()

    def write(self, report: FleetReport, manifest: Manifest) -> None:
        """Write each file that was asked for, as a whole or not at all."""
        from pkcs12kit.limits import DEFAULT_LIMITS
        from pkcs12kit.outputs.existing import content_of

        places = self._places(manifest)
        if self.junit is not None:
            places["--junit"].write(report.to_junit().encode())
        if self.prometheus is not None:
            before = content_of(self.prometheus, DEFAULT_LIMITS) or b""
            places["--prometheus"].write(report.to_prometheus(before=before.decode(errors="replace")).encode())
        if self.svg is not None:
            places["--svg"].write(report.to_svg().encode())

    def _places(self, manifest: Manifest) -> dict[str, Output]:
        from pkcs12kit.outputs.existing import Form
        from pkcs12kit.outputs.input_files import InputFiles
        from pkcs12kit.outputs.output import Output

        forms = {"--junit": Form.JUNIT, "--prometheus": Form.METRICS, "--svg": Form.PICTURE}
        inputs = InputFiles([("the manifest", manifest.path), *dict.fromkeys(_inputs(manifest))])
        return {
            name: Output(file, forms[name], name=name, inputs=inputs, overwrite=self.force)
            for name, file in self.files.items()
        }


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
        return command(reports=ReportFiles(report_junit, report_prometheus, report_svg, force), **given)

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


def _inputs(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the files and folders that the bundles read, each with the name of its key in the manifest."""
    for bundle in manifest.bundles:
        for name in ("key", "certificate", "pkcs12", "source"):
            path = getattr(bundle, name)
            if path is not None:
                yield f"{'from' if name == 'source' else name} of a bundle", path
        yield from (("certificates of a bundle", path) for path in bundle.certificates)
        yield from (("trust_anchors of a bundle", path) for path in bundle.trust_anchors)
        for secret in (bundle.password, bundle.key_password, bundle.pkcs12_password, bundle.certificate_password):
            if secret is not None and secret.kind == "file":
                yield "a password of a bundle", str(secret.value)


def _outputs(bundle: FleetBundle) -> Iterator[str]:
    """Yield the files that a bundle writes."""
    yield bundle.output
    key_output = bundle.options.get("key_output")
    if isinstance(key_output, str):
        yield key_output
