"""From a message to the questions in it: politeness taken away, several questions apart, follow-ups made whole."""

import re
import unicodedata
from functools import cache, lru_cache, partial
from itertools import chain, pairwise

from bot.dialogue import lists
from bot.dialogue.language import fold
from bot.dialogue.letters import own_words, without_headers
from indexer.entries import Language

MOST_PARTS = 5
MOST_NAMING = 2
MOST_KEYWORDS = 3  # words of a text that may be a question without asking

LONGEST_CONTEXT = 45  # words told of oneself that are searched with a question about them
# Characters at the beginning in which a request is looked for, and at the end of a sentence in which politeness is: a
# pattern that may begin anywhere takes the square of its text's length.
LONGEST_LEAD, LONGEST_TAIL = 1000, 300

# "Hello. Sorry to bother you, but I would like to know …": nobody piles up more than this.
_MOST_PEELS = 6
_WISHES: dict[Language, str] = {"fr": "wants_french", "en": "wants_english"}
_EDGES = ' ,;:-–—"“”«»\u00a0\u202f'

_PATTERNS: dict[str, str] = lists.read("patterns.yaml")
# A sentence ends at . ! ? … before a blank, but not after "M.", "Mme.", "etc." or a single digit.
_SENTENCE = re.compile(
    r"(?<=[.!?…])(?<!\b[A-Za-z]\.)(?<!\bMme\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\betc\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\s\d\.)\s+"
    r"|(?<=\?)(?=[A-ZÀ-Ü])"
    r"|(?<=[\u2600-\u27bf\ufe0f\U0001f300-\U0001faff])\s+(?=\w)"
)
_NUMBER = re.compile(
    r"(?<![^\s,;:.?!])(?:(?:point|question) )?\(?([1-9]|[a-h])(?:(?<=\d)(?:st|nd|rd|th|[eè]re?|er|[eè]me|nde?|[°º]))?"
    r"(?:\)|\s?[.:/=-](?=\s))\s*(?=\w)",
    re.IGNORECASE,
)
_OR = re.compile(r"^\s*(?:or|ou)\b|\b(?:or|ou)[\s,]*$", re.IGNORECASE)
_ENDED = re.compile(r"[.!?…:]\s*$")
_CLAUSE = re.compile(r"([^,;:!?—–]{3,80})(?:[,;:!]|\s[—–])\s*(?:(?:but|mais|and|et)\s+)?")
_ITEM = re.compile(r"^\s*(?:[-•*–—·▪→▸►●◦✓✔]|\(?\d{1,2}[.):/-]|\(?[a-h][.)])\s+(?=\S)")


def split_questions(text: str) -> tuple[str, ...]:
    """Return the questions of a message, politeness taken away, at most five; what asks nothing comes back whole.

    >>> split_questions("Bonjour, qui enseigne ? Et combien ça coûte ? Merci !")
    ('qui enseigne ?', 'combien ça coûte ?')
    """
    text = _by_lines(_own(text))
    lines = [line for line in text.splitlines() if line.strip()]
    items = [_ITEM.sub("", line) for line in lines if _ITEM.match(line)]
    if len(items) >= 2:
        return _limited([strip_politeness(item) for item in items], text)
    sentences = _sentences(text)
    asked = [asks(sentence) for sentence in sentences]
    if not any(asked):
        keywords = len(lines) == len(sentences) > 1 and all(len(sentence.split()) <= 3 for sentence in sentences)
        return _limited(sentences if keywords else _split_joined(strip_politeness(text)), text)
    alone = sum(asked) == 1
    sentences = _with_alternatives(
        [_with_context(sentences, at, alone=alone) for at, one in enumerate(asked) if one],
    )
    return _limited([part for sentence in sentences for part in _split_joined(sentence)], text)


def _own(text: str) -> str:
    """Return a letter's own words if they ask something, else those with what it quotes or passes on."""
    own = own_words(text)
    return own if own == text or any(map(asks, _sentences(own))) else without_headers(text) or text


