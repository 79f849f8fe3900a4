from django.db import models


class Note(models.Model):
    """A row is something that the dummy was told."""

    text = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.text
