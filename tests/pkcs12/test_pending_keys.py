"""Keys derived side by side: the same keys, in threads that end, or in none."""

from __future__ import annotations

import threading

import pytest

from pkcs12kit import PfxPasswordError, decode_pfx, encode_pfx, profiles
from pkcs12kit.pkcs12 import decoder, opening, pending_keys
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.pending_keys import PendingKey, derive_side_by_side, one_at_a_time

from .conftest import PASSWORD

MANY = 1_000_000


@pytest.fixture
def four_processors(monkeypatch):
    """As many processors as a server has."""
    monkeypatch.setattr(pending_keys, "_processors", lambda: 4)


def meeting(count, seen):
    """Give keys that are derived only when ``count`` threads derive at once."""
    barrier = threading.Barrier(count, timeout=60)

    def derive():
        seen.add(threading.current_thread())
        barrier.wait()
        return b"key"

    return [PendingKey(derive, side_by_side=MANY) for _ in range(count)]


@pytest.mark.usefixtures("four_processors")
def test_keys_are_derived_at_the_same_time():
    """Four keys in four threads, of which this is one, and none is left."""
    before, seen = threading.active_count(), set()
    derive_side_by_side(meeting(4, seen))
    assert len(seen) == 4
    assert threading.current_thread() in seen
    assert threading.active_count() == before


@pytest.mark.usefixtures("four_processors")
def test_each_key_is_derived_once():
    """Before, or when it is asked for: what is short, and what holds the global lock, is left for its use."""
    calls = []
    keys = [
        PendingKey(lambda number=number: calls.append(number) or bytes([number]), side_by_side=iterations)
        for number, iterations in enumerate((MANY, 0, MANY, 100, MANY))
    ]
    derive_side_by_side(keys)
    assert sorted(calls) == [0, 2, 4]
    assert [key.octets for key in keys] == [key.octets for key in keys] == [bytes([number]) for number in range(5)]
    assert sorted(calls) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("four_processors")
def test_one_at_a_time():
    """Within the context no thread is started: nothing is derived before it is asked for."""
    seen = set()
    with one_at_a_time():
        derive_side_by_side(meeting(2, seen))
    assert seen == set()
    derive_side_by_side(meeting(2, seen))
    assert len(seen) == 2


@pytest.mark.usefixtures("four_processors")
def test_a_failure_is_that_of_its_own_key():
    """It is raised where the key is used; the other keys are as they are."""

    def fail():
        raise MemoryError

    keys = [PendingKey(fail, side_by_side=MANY), *(PendingKey(lambda: b"key", side_by_side=MANY) for _ in range(5))]
    derive_side_by_side(keys)
    with pytest.raises(MemoryError):
        keys[0].octets  # noqa: B018
    assert {key.octets for key in keys[1:]} == {b"key"}


@pytest.mark.usefixtures("four_processors")
def test_where_no_thread_can_be_started(monkeypatch):
    """This thread derives all of them."""

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    keys = [PendingKey(lambda: b"key", side_by_side=MANY) for _ in range(3)]
    derive_side_by_side(keys)
    assert {key._octets for key in keys} == {b"key"}


@pytest.mark.usefixtures("four_processors")
def test_an_interruption_ends_the_threads():
    """Ctrl-C in this thread: the others end with the key they are at, and derive no other."""
    mine, calls = threading.current_thread(), []
    interrupted = threading.Event()

    def derive():
        calls.append(threading.current_thread())
        if threading.current_thread() is mine:
            interrupted.set()
            raise KeyboardInterrupt
        interrupted.wait(60)
        return b"key"

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        derive_side_by_side(PendingKey(derive, side_by_side=MANY) for _ in range(200))
    assert threading.active_count() == before
    assert len(calls) < 200


@pytest.mark.usefixtures("four_processors")
@pytest.mark.parametrize("profile", ["modern-2023", "fips-2026", "unencrypted-certificates-2023"])
def test_files_are_read_as_one_at_a_time(small_bundle, profile, monkeypatch):
    """The same contents; nothing is derived ahead for a wrong password, which the MAC finds."""
    made = profiles.find(profile).with_iterations(encryption=10_000, mac=10_000)
    data = encode_pfx(small_bundle, password=PASSWORD, profile=made)
    read = decode_pfx(data, password=PASSWORD)
    with one_at_a_time():
        again = decode_pfx(data, password=PASSWORD)
    assert again.certificates == read.certificates == small_bundle.certificates
    assert again.keys[0].private_key_info == read.keys[0].private_key_info
    assert again.password_uses == read.password_uses
    monkeypatch.setattr(opening, "derive_side_by_side", None)
    with pytest.raises(PfxPasswordError, match="MAC"):
        decode_pfx(data, password="another")


def test_work_is_counted_once(small_bundle, monkeypatch):
    """What is derived ahead is counted before that, and not again when it is used."""
    budgets = []

    class Kept(WorkBudget):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            budgets.append(self)

    monkeypatch.setattr(decoder, "WorkBudget", Kept)
    made = profiles.MODERN.with_iterations(encryption=10_000, mac=10_000)
    data = encode_pfx(small_bundle, password=PASSWORD, profile=made)
    decode_pfx(data, password=PASSWORD)
    monkeypatch.setattr(opening.Opener, "_derive_ahead", lambda *_: None)
    decode_pfx(data, password=PASSWORD)
    assert budgets[0].iterations == budgets[1].iterations > 30_000