def _by_lines(text: str) -> str:
    """Return the text with each question of a list in one line ("1) … 2) …") in a line of its own.

    What one question chooses among ("is it 1) … or 2) …?") stays in it, without its numbers.
    """
    for numbers in ("123456789", "abcdefgh"):
        found = [item for item in _NUMBER.finditer(text) if item[1].lower() in numbers]
        if len(found) > 1 and "".join(item[1].lower() for item in found) == numbers[: len(found)]:
            ends = [*(item.start() for item in found[1:]), len(text)]
            lead = text[: found[0].start()]
            items = [text[item.end() : end] for item, end in zip(found, ends, strict=True)]
            if _is_choice(lead, items):
                return lead + "".join(items)
            return "\n- ".join([lead, *map(_without_or, items)])
    return text


def _is_choice(lead: str, items: list[str]) -> bool:
    """Say whether the items of a list in one line are what the words before them choose among."""
    alone = [_folded(_without_or(item)) for item in items]
    if any("\n" in item for item in items[:-1]) or any(map(partial(_matches, "opener"), alone)):
        return False
    before = (_sentences(lead) or [""])[-1].rstrip("? ")
    asking = asks(before) and not _match("request", _same_length(f"{before} "))
    other, goes_on = not all(map(is_aspect, alone)), not _ENDED.search(lead)
    if any(map(_OR.search, items)):
        return asking or (goes_on and other)
    return asking and goes_on and other


def _without_or(item: str) -> str:
    """Return an item of a list without the "or" that joins it to others; "c'est ou" asks where, and keeps it."""
    bare = item.strip(_EDGES)
    rest = _OR.sub("", bare).strip(_EDGES)
    return rest if asks(rest) or is_aspect(rest) else bare


def strip_politeness(text: str) -> str:
    """Return the text without salutation, introduction, thanks and signature; never empty if the text was not."""
    kept = _sentences(text)
    if any(asks(sentence) for sentence in kept) and sum(map(len, kept)) > 200:
        kept = [sentence for sentence in kept if asks(sentence)]
    told = [sentence for sentence in kept if not _is_made_of("lament", sentence)]
    return " ".join(told or kept) or text.strip()


def without_padding(text: str) -> str:
    """Return a question without words that change nothing of what it asks.

    >>> without_padding("What exactly is the VAPP, please?")
    'What is the VAPP?'
    """
    spans = (found.span() for found in _pattern("padding").finditer(_same_length(text)))
    cuts = [0, *chain.from_iterable(spans), len(text)]
    kept = (text[begin:end] for begin, end in zip(cuts[::2], cuts[1::2], strict=True))
    plain = " ".join("".join(kept).split())
    return re.sub(r"^[\s,]+|[\s,]+(?=[?!.,]|$)", "", plain)


def resolve_follow_up(text: str, before_question: str, before_topic: str = "") -> str | None:
    """Return a follow-up as a text that can be searched by itself; None when the message stands alone.

    A new aspect of the course ("and the price?") and a question put right ("I meant who teaches?") need nothing from
    before; a new case ("et pour les indépendants ?"), a pronoun ("is it mandatory?") and a fact put right ("I meant a
    master") need the question before, or its topic if that is long.
    """
    said = text.strip().lstrip("…. ")
    corrects = _match("correction", _same_length(said))
    said = said[corrects or _match("interjection", _same_length(said)) :]
    if corrects and asks(said):
        return said
    folded = _same_length(said)
    other_case = _match("other_case", folded)
    rest = said[other_case or _match("conjunction", folded) :].strip(" ,:;")
    asked = _folded(rest)
    short = rest != said and len(asked.split()) <= (8 if other_case else 4) and not _matches("opener", asked)
    if short and _matches("aspect", asked) and not _matches("bare", asked):
        return rest
    about = (before_question if 0 < len(before_question.split()) <= 25 else before_topic).strip(" .?!")
    either = _matches("or_else", folded) and len(asked.split()) <= 8
    if not about or not (corrects or short or either or _matches("bare", asked) or _leans_on_before(asked)):
        return None
    return f"{about}, {rest}"


