"""A file that is replaced keeps its access, and nobody may read the new one who may not.

The oracle asks for each of a few users whether the kernel would let them read the file, by the algorithm of acl(5).
"""

from __future__ import annotations

import os
import stat
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.file_access import EVERYBODY, WITH_KEY, WITHOUT_KEY, FileAccess, Found, difference, plan
from pkcs12kit.file_attributes import AccessList, Tag
from pkcs12kit.files import read_private, require_writable, write_file, write_private

from .thoroughness import mostly_slow

OLD = bytes.fromhex("30050201033000")  # by its beginning, a PKCS#12 file
NEW = OLD + bytes(1000)
SERVICE = 65534  # nobody: it owns no other file
TEAM = 65533
USERS = (SERVICE, 1234, 5)
as_root = pytest.mark.usefixtures("as_root")


def may(right, user, groups, found):
    """True if acl(5) gives a user of these groups the right (4 read, 2 write) to a file."""
    if user == found.owner:
        return bool(found.mode >> 6 & right)
    if found.acl is None:
        return bool((found.mode >> 3 if found.group in groups else found.mode) & right)
    mask = next((rights for tag, rights, _ in found.acl.entries if tag is Tag.MASK), 7)
    for tag, rights, number in found.acl.entries:
        if tag is Tag.USER and number == user:
            return bool(rights & mask & right)
    of_groups = [
        rights & mask
        for tag, rights, number in found.acl.entries
        if (tag is Tag.GROUP_OBJ and found.group in groups) or (tag is Tag.GROUP and number in groups)
    ]
    if of_groups:
        return any(rights & right for rights in of_groups)
    return bool(next(rights for tag, rights, _ in found.acl.entries if tag is Tag.OTHER) & right)


def everyone():
    """Users with the groups that they are in."""
    yield from product(USERS, (set(), {TEAM}, {77}, {TEAM, 77}))


rights = st.integers(0, 7)


@st.composite
def lists(draw):
    """Access control lists with a user, a group and a mask."""
    entries = [(Tag.USER_OBJ, draw(rights), 2**32 - 1)]
    entries += [(Tag.USER, draw(rights), 1234)] if draw(st.booleans()) else []
    entries += [(Tag.GROUP_OBJ, draw(rights), 2**32 - 1)]
    entries += [(Tag.GROUP, draw(rights), 77)] if draw(st.booleans()) else []
    return AccessList((*entries, (Tag.MASK, draw(rights), 2**32 - 1), (Tag.OTHER, draw(rights), 2**32 - 1)))


def found(acl, mode):
    """A file with a list, whose mode is what the kernel derives from it."""
    if acl is None:
        return Found(SERVICE, TEAM, mode)
    by_tag = {tag: bits for tag, bits, _ in acl.entries}
    mode = mode & 0o7000 | by_tag[Tag.USER_OBJ] << 6 | by_tag[Tag.MASK] << 3 | by_tag[Tag.OTHER]
    return Found(SERVICE, TEAM, mode, acl)


class TestPlan:
    """The access of the new file, decided without touching any."""

    @given(st.none() | lists(), st.integers(0, 0o7777), st.sampled_from([WITH_KEY, WITHOUT_KEY, EVERYBODY]))
    def test_kept_is_never_more(self, acl, mode, most):
        """Whoever may read or write the new file might have done so before; others never read a key."""
        there = found(acl, mode)
        planned = plan(there, FileAccess(most=most), 0o600)
        new = Found(*planned)
        for user, groups in everyone():
            for right in (4, 2):
                assert may(right, user, groups, new) <= may(right, user, groups, there)
            if most != EVERYBODY and user != SERVICE:
                assert not may(2, user, groups, new)
        if most == WITH_KEY:
            assert not may(4, 5, set(), new)
        assert not new.mode & 0o7111
        assert may(4, SERVICE, set(), new) == may(4, SERVICE, set(), there)
        assert difference(new, FileAccess(most=most)) is None

    @given(st.none() | lists(), st.integers(0, 0o7777), st.integers(0, 0o7777))
    def test_asked_is_never_more(self, acl, mode, asked):
        """With a mode, the owner and the group have just its rights, and others read only as the list let them."""
        asked &= WITH_KEY
        there = found(acl, mode)
        new = Found(*plan(there, FileAccess(mode=asked, owner=5, group=77), 0o600))
        assert new.mode == asked
        assert may(4, 5, set(), new) == bool(asked & 0o400)
        assert may(4, SERVICE, {77}, new) == bool(asked & 0o040)
        assert not may(4, SERVICE, set(), new)
        assert may(4, 1234, set(), new) <= may(4, 1234, set(), there) or bool(asked & 0o040)
        assert difference(new, FileAccess(mode=asked, owner=5, group=77)) is None

    @given(lists())
    def test_list_survives_its_encoding(self, acl):
        """The kernel's form, there and back."""
        assert AccessList.from_bytes(acl.to_bytes()) == acl

    @pytest.mark.parametrize("data", [b"", b"\1\0\0\0", b"\2\0\0\0x", b"\2\0\0\0\3\0\0\0\0\0\0\0"])
    def test_other_forms_are_no_list(self, data):
        """Another version, a cut entry, an unknown tag."""
        assert AccessList.from_bytes(data) is None


