"""Page 3, «Programinnhold»: plan, goals, tiltak, permisjon and the length of the programme."""

from itertools import combinations

from services.core.days import date_text
from services.core.i18n import N_, ngettext
from services.core.i18n import gettext as _
from services.questions.fields import (
    ALWAYS,
    NEVER,
    YES_NO,
    CheckField,
    ChoiceField,
    Condition,
    DateField,
    HoursField,
    ManyField,
    TextField,
    Values,
    chosen,
    grouped_options,
    label_options,
)
from services.questions.programme_time import ProgrammeTime, months_served, programme_time
from services.questions.row_fields import RowsField


def in_month(number: int) -> Condition:
    """The condition that the programme has lasted so many months; permisjon is not counted."""
    # It also reads the permisjoner, but these come later on the page and are always shown.
    return Condition(("start_date",), lambda values: months_served(values) >= number)


def answered(key: str) -> Condition:
    """The condition that there is an answer: an answered field stays visible."""
    return Condition((key,), lambda values: values.get(key) is not None)


ACTIVITY_KINDS = grouped_options(
    (
        (
            N_("Språktrening"),
            (
                ("norwegian", N_("Norskopplæring")),
                ("society", N_("Samfunnskunnskap")),
                ("language_practice", N_("Språkpraksis")),
                ("trade_norwegian", N_("Bransjenorsk")),
            ),
        ),
        (
            N_("Opplæring og utdanning"),
            (
                ("primary_school", N_("Grunnskole for voksne")),
                ("upper_secondary", N_("Videregående (enkeltfag)")),
                ("vocational", N_("Fagopplæring")),
                ("basic_skills", N_("Grunnleggende ferdigheter")),
                ("digital", N_("Digital kompetanse")),
                ("recognition", N_("Godkjenning av utdanning")),
            ),
        ),
        (
            N_("Yrkesmessig kompetanse"),
            (
                ("work_practice", N_("Arbeidspraksis i ordinær virksomhet")),
                ("trade_trial", N_("Yrkesprøving")),
                ("trade_course", N_("Yrkesrettet kurs")),
                ("career", N_("Jobbsøkerkurs og karriereveiledning")),
                ("part_time_work", N_("Ordinært arbeid på deltid")),
            ),
        ),
        (
            N_("Annet"),
            (
                ("life_skills", N_("Livsmestring")),
                ("parenting", N_("Foreldreveiledning")),
                ("health", N_("Helsefremmende aktivitet")),
                ("other", N_("Annet")),
            ),
        ),
    )
)

FROM_DATE = DateField(
    key="from_date",
    label=N_("Fra dato"),
    help=N_("Den første dagen, slik: dd.mm.åååå. Den skal vanligvis ikke ligge før oppstart i Jobbsjansen."),
    required=ALWAYS,
    missing_text=N_("Fyll ut fra dato"),
)


def row_checks(row: Values) -> dict[str, str]:
    """Check that a row does not end before it begins."""
    if row.get("to_date") and row["to_date"] < row["from_date"]:
        return {"to_date": _("Til dato kan ikke være før fra dato")}
    return {}


def activity_sentence(kind: str, first: str, last: str, hours: str, comment: str) -> str:
    """Format a tiltak: «Norskopplæring, fra 22.02.2026, 20 timer per uke»."""
    period = _("fra %(first)s til %(last)s") if last else _("fra %(first)s")
    when = period % {"first": first, "last": last} if first else ""
    return ", ".join(filter(None, (kind, when, hours, comment)))


def leave_sentence(first: str, last: str, kind: str) -> str:
    """Format a permisjon: «Sykdom 31.08.2026–30.09.2026»."""
    return f"{kind} {first}–{last}"


