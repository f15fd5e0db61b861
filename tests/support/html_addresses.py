"""Checks of the addresses in an HTML response: links, form actions, htmx addresses, forms' tokens."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urljoin, urlsplit
from xml.etree.ElementTree import Element

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter, RequestRedirect

from tests.support.html_tree import HtmlTree, describe

# Hosts outside the register that links may lead to: IMDi's questions and answers.
EXTERNAL_HOSTS = frozenset({"imdi.no", "www.imdi.no"})
CSRF_FIELD = "csrf_token"

_SITE = "http://localhost"
_PLAIN = {"a": "href", "form": "action", "button": "formaction", "input": "formaction"}
_ADDRESSES = ("href", "src", "action", "formaction", "data-hx-get", "data-hx-post")
_MAY_HOLD_NUMBERS = (*_ADDRESSES, "data-hx-vals", "data-hx-push-url", "data-hx-replace-url")
_SELECTORS = ("data-hx-target", "data-hx-include", "data-hx-indicator", "data-hx-sync", "data-hx-disable")
_NATIONAL_ID = re.compile(r"(?<![0-9A-Za-z])\d{6}(?:%20|[ +.-])?\d{5}(?![0-9A-Za-z])")


def holds_national_id(address: str) -> bool:
    """True if the address contains eleven digits in a row, as in a fødselsnummer."""
    return _NATIONAL_ID.search(address) is not None


@dataclass(frozen=True)
class AddressChecks:
    """The addresses of one response. See `check_html` for the fields."""

    tree: HtmlTree
    url_adapter: MapAdapter
    address: str
    asset_exists: Callable[[str], bool] | None = None
    providers: frozenset[str] = frozenset()

    def find_faults(self) -> Iterator[str]:
        """All faults, one sentence each."""
        for element in self.tree.elements():
            for name in _MAY_HOLD_NUMBERS:
                if holds_national_id(element.attrib.get(name, "")):
                    yield f"{describe(element)}: {name} holds 11 digits, a fødselsnummer? Use the public id"
            for name in _ADDRESSES:
                if name in element.attrib:
                    yield from self._address(element, name)
            yield from self._plain_way(element)
            if self.tree.is_page:
                yield from self._selectors(element)
        for form in self.tree.elements("form"):
            yield from self._form(form)

    def _address(self, element: Element, name: str) -> Iterator[str]:
        value = element.attrib[name].strip()
        where = f'{describe(element)}: {name}="{value[:100]}"'
        try:
            target = urlsplit(urljoin(_SITE + self.address, value))
        except ValueError:
            yield f"{where} is no address; build it with url_for"
            return
        if f"{target.scheme}://{target.netloc}" != _SITE:
            yield from self._outside(element, name, target, where)
        elif value.startswith("#"):
            if self.tree.is_page and value[1:] not in self.tree.by_id:
                yield f"{where} leads to no element of the page; give the goal that id"
        elif name != "href" or element.tag in {"a", "link"}:
            yield from self._inside(self._method(element, name), target.path, where)

    def _outside(self, element: Element, name: str, target: SplitResult, where: str) -> Iterator[str]:
        if element.tag == "a" and name == "href":
            if target.scheme in {"mailto", "tel"}:
                return
            is_known = target.scheme == "https" and target.hostname in EXTERNAL_HOSTS
            if is_known or f"{target.scheme}://{target.netloc}" in self.providers:
                return
        is_icon = element.tag == "link" and element.attrib.get("rel") == "icon"
        if target.scheme == "data" and (element.tag == "img" or is_icon):
            return
        yield f"{where} leads out of the register; serve it from here, or allow its host in html_addresses.py"

    def _inside(self, method: str, path: str, where: str) -> Iterator[str]:
        try:
            endpoint, _values = self.url_adapter.match(unquote(path), method=method)
        except NotFound:
            if self.asset_exists is None or not self.asset_exists(path):
                yield f"{where}: no view has this address; build it with url_for"
        except MethodNotAllowed as error:
            yield f"{where}: the view takes {sorted(error.valid_methods or [])}, not {method}"
        except RequestRedirect as error:
            yield f"{where} only redirects to {error.new_url}; write that"
        else:
            served = self.asset_exists is None or self.asset_exists(path)
            if endpoint == "static" and not served:
                yield f"{where}: there is no such static file"

    def _method(self, element: Element, name: str) -> str:
        if name.startswith("data-hx-"):
            return name.removeprefix("data-hx-").upper()
        if name == "action":
            return element.attrib.get("method", "get").upper()
        if name == "formaction":
            form = self._form_of(element)
            inherited = "get" if form is None else form.attrib.get("method", "get")
            # A fragment may have a button without its form; formaction is mostly for writes.
            if form is None and not self.tree.is_page:
                inherited = "post"
            return element.attrib.get("formmethod", inherited).upper()
        return "GET"

    def _form_of(self, element: Element) -> Element | None:
        if "form" in element.attrib:
            return self.tree.by_id.get(element.attrib["form"])
        return self.tree.closest(element, "form")

    def _form(self, form: Element) -> Iterator[str]:
        method = form.attrib.get("method", "get").lower()
        if method == "dialog":
            return
        if method not in {"get", "post"}:
            yield f'{describe(form)}: method="{method}" is none; use get or post'
        if not form.attrib.get("action"):
            yield f"{describe(form)}: write its action, so that it also works from a fragment"
        tokens = [
            field
            for field in self.tree.elements("input")
            if field.attrib.get("name") == CSRF_FIELD and self._form_of(field) is form
        ]
        if method == "get" and tokens:
            yield f"{describe(form)} would put its {CSRF_FIELD} into the address; remove the field"
        if method == "post" and [bool(token.attrib.get("value")) for token in tokens] != [True]:
            yield f"{describe(form)} needs one hidden field {CSRF_FIELD} with a value; use the macro for it"

    def _plain_way(self, element: Element) -> Iterator[str]:
        """Report htmx requests that are not possible without it.

        A link or a form must have the same address plainly. A button or field inside a form may have an htmx address of
        its own, since the form's plain submission sends the same fields and the button.
        """
        for name in ("data-hx-get", "data-hx-post"):
            if name not in element.attrib:
                continue
            wanted = (self._method(element, name), self._resolved(element.attrib[name]))
            plain = self._plain(element)
            if plain is None and element.tag not in {"a", "form"} and not self.tree.is_page:
                continue  # a fragment of a form, which is on the page
            same_place = element.tag in {"a", "form"} or "formaction" in element.attrib
            if plain is None or plain[0] != wanted[0] or (same_place and plain != wanted):
                yield (
                    f"{describe(element)}: without JavaScript nothing does what {name} does; put it on an "
                    "<a href> or <form action> with the same address, or inside a form of the same method"
                )

    def _plain(self, element: Element) -> tuple[str, str] | None:
        """Method and address of the element without htmx; None if there is none."""
        attribute = _PLAIN.get(element.tag)
        if attribute is not None and attribute in element.attrib:
            return self._method(element, attribute), self._resolved(element.attrib[attribute])
        form = self._form_of(element)
        if form is None or element.tag in {"a", "form"}:
            return None
        return self._method(form, "action"), self._resolved(form.attrib.get("action", ""))

    def _resolved(self, value: str) -> str:
        return urljoin(_SITE + self.address, value).partition("#")[0]

    def _selectors(self, element: Element) -> Iterator[str]:
        for name in _SELECTORS:
            for wanted in re.findall(r"#([\w-]+)", element.attrib.get(name, "")):
                if wanted not in self.tree.by_id:
                    yield f'{describe(element)}: {name} names "#{wanted}", which is not on the page'
