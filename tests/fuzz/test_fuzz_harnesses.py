"""The fuzz harnesses hold for their seeds and some mutations of them, and each of them can fail.

``tests/fuzz/run.py`` runs the same harnesses for as long as is wished.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.paths.revocation import RevocationStatus

from ..thoroughness import examples
from . import fuzz_certificates, fuzz_name_constraints, fuzz_names, fuzz_pfx, fuzz_revocation, run
from .elements import parse, split
from .mutation import mutate

HARNESSES = (fuzz_certificates, fuzz_name_constraints, fuzz_names, fuzz_pfx, fuzz_revocation)
pytestmark = pytest.mark.filterwarnings("ignore")  # pyca/cryptography's on numbers and keys that were hit


@pytest.mark.parametrize("harness", HARNESSES, ids=lambda harness: harness.__name__.rpartition(".")[2])
def test_holds_for_seeds_and_mutations(harness):
    """Only the project's own errors come out, and what each harness states holds; the same inputs each time."""
    chance, seeds = random.Random(0), harness.seeds()  # noqa: S311  # nothing secret, only repeatable
    for data in seeds[:12]:
        harness.check(data)
    for _ in range(40):
        harness.check(mutate(chance.choice(seeds), chance, seeds, kept=harness.KEPT))


def test_seeds_are_sound(monkeypatch):
    """Mutations begin at what is read to its end: files decode, evidence is believed, half of the paths are valid."""
    written = []
    monkeypatch.setattr(fuzz_pfx, "_write_again", lambda data, _: written.append(data))
    for data in fuzz_pfx.seeds():
        fuzz_pfx.check(data)
    assert len(written) == len(fuzz_pfx.seeds())
    for revoked in (False, True):
        world = fuzz_revocation._world(revoked=revoked)
        full, *_ = world.crls
        assert fuzz_revocation._judge(world, [world.of_the_root, full], []) == [world.truth, fuzz_revocation.GOOD]
        for response in world.responses:
            judged = fuzz_revocation._judge(world, [world.of_the_root], [response])
            assert judged == [world.truth, fuzz_revocation.GOOD]
    valid, is_valid = [], fuzz_name_constraints._is_valid
    monkeypatch.setattr(fuzz_name_constraints, "_is_valid", lambda *given: valid.append(is_valid(*given)) or valid[-1])
    for data in fuzz_name_constraints.seeds():
        fuzz_name_constraints.check(data)
    assert len(valid) / 4 < sum(valid) < len(valid)


def test_every_harness_is_run():
    """``run.py`` knows each harness of this folder."""
    assert {harness.__name__.rpartition(".")[2] for harness in HARNESSES} == {f"fuzz_{name}" for name in run.HARNESSES}


def _raise(*_, **__):
    raise LookupError("a stranger's error")


def test_a_foreign_error_is_found(monkeypatch):
    """What is no error of the project goes through: of certificates, of PKCS#12, of revocation, of a search."""
    for owner, name, harness in (
        (pk.Certificate, "from_der", fuzz_certificates),
        (pk.Certificate, "from_der", fuzz_names),
        (pk, "decode_pfx", fuzz_pfx),
        (fuzz_revocation, "check_revocation", fuzz_revocation),
        (pk, "find_paths", fuzz_name_constraints),
    ):
        seed = harness.seeds()[0]
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, _raise)
            with pytest.raises(LookupError):
                harness.check(seed)


def test_an_answer_that_nobody_signed_is_found(monkeypatch):
    """A judgement that believes any evidence is caught: in the one world by "good", in the other by "revoked"."""
    believed = {
        "good": [RevocationStatus.GOOD] * 2,
        "revoked": [RevocationStatus.REVOKED] * 2,
    }
    believed["revoked"][1] = RevocationStatus.GOOD
    for world, other in ((2, "good"), (0, "revoked")):
        monkeypatch.setattr(fuzz_revocation, "_judge", lambda *_, other=other: believed[other])
        with pytest.raises(AssertionError, match="nobody ever signed that"):
            fuzz_revocation.check(bytes([world]))


