"""Every text that people see, in French and in English; the sentences stand in texts.fr.yaml and texts.en.yaml."""

import re
from dataclasses import dataclass
from functools import cache

from bot.dialogue import lists
from indexer.entries import Language


@dataclass(frozen=True, slots=True)
class Texts:
    """One language's texts; names in braces are filled with `str.format`."""

    # To the candidate: commands
    start: str  # course
    start_course: str
    start_named: str  # course
    start_about: str  # course, topics
    demonstration: str
    help: str
    privacy: str  # days
    privacy_operator: str  # operator, contact
    privacy_nobody: str
    forget_ask: str
    forget_done: str
    forget_remains: str
    forget_anew: str
    forget_ban: str
    forget_mute: str  # until
    forget_open: str
    forget_group: str
    forget_not: str
    too_fast: str
    too_many: str
    mydata_caption: str
    mydata_file: str
    staff_forgotten: str  # candidate
    staff_forgotten_rest: str  # candidate
    unknown_command: str
    terminal_commands: str
    # To the candidate: a person
    human_asked: str
    human_unsaid: str
    human_already: str
    human_cancelled: str
    human_none: str
    human_outside: str  # hours
    escalated: str
    passed_on: str
    left_to_team: str  # questions
    follow_up: str
    reply_header: str
    # To the candidate: conversation
    greeting: str
    thanks: str
    goodbye: str
    insult: str
    complaint: str
    gibberish: str
    listening: str
    presence: str
    language: str
    languages: str
    only_two: str
    beside: str
    okay: str
    nothing_more: str
    related: str
    related_none: str
    button_related: str
    clarify: str
    clarify_one: str
    none_of_these: str
    feedback_thanks: str
    not_my_question: str
    choice_gone: str
    unsupported: str
    unsupported_handed_over: str
    too_long: str  # limit
    error: str
    # Around an answer
    source: str  # source
    reviewed: str  # date
    other_language: str
    # Buttons
    button_helped: str
    button_not_mine: str
    button_person: str
    button_team: str
    button_none: str
    button_cancel: str
    button_yes: str
    button_no: str
    # The staff's card
    card_title: str
    fact: str  # label, value
    card_candidate: str
    card_language: str
    card_reason: str
    card_found: str
    card_nothing_found: str
    card_hint: str
    card_edited: str
    card_sure: str  # percent
    language_fr: str
    language_en: str
    reason_unsure: str
    reason_person: str
    reason_not_mine: str
    reason_outside: str
    reason_unwritten: str
    reason_unreadable: str
    reason_out_of_date: str
    # To staff: what became of it
    staff_follow_up: str  # candidate
    staff_cancelled: str  # candidate
    delivery_sent: str
    delivery_failed: str
    staff_no_match: str
    staff_as_channel: str
    staff_edited: str
    staff_edit_aside: str
    staff_note_edited: str
    staff_unsupported: str
    staff_unknown_command: str
    staff_help: str
    # When somebody is out of reach
    team_unreachable: str
    team_unreachable_contact: str  # contact
    team_reached: str
    staff_candidate_unreachable: str  # candidate
    # When an update cannot be handled
    not_handled: str
    staff_set_aside: str
    staff_set_aside_many: str  # count
    staff_set_aside_look: str  # row, error
    # The desk: the card
    card_state: str
    state_open: str
    state_claimed: str  # owner
    state_waiting: str  # owner
    state_closed: str
    card_earlier: str
    earlier: str  # count, date
    card_before: str
    before_clarify: str
    before_escalate: str
    card_rating: str
    sure_high: str
    sure_middle: str
    sure_low: str
    staff_nobody: str
    staff_somebody: str
    # The desk: buttons
    button_claim: str
    button_release: str
    button_send_answer: str
    button_canned: str
    button_close: str
    button_ban: str
    button_mute: str
    button_send: str
    button_leave: str
    button_ban_yes: str
    button_previous: str
    button_next: str
    button_share_name: str
    button_not_solved: str
    # The desk: to staff
    staff_has_it: str  # owner
    staff_is_closed: str
    staff_gone: str
    staff_members_only: str
    staff_choose_answer: str
    staff_no_answers: str
    staff_choose_canned: str
    staff_no_canned: str
    staff_preview: str
    staff_sent_by: str  # owner
    staff_collision: str  # owner
    staff_ban_ask: str  # candidate
    staff_banned: str  # candidate
    staff_replied_banned: str  # candidate
    theme_list: str
    theme_line: str  # number, title, count
    theme_none: str
    theme_how: str
    theme_full: str  # most
    theme_opened: str  # number
    theme_deleted: str  # count
    theme_gone: str
    theme_preview: str  # count
    theme_fired: str  # count
    staff_mute_ask: str  # candidate
    staff_mute_banned: str
    staff_muted: str  # candidate, until
    staff_mute_how: str
    staff_unmuted: str  # candidate
    staff_unmute_whom: str
    staff_unbanned: str  # candidate
    staff_unban_whom: str
    staff_assign_whom: str
    staff_assign_unknown: str
    staff_assigned: str  # owner
    staff_released: str
    staff_nothing_to_release: str
    staff_which_card: str
    staff_reopened: str  # candidate
    staff_rated: str  # candidate, rating
    staff_remark: str  # candidate
    staff_named: str  # candidate, name
    staff_bot_answered: str  # candidate
    staff_here: str  # number
    staff_list: str  # count
    staff_list_mine: str  # count
    staff_list_empty: str
    staff_list_mine_empty: str
    staff_list_hint: str
    staff_find_what: str
    staff_found: str  # count
    staff_found_nothing: str
    staff_ask_what: str
    ask_answer: str
    ask_clarify: str
    ask_escalate: str
    ask_chat: str
    reminder: str  # age
    reminder_last: str  # age
    digest: str  # open, answered
    digest_oldest: str  # date
    digest_before: str  # asked, opened, closed
    # To staff: entries made of what was answered
    learn_offer: str
    learn_title: str  # number
    learn_topic: str
    learn_missing: str  # language
    learn_fills: str  # entry
    learn_similar: str  # entries
    learn_how: str
    learn_approved: str
    learn_published: str
    learn_discarded: str
    learn_nothing: str
    learn_gone: str
    learn_changed: str
    learn_incomplete: str
    learn_published_now: str  # entry, told
    learn_refused: str  # problems
    learn_interrupted: str
    learn_source: str
    learn_also: str
    learn_no_answer: str
    button_learn: str
    # To staff: canned replies
    canned_list: str
    canned_none: str
    canned_how: str
    canned_empty: str
    canned_title: str  # most
    canned_change: str
    canned_kept: str
    canned_gone: str
    canned_deleted: str  # title
    button_delete: str
    menu_staff_canned: str
    # To staff: how it goes
    stats_which: str
    stats_title: str
    stats_all: str
    stats_questions: str
    stats_alone: str
    stats_clarified: str
    stats_handed_over: str
    stats_first_reply: str
    stats_rating: str
    stats_themes: str
    stats_note: str
    stats_bar_alone: str
    stats_bar_clarified: str
    stats_bar_handed_over: str
    stats_by_day: str
    stats_nothing: str
    export_done: str
    menu_staff_stats: str
    menu_staff_export: str
    # To staff: what the knowledge lacks
    gaps_title: str  # period
    gaps_count: str  # themes, questions
    gaps_none: str
    gaps_which: str
    gaps_more: str  # count
    gaps_fills: str  # entry
    gaps_near: str  # entry
    gaps_hint: str
    gaps_chart: str
    gaps_dismissed: str
    gaps_gone: str
    gaps_proposed: str
    gaps_export_done: str
    button_gap_write: str  # number
    button_gap_dismiss: str  # number
    button_gap_export: str
    menu_staff_gaps: str
    # To staff: entries whose time is nearly over
    ageing_title: str
    ageing_soon: str  # question, date, days
    ageing_over: str  # question, date
    ageing_owner: str  # owner
    ageing_how: str
    # To the candidate: an answer that was published later
    button_wish: str
    wish_offer: str
    wish_kept: str
    wish_answered: str
    # The desk: to the candidate
    hushed: str
    wait_usual: str  # wait
    wait_usual_away: str  # wait
    wait_open: str  # time
    wait_back: str  # day, time
    closed_by_team: str
    rate_ask: str
    rated: str
    remark_thanks: str
    reopened: str
    reopened_not: str
    name_shared: str  # name
    status_none: str
    status_open: str  # date
    status_claimed: str  # date
    status_waiting: str  # date
    banned: str
    muted: str  # until
    theme_ask: str
    theme_none_open: str
    theme_kept: str  # title
    theme_stopped: str
    theme_told: str
    theme_status: str
    theme_stop_named: str  # title
    button_themes: str
    button_theme_stop: str
    unmuted: str
    # The desk: words of time
    weekdays: str
    months: str
    days_range: str  # first, last
    hours_one: str
    hours_many: str  # number
    days_many: str  # number
    moment: str  # day, time
    menu_status: str
    menu_cancel: str
    menu_staff_tickets: str
    menu_staff_mine: str
    menu_staff_find: str
    menu_staff_ask: str
    menu_staff_assign: str
    menu_staff_release: str
    menu_staff_unban: str
    menu_staff_mute: str
    menu_staff_notify: str
    menu_staff_unmute: str
    minutes_many: str  # number
    # What is carried both ways
    topic_open: str
    topic_claimed: str
    topic_waiting: str
    topic_closed: str
    card_unsaid: str
    card_not_text: str
    cannot_carry: str
    not_carried: str
    deleted_text: str
    failed_blocked: str
    failed_deactivated: str
    failed_too_big: str
    failed_protected: str
    failed_gone: str
    failed_voice: str
    edit_failed: str
    edit_undelivered: str
    delete_refused: str
    delete_half: str
    delete_nothing: str
    delete_nothing_own: str
    menu_staff_delete: str
    # To admins: the index
    reindex_started: str
    reindex_progress: str  # done, total
    reindex_done: str  # entries, passages
    reindex_unchanged: str
    reindex_refused: str  # problems
    reindex_running: str
    admins_only: str
    # To admins: what a new index changes
    changes_added: str
    changes_changed: str
    changes_removed: str
    changes_moved: str
    changes_lost: str
    changes_gained: str
    changes_more: str  # count
    reindex_together: str  # waits
    reindex_proposed: str
    reindex_against: str  # problems
    reindex_overrule: str
    reindex_discarded: str
    reindex_gone: str
    button_publish: str
    button_discard: str
    rollback_done: str  # snapshot
    rollback_refused: str  # problem
    # The menu of topics, the language, sharing in other chats
    menu_topics: str
    menu_nothing: str
    menu_changed: str
    button_topics: str
    button_questions: str
    menu_menu: str
    menu_language: str
    language_ask: str
    language_chosen: str
    language_free: str
    button_any_language: str
    inline_ask: str
    inline_more: str
    # Several courses
    start_school: str  # courses
    help_course: str
    course_which: str
    course_now: str  # course
    course_chosen: str  # course
    card_course: str
    ask_course: str
    button_move: str
    group_main: str
    staff_move_where: str
    staff_move_nowhere: str
    staff_moved: str  # number, group, owner
    menu_staff_move: str
    menu_course: str
    # To admins: files that they send
    upload_admins_only: str
    upload_reading: str  # name
    upload_read: str  # count
    upload_left_out: str  # lines
    upload_nothing_new: str
    upload_interrupted: str
    upload_refused: str  # why
    upload_big: str  # detail
    upload_gone: str
    upload_heavy: str
    upload_old: str
    upload_macros: str
    upload_protected: str
    upload_broken: str
    upload_empty: str
    upload_pictures: str
    upload_columns: str
    upload_questions: str
    upload_many: str  # detail
    upload_course: str  # detail
    upload_lines: str  # detail
    # The menu of commands
    menu_start: str
    menu_help: str
    menu_human: str
    menu_privacy: str
    menu_mydata: str
    menu_forget: str
    menu_staff_help: str
    menu_staff_close: str
    menu_staff_reindex: str
    menu_staff_rollback: str
    # Between the assistant and people
    button_bot_again: str
    button_more: str
    bot_again: str
    staff_handed_back: str  # candidate
    staff_closed: str
    staff_nothing_to_close: str
    staff_group_id: str  # id


def spoken(language: str | None) -> Language:
    """The language to write in, of one that was kept as text; English where it is not known."""
    return "fr" if language == "fr" else "en"


@cache
def texts(language: Language) -> Texts:
    """Return the texts of one language."""
    sentences = lists.read(f"texts.{language}.yaml")
    if language == "fr":
        sentences = {name: french_spaces(text) for name, text in sentences.items()}
    return Texts(**sentences)


def french_spaces(text: str) -> str:
    """Keep French double punctuation on the line of its word."""
    return re.sub(r" (?=[?!:;»%])|(?<=«) ", "\u00a0", text)
