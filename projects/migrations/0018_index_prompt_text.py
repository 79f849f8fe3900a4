"""An index by which a project's prompt is found by its text: without it each recorded run reads all of them."""

from django.db import migrations, models

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex

KEY = "SUBSTR(TRIM(REPLACE(REPLACE(REPLACE(%(expressions)s, '\n', ' '), '\t', ' '), '  ', ' ')), 1, 40)"


class Migration(migrations.Migration):
    dependencies = [("projects", "0017_index_prompt_project_key")]

    operations = [
        AdoptIndex(
            model_name="prompt",
            index=NamedIndex("project", models.Func(models.F("content"), template=KEY), name="ix_prompts_text"),
        ),
    ]
