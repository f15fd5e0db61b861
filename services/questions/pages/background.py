"""Page 2, «Bakgrunn»: the participant's situation at oppstart. Health, religion and grounds for residence are left out
on purpose (GDPR article 9)."""

from services.core.code_lists import country_names
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.questions.fields import (
    ALWAYS,
    ChoiceField,
    ManyField,
    MonthField,
    NumberField,
    Option,
    Values,
    YearField,
    chosen,
    label_options,
    positive,
)

LIVELIHOOD = (
    ("spouse", N_("Forsørget av ektefelle eller samboer")),
    ("transitional", N_("Overgangsstønad")),
    ("social", N_("Økonomisk sosialhjelp")),
    ("part_time", N_("Lønnsinntekt (deltid)")),
    ("nav_other", N_("Annen ytelse fra Nav")),
    ("other", N_("Annet")),
    ("unknown", N_("Ukjent")),
)

LANGUAGE_LEVELS = label_options(
    ("below_a1", N_("Under A1")),
    ("a1", "A1"),
    ("a2", "A2"),
    ("b1", "B1"),
    ("b2", "B2"),
    ("c1", "C1"),
    ("unmapped", N_("Ikke kartlagt")),
)

LANGUAGES = label_options(
    ("alb", N_("Albansk")),
    ("amh", N_("Amharisk")),
    ("ara", N_("Arabisk")),
    ("hye", N_("Armensk")),
    ("aze", N_("Aserbajdsjansk")),
    ("ben", N_("Bengali")),
    ("bos", N_("Bosnisk, kroatisk eller serbisk")),
    ("bul", N_("Bulgarsk")),
    ("mya", N_("Burmesisk")),
    ("dan", N_("Dansk")),
    ("prs", N_("Dari")),
    ("eng", N_("Engelsk")),
    ("est", N_("Estisk")),
    ("fil", N_("Filippinsk (tagalog)")),
    ("fin", N_("Finsk")),
    ("fra", N_("Fransk")),
    ("kat", N_("Georgisk")),
    ("guj", N_("Gujarati")),
    ("heb", N_("Hebraisk")),
    ("hin", N_("Hindi")),
    ("ind", N_("Indonesisk")),
    ("isl", N_("Islandsk")),
    ("ita", N_("Italiensk")),
    ("jpn", N_("Japansk")),
    ("zho", N_("Kinesisk")),
    ("kin", N_("Kinyarwanda eller kirundi")),
    ("kor", N_("Koreansk")),
    ("ckb", N_("Kurdisk (sorani)")),
    ("kmr", N_("Kurdisk (kurmanji)")),
    ("lav", N_("Latvisk")),
    ("lin", N_("Lingala")),
    ("lit", N_("Litauisk")),
    ("mkd", N_("Makedonsk")),
    ("nep", N_("Nepali")),
    ("nor", N_("Norsk")),
    ("orm", N_("Oromo")),
    ("pan", N_("Panjabi")),
    ("pus", N_("Pashto")),
    ("fas", N_("Persisk (farsi)")),
    ("pol", N_("Polsk")),
    ("por", N_("Portugisisk")),
    ("rom", N_("Romani")),
    ("ron", N_("Rumensk")),
    ("rus", N_("Russisk")),
    ("sme", N_("Samisk")),
    ("som", N_("Somali")),
    ("spa", N_("Spansk")),
    ("swa", N_("Swahili")),
    ("swe", N_("Svensk")),
    ("tam", N_("Tamil")),
    ("tha", N_("Thai")),
    ("tir", N_("Tigrinja")),
    ("ces", N_("Tsjekkisk eller slovakisk")),
    ("che", N_("Tsjetsjensk")),
    ("tur", N_("Tyrkisk")),
    ("deu", N_("Tysk")),
    ("uig", N_("Uigurisk")),
    ("ukr", N_("Ukrainsk")),
    ("hun", N_("Ungarsk")),
    ("urd", N_("Urdu")),
    ("uzb", N_("Usbekisk")),
    ("vie", N_("Vietnamesisk")),
    ("other", N_("Annet språk")),
)

