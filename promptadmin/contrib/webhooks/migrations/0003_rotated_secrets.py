import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_roles")]

    operations = [
        migrations.CreateModel(
            name="FormerSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret", models.CharField(max_length=200)),
                ("signs_until", models.DateTimeField()),
                ("endpoint", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="webhooks.endpoint")),
            ],
            options={
                "verbose_name": "former webhook secret",
                "default_permissions": (),
            },
        ),
    ]