def without_lead(text: str) -> str:
    """Return a follow-up without what only joins it to what was said before.

    >>> without_lead("ok cool, and the projects?")
    'the projects?'
    """
    said = text[_match("interjection", _same_length(text)) :]
    return said[_match("conjunction", _same_length(said)) :].strip(" ,:;") or text


def means_nothing_alone(text: str) -> bool:
    """Say whether a follow-up is not to be read by itself: "by whom?"."""
    return _matches("nothing_alone", _folded(without_lead(text)))


def is_announced(question: str, text: str) -> bool:
    """Say whether "if X" was asked indirectly in the text ("I'd like to know if X"): then it is no condition."""
    return _matches("indirect", _folded(question)) and _search("request", _same_length(text[:LONGEST_LEAD]))


def _leans_on_before(asked: str) -> bool:
    """Say whether a short question's subject is a pronoun that only the exchange before explains."""
    return len(asked.split()) <= 8 and _matches("pronoun", asked) and not _search("self_standing", asked)


def _sentences(text: str) -> list[str]:
    """Return the sentences that are more than politeness, what is polite at their ends taken away."""
    found: list[str] = []
    for line in unicodedata.normalize("NFC", text).splitlines():
        for sentence in _SENTENCE.split(_ITEM.sub("", line)):
            bare = _bare(sentence)
            if bare:
                found.append(bare)
            elif found and _matches("sign_off", _folded(sentence)):
                return found
    return found


def _bare(sentence: str) -> str:
    """Return the sentence without politeness at its ends; empty when it is nothing else."""
    mark = " ?" if " ?" in sentence else "?" if "?" in sentence else ""
    bare = sentence.strip(_EDGES)
    for _ in range(_MOST_PEELS):
        said = _same_length(bare)
        if _is_polite(bare) or not re.search(r"\w", bare):
            return ""
        end, situation = _introduction(bare, said)
        if situation and (led := _match("request", said[end:])):
            bare, mark = f"{situation}, {bare[end + led :]}", mark or "?"
            continue
        head = _lament(said) or _match("head", said) or _match("digression", said) or (0 if situation else end)
        wrapper = _match("request", said)
        if wrapper and not mark:
            mark = "?"
        cut = bare[: _tail(said)][max(head, wrapper) :].strip(_EDGES)
        if cut == bare or not re.search(r"\w", cut):
            break
        bare = cut
    return bare if "?" in bare or not mark else bare.rstrip(".!… ") + mark


def _lament(said: str) -> int:
    """Return where a lament ends that stands before a question, and that the question does not lean on; else 0."""
    end = _match("lament_first", said) or _courteous(said)
    rest = said[end:]
    asked = rest[_match("conjunction", rest) :]
    told = "?" not in said and _matches("relative", asked)  # "on behalf of my husband, who is shy"
    asking = _matches("opener", _folded(asked)) or any(_matches(name, asked) for name in ("request", "head"))
    return end if end and asking and not told and not _leans_on_before(_folded(asked)) else 0


def _courteous(said: str) -> int:
    """Return where a clause ends that is mere politeness: "good evening from Lille, who teaches?"; 0 without one."""
    clause = _CLAUSE.match(said)
    polite = clause and _is_polite(clause[1]) and not _matches("introduction", _folded(clause[1]))
    return clause.end() if clause and polite else 0


def _introduction(sentence: str, said: str) -> tuple[int, str]:
    """Return where "I'm a nurse, and" ends before an indirect question, and what of it explains that question.

    A name explains nothing; a job that is written like one does. (0, "") where nobody introduces themselves so.
    """
    found = _pattern("situation").match(said)
    if found is None:
        return 0, ""
    name = sentence[slice(*found.span(2))]
    like_one = name.strip().istitle() and not re.search(r"[\d+/]", name) and _matches("i_am", said)
    is_name = like_one and not _matches("state", _folded(name))
    return found.end(), "" if is_name else sentence[: found.end(1)]


def _is_polite(sentence: str) -> bool:
    said = _folded(sentence)
    if "?" not in sentence and _matches("polite", said):
        return not _matches("request", said)  # "thank you for telling me who teaches"
    return _matches("salutation", said)


