"""How often tests do what is slow by nature, or made up: `make test` little of it, `make proof`, `make fuzz` much."""

from __future__ import annotations

import os

from tests.support.legacy_files import SAMPLE_NAMES


def _number(name: str, default: float) -> float:
    return float(os.environ.get(f"PROMPTADMIN_{name}", default))


# What `make proof` sets.
KILLS = int(_number("TEST_KILLS", 1))
FLIPS = int(_number("TEST_FLIPS", 20))
REPLAYS = int(_number("TEST_ROUNDS", 2))
STOPPED_SECONDS = _number("TEST_STOPPED_SECONDS", 1)
WEBHOOK_SECONDS = _number("KILL_SECONDS", 2)
WHOLE = bool(os.environ.get("PROMPTADMIN_ALL_SAMPLES"))
SAMPLES = SAMPLE_NAMES if WHOLE else ("dirty",)
ROWS_APART = 1 if WHOLE else 10  # each so many-th row is also asked for alone
STOPS_APART = 1 if WHOLE else 12  # after each so many-th migration an adoption is stopped
REPLAY_WORKERS = (1, 4) if WHOLE else (4,)

# What `make fuzz` sets.
EXAMPLES = int(_number("EXAMPLES", 30))  # of each test that hypothesis makes some for, unless it says otherwise
MADE_UP_REQUESTS = int(_number("FUZZ_EXAMPLES", 3))  # to each operation
RAW_REQUESTS = int(_number("RAW_REQUESTS", 100))
IMPORTED_FILES = int(_number("FUZZ_FILES", 6))
LEGACY_FILES = int(_number("LEGACY_FILES", 6))
STAGES = int(_number("TEST_STAGES", 2))  # of each kind of half-made file
ANY_VALUES = int(_number("ANY_VALUES", 1))
STATISTICS_EXAMPLES = int(_number("STATISTICS_EXAMPLES", 6))
SEARCH_EXAMPLES = int(_number("SEARCH_EXAMPLES", 8))
