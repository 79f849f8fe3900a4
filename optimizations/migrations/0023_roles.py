from django.db import migrations

from promptadmin.accounts.roles import EDITOR, OPERATOR, VIEWER, grant

VIEW = ["view_optimization"]
WRITE = ["add_optimization", "change_optimization", "delete_optimization"]


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0022_indexes_of_lists"), ("promptadmin", "0003_roles")]

    operations = [
        grant("optimizations", {VIEWER: VIEW, EDITOR: VIEW + WRITE, OPERATOR: VIEW}),
    ]
