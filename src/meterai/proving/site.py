"""The demo's application: the site, and the demo's own pages in front."""

from starlette.applications import Starlette

from meterai.proving.demo_pages import routes
from meterai.serving import create as create_site


def create() -> Starlette:
    """The application of one web process of a demo."""
    return create_site(routes)