def _split_joined(sentence: str) -> list[str]:
    """Cut a sentence where a second question begins: "who teaches and how much does it cost"."""
    said = _same_length(sentence)
    listed = re.split(r"\s*[,;/+&]\s*|\s+(?:et|and)\s+", sentence.strip(" ?!."))
    if len(listed) > 1 and all(_matches("aspect", _folded(item)) for item in listed):
        return listed
    cuts = [0, *(found.start() for found in _pattern("joint").finditer(said)), len(sentence)]
    pieces = [sentence[start:end] for start, end in pairwise(cuts)]
    parts: list[str] = []
    for piece in _after_condition(pieces):
        alone = _without_joint(piece)
        if parts and (len(alone.split()) < 2 or len(parts[-1].split()) < 2 or _belongs(piece, parts[-1][:300])):
            parts[-1] += piece
        else:
            parts.append(alone)
    return parts


def _after_condition(pieces: list[str]) -> list[str]:
    """Keep "if … and if …" together with the question behind their comma."""
    if not _matches("condition", _folded(pieces[0])):
        return pieces
    asked = (
        number
        for number, piece in enumerate(pieces)
        if number and piece.lstrip().startswith(",") and not _matches("indirect", _folded(_without_joint(piece)))
    )
    whole = next(asked, 0) + 1
    return ["".join(pieces[:whole]), *pieces[whole:]]


def _belongs(piece: str, before: str) -> bool:
    """Say whether the piece goes on with what stands before it: no question, "if …, can I …", or "…, is that so"."""
    alone, first, said = _folded(_without_joint(piece)), _folded(before), piece.lstrip()
    if said.startswith(",") and (_matches("condition", first) or (_folded(said) == alone and _leans_on_before(alone))):
        return True
    if alone.startswith("qui ") and " qui " in first:  # "those who have a degree and who have worked"
        return True
    if _matches("indirect", alone):
        if is_aspect(before):
            return False
        joined = _folded(said) != alone
        return not (
            _matches("indirect", first) or (joined and _matches("opener", first) and _matches("also_asked", alone))
        )
    return not asks(before)


def _without_joint(piece: str) -> str:
    said = _same_length(piece)
    led = _match("joint", said) or _match("joint_word", said)
    return _bare(piece[led:]) if led else piece.strip(" ,;")


def _with_context(sentences: list[str], at: int, *, alone: bool) -> str:
    """Return a question, with what was told before it where it cannot be understood without.

    `alone` says that the message asks nothing else. Two sentences are kept for "in my situation", else one.
    """
    question = sentences[at]
    said, length = _folded(question), len(question.split())
    in_my_case = _search("in_my_case", said)
    if not in_my_case and not (alone and (length <= 6 or (length <= 10 and _search("points_back", said)))):
        return question
    told: list[str] = []
    for before in reversed(sentences[:at]):
        words = len(" ".join([before, *told]).split())
        folded = _folded(before)
        if asks(before) or words > (LONGEST_CONTEXT if in_my_case else 25) or _matches("introduction", folded):
            break
        if _is_made_of("lament", before) and not (_matches("bare", said) or _leans_on_before(said)):
            continue
        told.insert(0, before.rstrip("."))
        if len(told) > in_my_case:
            break
    return ". ".join([*told, question])


def _with_alternatives(questions: list[str]) -> list[str]:
    """Put "Academics or professionals?" back behind the question that it belongs to, and "Why?" too."""
    whole = questions[:1]
    for question in questions[1:]:
        said = _folded(question)
        if _matches("more_of_it", said) or (_matches("alternatives", said) and not _matches("opener", said)):
            whole[-1] += f" {question}"
        else:
            whole.append(question)
    return whole


def asks(sentence: str) -> bool:
    """Say whether a sentence asks something, by its mark or by how it begins."""
    return "?" in sentence or _matches("opener", _folded(sentence))


