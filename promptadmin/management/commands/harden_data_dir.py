"""`promptadmin harden_data_dir`."""

from promptadmin.management.step_command import StepCommand


class Command(StepCommand):
    help = "Lets nobody else read the data directory and the database's files."
    steps = ("harden_data_dir",)
