"""Page 4, «Avslutning»: filled in only when a participant leaves the programme (guide 4.4)."""

from services.core.days import date_text
from services.core.i18n import N_, ngettext
from services.core.i18n import gettext as _
from services.questions.fields import (
    ALWAYS,
    YES_NO,
    ChoiceField,
    DateField,
    ManyField,
    NumberField,
    TextField,
    Values,
    chosen,
    grouped_options,
    label_options,
)
from services.questions.pages.background import LANGUAGE_LEVELS, LIVELIHOOD
from services.questions.pages.programme import time_is_out
from services.questions.programme_time import programme_time

COMPLETED = ("completed_work", "completed_education", "completed_both", "completed_neither", "completed_time")
WITH_OUTCOME = (*COMPLETED, "got_work", "began_education", "other_measure")


def _days(number: int) -> str:
    return ngettext("%(n)s dag", "%(n)s dager", number)


_AS_SAID = N_("Velg nivået ved avslutning. Bruk prøveresultat eller kartlegging.")
_WORK = chosen("outcome", "work")
_STUDY = chosen("outcome", "study")
_OTHER = chosen("outcome", "other")

FIELDS = (
    ChoiceField(
        key="end_reason",
        label=N_("Årsak til avslutning"),
        help=N_(
            "Velg hvorfor deltakelsen tar slutt. «Fullført» er for dem som gikk ut programmet, "
            "«Avbrutt» for dem som sluttet før."
        ),
        options=grouped_options(
            (
                (
                    N_("Fullført"),
                    (
                        ("completed_work", N_("Gått ut i arbeid")),
                        ("completed_education", N_("Gått ut i utdanning")),
                        ("completed_both", N_("Gått ut i både arbeid og utdanning")),
                        ("completed_neither", N_("Uten overgang til arbeid eller utdanning")),
                        ("completed_time", N_("Programtiden er brukt opp")),
                    ),
                ),
                (
                    N_("Avbrutt"),
                    (
                        ("got_work", N_("Fått arbeid før programslutt")),
                        ("began_education", N_("Begynt i utdanning")),
                        ("moved", N_("Flyttet til annen kommune")),
                        ("left_norway", N_("Flyttet fra Norge")),
                        ("illness", N_("Sykdom")),
                        ("parental", N_("Graviditet eller foreldrepermisjon")),
                        ("care", N_("Omsorgsoppgaver")),
                        ("other_measure", N_("Overført til annet tiltak")),
                        ("no_show", N_("Møter ikke opp")),
                        ("unwilling", N_("Ønsker ikke å delta")),
                        ("not_target", N_("Ikke i målgruppen")),
                        ("dead", N_("Død")),
                        ("other", N_("Annet")),
                    ),
                ),
            )
        ),
        required=ALWAYS,
        missing_text=N_("Velg årsak til avslutning"),
    ),
    TextField(
        key="end_reason_text",
        label=N_("Beskriv årsaken"),
        help=N_("Skriv kort. Ikke skriv om helse, religion eller andre personer."),
        shown=chosen("end_reason", "other"),
        required=ALWAYS,
    ),
    DateField(
        key="end_date",
        label=N_("Dato for avslutning"),
        help=N_(
            "Siste dag i programmet. Datoen kan ligge fram i tid, men deltakeren kan ikke skrives ut før den er nådd."
        ),
        required=ALWAYS,
        missing_text=N_("Fyll ut dato for avslutning"),
    ),
    NumberField(
        key="absence_valid",
        unit=_days,
        label=N_("Gyldig fravær, dager"),
        help=N_(
            "Dager med godkjent fravær i hele perioden, for eksempel egen eller barns sykdom. "
            "Permisjon regnes ikke med."
        ),
        required=ALWAYS,
    ),
    NumberField(
        key="absence_invalid",
        unit=_days,
        label=N_("Ugyldig fravær, dager"),
        help=N_("Dager med fravær som ikke er godkjent. Skriv 0 hvis det ikke er noen."),
        required=ALWAYS,
    ),
    ManyField(
        key="outcome",
        label=N_("Deltakeren har gått ut i"),
        help=N_("Det deltakeren går til etter Jobbsjansen. Du kan velge flere."),
        options=label_options(("work", N_("Arbeid")), ("study", N_("Studie")), ("other", N_("Annet"))),
        required=chosen("end_reason", *WITH_OUTCOME),
        missing_text=N_("Velg hva deltakeren har gått ut i"),
    ),
    ChoiceField(
        key="job_kind",
        label=N_("Type arbeid"),
        help=N_("Slik det står i arbeidsavtalen."),
        options=label_options(
            ("permanent", N_("Fast")),
            ("temporary", N_("Midlertidig")),
            ("on_call", N_("Tilkalling")),
            ("apprentice", N_("Lærling")),
            ("self_employed", N_("Selvstendig")),
        ),
        shown=_WORK,
        required=ALWAYS,
    ),
    NumberField(
        key="job_percent",
        unit=lambda number: _("%(n)s %%"),
        label=N_("Stillingsprosent"),
        help=N_("Et helt tall fra 1 til 100. Er det flere stillinger, legger du dem sammen."),
        least=1,
        most=100,
        shown=_WORK,
        required=ALWAYS,
    ),
    ChoiceField(
        key="job_sector",
        label=N_("Sektor"),
        help=N_("Velg etter hvem som er arbeidsgiver."),
        options=label_options(("public", N_("Offentlig")), ("private", N_("Privat")), ("voluntary", N_("Frivillig"))),
        shown=_WORK,
        required=ALWAYS,
    ),
    ChoiceField(
        key="job_industry",
        label=N_("Bransje"),
        help=N_("Velg den som passer best."),
        options=label_options(
            ("health", N_("Helse og omsorg")),
            ("education", N_("Barnehage og skole")),
            ("cleaning", N_("Renhold")),
            ("shop", N_("Butikk")),
            ("hospitality", N_("Hotell og restaurant")),
            ("manufacturing", N_("Industri")),
            ("transport", N_("Transport og lager")),
            ("construction", N_("Bygg og anlegg")),
            ("office", N_("Kontor")),
            ("other", N_("Annet")),
        ),
        shown=_WORK,
        required=ALWAYS,
    ),
    ChoiceField(
        key="job_subsidy",
        label=N_("Lønnstilskudd fra Nav"),
        help=N_("Om arbeidsgiveren får tilskudd fra Nav til lønnen."),
        options=YES_NO,
        shown=_WORK,
    ),
    ChoiceField(
        key="study_kind",
        label=N_("Type utdanning"),
        help=N_("Utdanningen som deltakeren går til."),
        options=label_options(
            ("primary", N_("Grunnskole")),
            ("upper_secondary", N_("Videregående")),
            ("vocational_college", N_("Fagskole")),
            ("university", N_("Universitet/høyskole")),
            ("other", N_("Annet")),
        ),
        shown=_STUDY,
        required=ALWAYS,
    ),
    ChoiceField(
        key="study_load",
        label=N_("Omfang"),
        help=N_("Om utdanningen er på heltid eller deltid."),
        options=label_options(("full", N_("Heltid")), ("part", N_("Deltid"))),
        shown=_STUDY,
        required=ALWAYS,
    ),
    ChoiceField(
        key="other_kind",
        label=N_("Hva går deltakeren til?"),
        help=N_("Velg det som blir deltakerens hovedaktivitet eller ytelse."),
        options=label_options(
            ("qualification", N_("Kvalifiseringsprogram")),
            ("labour_measure", N_("Arbeidsmarkedstiltak")),
            ("aap", N_("Arbeidsavklaringspenger")),
            ("social", N_("Sosialhjelp")),
            ("parental", N_("Foreldrepermisjon")),
            ("homemaker", N_("Hjemmeværende")),
            ("unknown", N_("Ukjent")),
            ("other", N_("Annet")),
        ),
        shown=_OTHER,
        required=ALWAYS,
    ),
    ChoiceField(
        key="livelihood_end",
        label=N_("Hovedkilde til livsopphold etter avslutning"),
        help=N_("Det deltakeren kommer til å leve mest av den første måneden etter avslutning."),
        options=label_options(("wage", N_("Lønn")), ("student", N_("Studielån/stipend")), *LIVELIHOOD),
        required=ALWAYS,
    ),
    ChoiceField(
        key="oral_end",
        label=N_("Norsknivå ved avslutning, muntlig"),
        help=_AS_SAID,
        options=LANGUAGE_LEVELS,
        required=ALWAYS,
    ),
    ChoiceField(
        key="written_end",
        label=N_("Norsknivå ved avslutning, skriftlig"),
        help=_AS_SAID,
        options=LANGUAGE_LEVELS,
        required=ALWAYS,
    ),
)


