from django.db import migrations

from promptadmin.accounts.roles import EDITOR, OPERATOR, VIEWER, grant

VIEW = [
    f"view_{model}" for model in ("promptname", "label", "labelevent", "labelrule", "promotionrequest", "promptfetch")
]
CHANGE = [f"{verb}_{model}" for model in ("promptname", "label") for verb in ("add", "change", "delete")]


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_append_only"), ("promptadmin", "0003_roles")]

    operations = [grant("registry", {VIEWER: VIEW, EDITOR: [*VIEW, *CHANGE], OPERATOR: VIEW})]