_LEVEL_HELP = N_(
    "Nivået etter det europeiske rammeverket for språk. Bruk prøveresultat eller kartlegging. "
    "Er nivået ikke kartlagt, velger du «Ikke kartlagt»."
)

FIELDS = (
    ChoiceField(
        key="target_group",
        label=N_("Målgruppe ved oppstart"),
        help=N_(
            "Velg det som passet på oppstartsdatoen. Den som deltar i Kvalifiseringsprogrammet, er ikke i målgruppen."
        ),
        options=label_options(
            ("homemaker", N_("Hjemmeværende uten egen inntekt eller stønad")),
            ("transitional", N_("Overgangsstønad som hovedinntekt")),
            ("social", N_("Mottar sosialhjelp")),
            ("other", N_("Annet")),
        ),
        required=ALWAYS,
    ),
    ChoiceField(
        key="recruitment",
        label=N_("Rekrutteringskanal"),
        help=N_("Hvordan deltakeren kom i kontakt med Jobbsjansen. Er det flere svar, velger du det viktigste."),
        options=label_options(
            ("nav", N_("Nav")),
            ("refugee_service", N_("Flyktningtjenesten")),
            ("adult_education", N_("Voksenopplæringen")),
            ("clinic_school", N_("Helsestasjon, barnehage eller skole")),
            ("voluntary", N_("Frivillig organisasjon")),
            ("network", N_("Familie, venner eller tidligere deltaker")),
            ("herself", N_("Tok kontakt selv")),
            ("other", N_("Annet")),
        ),
        required=ALWAYS,
    ),
    ManyField(
        key="earlier_measures",
        label=N_("Tidligere tiltak"),
        help=N_("Tiltak som deltakeren har vært med i før oppstart i Jobbsjansen. Du kan velge flere."),
        options=label_options(
            ("introduction", N_("Introduksjonsprogram")),
            ("norwegian", N_("Norskopplæring")),
            ("qualification", N_("Kvalifiseringsprogram")),
            ("labour_measure", N_("Arbeidsmarkedstiltak i Nav")),
            ("jobbsjansen", N_("Jobbsjansen eller Ny sjanse")),
            ("none", N_("Ingen av disse")),
        ),
        exclusive="none",
        required=ALWAYS,
    ),
    MonthField(
        key="intro_end",
        label=N_("Når avsluttet deltakeren introduksjonsprogrammet?"),
        help=N_("Måned og år, for eksempel 06.2022. Det skal vanligvis ha gått to år før oppstart i Jobbsjansen."),
        shown=chosen("earlier_measures", "introduction"),
        required=ALWAYS,
    ),
    ChoiceField(
        key="literacy",
        label=N_("Lese- og skriveferdigheter på eget morsmål"),
        help=N_("Den som mangler grunnleggende ferdigheter på eget morsmål, kan få programmet utvidet med ett år til."),
        options=label_options(
            ("missing", N_("Mangler grunnleggende ferdigheter")),
            ("basic", N_("Har grunnleggende ferdigheter")),
            ("good", N_("Gode ferdigheter")),
        ),
        required=ALWAYS,
    ),
    ChoiceField(
        key="mother_tongue",
        label=N_("Morsmål"),
        help=N_("Språket som deltakeren selv regner som sitt første. Står det ikke i listen, velger du «Annet språk»."),
        options=LANGUAGES,
        alphabetical=True,
        last="other",
    ),
    ChoiceField(
        key="oral_start",
        label=N_("Norsknivå ved oppstart, muntlig"),
        help=_LEVEL_HELP,
        options=LANGUAGE_LEVELS,
        required=ALWAYS,
    ),
    ChoiceField(
        key="written_start",
        label=N_("Norsknivå ved oppstart, skriftlig"),
        help=_LEVEL_HELP,
        options=LANGUAGE_LEVELS,
        required=ALWAYS,
    ),
    ChoiceField(
        key="education",
        label=N_("Høyeste fullførte utdanning"),
        help=N_("Utdanning fra Norge eller utlandet, godkjent eller ikke. Ta bare med det som er fullført."),
        options=label_options(
            ("none", N_("Ingen skolegang")),
            ("years_1_7", N_("1–7 år")),
            ("years_8_10", N_("8–10 år (grunnskole)")),
            ("upper_secondary", N_("Videregående")),
            ("vocational_college", N_("Fagskole")),
            ("university_short", N_("Universitet/høyskole inntil 4 år")),
            ("university_long", N_("Universitet/høyskole mer enn 4 år")),
            ("unknown", N_("Ukjent")),
        ),
        required=ALWAYS,
    ),
    ChoiceField(
        key="education_country",
        label=N_("Land for utdanningen"),
        help=N_("Landet der den høyeste utdanningen er fullført."),
        options=tuple(Option(code, name) for code, name in country_names().items() if code != "XXX"),
        alphabetical=True,
    ),
    ChoiceField(
        key="education_recognised",
        label=N_("Er utdanningen godkjent i Norge?"),
        help=N_("Godkjenning gis av HK-dir eller andre myndigheter, etter hvilken utdanning det er."),
        options=label_options(
            ("yes", N_("Ja")),
            ("no", N_("Nei")),
            ("applied", N_("Søknad sendt")),
            ("not_relevant", N_("Ikke aktuelt")),
        ),
    ),
    ChoiceField(
        key="work_experience",
        label=N_("Arbeidserfaring før oppstart"),
        help=N_("Lønnet arbeid, også deltid og korte oppdrag. Praksis og språktrening regnes ikke med."),
        options=label_options(
            ("none", N_("Ingen")),
            ("abroad", N_("Bare fra utlandet")),
            ("norway", N_("Bare fra Norge")),
            ("both", N_("Fra både Norge og utlandet")),
        ),
        required=ALWAYS,
    ),
    ChoiceField(
        key="work_norway",
        label=N_("Lengde på lønnet arbeid i Norge"),
        help=N_("Legg sammen alle arbeidsforhold i Norge før oppstart."),
        options=label_options(
            ("under_6", N_("Under 6 md.")),
            ("from_6_to_12", N_("6–12 md.")),
            ("years_1_3", N_("1–3 år")),
            ("over_3", N_("Over 3 år")),
        ),
        shown=chosen("work_experience", "norway", "both"),
    ),
    NumberField(
        key="children",
        label=N_("Antall barn under 18 år"),
        help=N_("Barn som deltakeren har omsorg for ved oppstart. Skriv 0 hvis deltakeren ikke har noen."),
        most=15,
        required=ALWAYS,
    ),
    YearField(
        key="youngest_child",
        label=N_("Fødselsår for yngste barn"),
        help=N_("Året med fire sifre, for eksempel 2021."),
        shown=positive("children"),
        required=ALWAYS,
    ),
    ChoiceField(
        key="livelihood_start",
        label=N_("Hovedkilde til livsopphold ved oppstart"),
        help=N_("Det deltakeren levde mest av den siste måneden før oppstart."),
        options=label_options(*LIVELIHOOD),
        required=ALWAYS,
    ),
)


def checks(values: Values) -> dict[str, str]:
    """Check that the youngest child is born and under 18 at oppstart, and that the introduction programme is over."""
    errors = {}
    year, today, start = values.get("youngest_child"), values["today"], values["start_date"]
    if year is not None and not start.year - 18 <= year <= today.year:
        errors["youngest_child"] = _("Skriv et årstall fra %(first)s til %(last)s") % {
            "first": start.year - 18,
            "last": today.year,
        }
    if (ended := values.get("intro_end")) and ended > today:
        errors["intro_end"] = _("Måneden kan ikke være fram i tid")
    return errors


def warnings(values: Values) -> dict[str, str]:
    """Warn if the introduction programme ended less than two years before oppstart."""
    ended, start = values.get("intro_end"), values["start_date"]
    if ended and (start.year - ended.year) * 12 + start.month - ended.month < 24:
        return {"intro_end": _("Det er mindre enn to år mellom introduksjonsprogrammet og oppstart i Jobbsjansen.")}
    return {}
