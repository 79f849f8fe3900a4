from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_prompt")]

    operations = [
        AdoptIndex(model_name="project", index=NamedIndex(fields=["status"], name="ix_projects_status")),
    ]
