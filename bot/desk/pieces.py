"""One message as a person sent it, and what of it can be carried to somebody else."""

from dataclasses import dataclass

from telegram import Message

from bot.delivery.references import Payload
from bot.dialogue.rich import Rich, utf16
from bot.dialogue.signs import visible

# In this order: Telegram repeats an animation as a document, and a venue as a location.
KINDS = "text animation photo video audio voice video_note document sticker venue location contact poll".split()
REPLACEABLE = frozenset({"animation", "photo", "video", "audio", "document"})  # an edit may put another in its place
CAPTIONED = REPLACEABLE | {"voice"}
# Marks that name nobody and work for every bot.
FORMATTING = frozenset(
    "bold italic underline strikethrough spoiler blockquote expandable_blockquote code pre text_link".split()
)
NOTHING = Rich()
LIVE = ("latitude", "longitude", "horizontal_accuracy", "heading", "proximity_alert_radius", "live_period")


@dataclass(frozen=True, slots=True)
class Piece:
    """A message of a person. `kind` is empty for what cannot be carried: games, dice, polls that have votes …"""

    message_id: int
    kind: str
    said: Rich = NOTHING  # text or caption
    file_id: str | None = None
    file: str | None = None  # the same for the same file, whoever sends it
    album: str | None = None
    reply_to: int | None = None
    veiled: bool = False  # whether what is said holds signs that are not shown
    live: Payload | None = None  # parameters of a location that moves; empty once it has stopped

    @property
    def item(self) -> Payload:
        """The piece as a part of an album."""
        return {"type": self.kind, "media": self.file_id, **caption(self.said)}


def read(message: Message) -> Piece:
    """What somebody sent."""
    kind = next((kind for kind in KINDS if getattr(message, kind)), "")
    if message.poll and (message.poll.total_voter_count or message.poll.type != message.poll.REGULAR):
        kind = ""
    content = getattr(message, kind) if kind else None
    file = message.photo[-1] if kind == "photo" else content
    answered = message.reply_to_message
    said = _said(message)
    # In a topic, what replies to nothing looks like a reply to the topic's beginning. Elsewhere a thread begins with
    # what somebody replies to.
    in_topic = message.message_thread_id if message.is_topic_message else None
    begins = answered is not None and answered.message_id == in_topic
    return Piece(
        message_id=message.message_id,
        kind=kind,
        said=said,
        file_id=getattr(file, "file_id", None),
        file=getattr(file, "file_unique_id", None),
        album=message.media_group_id if kind in REPLACEABLE else None,
        reply_to=answered.message_id if answered and not begins else None,
        veiled=said.text != (message.text or message.caption or ""),
        live=_live(message) if kind == "location" else None,
    )


def caption(said: Rich) -> Payload:
    """A caption as the Bot API wants it; nothing without one."""
    shown: Payload = {"caption": said.text} if said.text else {}
    return shown | ({"caption_entities": list(said.entities)} if said.entities else {})


def _said(message: Message) -> Rich:
    text = message.text or message.caption or ""
    marks = [mark.to_dict() for mark in message.entities or message.caption_entities]
    units = text.encode("utf-16-le", "surrogatepass")

    def place(offset: int) -> int:
        return utf16(visible(units[: offset * 2].decode("utf-16-le", "surrogatepass")))

    kept = []
    for mark in marks:
        start, end = place(mark["offset"]), place(mark["offset"] + mark["length"])
        if mark["type"] in FORMATTING and end > start:
            kept.append({**mark, "offset": start, "length": end - start})
    return Rich(visible(text), tuple(kept))


def _live(message: Message) -> Payload | None:
    """Only of a location that moves, or that has stopped moving."""
    location = message.location
    if location is None or not (location.live_period or message.edit_date):
        return None
    found = location.to_dict()
    return {name: found[name] for name in LIVE if found.get(name)} if location.live_period else {}
