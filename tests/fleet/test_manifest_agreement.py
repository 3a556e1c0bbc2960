"""A manifest refuses the options that ``build`` refuses together, and takes those that it takes."""

from __future__ import annotations

from itertools import combinations

import pytest
from click.testing import CliRunner

from pkcs12kit.cli import cli

from ..thoroughness import mostly_slow
from .manifests import problems

FEATURES = {
    # each with the arguments of build and the lines of a manifest
    "key": (["--key", "k"], 'key = "k"'),
    "certificate": (["--cert", "c"], 'certificate = "c"'),
    "password": (["--password-file", "pw"], 'password = { file = "pw" }'),
    "pkcs12": (["--pkcs12", "p"], 'pkcs12 = "p"'),
    "from": (["--from", "f"], 'from = "f"'),
    "certs_only": (["--certs-only"], "certs_only = true"),
    "key_name": (["--key-name", "n"], 'key_name = "n"'),
    "key_id": (["--key-id", "ff"], 'key_id = "ff"'),
    "require_mac": (["--require-mac"], "require_mac = true"),
    "pem": (["--to", "pem"], 'to = "pem"'),
    "key_out": (["--key-out", "ko"], 'key_out = "ko"'),
    "traditional": (["--traditional"], "traditional = true"),
    "no_anchor": (["--no-anchor"], "no_anchor = true"),
    "with_anchor": (["--with-anchor"], "with_anchor = true"),
    "force": (["--force"], "force = true"),
    "truststore": (["--truststore"], "truststore = true"),
    "mode": (["--mode", "0640"], 'mode = "0640"'),
    "open mode": (["--mode", "0644"], "mode = 0o644"),
    "profile": (["--profile", "legacy"], 'profile = "legacy"'),
    "no-password": (["--profile", "no-password"], 'profile = "no-password"'),
    "for": (["--for", "java-17"], 'for = "java-17"'),
    "for others": (["--for", "windows-2016", "--for", "fips-140-3"], 'for = ["windows-2016", "fips-140-3"]'),
    "iterations": (["--iterations", "9000000"], "iterations = 9000000"),
    "mac_iterations": (["--mac-iterations", "5"], "mac_iterations = 5"),
    "friendly_name": (["--friendly-name", "n"], 'friendly_name = "n"'),
    "certificate_name": (["--certificate-name", "n"], 'certificate_name = "n"'),
    "ca_name": (["--ca-name", "n"], 'ca_name = "n"'),
    "revocation": (["--revocation", "off"], 'revocation = "off"'),
    "revocation_max_age": (["--revocation-max-age", "1d"], 'revocation_max_age = "1d"'),
    "fetch": (["--fetch"], "fetch = true"),
    "cache": (["--cache", "cache"], 'cache = "cache"'),
    "no_cache": (["--no-cache"], "no_cache = true"),
    "offline": (["--offline"], "offline = true"),
    "allow_private": (["--allow-private"], "allow_private = true"),
    "timeout": (["--timeout", "1"], "timeout = 1"),
    "rehearse": (["--rehearse"], "rehearse = true"),
    "server_name": (["--server-name", "a.b"], 'server_name = "a.b"'),
}
SAME = ({"profile", "no-password"}, {"mode", "open mode"}, {"for", "for others"})
"""Features that are two values of one option."""


class Reached(Exception):  # noqa: N818  # no error
    """The command has accepted its options."""


def pairs():
    """Return the features with one or two others, or without one of them."""
    base = {"key", "certificate", "password"}
    for number in (1, 2):
        for some in combinations(FEATURES, number):
            chosen = base ^ set(some)
            if all(len(same & chosen) < 2 for same in SAME):
                yield tuple(one for one in FEATURES if one in chosen)


PAIRS = list(pairs())


def disagreement(folder, chosen):
    """Return what one of the two says and the other does not, for some features."""
    arguments = [word for one in chosen for word in FEATURES[one][0]]
    result = CliRunner().invoke(cli, ["build", "--anchor", "root", "--out", "out", *arguments])
    refused = not isinstance(result.exception, Reached)
    lines = "\n".join(FEATURES[one][1] for one in chosen)
    found = problems(folder, f'version = 1\n[[bundle]]\nname = "a"\noutput = "out"\ntrust_anchors = "root"\n{lines}\n')
    return None if refused == bool(found) else (chosen, result.output[-300:] if refused else "taken", found)


@pytest.mark.parametrize("part", mostly_slow(range(12), every=12))
def test_a_manifest_and_build_refuse_the_same_options(tmp_path, monkeypatch, part):
    """All pairs of options, added to and left out of those that every bundle has."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").write_text("correct horse\n")

    def reached(**_):
        raise Reached

    monkeypatch.setattr("pkcs12kit.builder.build.build", reached)
    found = [disagreement(tmp_path, chosen) for chosen in PAIRS[part::12]]
    assert [one for one in found if one is not None] == []
