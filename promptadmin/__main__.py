"""Runs promptadmin's commands: `promptadmin help` lists them."""

import signal
import sys


def main() -> None:
    """Run the command that the command line names."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while Django is imported ends the process without a traceback
    from promptadmin.management.command_line import run

    run(sys.argv)


if __name__ == "__main__":
    sys.argv[0] = "promptadmin"  # as `python -m promptadmin` calls itself in its own messages
    main()
