"""Page 1, «Person og prosjekt»: the remaining fields once number and kommune are known."""

from collections.abc import Sequence
from datetime import date

from services.core.code_lists import municipality_name, rows
from services.core.days import date_text
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.questions.fields import ALWAYS, ChoiceField, Condition, DateField, Option, Values, label_options
from services.questions.programme_time import Stay

IN_OSLO = Condition(("municipality",), lambda values: values.get("municipality") == "0301")

NATIONAL_ID_HELP = N_(
    "Skriv de 11 sifrene i fødselsnummeret eller D-nummeret, med eller uten mellomrom. "
    "Navnet hentes fra Folkeregisteret."
)
NAME_HELP = N_(
    "Navnet kommer fra Folkeregisteret og kan ikke endres her. Er det feil, må det rettes i Folkeregisteret."
)
MUNICIPALITY_HELP = N_(
    "Kommunen følger av innloggingen din. Er du knyttet til flere kommuner, velger du den som deltakeren hører til. "
    "Kommunen kan ikke endres etter at deltakeren er opprettet. Da må du ta kontakt med IMDi."
)
PERSON_ID_HELP = N_("PersonId lages av registeret når deltakeren opprettes, og følger personen i alle perioder.")

FIELDS = (
    ChoiceField(
        key="district",
        label=N_("Bydel"),
        help=N_("Velg bydelen som har ansvaret for deltakeren. Det er ikke alltid bydelen der deltakeren bor."),
        options=tuple(Option(row["bydelsnummer"], row["bydelsnavn"]) for row in rows("oslo_districts.csv")),
        shown=IN_OSLO,
        required=IN_OSLO,
        missing_text=N_("Velg bydel"),
    ),
    ChoiceField(
        key="funding",
        label=N_("Finansiering"),
        help=N_(
            "Mottar kommunen ordinært tilskudd, velger du «Ordinær Jobbsjansen». "
            "Er kommunen pilot i per capita-forsøket, velger du «Per capita»."
        ),
        options=label_options(("ordinary", N_("Ordinær Jobbsjansen")), ("per_capita", N_("Per capita"))),
        required=ALWAYS,
        missing_text=N_("Velg finansiering"),
    ),
    DateField(
        key="start_date",
        label=N_("Dato for oppstart"),
        help=N_("Den første dagen i programmet. Datoen kan ikke være fram i tid."),
        earliest=date(2005, 1, 1),
        required=ALWAYS,
        missing_text=N_("Fyll ut dato for oppstart"),
    ),
)


def checks(values: Values) -> dict[str, str]:
    """Check that oppstart is not in the future (guide 4.1) nor after the end."""
    start, end = values.get("start_date"), values.get("end_date")
    if start and start > values["today"]:
        return {"start_date": _("Datoen kan ikke være fram i tid")}
    if start and end and start > end:
        return {
            "start_date": _("Oppstart kan ikke være etter avslutningen %(end)s") % {"end": date_text(end)},
        }
    return {}


def age_on(day: date, born: date) -> int:
    """Whole years of age on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def warnings(values: Values) -> dict[str, str]:
    """Warn of age outside 18–55 at oppstart, of a man, and of another stay in the municipality, earlier or at the same
    time (domain, sections 5 and 10)."""
    said = []
    stays: Sequence[Stay] = values.get("other_stays", tuple)()
    born, start = values.get("birth_date"), values.get("start_date") or values["today"]
    if born and not 18 <= age_on(start, born) <= 55:
        said.append(
            _("Deltakeren er %(age)s år ved oppstart. Jobbsjansen er for dem mellom 18 og 55 år.")
            % {"age": age_on(start, born)}
        )
    if values.get("sex") == "mann":
        said.append(
            _("Deltakeren er registrert som mann i Folkeregisteret. Jobbsjansen er først og fremst for kvinner.")
        )
    begins = values.get("start_date")
    earlier = [stay for stay in stays if begins is None or stay.start <= begins]
    if earlier:
        said.append(_("Personen har vært deltaker i kommunen før: %(stays)s.") % {"stays": _listed(earlier)})
    found = {"national_id": " ".join(said)} if said else {}
    if begins and (overlapping := [stay for stay in stays if _overlaps(stay, begins, values.get("end_date"))]):
        words = _("Deltakelsen overlapper en annen deltakelse i kommunen: %(stays)s. Kontroller datoene.")
        found["start_date"] = words % {"stays": _listed(overlapping)}
    return found


def _overlaps(stay: Stay, first: date, last: date | None) -> bool:
    """True if another stay overlaps the period from `first` to `last` (None: open)."""
    return (stay.end is None or first <= stay.end) and (last is None or stay.start <= last)


def _listed(stays: Sequence[Stay]) -> str:
    """Format stays: «Bergen 01.02.2023–31.01.2024; …»."""
    return "; ".join(
        f"{municipality_name(stay.municipality_number)} {date_text(stay.start)}–{date_text(stay.end)}" for stay in stays
    )
