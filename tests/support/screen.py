"""A form page on a user's screen: filled in, sent as the script sends it, and redrawn by the parts of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.support.client import CheckedClient, tree_of
from tests.support.forms import Form, find_form
from tests.support.html_tree import HtmlTree

# Names that the containers of the questions share: they say how the form stands on screen.
SHARED = frozenset({"vist", "sagt", "varslet", "uavklart"})


@dataclass
class Screen:
    """The form `registrering` of a page. `touched`: the questions that were changed since they were last saved."""

    client: CheckedClient
    address: str
    tree: HtmlTree
    touched: set[str] = field(default_factory=set)
    title: str = ""

    @classmethod
    def of(cls, client: CheckedClient, address: str) -> "Screen":
        """The page as it is opened."""
        return cls(client, address, tree_of(client.get(address)))

    def showing(self, answer: TestResponse) -> "Screen":
        """The same page as another answer shows it whole."""
        tree = tree_of(answer)
        return Screen(self.client, self.address, tree, title=tree.text(next(tree.elements("title"))))

    @property
    def form(self) -> Form:
        """The form as it stands now. What is typed is written into the tree by `put`."""
        return find_form(self.tree, form="registrering")

    def question(self, key: str) -> Element | None:
        """The container of a question, if the page has it."""
        return self.tree.by_id.get(f"felt-{key}")

    def control(self, name: str) -> Element | None:
        """A control by its name; the first of several."""
        return next((one.element for one in self.form.controls if one.name == name), None)

    def put(self, name: str, value: str) -> bool:
        """Type into, choose or tick the controls of a name; gives whether there are any."""
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
        """What stands in the controls of a name; '' if there are none."""
        return next((value for key, value in self.form.pairs(None) if key == name and key not in SHARED), "")

    def rows(self, key: str) -> list[int]:
        """The places of the rows of a repeatable question."""
        starts = [one.name.split("-") for one in self.form.controls if one.name.startswith(f"{key}-")]
        return sorted({int(parts[1]) for parts in starts if len(parts) == 3 and parts[1].isdigit()})

    def spoken(self, element_id: str) -> str:
        """The words in a container."""
        found = self.tree.by_id.get(element_id)
        return "" if found is None else self.tree.text(found)

    def sent(self, more: Mapping[str, str], *, whole: bool = False, form: Form | None = None) -> MultiDict[str, str]:
        """What an autosave sends: what was touched, and all that stands outside of the questions. `form`: one that was
        filled in by itself, in place of the page's."""
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
        """Send what was touched; unless it is lost, the answer is put into the page."""
        if more.get("go"):
            self.touched.add(more["go"].split("-")[1])
        said = {"skriver": typing} if typing else {}
        answer = self.client.post_partial(f"{self.address}/lagre", self.sent({**said, **more}))
        if not is_lost and answer.status_code == 200:
            self.touched.clear()
            self._apply(answer)
        return answer

    def _apply(self, answer: TestResponse) -> None:
        """Put each part of an answer into its container."""
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
