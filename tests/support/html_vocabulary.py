"""The vocabulary of HTML: elements, their attributes, and permitted children.

Source: HTML Living Standard, index of elements and of attributes, and WAI-ARIA 1.2; of each the part that a register of
forms and lists needs. Lines may be added when needed.
"""

GLOBAL_ATTRIBUTES = frozenset(
    "autocapitalize autofocus class dir enterkeyhint hidden id inert inputmode lang popover role spellcheck "
    "tabindex title translate".split()
)

_FORM_SUBMITTING = "form formaction formenctype formmethod formnovalidate"

# Element: its attributes beyond the global ones, data-* and aria-*.
ELEMENTS: dict[str, frozenset[str]] = {
    tag: frozenset(attributes.split())
    for tag, attributes in {
        "a": "download href hreflang referrerpolicy rel target type",
        "button": (f"command commandfor disabled {_FORM_SUBMITTING} name popovertarget popovertargetaction type value"),
        "col": "span",
        "colgroup": "span",
        "data": "value",
        "details": "name open",
        "dialog": "closedby open",
        "fieldset": "disabled form name",
        "form": "accept-charset action autocomplete enctype method name novalidate rel target",
        "html": "",
        "img": "alt decoding height loading sizes src srcset width",
        "input": (
            f"accept autocomplete checked dirname disabled {_FORM_SUBMITTING} list max maxlength min "
            "minlength multiple name pattern placeholder popovertarget popovertargetaction readonly required "
            "size step type value"
        ),
        "label": "for",
        "li": "value",
        "link": "as crossorigin href hreflang integrity media rel sizes type",
        "meta": "charset content media name",
        "meter": "high low max min optimum value",
        "ol": "reversed start type",
        "optgroup": "disabled label",
        "option": "disabled label selected value",
        "output": "for form name",
        "progress": "max value",
        "script": "async crossorigin defer integrity nomodule referrerpolicy src type",
        "select": "autocomplete disabled form multiple name required size",
        "td": "colspan headers rowspan",
        "textarea": (
            "autocomplete cols dirname disabled form maxlength minlength name placeholder readonly required rows wrap"
        ),
        "th": "abbr colspan headers rowspan scope",
        "time": "datetime",
    }.items()
} | {
    tag: frozenset()
    for tag in (
        "abbr address article aside b bdi body br caption cite code dd del dfn div dl dt em figcaption "
        "figure footer h1 h2 h3 h4 h5 h6 head header hgroup hr hx-partial i ins kbd legend main mark nav "
        "noscript p pre q s samp search section small span strong style sub summary sup table tbody template "
        "tfoot thead title tr u ul var wbr"
    ).split()
}

ARIA_ATTRIBUTES = frozenset(
    f"aria-{name}"
    for name in (
        "activedescendant atomic autocomplete busy checked colcount colindex colspan controls current "
        "describedby description details disabled errormessage expanded flowto haspopup hidden invalid "
        "keyshortcuts label labelledby level live modal multiline multiselectable orientation owns "
        "placeholder posinset pressed readonly relevant required roledescription rowcount rowindex rowspan "
        "selected setsize sort valuemax valuemin valuenow valuetext"
    ).split()
)

# Attributes with ids of other elements.
ID_REFERENCES = frozenset(
    {
        "aria-activedescendant",
        "aria-controls",
        "aria-describedby",
        "aria-details",
        "aria-errormessage",
        "aria-labelledby",
        "aria-owns",
        "commandfor",
        "form",
        "headers",
        "list",
        "popovertarget",
    }
)

BLOCKS = frozenset(
    "address article aside dd details dialog div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header "
    "hgroup hr li main nav ol p pre search section table ul".split()
)

# Elements with phrasing content only; no blocks.
PHRASING_ONLY = frozenset(
    "abbr b bdi button cite code em h1 h2 h3 h4 h5 h6 i kbd label mark output p pre q s samp small span "
    "strong sub sup time u var".split()
)

INTERACTIVE = frozenset({"a", "button", "details", "input", "label", "select", "textarea"})

# Parent: the only elements that may be its children.
ONLY_CHILDREN: dict[str, frozenset[str]] = {
    "ul": frozenset({"li", "template"}),
    "ol": frozenset({"li", "template"}),
    "dl": frozenset({"dt", "dd", "div", "template"}),
    "select": frozenset({"option", "optgroup", "hr"}),
    "optgroup": frozenset({"option"}),
}

# htmx attributes that the program does not use, and the alternative.
FORBIDDEN_HTMX: dict[str, str] = {
    "on": "listen in a script of static/scripts",
    "boost": "give the link its own data-hx-get",
    "delete": "write with POST and a form",
    "put": "write with POST and a form",
    "patch": "write with POST and a form",
    "confirm": "lead to a page that asks, or to a <dialog>",
    "method": "say data-hx-get or data-hx-post",
    "action": "say data-hx-get or data-hx-post",
}
