"""What browsers may load and do on our pages: the directives of Content-Security-Policy, as django-csp wants them.

docs/security.md says what the theme forces, and why.
"""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

#: Of every answer that names no other: the API's, files', redirects', errors'. Nothing may be loaded, by nobody's page.
STRICT: dict[str, Any] = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
#: The API's documentation: scripts and styles of this host. Swagger styles single elements, and has images in styles.
DOCUMENTATION: dict[str, Any] = STRICT | {
    "connect-src": [SELF],
    "img-src": [SELF, "data:"],
    "script-src": [SELF],
    "style-src": [SELF],
    "style-src-attr": [UNSAFE_INLINE],
}
#: The back-office. Alpine.js, which the theme is made with, evaluates the expressions in its attributes.
PAGES: dict[str, Any] = DOCUMENTATION | {
    "font-src": [SELF],
    "form-action": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
}
