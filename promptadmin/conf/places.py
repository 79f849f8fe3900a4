"""Where promptadmin stands, and where it keeps its data unless PROMPTADMIN_DATA_DIR says otherwise."""

from pathlib import Path

from platformdirs import user_data_path

_PARENT = Path(__file__).resolve().parents[2]
#: The checkout that this program runs from; None where pip installed it as a package.
CHECKOUT = _PARENT if (_PARENT / "pyproject.toml").is_file() else None


def default_data_dir() -> Path:
    """`data/` in a checkout, else the directory that the operating system gives to programs of this user."""
    return CHECKOUT / "data" if CHECKOUT else user_data_path("promptadmin", appauthor=False)
