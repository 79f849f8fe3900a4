from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_index_project_status")]

    operations = [
        AdoptIndex(model_name="project", index=NamedIndex(fields=["created_at"], name="ix_projects_created_at")),
        AdoptIndex(model_name="project", index=NamedIndex(fields=["updated_at"], name="ix_projects_updated_at")),
    ]
