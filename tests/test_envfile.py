import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.envfile import write

OLD = "# mine\nGUICHET_A=1\n#GUICHET_B=2\nOTHER='x y'\n"


def test_other_lines_stay_and_the_owner_alone_may_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(OLD, encoding="utf-8")
    path.chmod(0o644)
    write(path, {"GUICHET_A": "3", "GUICHET_B": "-100123"})
    assert path.read_text(encoding="utf-8") == OLD.replace("A=1", "A=3") + "GUICHET_B=-100123\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [".env"]


@pytest.mark.parametrize("value", ["École d'essai", "a b", 'say "yes"', "no #1", "back\\slash", "$HOME", " x "])
def test_values_come_back_as_they_were(tmp_path: Path, value: str) -> None:
    write(tmp_path / ".env", {"GUICHET_OPERATOR": value, "GUICHET_NEXT": "1"})
    assert dotenv_values(tmp_path / ".env") == {"GUICHET_OPERATOR": value, "GUICHET_NEXT": "1"}


@pytest.mark.parametrize("value", ["123456:AAE-x_y", "-1001234567890", "École d essai", "dpo@example.org"])
def test_plain_values_have_no_quotes(tmp_path: Path, value: str) -> None:
    write(tmp_path / ".env", {"GUICHET_A": value})
    assert (tmp_path / ".env").read_text(encoding="utf-8") == f"GUICHET_A={value}\n"


def test_a_last_line_without_its_end_and_a_link_are_kept(tmp_path: Path) -> None:
    real, shown = tmp_path / "real", tmp_path / ".env"
    real.write_text("A=1", encoding="utf-8")
    shown.symlink_to(real)
    write(shown, {"B": "2"})
    assert shown.is_symlink()
    assert real.read_text(encoding="utf-8") == "A=1\nB=2\n"


def test_what_a_killed_run_left_is_in_nobody_s_way(tmp_path: Path) -> None:
    (tmp_path / ".env.new").write_text("half", encoding="utf-8")
    write(tmp_path / ".env", {"A": "1"})
    assert (tmp_path / ".env").read_text(encoding="utf-8") == "A=1\n"
