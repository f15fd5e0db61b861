"""HTML as a tree with queries for tests: elements, their texts, labels and accessible names."""

import re
from collections.abc import Iterator
from functools import cached_property
from xml.etree.ElementTree import Element

import html5lib

LABELABLE = frozenset({"button", "input", "meter", "output", "progress", "select", "textarea"})
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

# A fragment is parsed as the children of its future parent element.
_CONTAINERS = {
    "tr": "tbody",
    "td": "tr",
    "th": "tr",
    "tbody": "table",
    "thead": "table",
    "caption": "table",
    "option": "select",
    "optgroup": "select",
}


def squeeze(text: str) -> str:
    """Text as it is read: blanks of any kind become one blank."""
    return " ".join(text.split())


def is_element(node: Element) -> bool:
    """False for comments, which the tree holds as elements without a tag name."""
    tag: object = node.tag
    return isinstance(tag, str)


def describe(element: Element) -> str:
    """The element's start tag, shortened, for messages."""
    attributes = "".join(f' {name}="{value}"' for name, value in element.attrib.items())
    shown = f"<{element.tag}{attributes}>"
    return shown if len(shown) <= 160 else f"{shown[:157]}…"


class HtmlTree:
    """One parsed response. `is_page`: a whole document, not a fragment."""

    def __init__(self, source: str, *, is_page: bool) -> None:
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        if is_page:
            self.root: Element = parser.parse(source)
        else:
            first = re.search(r"<([a-z][a-z0-9-]*)", source, re.IGNORECASE)
            container = _CONTAINERS.get(first.group(1).lower() if first else "", "div")
            self.root = parser.parseFragment(source, container=container)
        self.source = source
        self.is_page = is_page
        # (line, column), code and details of everything that a strict parser would reject.
        self.parse_errors: list[tuple[tuple[int, int], str, dict[str, object]]] = parser.errors
        self.parents: dict[Element, Element] = {child: parent for parent in self.root.iter() for child in parent}

    def elements(self, *tags: str) -> Iterator[Element]:
        """All elements (of these tags), in the order of the document; comments left out."""
        for element in self.root.iter():
            if is_element(element) and element.tag != "DOCUMENT_FRAGMENT" and (not tags or element.tag in tags):
                yield element

    def ancestors(self, element: Element) -> Iterator[Element]:
        """The parent, its parent, and so on."""
        while (parent := self.parents.get(element)) is not None:
            yield parent
            element = parent

    def closest(self, element: Element, *tags: str) -> Element | None:
        """The nearest ancestor of these tags."""
        return next((parent for parent in self.ancestors(element) if parent.tag in tags), None)

    @cached_property
    def by_id(self) -> dict[str, Element]:
        """The first element of each id."""
        found: dict[str, Element] = {}
        for element in self.elements():
            if "id" in element.attrib:
                found.setdefault(element.attrib["id"], element)
        return found

    @cached_property
    def _labels_for(self) -> dict[str, list[Element]]:
        found: dict[str, list[Element]] = {}
        for label in self.elements("label"):
            if "for" in label.attrib:
                found.setdefault(label.attrib["for"], []).append(label)
        return found

    def labels(self, control: Element) -> list[Element]:
        """The labels of a control: those that name its id, and the one around it."""
        found = list(self._labels_for.get(control.attrib.get("id", ""), []))
        around = self.closest(control, "label")
        if around is not None and "for" not in around.attrib:
            found.append(around)
        return found

    def text(self, element: Element) -> str:
        """The element's text as read aloud: without hidden parts and inner controls."""
        return squeeze(self._spoken(element))

    def _spoken(self, element: Element) -> str:
        parts = [element.text or ""]
        for child in element:
            if is_element(child):
                parts.append(self._spoken_child(child))
            parts.append(child.tail or "")
        return "".join(parts)

    def _spoken_child(self, child: Element) -> str:
        if child.attrib.get("aria-hidden") == "true" or "hidden" in child.attrib:
            return ""
        if child.tag in {"script", "style", "template", "select", "textarea"}:
            return ""
        if child.tag == "img":
            return f" {child.attrib.get('alt', '')} "
        if "aria-label" in child.attrib and child.tag == "svg":
            return f" {child.attrib['aria-label']} "
        inner = self._spoken(child)
        return inner if child.tag in {"span", "b", "i", "em", "strong", "small", "abbr"} else f" {inner} "

    def accessible_name(self, element: Element) -> str:
        """The name that assistive technology gives the element (`title` does not count here)."""
        if "aria-labelledby" in element.attrib:
            named = [self.by_id.get(name) for name in element.attrib["aria-labelledby"].split()]
            return squeeze(" ".join(self._own_text(one) for one in named if one is not None))
        if element.attrib.get("aria-label", "").strip():
            return squeeze(element.attrib["aria-label"])
        if element.tag == "fieldset":
            legend = next((child for child in element if child.tag == "legend"), None)
            return "" if legend is None else self.text(legend)
        if element.tag == "input" and element.attrib.get("type") in {"submit", "button", "reset"}:
            return squeeze(element.attrib.get("value", ""))
        if element.tag in LABELABLE - {"button"}:
            return squeeze(" ".join(self.text(label) for label in self.labels(element)))
        return self.text(element)

    def _own_text(self, element: Element) -> str:
        return element.attrib.get("aria-label") or self.text(element)
