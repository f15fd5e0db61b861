"""Which fields the views take that take forms, by endpoint."""

from flask import Flask

from app import BLUEPRINTS
from app.web.form_fields import fields_of
from app.web.responses import PublicIdConverter


def _views() -> dict[str, frozenset[str] | None]:
    """The views that say it."""
    bare = Flask(__name__)
    bare.url_map.converters["id"] = PublicIdConverter
    for blueprint in BLUEPRINTS:
        bare.register_blueprint(blueprint)
    return {name: fields_of(view) for name, view in bare.view_functions.items() if hasattr(view, "fields")}


TAKEN = {endpoint: fields for endpoint, fields in _views().items() if fields is not None}
BY_THEMSELVES = frozenset(_views()) - TAKEN.keys()
