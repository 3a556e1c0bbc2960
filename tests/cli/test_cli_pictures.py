"""``paths`` with pictures, and ``graph``: where they go, what is in them, and what is refused."""

from __future__ import annotations

import os
import stat
from xml.etree import ElementTree as ET

import pytest

AT_2018 = ("--at", "2018-06-01T00:00:00Z")


@pytest.fixture
def job(fpki):
    """Arguments of the reference job of 2018."""
    sources = [part for name in ("fpki-historic.pem", "dod-2019.pem") for part in ("--certs", fpki / name)]
    return ("paths", fpki / "dod-id-sw-ca-37.pem", *sources, "--anchor", fpki / "fcpca.pem")


@pytest.fixture
def pool(fpki):
    """Arguments for the Federal PKI of 2024."""
    return ("graph", fpki / "fpki-2024-10.p7b", "--anchor", fpki / "fcpcag2.pem", "--at", "2024-10-15")


def groups(svg, name):
    """Count the certificates that are drawn in a class."""
    root = ET.fromstring(svg)  # noqa: S314 - our own output
    return sum(
        group.get("class") == name and group.find("{http://www.w3.org/2000/svg}title") is not None
        for group in root.iter("{http://www.w3.org/2000/svg}g")
    )


class TestPaths:
    """``paths --svg``, ``--dot``, ``--mermaid``."""

    def test_beside_the_text(self, call, job, folder):
        """The text is what it is without a picture: the best path; the picture has all four, and what was refused."""
        alone = call(*job, *AT_2018)
        outcome = call(*job, *AT_2018, "--svg", "a.svg", "--dot", "a.dot", "--mermaid", "a.mmd")
        assert (outcome.status, outcome.output) == (0, alone.output)
        svg = (folder / "a.svg").read_text("utf-8")
        assert [groups(svg, f"p12k-{name}") for name in ("best", "valid", "expired")] == [4, 3, 8]
        assert (folder / "a.dot").read_text("utf-8").startswith("digraph")
        assert "flowchart TD" in (folder / "a.mmd").read_text("utf-8")
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE((folder / "a.svg").stat().st_mode) == 0o666 & ~umask

    def test_on_standard_output(self, call, job, folder):
        """``-`` gives the picture and nothing else, the same as the file has."""
        outcome = call(*job, *AT_2018, "--svg", "-", "--dot", "a.dot")
        assert outcome.text.startswith("<svg ")
        assert call(*job, *AT_2018, "--dot", "-").output == (folder / "a.dot").read_bytes()

    def test_json_beside_a_file(self, call, job):
        """``--json`` prints what it does without a picture: one path."""
        answer = call(*job, *AT_2018, "--json", "--svg", "a.svg").json
        assert len(answer["paths"]) == 1
        assert answer["paths"] == call(*job, *AT_2018, "--json").json["paths"]

    @pytest.mark.parametrize("more", [("--svg", "-", "--json"), ("--svg", "-", "--dot", "-")])
    def test_standard_output_holds_one_thing(self, call, job, more):
        """Two answers in one stream could not be told apart."""
        outcome = call(*job, *AT_2018, *more)
        assert outcome.status == 2
        assert "standard output" in outcome.errors

    def test_no_valid_path_is_drawn_too(self, call, job, tmp_path):
        """Why there is none is what a picture is good for; the answer stays no."""
        outcome = call(*job, "--at", "2026-01-01", "--svg", tmp_path / "no.svg")
        assert outcome.status == 1
        svg = (tmp_path / "no.svg").read_text("utf-8")
        assert groups(svg, "p12k-best") == 0
        assert groups(svg, "p12k-expired") > 3
        assert "2026-01-01T00:00:00Z" in svg

    def test_a_file_is_replaced_in_one_step(self, call, job, folder):
        """As any output: what was there is gone, and no other file is left."""
        (folder / "a.svg").write_text('<svg class="p12k-picture">')
        assert call(*job, *AT_2018, "--svg", "a.svg").status == 0
        assert (folder / "a.svg").read_text("utf-8").startswith("<svg ")
        assert [path.name for path in folder.iterdir()] == ["a.svg"]

    def test_where_nothing_can_be_written(self, call, job):
        """One sentence, status 2."""
        outcome = call(*job, *AT_2018, "--svg", "missing/a.svg")
        assert outcome.status == 2
        assert outcome.errors.startswith("error: cannot write missing/a.svg")

    def test_standard_input_and_output(self, call, fpki):
        """``-`` as source and as picture are two streams, and no conflict."""
        heap = (fpki / "fpki-historic.pem").read_bytes()
        given = ("--certs", "-", "--certs", fpki / "dod-2019.pem", "--anchor", fpki / "fcpca.pem")
        outcome = call("paths", fpki / "dod-id-sw-ca-37.pem", *given, *AT_2018, "--svg", "-", stdin=heap)
        assert groups(outcome.text, "p12k-best") == 4


