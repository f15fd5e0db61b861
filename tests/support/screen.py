"""A form page on a user's screen: filled in, sent as by the script, and redrawn with the parts of the responses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.support.client import CheckedClient, tree_of
from tests.support.forms import Form, find_form
from tests.support.html_tree import HtmlTree

# Names that the containers of the fields share: they state the form on screen.
SHARED = frozenset({"vist", "sagt", "varslet", "uavklart"})


@dataclass
class Screen:
    """The form `registrering` of a page. `touched`: the fields changed since they were last saved."""

    client: CheckedClient
    address: str
    tree: HtmlTree
    touched: set[str] = field(default_factory=set)
    title: str = ""

    @classmethod
    def of(cls, client: CheckedClient, address: str) -> "Screen":
        """The page as opened."""
        return cls(client, address, tree_of(client.get(address)))

    def showing(self, answer: TestResponse) -> "Screen":
        """The same page, as another response shows it whole."""
        tree = tree_of(answer)
        return Screen(self.client, self.address, tree, title=tree.text(next(tree.elements("title"))))

    @property
    def form(self) -> Form:
        """The form as it is now. `put` writes typed values into the tree."""
        return find_form(self.tree, form="registrering")

    def question(self, key: str) -> Element | None:
        """The container of a field, if the page has it."""
        return self.tree.by_id.get(f"felt-{key}")

    def control(self, name: str) -> Element | None:
        """A control by its name; the first of several."""
        return next((one.element for one in self.form.controls if one.name == name), None)

    def put(self, name: str, value: str) -> bool:
        """Type into, choose or tick the controls of a name; returns whether there are any."""
        found = [one for one in self.form.controls if one.name == name and one.kind != "hidden"]
        for control in found:
            element = control.element
            if control.kind in {"radio", "checkbox"}:
                element.attrib.pop("checked", None)
                if element.attrib.get("value", "") == value:
                    element.set("checked", "")
            elif control.kind == "select":
                for option in element.iter("option"):
                    option.attrib.pop("selected", None)
                    if option.attrib.get("value", "") == value:
                        option.set("selected", "")
            elif control.kind == "textarea":
                element[:], element.text = [], value
            else:
                element.set("value", value)
        if found:
            self.touched.add(name.partition("-")[0])
        return bool(found)

    def value(self, name: str) -> str:
        """The value of the controls of a name; '' if there are none."""
        return next((value for key, value in self.form.pairs(None) if key == name and key not in SHARED), "")

    def rows(self, key: str) -> list[int]:
        """The places of the rows of a field."""
        starts = [one.name.split("-") for one in self.form.controls if one.name.startswith(f"{key}-")]
        return sorted({int(parts[1]) for parts in starts if len(parts) == 3 and parts[1].isdigit()})

    def spoken(self, element_id: str) -> str:
        """The text of a container."""
        found = self.tree.by_id.get(element_id)
        return "" if found is None else self.tree.text(found)

    def sent(self, more: Mapping[str, str], *, whole: bool = False, form: Form | None = None) -> MultiDict[str, str]:
        """The values that an autosave sends: the touched fields, and everything outside of fields. `form`: one that was
        filled in separately, instead of the page's."""
        form = form or self.form
        outside = []
        for control in form.controls:
            key = self._container_of(control.element)
            if whole or key is None or key in self.touched or control.name in SHARED:
                outside += list(control.pairs())
        end = [pair for pair in outside if pair[0] == "slutt"]
        return MultiDict([*(pair for pair in outside if pair[0] != "slutt"), *more.items(), *end])

    def _container_of(self, element: Element) -> str | None:
        names = (one.attrib.get("id", "") for one in self.tree.ancestors(element))
        return next((name.removeprefix("felt-") for name in names if name.startswith("felt-")), None)

    def autosave(self, *, is_lost: bool = False, typing: str = "", **more: str) -> TestResponse:
        """Send the touched fields; unless it is lost, the response is put into the page."""
        if more.get("go"):
            self.touched.add(more["go"].split("-")[1])
        said = {"skriver": typing} if typing else {}
        answer = self.client.post_partial(f"{self.address}/lagre", self.sent({**said, **more}))
        if not is_lost and answer.status_code == 200:
            self.touched.clear()
            self._apply(answer)
        return answer

    def _apply(self, answer: TestResponse) -> None:
        """Put each part of a response into its container."""
        parts = tree_of(answer)
        self.title = next((parts.text(one) for one in parts.elements("title")), self.title)
        for part in parts.elements("hx-partial"):
            target = self.tree.by_id.get(part.attrib["data-hx-target"].removeprefix("#"))
            assert target is not None, f"the page has no place for {part.attrib}"
            target[:] = list(part)
            target.text = part.text
        renewed = HtmlTree.__new__(HtmlTree)
        renewed.root, renewed.source, renewed.is_page = self.tree.root, "", True
        renewed.parse_errors = []
        renewed.parents = {child: parent for parent in renewed.root.iter() for child in parent}
        self.tree = renewed
