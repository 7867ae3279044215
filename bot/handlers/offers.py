"""What the menu offers today: the topics of a course, or the questions of one."""

from bot.dialogue import render, topics
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.dialogue.topics import Topic
from bot.handlers.context import Deps
from indexer.entries import Language


def topics_for(deps: Deps, course: str | None, language: Language) -> tuple[Topic, ...]:
    """The topics that have an answer today; of one course and what is common to all, where one is chosen."""
    return topics.topics_of(deps.live.engine.snapshot.entries, language, deps.local_now.date(), course)


def notice(deps: Deps, language: Language) -> str:
    """That this is a demonstration, as long as it is one."""
    settings, known = deps.settings, deps.live.engine.snapshot.school
    return render.notice(language, settings.operator, settings.privacy_contact, known)


def chosen(deps: Deps, course: str, language: Language, then: str) -> Message:
    """That a course was chosen, with its topics, or with the questions of the topic that a link named."""
    found = topics_for(deps, course, language)
    said = texts(language).course_chosen.format(course=deps.live.engine.title(course, language))
    topic = topics.find_topic(found, then)
    return topics.questions(topic, language, said=said) if topic else topics.menu(found, language, said=said)
