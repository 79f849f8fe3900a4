from django.db import migrations, models

from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("promptadmin", "0011_saved_views")]

    operations = [
        AdoptField(
            model_name="apitoken",
            name="limits",
            field=models.TextField(blank=True, db_default="", default="", editable=False),
        ),
    ]