def access_of(path):
    """Owner, group and mode of a file."""
    status = path.stat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


@pytest.fixture
def there(tmp_path):
    """A file of a service, whose group was chosen for it."""
    path = tmp_path / "server.p12"
    path.write_bytes(OLD)
    os.chown(path, SERVICE, TEAM)
    path.chmod(0o640)
    return path


def written(path, **asked):
    """Write, and return the warnings."""
    warnings = []
    pk.write_pfx(path, NEW, **asked, on_warning=warnings.append)
    assert path.read_bytes() == NEW
    assert list(path.parent.iterdir()) == [path]
    return warnings


@as_root
class TestAsRoot:
    """Root rewrites the file of a service."""

    @pytest.mark.parametrize("mode", mostly_slow(range(0o1000), every=40))
    @pytest.mark.parametrize("umask", [0, 0o777])
    def test_modes(self, there, mode, umask):
        """Every mode: the owner's and the group's reading stays, all others go, with a warning, whatever the umask."""
        there.chmod(mode)
        before = os.umask(umask)
        try:
            warnings = written(there)
        finally:
            os.umask(before)
        assert access_of(there) == (SERVICE, TEAM, mode & 0o640)
        assert len(warnings) == (mode & 0o640 != mode)
        assert all(f"mode {mode & 0o640:04o} instead of {mode:04o}" in sentence for sentence in warnings)

    @pytest.mark.parametrize("mode", [0o4600, 0o2640, 0o1600, 0o7777])
    def test_special_bits_go(self, there, mode):
        """Neither setuid nor setgid nor sticky is ever set on a key."""
        there.chmod(mode)
        assert len(written(there)) == 1
        assert access_of(there) == (SERVICE, TEAM, mode & 0o640)

    def test_group_of_a_file_for_everybody(self, there):
        """0644 in the group that all files of the owner have: nobody chose it, so it may not read the key."""
        os.chown(there, 0, 0)
        there.chmod(0o644)
        [sentence] = written(there)
        assert sentence.startswith(
            f"{there} gets mode 0600 instead of 0644: its group can no longer read it and others"
        )
        assert sentence.endswith("; --mode 0640 lets its group read it")
        assert access_of(there) == (0, 0, 0o600)

    def test_asked(self, tmp_path, there):
        """Names and numbers, for a new file and an old one; without a mode, a group that cannot read it is named."""
        for path in (there, tmp_path / "new.p12"):
            pk.write_pfx(path, NEW, owner="root", group=0, mode=0o440)
            assert access_of(path) == (0, 0, 0o440)
            pk.write_pfx(path, NEW, owner=SERVICE, group=str(TEAM), mode=0o640)
            assert access_of(path) == (SERVICE, TEAM, 0o640)
            path.unlink()
        assert written(there, group=TEAM) == [
            f"its group {TEAM} cannot read {there} with mode 0600; --mode 0640 lets it"
        ]

    @pytest.mark.parametrize(
        "asked",
        [
            *({"owner": it} for it in ("no-such-user", "", "a\0b", "\udcff", -1, 2**32 - 1, "99999999999", "0:0")),
            *({"group": it} for it in ("no-such-group", -1, 2**32 - 1)),
            *(
                {"mode": it}
                for it in (0o644, 0o660, 0o604, 0o700, 0o610, 0o4600, 0, 0o200, 640, 600, 400, 440, -1, 0o1000)
            ),
            *({"mode": "0640"}, {"owner": 1.0}, {"group": b"root"}, {"mode": True}, {"owner": True}),
        ],
    )
    def test_wrong_requests(self, there, asked):
        """Unknown accounts, and rights that a key may not have, are refused before anything is done."""
        with pytest.raises(pk.InputError, match=next(iter(asked))):
            pk.write_pfx(there, NEW, **asked)
        assert there.read_bytes() == OLD

    @pytest.mark.parametrize("sticky", [0o777, 0o1777, 0o775])
    @pytest.mark.parametrize("above", [False, True])
    def test_planted_file(self, tmp_path, there, sticky, above):
        """In a folder for everybody, a file that waits there does not decide who gets the key; nor does its folder."""
        if above:
            os.chown(tmp_path, SERVICE, TEAM)
        shared = tmp_path / "tmp"
        shared.mkdir()
        os.chown(shared, 0, TEAM)
        shared.chmod(sticky)
        path = shared / "server.p12"
        if above:
            folder = shared / "mine"
            folder.mkdir()
            os.chown(folder, SERVICE, TEAM)
            path = folder / "server.p12"
        there.rename(path)
        for call in (lambda: pk.write_pfx(path, NEW), lambda: require_writable(path)):
            with pytest.raises(pk.OutputError, match=f"owner of {shared} may put files there; name"):
                call()
        assert path.read_bytes() == OLD
        warnings = []
        pk.write_pfx(path, NEW, owner=SERVICE, on_warning=warnings.append)
        assert access_of(path) == (SERVICE, 0, 0o600)
        assert "does not keep the owner, group and mode" in warnings[0]

    def test_folder_of_the_service(self, tmp_path, there):
        """In its own folder, which only its group and itself can write to, the file of a service is its own."""
        os.chown(tmp_path, SERVICE, TEAM)
        tmp_path.chmod(0o770)
        assert written(there) == []
        assert access_of(there) == (SERVICE, TEAM, 0o640)

    def test_public_files(self, there):
        """Pictures and certificates keep theirs as well."""
        there.chmod(0o664)
        write_file(there, NEW)
        assert access_of(there) == (SERVICE, TEAM, 0o664)

    def test_without_a_key(self, there):
        """A file without a key may be for everybody, but not more so than it was."""
        for mode in (0o644, 0o604, 0o600):
            there.chmod(mode)
            write_private(there, NEW, access=FileAccess(most=WITHOUT_KEY))
            assert access_of(there) == (SERVICE, TEAM, mode)

    def test_reading_compares(self, there):
        """What would be changed is a difference; what would be kept is none."""
        asked = [{}, {"owner": SERVICE}, {"group": TEAM, "mode": 0o640}]
        for one in asked:
            assert read_private(there, limit=10, access=FileAccess(**one)) == OLD
        for one, reason in (
            ({"owner": 0}, "its owner was nobody, not root"),
            ({"group": 0}, "its group was 65533, not root"),
            ({"mode": 0o600}, "its mode was 0640, not 0600"),
        ):
            with pytest.raises(pk.InputError, match=reason):
                read_private(there, limit=10, access=FileAccess(**one))

    def test_change_of_owner_that_is_refused(self, there, monkeypatch):
        """A file system without owners: the service would lose its file, so the old one stays."""

        def refusing(*_):
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "fchown", refusing)
        with pytest.raises(pk.OutputError, match="it belongs to nobody, who could not read the new file"):
            pk.write_pfx(there, NEW)
        with pytest.raises(pk.OutputError, match="may not give a file to nobody"):
            pk.write_pfx(there, NEW, owner=SERVICE)
        assert there.read_bytes() == OLD
        assert list(there.parent.iterdir()) == [there]

    def test_file_system_without_modes(self, there, monkeypatch):
        """A mode that the file system does not keep is named, and refused if it was asked for."""
        fchmod = os.fchmod
        monkeypatch.setattr(os, "fchmod", lambda descriptor, _: fchmod(descriptor, 0o777))
        assert "the file system gives" in written(there)[-1]
        with pytest.raises(pk.OutputError, match="leave out --mode"):
            pk.write_pfx(there, NEW, mode=0o600)
