from django.db import migrations, models

from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("promptadmin", "0008_secrets_out_of_the_log")]

    operations = [
        AdoptField(
            model_name="apitoken",
            name="can_promote",
            field=models.BooleanField(db_default=False, default=False, verbose_name="promote"),
        ),
    ]
