"""Each deleted run looks for the versions that came from it: without this index it reads all of them."""

from django.db import migrations, models

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0012_immutable_versions")]

    operations = [
        AdoptIndex(
            model_name="promptversion",
            index=NamedIndex(
                fields=["optimization"],
                name="ix_prompt_versions_optimization_id",
                condition=models.Q(optimization__isnull=False),
            ),
        ),
    ]