FIELD_END_REASON, FIELD_LIVELIHOOD_END = (
    next(question for question in FIELDS if question.key == key) for key in ("end_reason", "livelihood_end")
)


def checks(values: Values) -> dict[str, str]:
    """Check that the end is not before oppstart, and that absence fits into the period (domain, section 5)."""
    errors = {}
    start, end = values["start_date"], values.get("end_date")
    if end and end < start:
        errors["end_date"] = _("Datoen kan ikke være før oppstart %(start)s") % {"start": date_text(start)}
    absence = (values.get("absence_valid") or 0) + (values.get("absence_invalid") or 0)
    days = ((end if end and end >= start else values["today"]) - start).days + 1
    if absence > days:
        culprit = "absence_invalid" if values.get("absence_invalid") else "absence_valid"
        words = ngettext(
            "Fraværet er til sammen %(absence)s dag, men perioden har bare %(days)s",
            "Fraværet er til sammen %(absence)s dager, men perioden har bare %(days)s",
            absence,
        )
        errors[culprit] = words % {"absence": absence, "days": days}
    return errors


# The destinations that end reasons and sources of livelihood imply.
_TO_WORK = frozenset({"completed_work", "completed_both", "got_work"})
_TO_STUDY = frozenset({"completed_education", "completed_both", "began_education"})
_TO_NEITHER = frozenset({"completed_neither", "completed_time"})
_WAGES = frozenset({"wage", "part_time"})
_LARGE_POSITION = 80  # per cent: from here on the wage is the main livelihood
_NO_MEASURE = frozenset({"homemaker", "unknown"})


