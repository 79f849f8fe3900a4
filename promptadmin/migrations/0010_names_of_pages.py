from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("promptadmin", "0009_scope_promote"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="logentry",
            options={
                "default_permissions": ("view",),
                "get_latest_by": "timestamp",
                "ordering": ["-timestamp"],
                "verbose_name": "change log entry",
                "verbose_name_plural": "change log entries",
            },
        ),
    ]
