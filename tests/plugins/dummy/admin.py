from django.contrib import admin
from dummy.models import Note

admin.site.register(Note)
