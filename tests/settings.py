"""promptadmin's settings with every plugin that comes with it switched on.

Servers and commands that tests start in other processes have the product's own defaults.
"""

import os

os.environ["PROMPTADMIN_PLUGINS"] = "projects,optimizations,lint,mcp,webhooks"

from promptadmin.settings import *  # noqa: F403
