"""The back-office's addresses, loaded with the first that is asked for: its pages are half of what there is to load."""

from django.contrib import admin

admin.autodiscover()
urlpatterns, app_name, _ = admin.site.urls
