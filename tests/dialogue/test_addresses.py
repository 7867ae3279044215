import pytest

from bot.dialogue.addresses import tells_contact, without_addresses, without_contacts


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://www.imt-nord-europe.fr/", ""),
        ("www.example.org c'est bien votre site ?", "c'est bien votre site ?"),
        ("my cv: https://example.org/d/a?b=c#d thanks", "my cv: thanks"),
        ("écrivez à nadia@exemple.fr svp", "écrivez à svp"),
        ("nadia.b+cours@mail.exemple.co.uk", ""),
        ("HTTP://EXAMPLE.ORG who teaches?", "who teaches?"),
        ("Who teaches?", "Who teaches?"),
        ("a@b", "a@b"),
        ("scikit-learn, c++ and node.js", "scikit-learn, c++ and node.js"),
        ("", ""),
    ],
)
def test_addresses_are_nothing_to_search_for(text: str, left: str) -> None:
    assert without_addresses(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "06 12 34 56 78",
        "0612345678",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "+33 6 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "0033612345678",
        "+44 20 7946 0958",
        "(555) 123-4567",
        "tel: 03.20.33.55.12!",
        "nadia@exemple.fr",
    ],
)
def test_a_number_or_an_address_tells_how_to_be_reached(text: str) -> None:
    assert tells_contact(text)
    assert not any(sign.isdigit() for sign in without_contacts(text)) or "@" in text


@pytest.mark.parametrize(
    "text",
    [
        "1 85 05 78 006 084 36",
        "10 000 000",
        "01/02/2026",
        "2026",
        "from 01/02/2026 to 05/06/2026",
        "https://example.org/0612345678",
        "0.123456789",
        "bac+5",
        "12 34 56 78 90",
        "",
    ],
)
def test_other_numbers_tell_nothing_of_the_kind(text: str) -> None:
    assert not tells_contact(text)


def test_hostile_lengths_are_read_in_no_time() -> None:
    for text in ("0" * 50_000, "a@" * 20_000, "a." * 20_000 + "@", "0 1 " * 10_000, "http" * 10_000):
        without_contacts(text)
        tells_contact(text)
