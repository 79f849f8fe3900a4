from django.db import migrations

from promptadmin.db.fields import JSONText
from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("projects", "0008_index_prompt_versions"), ("optimizations", "0013_version")]

    operations = [
        AdoptField(model_name="project", name="context_profile", field=JSONText(null=True, blank=True)),
    ]