def test_a_certificate_that_is_lost_is_found(monkeypatch):
    """A PKCS#12 file that loses a certificate when it is written again, and a pool that does not find one."""
    seeds = fuzz_pfx.seeds()
    with monkeypatch.context() as patch:
        patch.setattr(pk, "convert_pfx", lambda *_, **__: _without_certificates())
        with pytest.raises(AssertionError):
            fuzz_pfx.check(seeds[0])
    monkeypatch.setattr(pk.CertificatePool, "by_subject", lambda *_: ())
    with pytest.raises(AssertionError):
        fuzz_certificates.check(fuzz_certificates.seeds()[0])
    with pytest.raises(AssertionError):
        fuzz_names.check(fuzz_names.seeds()[-1])


def _without_certificates():
    ca = fuzz_certificates._ca()
    return fuzz_pfx._encode(pk.Bundle(certificates=(ca,)), fuzz_pfx._quick(pk.profiles.MODERN))


def test_constraints_that_permit_more_are_found(monkeypatch):
    """RFC 5280 section 6.1.4 (g): a path that is valid because of constraints is caught."""
    monkeypatch.setattr(fuzz_name_constraints, "_is_valid", lambda _, ca: b"\x55\x1d\x1e" in ca.der)
    with pytest.raises(AssertionError, match="not without"):
        fuzz_name_constraints.check(fuzz_name_constraints.seeds()[0])


@settings(max_examples=examples(50), deadline=None)
@given(st.binary(max_size=60), st.integers(0, 2), st.randoms(use_true_random=False))
def test_anything_can_be_mutated(data, kept, chance):
    """The mutator takes any octets, keeps to its size, and is not fooled by lengths that are wrong."""
    for _ in range(5):
        data = mutate(data, chance, [data], kept=kept, most=100)
        assert len(data) <= 100


def test_structure_is_kept():
    """A tree that is written without a change is the encoding that it was parsed from, strings within it too."""
    for harness in (fuzz_certificates, fuzz_names):
        for data in harness.seeds():
            tree = parse(data)
            if tree is not None:
                assert b"".join(element.encode() for element in tree) == data
    assert split(b"\x30\x80\x00\x00") == ([], b"\x30\x80\x00\x00")
    assert split(b"\x02\x01\x00\x02") == ([b"\x02\x01\x00"], b"\x02")


def test_a_finding_is_written_down_once_and_can_be_run_again(tmp_path, capsys, monkeypatch):
    """The first input of each kind, with its traceback; one that is mended is forgotten; ``--input`` runs one again."""
    monkeypatch.setattr(fuzz_names, "check", lambda data: {}[len(data) % 2])
    recorder = run.Recorder(fuzz_names, tmp_path / "names")
    for data in (b"a", b"bb", b"ccc"):
        recorder.test_one_input(data)
    (written,) = (file for file in recorder.folder.iterdir() if file.suffix != ".txt")
    assert written.read_bytes() == b"a"
    assert "KeyError" in written.with_suffix(".txt").read_text("utf-8")
    assert recorder.forget() == [b"a"]
    assert not list(recorder.folder.iterdir())
    monkeypatch.undo()
    seed = tmp_path / "seed"
    seed.write_bytes(fuzz_names.seeds()[0])
    assert run.main(["names", "--input", str(seed)]) == 0
    assert capsys.readouterr().out == "nothing found\n"


def test_without_atheris_inputs_are_changed_at_random(tmp_path, monkeypatch):
    """Where there is no wheel of atheris the same harnesses run, seeds first."""
    counted = []
    monkeypatch.setattr(fuzz_names, "check", counted.append)
    recorder = run.Recorder(fuzz_names, tmp_path)
    run.fuzz_randomly(recorder, seconds=0, seed=1)
    assert counted[: len(fuzz_names.seeds())] == fuzz_names.seeds()
    assert len(counted) == recorder.executions == len(fuzz_names.seeds()) + 1
