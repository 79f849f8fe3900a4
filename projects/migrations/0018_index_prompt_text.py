"""An index by which a project's prompt is found by its text: without it each recorded run reads all of them."""

from django.db import migrations

from projects.texts.keys import key_of_content
from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0017_index_prompt_project_key")]

    operations = [
        AdoptIndex(model_name="prompt", index=NamedIndex("project", key_of_content(), name="ix_prompts_text")),
    ]
