from django.db import migrations, models

from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0014_codebase_context_snapshot")]

    operations = [
        AdoptField(
            model_name="optimization",
            name="cache_creation_input_tokens",
            field=models.IntegerField(null=True, blank=True),
        ),
        AdoptField(
            model_name="optimization", name="cache_read_input_tokens", field=models.IntegerField(null=True, blank=True)
        ),
    ]
