"""Published bundles for a command: the options, and what they are fetched by."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.options.values import FILE, Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from click.shell_completion import CompletionItem

    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.retrieval.bundles.published import PublishedBundle
    from pkcs12kit.retrieval.bundles.report import BundleReport
    from pkcs12kit.retrieval.options import FetchOptions


class BundleOptions(NamedTuple):
    """Which bundles, as it was given."""

    bundles: tuple[str, ...]
    bundles_file: str | None
    bundle_anchors: tuple[str, ...]
    expires_within: timedelta
    strict_checksums: bool
    allow_unsigned: bool

    def known(self) -> Mapping[str, PublishedBundle]:
        """Give the bundles that are known by name."""
        from pkcs12kit.retrieval.bundles.published import load_bundles

        return load_bundles(self.bundles_file)

    def fetch(
        self, folder: str, *, parameters: ValidationParameters, options: FetchOptions, limits: Limits
    ) -> tuple[BundleReport, ...]:
        """Fetch each, and compare it with what the folder has of it; signers are judged by the same parameters."""
        if self.strict_checksums and self.allow_unsigned:
            raise click.UsageError("--strict-checksums refuses what --unsigned would use: give one of them")
        if not self.bundles:
            return ()
        from pkcs12kit.retrieval.bundles.fetch import fetch_bundle
        from pkcs12kit.retrieval.bundles.published import find_bundle
        from pkcs12kit.retrieval.bundles.report import certificates_in_folder
        from pkcs12kit.sources.loading import load_trust_anchors

        known = self.known()
        named = [find_bundle(name, known, limits=limits) for name in dict.fromkeys(self.bundles)]
        anchors = load_trust_anchors(*self.bundle_anchors) if self.bundle_anchors else ()
        return tuple(
            fetch_bundle(
                bundle,
                trust_anchors=anchors,
                time=parameters.time,
                algorithm_policy=parameters.algorithm_policy,
                previous=certificates_in_folder(folder, urls=bundle.urls, limits=limits),
                expires_within=self.expires_within,
                strict_checksums=self.strict_checksums,
                allow_unsigned=self.allow_unsigned,
                options=options,
                limits=limits,
            )
            for bundle in named
        )


def _known_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the bundles that are known by name, also to the user."""
    from click.shell_completion import CompletionItem

    from pkcs12kit.retrieval.bundles.published import load_bundles

    known = load_bundles()
    return [CompletionItem(name, help=known[name].title) for name in sorted(known) if name.startswith(incomplete)]


_OPTIONS: Final = (
    click.option(
        "--bundle",
        "bundles",
        metavar="NAME|URL",
        shell_complete=_known_names,
        multiple=True,
        help="Begin with a list that is published: dod, eca, fpki, a name in --bundles, or a URL. CERT may then be left"
        " out. May be given again.",
    ),
    click.option(
        "--bundles",
        "bundles_file",
        type=FILE,
        metavar="FILE",
        help="A TOML file that adds names to --bundle or replaces them. Default: bundles.toml in the platform's folder"
        " for settings, where it is there.",
    ),
    click.option(
        "--bundle-anchor",
        "bundle_anchors",
        type=FILE,
        metavar="FILE",
        multiple=True,
        help="A root that the signer of a bundle's checksum file has to lead to. May be given again. Default: the root"
        " that is known for the bundle.",
    ),
    click.option(
        "--expires-within",
        type=Duration(),
        default="30d",
        show_default=True,
        help="Which certificates of a bundle are soon to expire.",
    ),
    click.option(
        "--strict-checksums",
        is_flag=True,
        help="Use nothing of a bundle unless its signed checksums are verified: not where they are weak, not proven or"
        " absent.",
    ),
    click.option(
        "--unsigned",
        "allow_unsigned",
        is_flag=True,
        help="Also use a bundle whose publisher signs (dod, eca, a name with roots in --bundles) where its signed"
        " checksums are missing or by an unknown signer: anybody may have made it.",
    ),
)


def bundle_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for published bundles to a command, which gets them together, as ``bundling``."""

    @wraps(command)
    def bundling(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        options = BundleOptions(**{name: given.pop(name) for name in BundleOptions._fields})
        return command(bundling=options, **given)

    command_with_options: Callable[..., Any] = bundling
    for option in reversed(_OPTIONS):
        command_with_options = option(command_with_options)
    return command_with_options
