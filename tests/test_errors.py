"""The errors that carry more than a sentence."""

import pickle

import pytest

import pkcs12kit as pk

KNOWN = ("modern", "macos", "legacy")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("modren", ("modern",)), ("MODERN", ("modern",)), ("legcy", ("legacy",)), ("zzz", ()), ("", ())],
)
def test_an_unknown_name_comes_with_the_nearest(name, nearest):
    """UnknownNameError names the known names that are spelled alike, and all of them."""
    error = pk.UnknownNameError("profile", name, KNOWN)
    assert isinstance(error, pk.InputError)
    assert (error.kind, error.name, error.known, error.nearest) == ("profile", name, KNOWN, nearest)
    suggestion = f": did you mean {nearest[0]!r}?" if nearest else "."
    assert str(error) == f"unknown profile {name!r}{suggestion} Known names: modern, macos, legacy"


def test_a_long_name_is_cut_in_the_message():
    """A name from outside does not fill the screen, and control characters are escaped."""
    error = pk.UnknownNameError("reader", "\x1b[2J" + "a" * 10_000, KNOWN)
    assert len(str(error)) < 200
    assert "\x1b" not in str(error)


def test_an_unknown_name_crosses_processes():
    """It is pickled as other exceptions are, with all that it carries."""
    error = pk.UnknownNameError("profile", "modren", KNOWN)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert (str(copy), copy.name, copy.nearest) == (str(error), error.name, error.nearest)


def test_a_wrong_argument_is_what_python_expects():
    """ArgumentError is caught by programs that look for TypeError or ValueError, and by those that look for ours."""
    error = pk.ArgumentError("certificates: expected Certificate, not int")
    assert isinstance(error, pk.InputError)
    assert isinstance(error, TypeError)
    assert isinstance(error, ValueError)


class TestLimits:
    """Limits print what differs from the defaults, and refuse what is not a limit."""

    @pytest.mark.parametrize(("changed", "shown"), [({}, "Limits()"), ({"path_length": 7}, "Limits(path_length=7)")])
    def test_repr(self, changed, shown):
        """The text is the call that makes equal limits."""
        limits = pk.Limits(**changed)
        assert repr(limits) == shown
        assert eval(shown, {"Limits": pk.Limits}) == limits  # noqa: S307  # our own text

    @pytest.mark.parametrize("value", ["7", float("nan"), None, True, -1, -0.5])
    def test_a_limit_is_a_number(self, value):
        """A value that does not compare as a number would limit nothing."""
        with pytest.raises(pk.ArgumentError, match="limits: path_length"):
            pk.Limits(path_length=value)

    def test_seconds_may_have_a_fraction(self):
        """``--timeout 0.5`` is such a limit; a negative number and NaN are rejected."""
        assert pk.Limits(retrieval_seconds=0.5).retrieval_seconds == 0.5
        for value in (-0.5, float("nan"), True, "1"):
            with pytest.raises(pk.ArgumentError):
                pk.Limits(retrieval_seconds=value)
