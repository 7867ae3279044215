"""Methods about the bot itself, its updates, its commands, and answers to taps and inline queries."""

import re

from bot.sandbox.refusal import Json, Refusal, bad_request
from bot.sandbox.world import World, flag, number_of, parsed

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_STALE = "query is too old and response timeout expired or query ID is invalid"


def get_me(world: World, _params: Json) -> Json:
    """getMe."""
    return world.bot.json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy,
        "supports_inline_queries": world.inline,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def get_updates(world: World, params: Json) -> list[Json]:
    """getUpdates."""
    world.queue.allow(parsed(params.get("allowed_updates"), "allowed updates"))
    limit = number_of(params.get("limit"), 100)
    return await world.queue.take(number_of(params.get("offset")), limit, number_of(params.get("timeout")))


def set_webhook(world: World, params: Json) -> bool:
    """setWebhook; unlike Telegram's it takes http addresses too, for tests on loopback."""
    world.queue.allow(parsed(params.get("allowed_updates"), "allowed updates"))
    secret = str(params.get("secret_token") or "")
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise bad_request("secret token contains unallowed characters")
    _drop_pending(world, params)
    world.queue.set_webhook(str(params.get("url") or ""), secret, number_of(params.get("max_connections"), 40))
    return True


def delete_webhook(world: World, params: Json) -> bool:
    """deleteWebhook."""
    _drop_pending(world, params)
    world.queue.set_webhook("", "", 0)
    return True


def _drop_pending(world: World, params: Json) -> None:
    if flag(params, "drop_pending_updates"):
        world.queue.pending.clear()


def get_webhook_info(world: World, _params: Json) -> Json:
    """getWebhookInfo."""
    return world.queue.webhook_json()


def set_my_commands(world: World, params: Json) -> bool:
    """setMyCommands."""
    listed = parsed(params.get("commands"), "commands") or []
    if len(listed) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in listed:
        if not _COMMAND.fullmatch(str(command.get("command", "")).removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.commands[_scope(world, params)] = listed
    world.feed.publish("commands")
    return True


def get_my_commands(world: World, params: Json) -> list[Json]:
    """getMyCommands."""
    return world.commands.get(_scope(world, params), [])


def _scope(world: World, params: Json) -> tuple[str, str]:
    """A key for scope and language, such as ("chat -5", "fr")."""
    scope = parsed(params.get("scope"), "BotCommandScope") or {"type": "default"}
    kind = str(scope.get("type"))
    if kind.startswith("chat"):
        kind += f" {world.open_chat(scope.get('chat_id')).id}"
    if kind.startswith("chat_member"):
        kind += f" {number_of(scope.get('user_id'))}"
    return kind, str(params.get("language_code") or "")


def answer_callback_query(world: World, params: Json) -> bool:
    """answerCallbackQuery."""
    if len(str(params.get("text") or "")) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    return _answer(world, params.get("callback_query_id"), params)


def answer_inline_query(world: World, params: Json) -> bool:
    """answerInlineQuery."""
    results = parsed(params.get("results"), "results")
    if not isinstance(results, list):
        raise bad_request("can't parse inline query results: expected an Array")
    if len(results) > 50:
        raise bad_request("RESULTS_TOO_MUCH")
    identifiers = [result.get("id") for result in results]
    if len(set(identifiers)) < len(identifiers):
        raise bad_request("RESULT_ID_DUPLICATE")
    return _answer(world, params.get("inline_query_id"), params | {"results": results})


def _answer(world: World, query_id: object, answer: Json) -> bool:
    # A second answer to the same query is refused like one that came too late.
    if world.queries.get(str(query_id), answer) is not None:
        raise bad_request(_STALE)
    world.queries[str(query_id)] = answer
    world.feed.publish("answered", {"query": query_id, "answer": answer})
    return True


def get_file(world: World, params: Json) -> Json:
    """getFile."""
    file = world.files.get(str(params.get("file_id")))
    if file is None:
        raise bad_request("invalid file_id")
    if len(file.upload.content) > 20 * 1024 * 1024:
        raise Refusal(400, "Bad Request: file is too big")
    return file.json()
