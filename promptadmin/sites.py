"""The admin site: apart from `admin.py`, which registers on it while it is imported."""

from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):
    """The back-office."""

    site_header = site_title = "promptadmin"
    index_title = "Back-office"
    site_url = None
