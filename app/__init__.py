"""The web: HTTP in, HTML out. `create_app` assembles it, in reading order."""

import os
from collections.abc import Mapping
from functools import cache

from flask import Flask
from flask_alembic import Alembic
from flask_compress import Compress
from flask_login import LoginManager
from jinja2 import FileSystemLoader
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix

from app.accounts import accounts, init_providers, load_user
from app.commands.accounts import init_account_commands
from app.commands.audit import init_audit_commands
from app.commands.backup import init_backup_commands
from app.commands.running import init_commands
from app.connections.mail import init_outgoing
from app.connections.registers import connect_registers
from app.oversight import oversight
from app.overview.downloads import downloads
from app.overview.query import canonical
from app.overview.saved_views import saved_views
from app.overview.views import overview
from app.participants.corrections import mending
from app.participants.views import participants
from app.registration.creating import creating
from app.registration.views import registration
from app.serving.static_files import init_static
from app.settings.config import PROJECT, Settings, settings_from
from app.settings.installation import check_installation
from app.web.access import init_access
from app.web.csrf import MaskedTokens
from app.web.errors import init_errors
from app.web.form_fields import init_form_fields
from app.web.formatting import init_formatting
from app.web.health import health
from app.web.logs import init_logs
from app.web.menu import init_menu
from app.web.page_views import init_shown
from app.web.responses import MAX_BODY, PublicIdConverter, address_of, init_web
from app.web.sessions import DatabaseSessions
from app.web.way_back import init_way_back
from services.core.db import Base, belongs_to_schema, db, listen
from services.core.i18n import current_language, gettext, ngettext

_LIST = (overview, downloads, saved_views)
_PARTICIPANT = (creating, registration, participants, mending)
BLUEPRINTS = (health, accounts, *_LIST, *_PARTICIPANT, oversight)


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Create the program with the settings of an environment (default: the process's own)."""
    settings = settings_from(os.environ if environ is None else environ)
    app = Flask(__name__, static_folder=None, instance_path=str(PROJECT / "instance"))
    _configure(app, settings)
    init_logs(app)
    _connect_database(app)
    _set_up_templates(app)
    MaskedTokens(app)
    Compress(app)
    _sign_in_manager().init_app(app)
    app.session_interface = DatabaseSessions()
    app.extensions["registers"] = connect_registers(settings)
    init_outgoing(app)
    init_shown(app)
    init_providers(app)
    app.url_map.converters["id"] = PublicIdConverter
    init_access(app)
    init_web(app)
    init_form_fields(app)
    init_way_back(app, canonical)
    init_errors(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    init_menu(app)
    init_commands(app)
    init_account_commands(app)
    init_audit_commands(app)
    init_backup_commands(app)
    init_static(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config |= {
        "SETTINGS": settings,
        "SECRET_KEY": settings.secret_key,
        "TESTING": settings.environment == "test",
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "MAX_FORM_MEMORY_SIZE": MAX_BODY,
        "SESSION_COOKIE_NAME": "__Host-session" if settings.in_production else "session",
        "SESSION_COOKIE_SECURE": settings.in_production,
        "WTF_CSRF_TIME_LIMIT": None,  # the token lives as long as the session
        "COMPRESS_MIMETYPES": ["text/html"],
        "COMPRESS_ALGORITHM": ["br", "gzip"],
        "COMPRESS_MIN_SIZE": 500,
        "COMPRESS_EVALUATE_CONDITIONAL_REQUEST": False,  # pages are never stored, so there are no conditional requests
        "COMPRESS_BR_LEVEL": 5,  # a tenth smaller than the default, for a tenth of a millisecond
        "COMPRESS_BR_WINDOW": 16,  # as large as a page; the default's four megabytes are slower to set up
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        # Values of a failed statement never reach the log: they are personal data.
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},
        "ALEMBIC": {"script_location": str(PROJECT / "services" / "migrations")},
        "ALEMBIC_CONTEXT": {"include_object": belongs_to_schema},
    }


def _connect_database(app: Flask) -> None:
    db.init_app(app)
    Alembic(app, run_mkdir=False, metadatas=Base.metadata)
    with app.app_context():
        listen(db.engine)
        check_installation(app, db.engine)


def _set_up_templates(app: Flask) -> None:
    app.jinja_loader = FileSystemLoader([PROJECT / "app" / "templates", PROJECT / "app" / "partials"])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"_": gettext, "ngettext": ngettext, "current_language": current_language}
    app.jinja_env.globals["url_for"] = address_of
    app.jinja_env.add_extension("jinja2.ext.do")
    init_formatting(app)
    _lay_out_macros(app)


def _lay_out_macros(app: Flask) -> None:
    """Make the shared macros global to all templates, since importing them takes a tenth of a millisecond of every
    response; and provide `always` for parts of a page that never change: rendered once for each language."""
    of = app.jinja_env.get_template
    app.jinja_env.globals["icon"] = cache(of("ui/icons.html").module.icon)  # type: ignore[attr-defined]
    for name in ("data", "fields", "messages", "navigation"):
        app.jinja_env.globals[name] = of(f"ui/{name}.html").module

    @cache
    def drawn(name: str, _language: str) -> Markup:
        return Markup(of(name).render())  # noqa: S704 - a template of ours

    app.jinja_env.globals["always"] = lambda name: drawn(name, current_language())


def _sign_in_manager() -> LoginManager:
    manager = LoginManager()
    manager.session_protection = None  # sessions are in the database, under random keys
    manager.user_loader(load_user)
    return manager
