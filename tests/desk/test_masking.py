"""What candidates and staff write about themselves never reaches an entry or a file."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from bot.desk.masking import MASK, mask

FORMATS = (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164)
COUNTRIES = ("FR", "GB", "MA", "SN", "DE", "IN", "CN", "BR", "LB", "CI")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Je m'appelle Sara Benali, merci", "Je m'appelle […], merci"),
        ("my name is karim and I am 24", "my name is […] and I am 24"),
        ("Mon nom est sara benali.", "Mon nom est […]."),
        ("Bonjour Madame Bravo-Martin, merci", "Bonjour Madame […], merci"),
        ("Je suis Karim Haddad et je suis Français", "Je suis […] et je suis Français"),
        ("Merci.\nCordialement,\nSara B", "Merci.\nCordialement,\n[…]"),
        ("écrivez à a.b+c@ecole.fr !", "écrivez à […] !"),
        ("see https://x.fr/reset?token=abc now", "see […] now"),
        ("see https://x.fr/u/8f3b2c9d8e7f6a5b4c3d/file", "see […]"),
        ("find me: @sara_benali", "find me: […]"),
        ("IBAN FR76 3000 6000 0112 3456 7890 189 merci", "IBAN […] merci"),
        ("INE 1234567890A ou 123456789AB", "INE […] ou […]"),
        ("passeport 12AB34567, carte X4RTBPFW4", "passeport […], carte […]"),
        ("sécu 2 94 03 75 120 005 22 !", "sécu […] !"),
        ("dossier 20261234567", "dossier […]"),
        ("J'habite 12 bis rue de la Paix, 75002 Paris. Et vous ?", "J'habite […]. Et vous ?"),
        ("I live at 12 Baker Street, London NW1 6XE", "I live at […], London […]"),
        ("06 12 34 56 78, 06.12.34.56.78 ou 0612345678", "[…] ou […]"),
        ("+33 (0)6 12 34 56 78", "[…]"),
        ("call (415) 555-2671", "call […]"),
    ],
)
def test_what_tells_who_somebody_is_goes(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "La formation coûte 12 500 € en 2025-2026, du 15/03/2026 au 2026-09-15, 10000 Euros tout compris.",
        "Madame, Monsieur, bonjour : 3 cours par semaine, 20 places disponibles, 24 mois, Bac+5, RNCP37137.",
        "See https://www.example.org/executive-master-2026-programme/ for the dates.",
        "I am French, I'm an engineer, this is the third time that I ask; my name matters little.",
        "The course takes 24 months, 2 days a week, at 9:30, with 1 place in 10 for career changers.",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert mask(text) == text


def test_names_of_the_people_concerned_go_however_they_are_written() -> None:
    text = "sara here, SARA BENALI; Thanks Marie! Sarah and Benin stay; al too."
    assert mask(text, ["Sara Al Benali", "Marie"]) == "[…] here, […]; Thanks […]! Sarah and Benin stay; al too."


@given(st.sampled_from(COUNTRIES), st.sampled_from(FORMATS), st.text(alphabet="abc éà,.\n", max_size=20))
def test_no_telephone_number_gets_through(country: str, form: int, around: str) -> None:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert number
    written = phonenumbers.format_number(number, form)
    assert written not in mask(f"{around} {written} {around}")
    assert MASK in mask(f"{around} {written} {around}")


@given(st.from_regex(r"[a-z][a-z0-9.]{0,8}@[a-z]{2,8}\.[a-z]{2,3}", fullmatch=True), st.text(max_size=30))
def test_no_address_gets_through(address: str, around: str) -> None:
    assert address not in mask(f"{around} {address} {around}")


@given(st.text(max_size=200), st.lists(st.text(max_size=12), max_size=2))
def test_masking_twice_changes_nothing(text: str, names: list[str]) -> None:
    once = mask(text, names)
    assert mask(once, names) == once