def is_question(text: str) -> bool:
    """Say whether a text asks, or names what it is about in so few words that it can hardly do anything else.

    >>> [is_question(text) for text in ("who teaches", "housing", "I got in!!!", "I hold a degree in law")]
    [True, True, False, False]
    """
    return asks(text) or is_aspect(text) or ("!" not in text and len(text.split()) <= MOST_KEYWORDS)


def is_aspect(text: str) -> bool:
    """Say whether a text names nothing but a subject that any course has: "the price?"."""
    return _matches("aspect", _folded(text))


def is_keyword(text: str) -> bool:
    """Say whether a text is a word or two that ask nothing by themselves: "funding", "le financement ?"."""
    said = _folded(text)
    return 0 < len(said.split()) <= MOST_NAMING and not any(
        map(partial(_matches, said=said), ("opener", "bare", "left_open"))
    )


def is_left_open(text: str) -> bool:
    """Say whether a text ends where no sentence does: "how much does the"."""
    return _matches("left_open", _folded(text))


def is_mood(text: str) -> bool:
    """Say whether a text tells a mood, asks nothing and tells nothing else: "I'm so lost, I can't find anything"."""
    return _is_made_of("mood", text)


def _is_made_of(name: str, text: str) -> bool:
    """Say whether each clause of a text is one of the pattern's, and none asks."""
    clauses = [_folded(clause) for clause in re.split(r"[,.;:!…]+", text) if re.search(r"\w", clause)]
    return bool(clauses) and "?" not in text and all(_pattern(name).fullmatch(clause) for clause in clauses)


def is_unfinished(text: str) -> bool:
    """Say whether a text announces a question and ends before it: "I would like to know"."""
    return "?" not in text and bool(_pattern("unfinished").fullmatch(_same_length(text).strip(" .…,:;-!") + " "))


def is_other_case(text: str) -> bool:
    """Say whether a short text asks the same of another case, and names no new subject."""
    said = _same_length(text)
    led = _match("other_case", said)
    rest = text[led:]
    return bool(led and rest.strip(" ?!.") and len(rest.split()) <= 8) and not (
        asks(rest.rstrip("?! ")) or is_aspect(rest)
    )


def wanted_language(text: str) -> Language | None:
    """Return the language in which a message asks for the last answer, if that is all it does.

    >>> wanted_language("In French, please")
    'fr'
    """
    said = _folded(text)
    if "?" in text and not _search("wish_marks", said):
        return None
    return next((tongue for tongue, wish in _WISHES.items() if _matches(wish, said)), None)


def _limited(parts: list[str], text: str) -> tuple[str, ...]:
    """Return the different parts, at most five; the whole text if nothing is left."""
    kept: dict[str, str] = {}
    for part in parts:
        alone = _without_joint(part)
        if re.search(r"\w", alone):
            kept.setdefault(_folded(alone), alone)
    return tuple(kept.values())[:MOST_PARTS] or (text.strip(),)


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[^\w'+-]", " ", fold(text)).split())


def _same_length(text: str) -> str:
    """Return the folded text letter by letter, so that a place in it is the same place in the text."""
    return "".join(map(_letter, text))


@lru_cache(maxsize=2048)
def _letter(letter: str) -> str:
    return (fold(letter) or " ")[0]


def _tail(said: str) -> int:
    """Return where politeness begins at the end."""
    found = _pattern("tail").search(said, max(0, len(said) - LONGEST_TAIL))
    return found.start() if found else len(said)


def _match(name: str, said: str) -> int:
    """Return where the pattern at the beginning ends; 0 if it is not there."""
    found = _pattern(name).match(said)
    return found.end() if found else 0


def _matches(name: str, said: str) -> bool:
    return bool(_pattern(name).match(said))


def _search(name: str, said: str) -> bool:
    return bool(_pattern(name).search(said))


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_source(name))


def _source(name: str) -> str:
    """Return the alternatives of patterns.yaml as one, with the lists that they name."""
    lines = "|".join(f"(?:{line})" for line in _PATTERNS[name].splitlines())
    return re.sub(r"<(\w+)>", lambda part: f"(?:{_source(part[1])})", lines)
