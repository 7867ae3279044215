from indexer.naming import free, slug


def test_slug_of_other_scripts_and_of_nothing() -> None:
    assert slug("Où ? À l'école…") == "ou-a-l-ecole"
    assert slug("日本") == ""


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free("kiln", ()) == "kiln"
    assert free("kiln", {"kiln", "kiln-2"}) == "kiln-3"