def warnings(values: Values) -> dict[str, str]:
    """Warn if reason, outcome and livelihood contradict each other, or the end is after the programme time (domain,
    section 10)."""
    said = {"outcome": _of_outcome(values), "livelihood_end": _of_livelihood(values)}
    time, end = programme_time(values), values.get("end_date")
    if time and end and end > time.last_day:
        said["end_date"] = [time_is_out(_("Dato for avslutning"), time)]
    return {key: " ".join(words) for key, words in said.items() if words}


def _of_outcome(values: Values) -> list[str]:
    """Warnings about outcomes that contradict the reason; none while either is missing."""
    reason, outcome = values.get("end_reason"), values.get("outcome") or []
    if not reason or not outcome:
        return []
    words = {"reason": FIELD_END_REASON.text(reason)}
    said = []
    if reason in _TO_WORK and "work" not in outcome:
        said.append(_("«Arbeid» er ikke valgt under «Deltakeren har gått ut i», men årsaken er «%(reason)s»."))
    if reason in _TO_STUDY and "study" not in outcome:
        said.append(_("«Studie» er ikke valgt under «Deltakeren har gått ut i», men årsaken er «%(reason)s»."))
    if reason in _TO_NEITHER | (_TO_STUDY - _TO_WORK) and "work" in outcome:
        said.append(_("«Arbeid» er valgt under «Deltakeren har gått ut i», men årsaken er «%(reason)s»."))
    if reason in _TO_NEITHER | (_TO_WORK - _TO_STUDY) and "study" in outcome:
        said.append(_("«Studie» er valgt under «Deltakeren har gått ut i», men årsaken er «%(reason)s»."))
    if reason == "other_measure" and ("other" not in outcome or values.get("other_kind") in _NO_MEASURE):
        said.append(_("Det står ikke hvilket tiltak deltakeren går til, men årsaken er «%(reason)s»."))
    if reason == "dead":
        said.append(_("Det er svart på hva deltakeren har gått ut i, men årsaken er «%(reason)s»."))
    return [text % words for text in said]


def _of_livelihood(values: Values) -> list[str]:
    """Warnings about a livelihood that contradicts the outcome or the reason."""
    source, outcome = values.get("livelihood_end"), values.get("outcome") or []
    if not source:
        return []
    words = {"source": FIELD_LIVELIHOOD_END.text(source)}
    said = []
    if source in _WAGES and outcome and "work" not in outcome:
        said.append(_("Hovedkilden til livsopphold er «%(source)s», men deltakeren har ikke gått ut i arbeid."))
    if source == "student" and outcome and "study" not in outcome:
        said.append(_("Hovedkilden til livsopphold er «%(source)s», men deltakeren har ikke gått ut i studie."))
    fits = _WAGES | {"unknown"} | ({"student"} if "study" in outcome else set())
    if "work" in outcome and (values.get("job_percent") or 0) >= _LARGE_POSITION and source not in fits:
        said.append(_("Hovedkilden til livsopphold er «%(source)s», men deltakeren har gått ut i en stor stilling."))
    if values.get("end_reason") == "dead" and source not in {"unknown", "other"}:
        said.append(_("Hovedkilden til livsopphold er «%(source)s», men årsaken til avslutning er død."))
    return [text % words for text in said]