class TestGraph:
    """``graph``."""

    def test_the_whole_pool(self, call, pool, folder):
        """All 146 certificates are drawn, and standard output says what was written."""
        outcome = call(*pool, "--svg", "fpki.svg")
        assert outcome.status == 0
        assert outcome.text == "Wrote fpki.svg: 2024-10-15T00:00:00Z; 146 certificates, 144 subjects\n"
        assert groups((folder / "fpki.svg").read_text("utf-8"), "p12k-other") == 145  # and the anchor's own

    def test_as_json(self, call, pool):
        """Nodes and edges, which name each other; each certificate with the state that it is drawn in."""
        answer = call(*pool, "--json").json
        assert set(answer) == {"title", "time", "nodes", "edges", "left_out", "hints", "warnings"}
        names = {node["id"] for node in answer["nodes"]}
        assert {end for edge in answer["edges"] for end in (edge["issuer"], edge["subject"])} == names
        assert {edge["state"] for edge in answer["edges"]} == {"other"}
        assert len(answer["edges"]) == 146

    def test_expired_ones_are_marked(self, call, pool):
        """Two years later as many are as have ended by then."""
        later = call(*pool[:-1], "2026-10-15", "--json").json
        states = [edge["state"] for edge in later["edges"]]
        assert states.count("expired") == sum(edge["not_after"] < "2026-10-15" for edge in later["edges"]) > 20
        assert set(states) == {"expired", "other"}

    def test_a_target_in_the_pool(self, call, pool, fpki):
        """Its one valid path is the best: through the bridge and two DoD roots."""
        svg = call(*pool, "--target", fpki / "dod-sw-ca-67.pem", "--svg", "-").text
        assert groups(svg, "p12k-best") == 4
        assert groups(svg, "p12k-other") == 141

    def test_a_target_without_a_path(self, call, pool, fpki, tmp_path):
        """Status 1, and drawn all the same."""
        file = tmp_path / "no.svg"
        outcome = call(*pool[:-1], "2026-11-22", "--target", fpki / "dod-sw-ca-67.pem", "--svg", file)
        assert outcome.status == 1
        assert "no valid path" in outcome.errors
        assert groups(file.read_text("utf-8"), "p12k-best") == 0

    def test_no_picture_wanted(self, call, pool):
        """Nothing to do is a mistake, and the sentence says what to add."""
        outcome = call(*pool)
        assert outcome.status == 2
        assert "--svg FILE" in outcome.errors

    def test_sources_by_option(self, call, fpki, pool):
        """``--certs``, as other commands take it, alone and beside arguments; without any there is nothing to draw."""
        command, source, *more = (*pool, "--json")
        by_option = call(command, "--certs", source, *more)
        assert (by_option.status, by_option.json) == (0, call(command, source, *more).json)
        both = call(command, source, "--certs", fpki / "dod-id-sw-ca-37.pem", *more).json
        assert len(both["edges"]) > len(by_option.json["edges"])
        outcome = call(command, *more)
        assert outcome.status == 2
        assert outcome.errors.startswith("error: missing argument 'SOURCE'")

    def test_an_anchor_is_needed(self, call, fpki):
        """From where the picture goes down the user says."""
        outcome = call("graph", fpki / "fpki-2024-10.p7b", "--svg", "a.svg")
        assert outcome.status == 2
        assert "--anchor" in outcome.errors

    def test_a_lab(self, call, files):
        """A folder, with a key and CRLs in it: certificates are drawn, the rest is a warning at most."""
        outcome = call("graph", files.folder, "--anchor", files.trust_anchor, "--svg", "-")
        assert outcome.status == 0
        assert groups(outcome.text, "p12k-expired") > 0
        assert groups(outcome.text, "p12k-later") > 0
