"""Typed readers of environment variables."""

from __future__ import annotations

import datetime as dt
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from promptadmin.conf.environment import Environment
from tests.support.processes import REPOSITORY, Scratch

BLANKS = st.text(alphabet=" \t\n", max_size=3)


@given(value=st.text(), before=BLANKS, after=BLANKS)
def test_text(value: str, before: str, after: str) -> None:
    """Without the blanks around it; blank is as good as unset."""
    expected = value.strip() or "default"
    assert Environment({"X": before + value + after}).text("X", "default") == expected
    assert Environment({}).text("X", "default") == "default"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", True),
        ("TRUE", True),
        ("yes", True),
        (" On ", True),
        ("0", False),
        ("False", False),
        ("no", False),
        ("off", False),
    ],
)
def test_flag(value: str, expected: bool) -> None:
    assert Environment({"X": value}).flag("X", default=not expected) is expected


@pytest.mark.parametrize("default", [True, False])
def test_flag_unset_or_blank(default: bool) -> None:
    assert Environment({}).flag("X", default=default) is default
    assert Environment({"X": "  "}).flag("X", default=default) is default


@given(number=st.integers(-10, 30))
def test_number_within_its_bounds(number: int) -> None:
    """From minimum to maximum, both included; anything else names the variable, the value and the bounds."""
    read = Environment({"X": f" {number} "}).number
    if 0 <= number <= 20:
        assert read("X", 5, maximum=20) == number
    else:
        with pytest.raises(ImproperlyConfigured, match=rf"X='{number}'.* 0 to 20"):
            read("X", 5, maximum=20)


def test_number_unset() -> None:
    assert Environment({"X": ""}).number("X", 5) == 5


@given(
    names=st.lists(st.text(alphabet=string.ascii_letters, min_size=1), max_size=4),
    gap=st.sampled_from([",", " , ", ",,"]),
)
def test_names(names: list[str], gap: str) -> None:
    """Separated by commas; blanks and empty items don't count; set but empty is no names."""
    assert Environment({"X": gap.join(names)}).names("X", ("default",)) == names
    assert Environment({}).names("X", ("default",)) == ["default"]


def test_a_variable_that_nobody_asks_for_is_told_with_the_nearest_one() -> None:
    """Of those that were asked for, set or not; other programs' variables are none of ours."""
    variables = {"PROMPTADMIN_HTPS": "1", "PROMPTADMIN_HTTPS": "1", "PROMPTADMIN_ZZZ": "", "PATH": "/", "HTPS": "1"}
    environment = Environment(variables | {"PROMPTADMIN_BACKUPS_EVERY": "6h", "PROMPTADMIN_ALLOWED_HOST": "x"})
    environment.flag("PROMPTADMIN_HTTPS")
    environment.duration("PROMPTADMIN_BACKUP_EVERY", minimum=dt.timedelta(seconds=1))
    environment.names("PROMPTADMIN_ALLOWED_HOSTS")
    assert environment.unknown() == {
        "PROMPTADMIN_ALLOWED_HOST": "PROMPTADMIN_ALLOWED_HOSTS",
        "PROMPTADMIN_BACKUPS_EVERY": "PROMPTADMIN_BACKUP_EVERY",
        "PROMPTADMIN_HTPS": "PROMPTADMIN_HTTPS",
        "PROMPTADMIN_ZZZ": "",
    }


def test_check_warns_of_a_misspelled_variable_and_of_no_setting_that_is_documented(scratch: Scratch) -> None:
    documented = re.findall(r"^\| `(PROMPTADMIN_\w+)`", (REPOSITORY / "docs/settings.md").read_text(), re.MULTILINE)
    plain = dict.fromkeys(documented, "") | {"PROMPTADMIN_DATA_DIR": str(scratch.data_dir)}
    plain["PROMPTADMIN_PLUGINS"] = "projects,optimizations"
    done = scratch.manage("check", **plain, PROMPTADMIN_TRUSTED_PROXYS="10.0.0.1")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("promptadmin.W002") == 1
    assert "The environment has PROMPTADMIN_TRUSTED_PROXYS, and promptadmin has no such setting" in done.stderr
    assert "Did you mean PROMPTADMIN_TRUSTED_PROXIES?" in done.stderr


def test_choice() -> None:
    """In any case, as it stands among the choices."""
    assert Environment({"X": "warning"}).choice("X", "INFO", ("INFO", "WARNING")) == "WARNING"
    assert Environment({}).choice("X", "INFO", ("INFO", "WARNING")) == "INFO"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("127.0.0.1:9100", ("127.0.0.1", 9100)),
        ("[::1]:1", ("::1", 1)),
        (" ", None),
        ("1.1.1.1:65535", ("1.1.1.1", 65535)),
    ],
)
def test_listening_address(text: str, read: object) -> None:
    assert Environment({"X": text}).listening_address("X") == read


@pytest.mark.parametrize(
    "text", ["9100", ":9100", "localhost:9100", "::1:9100", "[127.0.0.1]:1", "1.1.1.1:0", "1.1.1.1:x"]
)
def test_a_listening_address_that_is_none(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X="):
        Environment({"X": text}).listening_address("X")


@pytest.mark.parametrize("text", ["short", "has blanks in it, but is long", "ünicodeünicodeünicode", "a" * 19])
def test_a_secret_that_can_be_guessed_or_not_be_sent(text: str) -> None:
    """The error doesn't repeat it."""
    with pytest.raises(ImproperlyConfigured, match=r"^X: use at least 20") as refused:
        Environment({"X": text}).secret("X")
    assert text not in str(refused.value)
    assert Environment({"X": "a" * 20}).secret("X") == "a" * 20
    assert Environment({}).secret("X") == ""


def test_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative ones count from the current directory, `~` is the home; it needn't exist."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert Environment({"X": "new/place"}).directory("X", Path("/d")) == tmp_path / "new" / "place"
    assert Environment({"X": "~/data"}).directory("X", Path("/d")) == tmp_path / "home" / "data"
    assert Environment({}).directory("X", Path("/d")) == Path("/d")


def test_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match=r"X=.*is a file"):
        Environment({"X": str(tmp_path / "file")}).directory("X", tmp_path)


@pytest.mark.parametrize(
    "read",
    [
        lambda env: env.flag("PROMPTADMIN_X"),
        lambda env: env.number("PROMPTADMIN_X", 1),
        lambda env: env.choice("PROMPTADMIN_X", "a", ("a", "b")),
    ],
    ids=["flag", "number", "choice"],
)
@given(value=st.text(min_size=1).filter(lambda text: text.strip() and not text.strip().isdecimal()))
def test_a_bad_value_names_its_variable(read: Callable[[Environment], Any], value: str) -> None:
    """Whatever the text is: it is read, or the error says which variable to look at."""
    try:
        read(Environment({"PROMPTADMIN_X": value}))
    except ImproperlyConfigured as error:
        assert str(error).startswith("PROMPTADMIN_X=")  # noqa: PT017  # most values raise, a few don't