FIELDS = (
    ChoiceField(
        key="individual_plan",
        label=N_("Er det laget en individuell plan?"),
        help=N_("Planen lages sammen med deltakeren og beskriver mål og tiltak i programmet."),
        options=YES_NO,
        required=ALWAYS,
    ),
    DateField(
        key="plan_date",
        label=N_("Dato for individuell plan"),
        help=N_("Datoen da planen ble laget eller sist revidert."),
        shown=chosen("individual_plan", "yes"),
        required=ALWAYS,
    ),
    ManyField(
        key="goals",
        label=N_("Mål"),
        help=N_("Det deltakeren skal nå gjennom programmet. Du kan velge flere."),
        options=label_options(
            ("work", N_("Lønnet arbeid")),
            ("education", N_("Ordinær utdanning")),
            ("norwegian_test", N_("Bestå norskprøve")),
            ("basic_skills", N_("Bedre grunnleggende ferdigheter")),
            ("other", N_("Annet")),
        ),
        required=ALWAYS,
    ),
    TextField(
        key="goals_other",
        label=N_("Beskriv målet"),
        help=N_("Skriv kort. Ikke skriv om helse, religion eller andre personer."),
        shown=chosen("goals", "other"),
        required=ALWAYS,
    ),
    ChoiceField(
        key="goal_level",
        label=N_("Nivå på norskprøven"),
        help=N_("Nivået som deltakeren skal bestå."),
        options=label_options(("a1", "A1"), ("a2", "A2"), ("b1", "B1"), ("b2", "B2"), ("c1", "C1")),
        shown=chosen("goals", "norwegian_test"),
    ),
    HoursField(
        key="hours_per_week",
        label=N_("Timer i program per uke"),
        help=N_("Timer i en vanlig uke, for eksempel 30 eller 22,5. Programmet skal vanligvis være på full tid."),
        required=ALWAYS,
    ),
    ChoiceField(
        key="allowance",
        label=N_("Mottar deltakeren stønad gjennom Jobbsjansen?"),
        help=N_("Stønad som kommunen betaler for deltakelsen. Ytelser fra Nav regnes ikke med."),
        options=YES_NO,
        required=ALWAYS,
    ),
    RowsField(
        key="activities",
        label=N_("Tiltak"),
        help=N_("Alt som deltakeren gjør i programmet. Legg til én rad for hvert tiltak. Til dato kan stå åpen."),
        item=N_("Tiltak"),
        add_label=N_("Legg til tiltak"),
        say=activity_sentence,
        fields=(
            ChoiceField(
                key="kind",
                label=N_("Type tiltak"),
                help=N_("Velg det som beskriver tiltaket best. Har det flere deler, legger du til én rad for hver."),
                options=ACTIVITY_KINDS,
                required=ALWAYS,
                missing_text=N_("Velg type tiltak"),
            ),
            FROM_DATE,
            DateField(
                key="to_date",
                label=N_("Til dato"),
                help=N_("Siste dag i tiltaket. La feltet stå tomt så lenge tiltaket varer."),
            ),
            HoursField(
                key="hours",
                label=N_("Timer per uke"),
                help=N_("Timer i dette tiltaket i en vanlig uke, hele eller halve."),
            ),
            TextField(
                key="comment",
                label=N_("Kommentar"),
                help=N_("For eksempel navnet på kurset. Ikke skriv om helse, religion eller andre personer."),
                most=500,
                lines=True,
            ),
        ),
        row_checks=row_checks,
        required=Condition(("no_activities",), lambda values: not values.get("no_activities")),
        missing_text=N_("Legg til minst ett tiltak, eller kryss av for at ingen er gjennomført"),
    ),
    CheckField(
        key="no_activities",
        label=N_("Ingen tiltak gjennomført"),
        help=N_(
            "Kryss av bare hvis deltakeren ikke har gjort noen tiltak, "
            "for eksempel fordi programmet ble avbrutt med en gang."
        ),
    ),
    ChoiceField(
        key="extension",
        label=N_("Forlenget utover to år?"),
        help=N_("Programmet varer vanligvis inntil to år, og kan forlenges med inntil ett år."),
        options=YES_NO,
        shown=in_month(22) | answered("extension"),
    ),
    TextField(
        key="extension_reason",
        label=N_("Begrunnelse for forlengelsen"),
        help=N_("Skriv kort hvorfor deltakeren trenger mer tid. Ikke skriv om helse eller andre personer."),
        most=1000,
        lines=True,
        shown=chosen("extension", "yes"),
        required=NEVER,
    ),
    DateField(
        key="planned_end",
        label=N_("Ny planlagt sluttdato"),
        help=N_("Siste dag i programmet etter forlengelsen."),
        shown=chosen("extension", "yes"),
    ),
    ChoiceField(
        key="extra_year",
        label=N_("Utvidet med ytterligere ett år?"),
        help=N_("Gjelder bare den som mangler grunnleggende lese- og skriveferdigheter på eget morsmål."),
        options=YES_NO,
        shown=chosen("literacy", "missing") & (in_month(34) | answered("extra_year")),
    ),
    RowsField(
        key="leaves",
        label=N_("Permisjon"),
        help=N_("Perioder da deltakeren hadde permisjon. De regnes ikke med i programtiden."),
        item=N_("Permisjon"),
        add_label=N_("Legg til permisjon"),
        say=leave_sentence,
        fields=(
            FROM_DATE,
            DateField(
                key="to_date",
                label=N_("Til dato"),
                help=N_("Den siste dagen i permisjonen. Den kan ligge fram i tid."),
                required=ALWAYS,
                missing_text=N_("Fyll ut til dato"),
            ),
            ChoiceField(
                key="kind",
                label=N_("Type permisjon"),
                help=N_("Velg hovedgrunnen til permisjonen. Ikke skriv mer om den noe annet sted."),
                options=label_options(
                    ("parental", N_("Foreldrepermisjon")),
                    ("illness", N_("Sykdom")),
                    ("care", N_("Omsorg")),
                    ("other", N_("Annet")),
                ),
                required=ALWAYS,
                missing_text=N_("Velg type permisjon"),
            ),
        ),
        row_checks=row_checks,
        most=20,
    ),
)


