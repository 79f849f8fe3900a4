"""The plugin's table."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Identity(models.Model):
    """A row is who a user is at a provider: only the provider's own id tells, for names and addresses change hands."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="oidc_identity")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)

    objects: ClassVar[models.Manager[Identity]] = models.Manager()

    class Meta:
        app_label = (
            "oidc"  # otherwise a module that imports this one while the plugin is off gives the model to promptadmin
        )
        verbose_name_plural = "identities"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="uq_oidc_identity")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
