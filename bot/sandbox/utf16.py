"""Telegram counts text in UTF-16 code units."""


def width(text: str) -> int:
    """Length in UTF-16 units: 2 for what lies beyond the basic plane, such as most emoji."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)
