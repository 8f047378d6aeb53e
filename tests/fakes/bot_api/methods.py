"""The methods of the Bot API that the bot uses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.bot_api import checks, inline
from tests.fakes.bot_api.html import Parsed
from tests.fakes.bot_api.refusal import Refusal, bad_request
from tests.fakes.bot_api.state import Chat, Picture, Posted, State

BOT = {"id": 123456789, "is_bot": True, "first_name": "Liqwatch", "username": "liqwatch_test_bot"}
ABILITIES = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True}


@dataclass(slots=True)
class Call:
    """One request: its fields as sent (text or JSON), and its files by part name."""

    method: str
    fields: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    posted: Posted | None = None

    def text(self, name: str) -> str:
        return str(self.fields.get(name, ""))

    def flag(self, name: str) -> bool:
        return checks.read_flag(self.fields.get(name))

    def json(self, name: str) -> Any:
        return checks.read_json(self.fields.get(name), name)

    @property
    def chat_id(self) -> int | None:
        value = str(self.fields.get("chat_id", ""))
        return int(value) if value.lstrip("-").isdigit() else None

    @property
    def parse_mode(self) -> str | None:
        return self.fields.get("parse_mode")


class Methods:
    """Carries a call out on the state, or raises a Refusal."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._table: dict[str, Callable[[Call], Any]] = {
            "getMe": lambda _: BOT | ABILITIES,
            "sendMessage": self.send_message,
            "sendPhoto": self.send_photo,
            "sendDocument": self.send_document,
            "sendMediaGroup": self.send_media_group,
            "sendChatAction": lambda call: self._writable(call) is not None,
            "editMessageText": self.edit_text,
            "editMessageCaption": self.edit_caption,
            "editMessageMedia": self.edit_media,
            "editMessageReplyMarkup": self.edit_markup,
            "deleteMessage": self.delete_message,
            "answerCallbackQuery": self.answer_callback,
            "answerInlineQuery": self.answer_inline,
            "getChat": self.get_chat,
            "getChatMember": self.get_member,
            "getChatAdministrators": self.get_administrators,
            "setMyCommands": self.set_commands,
            "getMyCommands": self.get_commands,
            "deleteMyCommands": self.set_commands,
            "setMyDescription": self.set_description,
            "setMyShortDescription": self.set_description,
            "getMyDescription": self.get_description,
            "getMyShortDescription": self.get_description,
        }

    def carry_out(self, call: Call) -> Any:
        method = self._table.get(call.method)
        if method is None:
            raise Refusal(404, "Not Found: method not found")
        return method(call)

    def send_message(self, call: Call) -> dict[str, Any]:
        chat = self._writable(call)
        parsed = checks.read_text(call.text("text"), call.parse_mode)
        return self._post(call, chat, call.text("text"), parsed)

    def send_photo(self, call: Call) -> dict[str, Any]:
        chat = self._writable(call)
        parsed = checks.read_caption(call.text("caption"), call.parse_mode)
        picture = self._picture(call, call.fields.get("photo") or "attach://photo")
        return self._post(call, chat, call.text("caption"), parsed, picture)

    def send_document(self, call: Call) -> dict[str, Any]:
        chat = self._writable(call)
        parsed = checks.read_caption(call.text("caption"), call.parse_mode)
        source = call.fields.get("document") or "attach://document"
        upload = call.files.get(source.removeprefix("attach://")) if source.startswith("attach://") else None
        if upload is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        checks.check_document(upload)
        return self._post(call, chat, call.text("caption"), parsed, document=upload)

    def send_media_group(self, call: Call) -> list[dict[str, Any]]:
        chat = self._writable(call)
        media = call.json("media")
        if not isinstance(media, list) or not 2 <= len(media) <= 10:
            raise bad_request("there must be 2-10 items in the album")
        items = [(item, checks.read_caption(item.get("caption", ""), item.get("parse_mode"))) for item in media]
        pictures = [self._picture(call, item["media"]) for item, _ in items]
        return [
            self._post(call, chat, item.get("caption", ""), parsed, picture)
            for (item, parsed), picture in zip(items, pictures, strict=True)
        ]

    def edit_text(self, call: Call) -> dict[str, Any]:
        posted = self._to_edit(call)
        parsed = checks.read_text(call.text("text"), call.parse_mode)
        if posted.photo is not None or posted.document is not None:
            raise bad_request("there is no text in the message to edit")
        return self._change(call, posted, call.text("text"), parsed, None)

    def edit_caption(self, call: Call) -> dict[str, Any]:
        posted = self._to_edit(call)
        parsed = checks.read_caption(call.text("caption"), call.parse_mode)
        if posted.photo is None and posted.document is None:
            raise bad_request("there is no caption in the message to edit")
        return self._change(call, posted, call.text("caption"), parsed, posted.photo)

    def edit_media(self, call: Call) -> dict[str, Any]:
        posted = self._to_edit(call)
        media = call.json("media")
        if not isinstance(media, dict) or media.get("type") != "photo":
            raise bad_request("can't parse InputMedia: Media type is invalid")
        parsed = checks.read_caption(media.get("caption", ""), media.get("parse_mode"))
        picture = self._picture(call, media["media"])
        return self._change(call, posted, media.get("caption", ""), parsed, picture.file_id)

    def edit_markup(self, call: Call) -> dict[str, Any]:
        posted = self._to_edit(call)
        return self._change(call, posted, posted.html, Parsed(posted.text), posted.photo)

    def delete_message(self, call: Call) -> bool:
        message_id = checks.read_int(call.fields.get("message_id"), "message identifier is not specified")
        posted = self.state.post(call.chat_id or 0, message_id, "message to delete not found")
        posted.deleted = True
        return True

    def answer_callback(self, call: Call) -> bool:
        query = call.text("callback_query_id")
        if query not in self.state.queries:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        if len(call.text("text")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        self.state.queries[query] = call.text("text")
        return True

    def answer_inline(self, call: Call) -> bool:
        query = call.text("inline_query_id")
        if query not in self.state.inline:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        results, button = call.json("results"), call.json("button")
        inline.check_results(results, self.state.pictures)
        inline.check_button(button)
        cache_s = checks.read_int(call.fields.get("cache_time", 300), "cache_time must be a number")
        self.state.inline[query] = {"results": results, "button": button, "cache_s": cache_s}
        return True

    def get_chat(self, call: Call) -> dict[str, Any]:
        limits = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": {}}
        name = call.text("chat_id")
        chat = self.state.named(name) if name.startswith("@") else self.state.chat(call.chat_id or 0)
        if chat.standing != "member":
            raise Refusal(403, f"Forbidden: bot is not a member of the {chat.kind} chat")
        return chat.as_json() | limits

    def get_member(self, call: Call) -> dict[str, Any]:
        chat = self.state.chat(call.chat_id or 0)
        user_id = checks.read_int(call.fields.get("user_id"), "invalid user_id specified")
        if user_id not in chat.members:
            raise bad_request("member not found")
        return _member(user_id, chat.members[user_id], chat.kind)

    def get_administrators(self, call: Call) -> list[dict[str, Any]]:
        chat = self.state.chat(call.chat_id or 0)
        if chat.kind == "private":
            raise bad_request("there are no administrators in the private chat")
        return [_member(user, status, chat.kind) for user, status in chat.members.items() if status in _ADMIN]

    def set_commands(self, call: Call) -> bool:
        commands, scope = call.json("commands") or [], call.json("scope") or {}
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        if scope.get("type", "default") not in _SCOPES:
            raise bad_request("can't parse BotCommandScope: Unsupported type specified")
        if "chat_id" in scope:
            self.state.chat(int(scope["chat_id"]))
        for command in commands:
            if not 1 <= len(command["command"]) <= 32 or not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_INVALID")
        self.state.commands[_scope(call)] = commands
        return True

    def get_commands(self, call: Call) -> list[dict[str, str]]:
        return self.state.commands.get(_scope(call), [])

    def set_description(self, call: Call) -> bool:
        short = call.method == "setMyShortDescription"
        text = call.text("short_description" if short else "description")
        if len(text) > (120 if short else 512):
            raise bad_request("BOT_DESCRIPTION_INVALID")
        self.state.descriptions["short" if short else "long", call.text("language_code")] = text
        return True

    def get_description(self, call: Call) -> dict[str, str]:
        short = call.method == "getMyShortDescription"
        text = self.state.descriptions.get(("short" if short else "long", call.text("language_code")), "")
        return {"short_description" if short else "description": text}

    def _writable(self, call: Call) -> Chat:
        if call.chat_id is None:
            raise bad_request("chat_id is empty")
        chat = self.state.chat(call.chat_id)
        chat.check_writable()
        return chat

    def _to_edit(self, call: Call) -> Posted:
        chat = self._writable(call)
        message_id = checks.read_int(call.fields.get("message_id"), "message identifier is not specified")
        return self.state.post(chat.id, message_id, "message to edit not found")

    def _picture(self, call: Call, source: str) -> Picture:
        """An uploaded picture, or one the server knows by file_id."""
        upload = call.files.get(source.removeprefix("attach://")) if source.startswith("attach://") else None
        if upload is not None:
            width, height = checks.png_size(upload)
            file_id = f"AgAC{len(self.state.pictures) + 1:06d}"
            self.state.pictures[file_id] = Picture(file_id, upload, width, height)
            return self.state.pictures[file_id]
        if source not in self.state.pictures:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return self.state.pictures[source]

    def _post(
        self,
        call: Call,
        chat: Chat,
        html: str,
        parsed: Parsed,
        picture: Picture | None = None,
        document: bytes | None = None,
    ) -> dict[str, Any]:
        thread = call.fields.get("message_thread_id")
        if thread is not None and int(thread) not in chat.topics:
            raise bad_request("message thread not found")
        posted = Posted(
            chat_id=chat.id,
            message_id=next(self.state.message_ids),
            html=html,
            text=parsed.text,
            buttons=checks.read_keyboard(call.json("reply_markup")),
            photo=picture.file_id if picture else None,
            document=document,
            silent=call.flag("disable_notification"),
            reply_to=self._reply_to(call, chat),
            thread=int(thread) if thread is not None else None,
        )
        chat.posts[posted.message_id] = posted
        call.posted = posted
        return self.state.as_json(posted, parsed)

    def _reply_to(self, call: Call, chat: Chat) -> int | None:
        reply = call.json("reply_parameters")
        if reply is None:
            return None
        target = chat.posts.get(int(reply["message_id"]))
        if target is not None and not target.deleted:
            return target.message_id
        if not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return None

    def _change(self, call: Call, posted: Posted, html: str, parsed: Parsed, photo: str | None) -> dict[str, Any]:
        buttons = checks.read_keyboard(call.json("reply_markup"))
        if (posted.html, posted.buttons, posted.photo) == (html, buttons, photo):
            text = "specified new message content and reply markup are exactly the same as a current content"
            raise bad_request(f"message is not modified: {text} and reply markup of the message")
        posted.html, posted.text, posted.buttons, posted.photo = html, parsed.text, buttons, photo
        posted.edits += 1
        call.posted = posted
        return self.state.as_json(posted, parsed)


_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat", "chat_administrators")
_ADMIN = ("creator", "administrator")
_RIGHTS = (
    "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members "
    "can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories"
)


_CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages")


def _member(user_id: int, status: str, kind: str) -> dict[str, Any]:
    member: dict[str, Any] = {"user": {"id": user_id, "is_bot": False, "first_name": "Ada"}, "status": status}
    if status == "creator":
        member["is_anonymous"] = False
    elif status == "administrator":
        member |= dict.fromkeys(_RIGHTS.split(), False)
        member |= dict.fromkeys(_CHANNEL_RIGHTS, True) if kind == "channel" else {}
    elif status == "kicked":
        member["until_date"] = 0
    return member


def _scope(call: Call) -> tuple[str, str]:
    scope = call.json("scope") or {}
    kind = str(scope.get("type", "default"))
    return (f"{kind} {scope['chat_id']}" if "chat_id" in scope else kind), call.text("language_code")
