#!/usr/bin/env python
"""Runs promptadmin's commands: `python manage.py help` lists them."""

import signal
import sys


def main() -> None:
    """Run the command that the command line names."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while Django is imported ends the process without a traceback
    from promptadmin.management.command_line import run

    run(sys.argv)


if __name__ == "__main__":
    main()
