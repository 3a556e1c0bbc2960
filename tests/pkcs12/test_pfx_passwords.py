"""A password is in nothing that an error carries along: programs that report errors report their contexts, too."""

from __future__ import annotations

import pytest

from pkcs12kit.cli.options.passwords import password_from_file
from pkcs12kit.errors import InputError, PasswordError
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx

from .conftest import PASSWORD
from .pfx_parts import make_pfx, plain_safe, with_mac


def carried_by(error):
    """Everything that can be reached from an error but the frames: arguments and attributes of it and its contexts."""
    while error is not None:
        yield repr(error.args)
        yield repr(getattr(error, "object", ""))  # UnicodeError has the text there
        error = error.__context__


@pytest.mark.parametrize("password", [f"{PASSWORD}\ud800", f"{PASSWORD}\0", "wrong horse 7"])
def test_errors_carry_no_password(small_bundle, password):
    """Half of a surrogate pair, a NUL, a wrong password: to write with, to open the MAC and the contents with."""
    calls = [lambda: decode_pfx(with_mac([plain_safe()]), password=password)]
    if not password.startswith("wrong"):
        calls.append(lambda: encode_pfx(small_bundle, password=password))
    for call in calls:
        with pytest.raises(PasswordError) as caught:
            call()
        assert not [text for text in carried_by(caught.value) if "horse" in text]
    assert decode_pfx(make_pfx([plain_safe()]), password=password).keys == ()


def test_errors_of_a_password_file_carry_nothing_of_it(tmp_path):
    """A password that is no UTF-8 is told by the name of its file."""
    (tmp_path / "password.txt").write_bytes(PASSWORD.encode() + b"\xff\n")
    with pytest.raises(InputError, match="not UTF-8") as caught:
        password_from_file(str(tmp_path / "password.txt"))
    assert not [text for text in carried_by(caught.value) if "horse" in text]
