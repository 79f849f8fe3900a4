"""The two indexes of PromptForge's last release that the 24 schema changes leave out."""

from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0018_link_prompts")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["prompt", "status"], name="ix_optimizations_prompt_id_status"),
        ),
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["status", "overall_score"], name="ix_optimizations_status_score"),
        ),
    ]
