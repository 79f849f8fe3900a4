"""`promptadmin normalize_strategies`."""

from promptadmin.management.step_command import StepCommand


class Command(StepCommand):
    help = "Replaces legacy strategy names by the canonical ones."
    steps = ("normalize_strategies",)
