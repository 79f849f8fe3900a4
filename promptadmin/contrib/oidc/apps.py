"""Sign-in through an OpenID Connect provider, as a plugin."""

from promptadmin.plugins.declarations import PluginConfig


class OidcConfig(PluginConfig):
    """Lets people sign in through a provider such as Keycloak or Entra ID, whose groups give them roles."""

    name = "promptadmin.contrib.oidc"
    label = "oidc"
    verbose_name = "OpenID Connect"