def checks(values: Values) -> dict[str, str]:
    """Check that «Ingen tiltak» and tiltak exclude each other, that the plan is not dated ahead, and that the new end
    is after oppstart."""
    errors = {}
    if values.get("no_activities") and values.get("activities"):
        errors["no_activities"] = _("Fjern krysset eller tiltakene. Begge deler kan ikke være riktig")
    if (planned := values.get("plan_date")) and planned > values["today"]:
        errors["plan_date"] = _("Datoen kan ikke være fram i tid")
    if (end := values.get("planned_end")) and end <= values["start_date"]:
        errors["planned_end"] = _("Datoen må være etter oppstart %(start)s") % {
            "start": date_text(values["start_date"])
        }
    return errors


def warnings(values: Values) -> dict[str, str]:
    """Warn of overlapping permisjon, rows outside of the programme, a fourth year without the third, and a planned end
    after the programme time."""
    said: dict[str, list[str]] = {"activities": [], "leaves": []}
    said["leaves"] += _overlaps(values.get("leaves") or [])
    end = values.get("end_date")
    for key, item in (("activities", _("Tiltak")), ("leaves", _("Permisjon"))):
        for number, row in enumerate(values.get(key) or [], start=1):
            name = f"{item} {number}"
            if row["from_date"] < values["start_date"]:
                said[key].append(_("%(row)s begynner før oppstart i Jobbsjansen.") % {"row": name})
            if end and (row["to_date"] or row["from_date"]) > end:
                said[key].append(_("%(row)s varer lenger enn til avslutningen.") % {"row": name})
    if values.get("extra_year") == "yes" and values.get("extension") != "yes":
        said["extra_year"] = [_("Programmet kan bare utvides med ett år til når det er forlenget utover to år.")]
    time, planned = programme_time(values), values.get("planned_end")
    if time and planned and planned > time.last_day:
        said["planned_end"] = [time_is_out(_("Ny planlagt sluttdato"), time)]
    return {key: " ".join(words) for key, words in said.items() if words}


def time_is_out(what: str, time: ProgrammeTime) -> str:
    """The warning that an end is after the programme time; `what`: its label."""
    away = ngettext("og %(n)s dag permisjon", "og %(n)s dager permisjon", time.days_away) % {"n": time.days_away}
    counted = _("%(months)s måneder fra oppstart %(start)s") % {"months": time.months, "start": date_text(time.start)}
    words = _("%(what)s er senere enn programtiden tillater. Programtiden går ut %(day)s (%(counted)s).")
    return words % {
        "what": what,
        "day": date_text(time.last_day),
        "counted": f"{counted}, {away}" if time.days_away else counted,
    }


def _overlaps(leaves: list[Values]) -> list[str]:
    """Warn of each pair of overlapping permisjoner, by their numbers on the page."""
    return [
        _("Permisjon %(first)s og %(second)s overlapper hverandre.") % {"first": first + 1, "second": second + 1}
        for (first, one), (second, other) in combinations(enumerate(leaves), 2)
        if one["from_date"] <= other["to_date"] and other["from_date"] <= one["to_date"]
    ]
