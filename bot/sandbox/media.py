"""Files: what is uploaded, how it looks in a message, and how a file id is used again."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.refusal import Json, bad_request

# Kind → folder of its file path; the kinds are also the parameter names of the send methods.
FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "voice": "voice",
    "video_note": "video_notes",
    "document": "documents",
    "sticker": "stickers",
    "animation": "animations",
    "audio": "music",
}
_SHAPES: dict[str, Json] = {
    "video": {"width": 640, "height": 360, "duration": 3},
    "voice": {"duration": 3},
    "video_note": {"length": 240, "duration": 3},
    "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
    "animation": {"width": 320, "height": 240, "duration": 3},
    "audio": {"duration": 3},
}
_NAMED = {"document", "audio", "video", "animation"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in a multipart body."""

    name: str
    content: bytes
    mime: str


@dataclass(frozen=True, slots=True)
class File:
    """A stored file."""

    id: str
    kind: str
    upload: Upload
    path: str

    def json(self) -> Json:
        """A File object."""
        return {
            "file_id": self.id,
            "file_unique_id": f"u{self.id}",
            "file_size": len(self.upload.content),
            "file_path": self.path,
        }


def store(files: dict[str, File], kind: str, upload: Upload) -> File:
    """Keep an upload under a new file id."""
    if not upload.content:
        raise bad_request("file must be non-empty")
    serial = len(files) + 1
    ending = upload.name.rpartition(".")[2] or "bin"
    file = File(f"FILE-{kind}-{serial}", kind, upload, f"{FOLDERS[kind]}/file_{serial}.{ending}")
    files[file.id] = file
    return file


def find(files: dict[str, File], kind: str, params: Json, value: Any) -> File:
    """The file that a parameter means: an upload, attach://name or a file id; raises Refusal."""
    if isinstance(value, str) and value.startswith("attach://"):
        value = params.get(value.removeprefix("attach://"))
    if isinstance(value, Upload):
        return store(files, kind, value)
    if not value:
        raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
    if (file := files.get(str(value))) is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise bad_request(f"can't use file of type {file.kind.title()} as {kind.title()}")
    return file


def content(file: File) -> Json:
    """The part of a Message object that shows a file."""
    base = {key: part for key, part in file.json().items() if key != "file_path"}
    if file.kind == "photo":
        return {"photo": [base | {"width": 90, "height": 90}, base | {"width": 800, "height": 800}]}
    shown = base | _SHAPES.get(file.kind, {})
    if file.kind in _NAMED:
        shown |= {"file_name": file.upload.name, "mime_type": file.upload.mime}
    elif file.kind == "voice":
        shown["mime_type"] = "audio/ogg"
    # Telegram repeats an animation as a document for old bots.
    return {file.kind: shown} | ({"document": shown} if file.kind == "animation" else {})
