"""The rules of the URL map."""

import re

from flask import Flask
from werkzeug.routing import Rule

NOBODYS = "0123456789abcdef"  # the id of a participant that never existed


def rules_of(app: Flask) -> dict[str, Rule]:
    """Rules by «GET /deltakere/<id>/<page>» and the like, for each rule and method of the program."""
    found = {}
    for rule in app.url_map.iter_rules():
        words = re.sub(r"<[^>]*_id>", "<id>", re.sub(r"<any[^>]*>", "<page>", rule.rule))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found[f"{method} {words}"] = rule
    return found
