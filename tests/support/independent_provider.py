"""An identity provider made with pyop, which shares no code with the program.

`python -m tests.support.independent_provider CERTIFICATE KEY` prints its address, and runs until it is stopped. `POST
/client` registers a client (redirect_uri, logged_out_uri, frontchannel_uri). Its sign-in page asks for a name, and
believes it.
"""

import json
import secrets
import sys
from typing import Any
from urllib.parse import urlencode

from Cryptodome.PublicKey import RSA
from flask import Flask, Response, redirect, request
from jwkest.jwk import RSAKey
from oic.oic.message import EndSessionRequest
from pyop.authz_state import AuthorizationState
from pyop.exceptions import OAuthError
from pyop.provider import Provider
from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
from pyop.userinfo import Userinfo
from werkzeug.serving import make_server

from tests.support.providers import ACR, CLIENT_ID, SECRET

_PAGE = "<!doctype html><html lang=nb><title>{title}</title><h1>{title}</h1>{body}"
_FORM = '<form method="post"><label>Hvem er du? <input name="who"></label> <button>Bekreft</button></form>'


class _People(dict[str, dict[str, Any]]):
    """User data: every name is a user."""

    def __missing__(self, name: str) -> dict[str, Any]:
        return {}


def _provider(issuer: str, clients: dict[str, dict[str, Any]]) -> Provider:
    described = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "end_session_endpoint": f"{issuer}/endsession",
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid"],
    }
    key = RSAKey(key=RSA.generate(2048), use="sig", alg="RS256", kid="en")
    state = AuthorizationState(HashBasedSubjectIdentifierFactory("salt"))
    return Provider(key, described, state, clients, Userinfo(_People()))


def provider_app(issuer: str) -> Flask:
    """The provider's pages."""
    app = Flask(__name__)
    clients: dict[str, dict[str, Any]] = {}
    visits: dict[str, str] = {}  # user → session id
    provider = _provider(issuer, clients)

    @app.post("/client")
    def client() -> str:
        clients[CLIENT_ID] = {
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_basic",
            "response_types": ["code"],
            "subject_type": "pairwise",
            "redirect_uris": [request.form["redirect_uri"]],
            "post_logout_redirect_uris": [request.form["logged_out_uri"]],
            "frontchannel_uri": request.form["frontchannel_uri"],
        }
        return ""

    app.add_url_rule("/.well-known/openid-configuration", view_func=lambda: provider.provider_configuration.to_dict())
    app.add_url_rule("/jwks", "jwks", view_func=lambda: provider.jwks)
    _let_sign_in(app, provider, visits)
    _let_sign_out(app, provider, visits, clients)
    return app


def _let_sign_in(app: Flask, provider: Provider, visits: dict[str, str]) -> None:
    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        asked = provider.parse_authentication_request(request.query_string.decode())
        if request.method == "GET":
            return _PAGE.format(title="Leverandøren", body=_FORM)
        who = request.form["who"]
        visits[who] = secrets.token_hex(8)
        return redirect(provider.authorize(asked, who).request(asked["redirect_uri"]), 303)

    @app.post("/token")
    def token() -> Any:
        def more(who: str, _client: str) -> dict[str, Any]:
            return {"sid": visits[who], "acr": ACR}

        try:
            body = request.get_data().decode()
            return provider.handle_token_request(body, dict(request.headers), extra_id_token_claims=more).to_dict()
        except OAuthError as problem:
            return Response(json.dumps({"error": problem.oauth_error}), 400, mimetype="application/json")


def _let_sign_out(app: Flask, provider: Provider, visits: dict[str, str], clients: dict[str, dict[str, Any]]) -> None:
    @app.get("/endsession")
    def end_session() -> Any:
        asked = EndSessionRequest().deserialize(request.query_string.decode())  # type: ignore[no-untyped-call]
        provider.logout_user(end_session_request=asked)
        back = provider.do_post_logout_redirect(asked)
        return redirect(back, 303) if back else _PAGE.format(title="Du er logget ut av alt", body="")

    @app.get("/signout/<who>")
    def sign_out(who: str) -> str:
        """Sign the user out, and notify clients in frames."""
        told = urlencode({"iss": provider.configuration_information["issuer"], "sid": visits.pop(who)})
        frame = f'<iframe src="{clients[CLIENT_ID]["frontchannel_uri"]}?{told}" title="ut"></iframe>'
        return _PAGE.format(title="Du er logget ut av alt", body=frame)


def main(certificate: str, key: str) -> None:
    """Serve on a free port, and print the address."""
    app = Flask(__name__)
    server = make_server(
        "127.0.0.1",
        0,
        lambda environ, start: app.wsgi_app(environ, start),
        threaded=True,
        ssl_context=(certificate, key),
    )
    issuer = f"https://127.0.0.1:{server.server_port}"
    app = provider_app(issuer)
    print(issuer, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
