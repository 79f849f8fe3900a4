"""`promptadmin backfill_prompts`."""

from promptadmin.management.step_command import StepCommand


class Command(StepCommand):
    help = "Makes the prompts that runs lack, and links runs to prompts."
    steps = ("backfill_prompts", "link_prompts")
