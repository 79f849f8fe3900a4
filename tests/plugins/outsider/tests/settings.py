"""promptadmin's settings with named notes switched on."""

import os
import tempfile

_data = tempfile.TemporaryDirectory()
os.environ["PROMPTADMIN_PLUGINS"] = "projects,optimizations,registry,mcp,named_notes"
os.environ["PROMPTADMIN_DATA_DIR"] = _data.name
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_data.name}/test.db")

from promptadmin.settings import *  # noqa: E402, F403
