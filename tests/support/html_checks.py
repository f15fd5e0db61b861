"""Checks of every HTML response in the tests. Each finding says its remedy.

The test client (`tests.support.client`) calls `check_html`, so a test that only looks at one word of a page has the
whole page checked.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import pairwise
from weakref import WeakKeyDictionary
from xml.etree.ElementTree import Element

import html5lib.constants
from werkzeug.routing import Map, MapAdapter

from app.web.responses import END_MARK
from tests.support import html_vocabulary as vocabulary
from tests.support.forms import Form
from tests.support.html_addresses import AddressChecks
from tests.support.html_tree import HEADINGS, LABELABLE, HtmlTree, describe, is_element

ERROR_PREFIX = "Feil: "
LANGUAGES = frozenset({"nb", "nn"})

_UNRENDERED = re.compile(r"\{\{|\}\}|\{%|%\}|\bobject at 0x|<bound method|%\([a-z_]+\)[sd]")


def check_html(
    source: str,
    *,
    is_page: bool,
    url_adapter: MapAdapter,
    address: str = "/",
    asset_exists: Callable[[str], bool] | None = None,
    providers: frozenset[str] = frozenset(),
) -> HtmlTree | None:
    """Check one HTML response; AssertionError lists every finding. Returns the parsed tree, or None if the same HTML,
    except for the tokens of its forms, has passed before: then it is not parsed again.

    `is_page`: a whole page, or a fragment requested by htmx. `address`: path and query of the request, the base of
    relative links. `asset_exists`: tells whether a static address is served. `providers`: the identity providers that
    links may lead to.
    """
    known_as = _digest(source, is_page, url_adapter, address, providers)
    if known_as in _found_right:
        return None
    tree = HtmlTree(source, is_page=is_page)
    addresses = AddressChecks(tree, url_adapter, address, asset_exists, providers)
    found = list(find_faults(tree)) + list(addresses.find_faults())
    what = "page" if is_page else "fragment"
    assert not found, f"{len(found)} faults in the {what} {address}:\n- " + "\n- ".join(found)
    _found_right.add(known_as)
    return tree


_TOKEN = re.compile(r'(?<=name="csrf_token" value=")[^"]+(?=")')
_RELATIVE = re.compile(r'(?:href|action|src|data-hx-[a-z]+)="(?:\?[^"]*)?"')  # depends on the query of its page
_found_right: set[bytes] = set()
_rules_of: WeakKeyDictionary[Map, str] = WeakKeyDictionary()


def _digest(source: str, is_page: bool, url_adapter: MapAdapter, address: str, providers: frozenset[str]) -> bytes:
    """Everything that the findings depend on. Whether static files exist does not change during a run."""
    where = address if _RELATIVE.search(source) else address.partition("?")[0]
    if url_adapter.map not in _rules_of:
        _rules_of[url_adapter.map] = repr(
            sorted(f"{rule.rule} {sorted(rule.methods or ())}" for rule in url_adapter.map.iter_rules())
        )
    told = (_TOKEN.sub("x", source), str(is_page), where, _rules_of[url_adapter.map], *sorted(providers))
    return sha256("\0".join(told).encode("utf-8", "surrogatepass")).digest()


def find_faults(tree: HtmlTree) -> Iterator[str]:
    """Everything wrong with the tree, one sentence each, addresses left out."""
    for check in _CHECKS:
        yield from check(tree)
    if tree.is_page:
        for check in _PAGE_CHECKS:
            yield from check(tree)


def _parsing(tree: HtmlTree) -> Iterator[str]:
    for (line, _column), code, details in tree.parse_errors:
        message = html5lib.constants.E.get(code, code)
        said = message % details if details else message
        near = tree.source.splitlines()[line - 1 : line] or [""]
        yield f"line {line}: {said} Mend the tags there: {near[0].strip()[:120]}"


def _known_words(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements():
        if element.tag.startswith("{"):  # svg has its own vocabulary
            continue
        if element.tag not in vocabulary.ELEMENTS:
            yield f"{describe(element)}: no element of HTML (or an obsolete one); use another"
            continue
        allowed = vocabulary.ELEMENTS[element.tag]
        for name in element.attrib:
            yield from _known_attribute(element, name, allowed)


def _known_attribute(element: Element, name: str, allowed: frozenset[str]) -> Iterator[str]:
    where = describe(element)
    if name.startswith("on"):
        yield f"{where}: {name} is script in the page; listen in a script of static/scripts"
    elif name == "style":
        yield f"{where}: style is forbidden by the content policy; use a class of app.css"
    elif name.startswith("hx-"):
        if element.tag != "hx-partial":
            yield f"{where}: write data-{name}, which is valid HTML"
    elif name.startswith("aria-"):
        if name not in vocabulary.ARIA_ATTRIBUTES:
            yield f"{where}: ARIA knows no {name}"
    elif not name.startswith("data-") and name not in allowed | vocabulary.GLOBAL_ATTRIBUTES:
        yield f"{where}: {element.tag} has no attribute {name}; remove it or use data-{name}"


def _htmx(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements():
        for name, value in element.attrib.items():
            if not name.startswith(("data-hx-", "hx-")):
                continue
            short = name.removeprefix("data-").removeprefix("hx-")
            first = re.split(r"[:.-]", short)[0]
            if first in vocabulary.FORBIDDEN_HTMX:
                yield f"{describe(element)}: {name} is not used here; {vocabulary.FORBIDDEN_HTMX[first]}"
            if re.search(r"\b(js|javascript):", value):
                yield f"{describe(element)}: {name} runs script; send the value from a form field"


def _inline_code(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements("script", "style"):
        if element.tag == "style":
            yield "<style>: forbidden by the content policy; write it in app.css"
        elif "src" not in element.attrib or (element.text or "").strip():
            yield f"{describe(element)}: inline script is forbidden by the content policy; write it in static/scripts"


def _nesting(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements():
        parent = tree.parents.get(element)
        allowed = vocabulary.ONLY_CHILDREN.get(parent.tag) if parent is not None else None
        if parent is not None and allowed is not None and element.tag not in allowed:
            yield f"{describe(element)} stands in <{parent.tag}>, which may only hold {sorted(allowed)}"
        if element.tag in vocabulary.BLOCKS:
            around = tree.closest(element, *vocabulary.PHRASING_ONLY, *vocabulary.BLOCKS)
            if around is not None and around.tag in vocabulary.PHRASING_ONLY:
                yield f"{describe(element)} is a block inside {describe(around)}; use span inside"
        if element.tag in vocabulary.INTERACTIVE and element.attrib.get("type") != "hidden":
            yield from _interactive_nesting(tree, element)


def _interactive_nesting(tree: HtmlTree, element: Element) -> Iterator[str]:
    around = tree.closest(element, "a", "button", "label")
    if around is None:
        return
    own_label = around.tag == "label" and element.tag in LABELABLE - {"button"}
    if not own_label:
        yield f"{describe(element)} stands inside {describe(around)}; put it beside, not inside"


def _parts_in_place(tree: HtmlTree) -> Iterator[str]:
    for tag, first in (("fieldset", "legend"), ("details", "summary")):
        for element in tree.elements(tag):
            children = [child.tag for child in element if is_element(child)]
            if children[:1] != [first] and not _is_named(element):
                yield f"{describe(element)}: its first child must be <{first}>, which names it"
    for element in tree.elements("th"):
        if "scope" not in element.attrib:
            yield f"{describe(element)}: say scope=col or scope=row"
    for element in tree.elements("img"):
        if "alt" not in element.attrib:
            yield f"{describe(element)}: add alt (empty for an ornament)"
    for element in tree.elements():
        if element.attrib.get("tabindex", "0") not in {"0", "-1"}:
            yield f"{describe(element)}: tabindex may be 0 or -1; the order of the page decides the rest"


def _unique_ids(tree: HtmlTree) -> Iterator[str]:
    ids = Counter(element.attrib["id"] for element in tree.elements() if "id" in element.attrib)
    for name, times in ids.items():
        if times > 1:
            yield f'id="{name}" stands {times} times; an id is for one element'
        if not name or re.search(r"\s", name):
            yield f'id="{name}" is empty or holds a blank; use letters, digits, - and _'


def _names(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements("input", "select", "textarea", "button", "meter", "progress", "output"):
        if element.attrib.get("type") != "hidden" and not tree.accessible_name(element):
            yield f"{describe(element)} has no name: give it a <label for>, a text, or aria-label"
    for element in tree.elements("a", "summary", *HEADINGS):
        if not tree.accessible_name(element):
            yield f"{describe(element)} has no text; write one (it may be visually hidden)"
    for element in tree.elements("dialog", "nav", "table"):
        captioned = element.tag == "table" and any(child.tag == "caption" for child in element)
        if len(element) and not _is_named(element) and not captioned:
            yield f"{describe(element)} has no name; add aria-label or aria-labelledby (a table: <caption>)"


def _is_named(element: Element) -> bool:
    return "aria-label" in element.attrib or "aria-labelledby" in element.attrib


def _groups(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements("input"):
        if element.attrib.get("type") != "radio":
            continue
        around = tree.closest(element, "fieldset")
        in_group = any(one.attrib.get("role") == "radiogroup" for one in tree.ancestors(element))
        if tree.is_page and around is None and not in_group:
            yield f"{describe(element)} stands in no <fieldset>; its <legend> is the question"


def _label_targets(tree: HtmlTree) -> Iterator[str]:
    for label in tree.elements("label"):
        if "for" in label.attrib:
            target = tree.by_id.get(label.attrib["for"])
            if target is None:
                yield f"{describe(label)} names no element; give the control that id"
            elif target.tag not in LABELABLE or target.attrib.get("type") == "hidden":
                yield f"{describe(label)} names {describe(target)}, which takes no label"
        elif not any(element.tag in LABELABLE for element in label.iter()):
            yield f"{describe(label)} labels nothing; add for"


def _ends_of_forms(tree: HtmlTree) -> Iterator[str]:
    """Report forms without an end mark (app.web.form_fields)."""
    for element in tree.elements("form"):
        form = Form(tree, element)
        posts = element.attrib.get("method", "get").lower() == "post"
        fields = {id(control.element): control for control in form.controls}
        named = [one for one in tree.elements() if id(one) in form.owned and one.attrib.get("name")]
        last = fields.get(id(named[-1])) if named else None
        if posts and (last is None or (last.name, last.value, last.kind) != (END_MARK, "1", "hidden")):
            yield f"{describe(element)}: write {{{{ end_mark }}}} as its last field, after all its buttons"
        ways = [one for one in form.buttons if one.attrib.get("formmethod", "").lower() == "post"]
        if not posts and ways:
            yield f"{describe(element)}: post it by its method, so that it is known to have an end"


def _unrendered(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements():
        for text in (element.text, element.tail, *element.attrib.values()):
            if text and (_UNRENDERED.search(text) or text.strip() in {"None", "Undefined"}):
                yield f"{describe(element)}: «{text.strip()[:80]}» looks unrendered; mend the template"


def _headings(tree: HtmlTree) -> Iterator[str]:
    levels = [int(element.tag[1]) for element in tree.elements(*HEADINGS)]
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"<h{after}> follows <h{before}>; use <h{before + 1}> and set its size by a class"


def _one_h1(tree: HtmlTree) -> Iterator[str]:
    h1 = [tree.text(element) for element in tree.elements("h1")]
    if len(h1) != 1:
        yield f"{len(h1)} <h1> {h1}; a page has one, its heading"
        return
    titles = [tree.text(element) for element in tree.elements("title") if not element.tag.startswith("{")]
    if len(titles) != 1:
        yield f"{len(titles)} <title>; a page has one"
    elif not titles[0].removeprefix(ERROR_PREFIX).startswith(h1[0]):
        yield f"<title> «{titles[0]}» does not begin with the <h1> «{h1[0]}» (after «{ERROR_PREFIX}», if any)"


def _language(tree: HtmlTree) -> Iterator[str]:
    language = tree.root.attrib.get("lang", "")
    if language not in LANGUAGES:
        yield f'<html lang="{language}">: say one of {sorted(LANGUAGES)}'
    charset = [element for element in tree.elements("meta") if "charset" in element.attrib]
    if len(charset) != 1:
        yield 'add <meta charset="utf-8"> to the head, once'


def _landmarks(tree: HtmlTree) -> Iterator[str]:
    mains = list(tree.elements("main"))
    if len(mains) != 1:
        yield f"{len(mains)} <main>; a page has one"
    focused = [describe(element) for element in tree.elements() if "autofocus" in element.attrib]
    if len(focused) > 1:
        yield f"autofocus on {focused}; only one element can have the focus"


def _references(tree: HtmlTree) -> Iterator[str]:
    for element in tree.elements():
        for name in vocabulary.ID_REFERENCES & element.attrib.keys():
            for target in element.attrib[name].split():
                if target not in tree.by_id:
                    yield f'{describe(element)}: {name} names "{target}", which is not on the page'


_Check = Callable[[HtmlTree], Iterator[str]]

_CHECKS: tuple[_Check, ...] = (
    _parsing,
    _known_words,
    _htmx,
    _inline_code,
    _nesting,
    _parts_in_place,
    _unique_ids,
    _names,
    _groups,
    _label_targets,
    _ends_of_forms,
    _unrendered,
    _headings,
)
_PAGE_CHECKS: tuple[_Check, ...] = (_one_h1, _language, _landmarks, _references)
