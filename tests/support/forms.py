"""Forms as in a browser: found in the HTML, filled in by label or name, sent by a button."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from tests.support.html_tree import HtmlTree, describe, squeeze

Value = str | bool | Sequence[str]

_BUTTONS = frozenset({"submit", "image", "button", "reset"})


class FormError(AssertionError):
    """A user could not do this with the page; the text says what the page offers."""


@dataclass
class Control:
    """One field of a form, and its present value."""

    element: Element
    label: str
    group: str
    name: str
    kind: str
    value: str
    is_on: bool = True  # for radio buttons and check boxes
    options: dict[str, str] = field(default_factory=dict)  # of a select: value to text
    chosen: list[str] = field(default_factory=list)  # of a select
    disabled: bool = False
    readonly: bool = False

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The pairs that a browser sends for it."""
        if self.disabled or not self.name:
            return
        if self.kind in {"radio", "checkbox"}:
            if self.is_on:
                yield self.name, self.value
        elif self.kind == "select":
            for value in self.chosen:
                yield self.name, value
        else:
            yield self.name, self.value


class Form:
    """One form of a page or fragment."""

    def __init__(self, tree: HtmlTree, element: Element) -> None:
        self.tree = tree
        self.element = element
        self.controls: list[Control] = []
        self.buttons: list[Element] = []
        self.owned: set[int] = set()
        for one in tree.elements("input", "select", "textarea", "button"):
            if not self._owns(one):
                continue
            self.owned.add(id(one))
            if one.tag == "button" or one.attrib.get("type") in _BUTTONS:
                self.buttons.append(one)
            else:
                self.controls.append(self._control(one))

    def _owns(self, one: Element) -> bool:
        if "form" in one.attrib:
            return one.attrib["form"] == self.element.attrib.get("id")
        return self.tree.closest(one, "form") is self.element

    def _is_disabled(self, one: Element) -> bool:
        around = [one, *(parent for parent in self.tree.ancestors(one) if parent.tag == "fieldset")]
        return any("disabled" in element.attrib for element in around)

    def _control(self, one: Element) -> Control:
        around = self.tree.closest(one, "fieldset")
        control = Control(
            element=one,
            label=self.tree.accessible_name(one),
            group="" if around is None else self.tree.accessible_name(around),
            name=one.attrib.get("name", ""),
            kind=one.attrib.get("type", "text") if one.tag == "input" else one.tag,
            value=one.attrib.get("value", ""),
            disabled=self._is_disabled(one),
            readonly="readonly" in one.attrib,
        )
        if control.kind in {"radio", "checkbox"}:
            control.value = one.attrib.get("value", "on")
            control.is_on = "checked" in one.attrib
        elif control.kind == "textarea":
            control.value = "".join(one.itertext()).replace("\n", "\r\n")
        elif control.kind == "select":
            self._read_options(control)
        return control

    def _read_options(self, control: Control) -> None:
        options = [one for one in control.element.iter() if one.tag == "option"]
        values = [one.attrib.get("value", squeeze("".join(one.itertext()))) for one in options]
        texts = [squeeze("".join(one.itertext())) for one in options]
        control.options = dict(zip(values, texts, strict=True))
        control.chosen = [value for one, value in zip(options, values, strict=True) if "selected" in one.attrib]
        if "multiple" not in control.element.attrib:
            usable = [v for o, v in zip(options, values, strict=True) if "disabled" not in o.attrib]
            control.chosen = control.chosen[-1:] or usable[:1]

    def fill(self, values: Mapping[str, Value]) -> None:
        """Fill in fields. Keys: a field's label or name, or a group's legend or name.

        Text fields take text; a check box True or False; a group of radio buttons or a select the text (or the value)
        of one choice; a group of check boxes or a multiple select a list of them.
        """
        for key, value in values.items():
            found = [one for one in self.controls if key in {one.label, one.name, one.group} and one.kind != "hidden"]
            exact = [one for one in found if key in {one.label, one.name}]
            self._set(key, exact or found, value)

    def _set(self, key: str, found: list[Control], value: Value) -> None:
        if not found:
            raise FormError(f"the form has no field «{key}»; it has {self._offered()}")
        locked = [one for one in found if one.disabled or one.readonly]
        if len(locked) == len(found):
            raise FormError(f"«{key}» cannot be changed: {describe(locked[0].element)}")
        kinds = {one.kind for one in found}
        if kinds <= {"radio", "checkbox"} and not isinstance(value, bool):
            self._choose(key, found, value)
        elif len(found) > 1:
            raise FormError(f"«{key}» names {len(found)} fields: {[one.name for one in found]}")
        elif found[0].kind == "checkbox":
            found[0].is_on = bool(value)
        elif found[0].kind == "select":
            self._select(key, found[0], value)
        elif isinstance(value, str):
            found[0].value = value
        else:
            raise FormError(f"«{key}» takes text, not {value!r}")

    def _choose(self, key: str, found: list[Control], value: str | Sequence[str]) -> None:
        wanted = [value] if isinstance(value, str) else list(value)
        for one in wanted:
            if not any(one in {control.label, control.value} for control in found):
                raise FormError(f"«{key}» has no choice «{one}»; it has {[c.label for c in found]}")
        for control in found:
            control.is_on = control.label in wanted or control.value in wanted

    def _select(self, key: str, control: Control, value: Value) -> None:
        wanted = [value] if isinstance(value, str) else list(value) if not isinstance(value, bool) else []
        values = []
        for one in wanted:
            matching = [code for code, text in control.options.items() if one in {code, text}]
            if not matching:
                raise FormError(f"«{key}» has no choice «{one}»; it has {list(control.options.values())}")
            values.append(matching[0])
        control.chosen = values

    def _offered(self) -> list[str]:
        return list(
            dict.fromkeys(
                one.group if one.kind == "radio" else one.label for one in self.controls if one.kind != "hidden"
            )
        )

    def value(self, key: str) -> str | list[str]:
        """The value of a field: text, or for groups, check boxes and selects the chosen texts."""
        found = [one for one in self.controls if key in {one.label, one.name, one.group}]
        found = [one for one in found if key in {one.label, one.name}] or found
        if not found:
            raise FormError(f"the form has no field «{key}»; it has {self._offered()}")
        if found[0].kind == "select":
            return [found[0].options[value] for value in found[0].chosen]
        if found[0].kind in {"radio", "checkbox"}:
            return [one.label for one in found if one.is_on]
        return found[0].value

    def has(self, key: str) -> bool:
        """True if there is a field, or a group, of this label or name."""
        return any(key in {one.label, one.name, one.group} for one in self.controls)

    def button(self, name: str) -> Element:
        """The submit button of this name; those hidden from a reader do not count."""
        usable = [one for one in self.buttons if one.attrib.get("type", "submit") == "submit"]
        usable = [one for one in usable if one.attrib.get("aria-hidden") != "true"]
        found = [one for one in usable if self.tree.accessible_name(one) == name]
        if len(found) != 1:
            raise FormError(
                f"{len(found)} buttons «{name}»; there are {[self.tree.accessible_name(b) for b in usable]}"
            )
        if self._is_disabled(found[0]):
            raise FormError(f"the button «{name}» is disabled")
        return found[0]

    def default_button(self) -> Element | None:
        """The button that Enter presses: the form's first submit button, if it has any."""
        usable = (one for one in self.buttons if one.attrib.get("type", "submit") == "submit")
        return next(usable, None)

    def pairs(self, button: Element | None) -> list[tuple[str, str]]:
        """Names and values in the order of the page, including the pressed button's."""
        pressed = {id(button): button} if button is not None else {}
        order: dict[int, list[tuple[str, str]]] = {id(one.element): list(one.pairs()) for one in self.controls}
        for key, one in pressed.items():
            name = one.attrib.get("name", "")
            order[key] = [(name, one.attrib.get("value", ""))] if name else []
        return [pair for element in self.tree.elements() for pair in order.get(id(element), [])]

    def target(self, button: Element | None) -> tuple[str, str]:
        """Method (GET or POST) and address of the button."""
        own = button.attrib if button is not None else {}
        method = own.get("formmethod") or self.element.attrib.get("method", "get")
        return method.upper(), own.get("formaction") or self.element.attrib.get("action", "")


def find_form(tree: HtmlTree, *, button: str | None = None, form: str | None = None) -> Form:
    """The form with this id or this button; without either, the only one of the main part."""
    forms = [Form(tree, element) for element in tree.elements("form")]
    if form is not None:
        forms = [one for one in forms if one.element.attrib.get("id") == form]
    if button is not None:
        forms = [one for one in forms if _has_button(one, button)]
    elif form is None:
        forms = [one for one in forms if tree.closest(one.element, "header", "footer", "dialog") is None]
    if len(forms) != 1:
        every = [describe(element) for element in tree.elements("form")]
        wanted = f" with the button «{button}»" if button else ""
        raise FormError(f"{len(forms)} forms{wanted}; the page has {every}")
    return forms[0]


def _has_button(form: Form, name: str) -> bool:
    return any(form.tree.accessible_name(one) == name for one in form.buttons)
