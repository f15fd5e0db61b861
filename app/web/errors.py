"""Responses to exceptions: a whole page, or a fragment for the page's alert area."""

import logging

from flask import Flask, Response, current_app, g, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.settings.config import NoPublicUrl
from app.web.csrf import tell_token
from app.web.responses import NotWhole, is_partial, respond
from services.access.hourly_limits import TooManyDownloads
from services.access.page_views import NotLogged, TooManyViews
from services.core.i18n import gettext as _
from services.core.i18n import ngettext
from services.participation.find import NoSuchParticipant, NotAllowed
from services.participation.save import TooMuchTyped

logger = logging.getLogger(__name__)


def _words(code: int) -> tuple[str, str]:
    """Heading and advice for a status."""
    known = {
        400: (_("Forespørselen kunne ikke forstås"), _("Gå tilbake, last siden på nytt og prøv igjen.")),
        401: (
            _("Du er logget ut"),
            _("Det du sendte nå, er ikke lagret. Logg inn igjen."),
        ),
        403: (
            _("Du har ikke tilgang til dette"),
            _("Mener du at du skal ha tilgang, spør kommuneadministratoren din."),
        ),
        404: (_("Siden finnes ikke"), _("Adressen er feil, eller deltakeren finnes ikke hos deg.")),
        405: (_("Dette kan ikke gjøres her"), _("Gå tilbake og prøv på nytt derfra.")),
        408: (_("Forbindelsen er for treg"), _("Det du sendte, kom ikke fram, og ingenting er lagret. Prøv igjen.")),
        409: (_("Noen andre har endret det samme"), _("Last siden på nytt for å se hva som står der nå.")),
        413: (_("Det du sendte, er for stort"), _("Kort ned teksten og prøv igjen.")),
        414: (_("Adressen er for lang"), _("Gå til forsiden og prøv igjen derfra.")),
        431: (
            _("Nettleseren sendte for mye"),
            _("Slett informasjonskapslene for dette nettstedet i nettleseren, og prøv igjen."),
        ),
        503: (_("Registeret svarer ikke akkurat nå"), _("Prøv igjen om litt. Det som var lagret, er trygt.")),
    }
    if code in known:
        return known[code]
    if code < 500:
        return known[400]
    return (
        _("Noe gikk galt hos oss"),
        _("Feilen er logget. Prøv igjen om litt. Det som var lagret, er trygt."),
    )


def error_answer(code: int, words: tuple[str, str] | None = None) -> Response:
    """The response for a status: a page, or an alert within the page on screen. `words`: heading and advice, if those
    of the status are not specific enough."""
    heading, advice = words or _words(code)
    if is_partial():
        answer = Response(render_template("ui/error_alert.html", heading=heading, advice=advice, code=code), code)
        answer.headers["HX-Retarget"] = "#varsler"
        answer.headers["HX-Reswap"] = "innerHTML"
        answer.headers["HX-Push-Url"] = "false"
        return answer
    sign_in = _sign_in_address() if code == 401 else ""
    return respond("error.html", status=code, heading=heading, advice=advice, sign_in=sign_in, code=code)


def wrong_token() -> Response:
    """The response to a wrong token. A page on screen gets the right one: its user may have begun another session in
    another tab."""
    answer, who = error_answer(400), g.get("viewer")
    if who is not None and is_partial():
        tell_token(answer, who)
    return answer


def _sign_in_address() -> str:
    """The sign-in address that leads back to the page of a form (which has the form's own address)."""
    addresses = current_app.create_url_adapter(request)
    has_page = addresses is not None and addresses.test(request.path, method="GET")
    return url_for("accounts.sign_in", neste=request.path if has_page else None)


def init_errors(app: Flask) -> None:
    """Register the error handlers."""

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < 400:
            return error
        answer = error_answer(error.code)
        for name, value in error.get_headers():
            if name == "Allow":
                answer.headers[name] = value
        return answer

    @app.errorhandler(NoSuchParticipant)
    def _missing(_error: NoSuchParticipant) -> Response:
        return error_answer(404)

    @app.errorhandler(NotAllowed)
    def _not_allowed(_error: NotAllowed) -> Response:
        return error_answer(
            403,
            (
                _("Deltakeren kan ikke endres"),
                _("Deltakeren er skrevet ut, eller hører til en kommune der du ikke registrerer."),
            ),
        )

    @app.errorhandler(NoPublicUrl)
    def _no_links(_error: NoPublicUrl) -> Response:
        logger.error("PUBLIC_URL is not set, so no e-mail with a link can be written")
        words = _("E-posten kan ikke lages"), _("Registeret mangler innstillingen PUBLIC_URL. Si fra til IMDi.")
        return error_answer(503, words)

    @app.errorhandler(InternalServerError)
    def _internal(error: InternalServerError) -> Response:
        return error_answer(500)

    _init_forms(app)
    _init_limits(app)


def _init_forms(app: Flask) -> None:
    @app.errorhandler(NotWhole)
    def _not_whole(_error: NotWhole) -> Response:
        words = _("Skjemaet kom ikke helt fram"), _("Ingenting av det er lagret. Gå tilbake, og send det på nytt.")
        answer = error_answer(400, words)
        if is_partial():
            answer.headers["HX-Trigger"] = "sendigjen"  # the page sends it again automatically
        return answer

    @app.errorhandler(CSRFError)
    def _csrf(_error: CSRFError) -> Response:
        return wrong_token()


def _init_limits(app: Flask) -> None:
    @app.errorhandler(TooMuchTyped)
    def _too_much(_error: TooMuchTyped) -> Response:
        return error_answer(413)

    @app.errorhandler(NotLogged)
    def _not_logged(_error: NotLogged) -> Response:
        words = (
            _("Deltakerne kan ikke vises akkurat nå"),
            _("Det du ser på, skal stå i tilgangsloggen, og den kan ikke skrives nå. Prøv igjen om litt."),
        )
        answer = error_answer(503, words)
        answer.headers["Retry-After"] = "10"
        return answer

    @app.errorhandler(TooManyViews)
    def _too_many_views(error: TooManyViews) -> Response:
        advice = ngettext(
            "Du har åpnet uvanlig mange sider med deltakere den siste timen. Neste side kan åpnes om %(n)s sekund.",
            "Du har åpnet uvanlig mange sider med deltakere den siste timen. Neste side kan åpnes om %(n)s sekunder.",
            error.seconds,
        )
        answer = error_answer(429, (_("Vent litt"), advice % {"n": error.seconds}))
        answer.headers["Retry-After"] = str(error.seconds)
        return answer

    @app.errorhandler(TooManyDownloads)
    def _too_many(error: TooManyDownloads) -> Response:
        minutes = -(-error.seconds // 60)
        advice = ngettext(
            "Du har lastet ned %(most)s filer den siste timen. Prøv igjen om %(minutes)s minutt.",
            "Du har lastet ned %(most)s filer den siste timen. Prøv igjen om %(minutes)s minutter.",
            minutes,
        )
        words = _("For mange nedlastinger"), advice % {"most": error.most, "minutes": minutes}
        answer = error_answer(429, words)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
