// The types of Slack's own packages that our calls and the sandbox's payloads are held against. `make slack-schemas`
// turns each into a JSON Schema; nothing here is a type of ours.
import type { AppHomeOpenedEvent, GenericMessageEvent, HomeView, KnownBlock, ModalView } from "@slack/types";
import type { BlockAction, ButtonAction, GlobalShortcut, SlashCommand, StaticSelectAction, ViewClosedAction, ViewSubmitAction } from "@slack/bolt";
import type { EnvelopedEvent } from "@slack/bolt";
import type {
  AppsConnectionsOpenArguments, AuthTestArguments, BlocksValidateArguments, ChatGetPermalinkArguments, ChatPostEphemeralArguments, ChatPostMessageArguments, ChatUpdateArguments,
  ConversationsHistoryArguments, ConversationsInfoArguments, ConversationsMembersArguments, ConversationsRepliesArguments, DndInfoArguments, UsersInfoArguments, ViewsOpenArguments,
  ViewsPublishArguments, ViewsPushArguments, ViewsUpdateArguments,
} from "slack-web-api-types";

// Calls of ours, by method; what they carry is judged by the three below, which know every block by name.
export type apps_connections_open = AppsConnectionsOpenArguments;
export type auth_test = AuthTestArguments;
export type blocks_validate = BlocksValidateArguments;
export type chat_getPermalink = ChatGetPermalinkArguments;
export type chat_postEphemeral = ChatPostEphemeralArguments;
export type chat_postMessage = ChatPostMessageArguments;
export type chat_update = ChatUpdateArguments;
export type conversations_history = ConversationsHistoryArguments;
export type conversations_info = ConversationsInfoArguments;
export type conversations_members = ConversationsMembersArguments;
export type conversations_replies = ConversationsRepliesArguments;
export type dnd_info = DndInfoArguments;
export type users_info = UsersInfoArguments;
export type views_open = ViewsOpenArguments;
export type views_publish = ViewsPublishArguments;
export type views_push = ViewsPushArguments;
export type views_update = ViewsUpdateArguments;

export type block = KnownBlock;
export type modal = ModalView;
export type home = HomeView;

// Payloads of the sandbox.
export type slash_command = SlashCommand;
export type button_pressed = BlockAction<ButtonAction>;
export type option_chosen = BlockAction<StaticSelectAction>;
export type view_submission = ViewSubmitAction;
export type view_closed = ViewClosedAction;
export type shortcut = GlobalShortcut;
export type message_event = EnvelopedEvent<GenericMessageEvent>;
export type home_event = EnvelopedEvent<AppHomeOpenedEvent>;
