from django.db import migrations

from promptadmin.db.fields import Link
from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0008_index_task_type_project"), ("projects", "0008_index_prompt_versions")]

    operations = [
        AdoptField(
            model_name="optimization",
            name="prompt",
            field=Link(
                blank=True, null=True, on_delete_sql="SET NULL", related_name="optimizations", to="projects.prompt"
            ),
        ),
    ]
