"""The filters of a list stay with the pages that it leads to: on the way there, and on every way back."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, get_script_prefix, resolve

PARAMETER = "_changelist_filters"  # Django's, in the links of its lists
LIST = "_changelist"


def keep_filters(request: HttpRequest, address: str) -> str:
    """The address, with the filters of the list that the request's page belongs to if it belongs there too.

    An address with a query of its own stays as it is.
    """
    here, parts = request.resolver_match, urlsplit(address)
    if here is None or parts.query or parts.scheme or parts.netloc or not parts.path.startswith("/"):
        return address
    try:
        there = resolve("/" + parts.path.removeprefix(get_script_prefix()))
    except Resolver404:
        return address
    names = (here.url_name or "", there.url_name or "")
    # As in `projects_prompt_change`: the application and the table, in which nothing else has underscores.
    tables = [name.split("_")[:2] for name in names]
    if tables[0] != tables[1] or len(tables[0]) < 2 or here.namespace != there.namespace:
        return address
    filters = request.GET.urlencode() if names[0].endswith(LIST) else request.GET.get(PARAMETER, "")
    if not filters:
        return address
    if not names[1].endswith(LIST):
        query = QueryDict(mutable=True)
        query[PARAMETER] = filters
        filters = query.urlencode()
    return parts._replace(query=filters).geturl()
