"""`promptadmin seed_projects`."""

from promptadmin.management.step_command import StepCommand


class Command(StepCommand):
    help = "Makes a project of each legacy project name that has none."
    steps = ("seed_projects",)
