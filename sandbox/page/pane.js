// One person's Slack: who it is, the sidebar, a conversation or the app's Home, a thread, and dialogs above.

import { Composer } from "./composer.js";
import { drawBlocks } from "./blocks.js";
import { filled, h, icon } from "./dom.js";
import { avatar, drawMessages, initials, topLevel } from "./messages.js";
import { askFirst, FormDialog, viewSurface } from "./modal.js";
import { drawMrkdwn } from "./mrkdwn.js";
import { withEmoji } from "./emoji.js";
import { act, nameOf, store, teamOf, userOf } from "./store.js";

export class Pane {
  constructor(side, userId, at, changed) {
    Object.assign(this, { side, userId, at: at || "app", tab: "messages", thread: "", changed, lastSeen: "" });
    this.form = new FormDialog(this);
    this.root = h("section", { class: "pane", "aria-label": `${side} pane`, data: { testid: `pane-${side}`, side } });
    this.parts();
  }

  get user() {
    return userOf(this.userId);
  }

  get screen() {
    return store.screens.get(this.userId);
  }

  get conversation() {
    const all = this.screen?.conversations ?? [];
    if (this.at === "app") return all.find((c) => c.is_im);
    return all.find((c) => c.id === this.at) ?? all[0];
  }

  appInitials() {
    return initials(store.directory.app.name);
  }

  parts() {
    this.who = h("div", { class: "who" });
    this.bar = h("nav", { class: "sidebar", "aria-label": `Conversations, ${this.side}` });
    this.head = h("div", { class: "place" });
    this.list = h("div", { class: "list", tabindex: "0", role: "region", "aria-label": `Messages, ${this.side}`, data: { testid: "messages" } });
    this.list.fresh = true;
    this.home = h("div", { class: "home", tabindex: "0", role: "region", "aria-label": `App Home, ${this.side}`, data: { testid: "home" } });
    this.composer = new Composer(this, () => ({ channel: this.conversation?.id ?? "", thread: "" }), "composer");
    this.threadHead = h("div", { class: "place" });
    this.threadList = h("div", { class: "list", tabindex: "0", role: "region", "aria-label": `Thread, ${this.side}` });
    this.reply = new Composer(this, () => ({ channel: this.conversation?.id ?? "", thread: this.thread }), "thread-composer");
    this.threadPart = h("section", { class: "thread", hidden: true, "aria-label": `Thread, ${this.side}`, data: { testid: "thread" } }, this.threadHead, this.threadList, this.reply.root);
    this.toast = h("div", { class: "toast", role: "alert", hidden: true });
    this.inside = h("div", { class: "inside" }, this.bar, h("div", { class: "content" }, this.head, this.list, this.home, this.composer.root), this.threadPart);
    this.stage = h("div", { class: "stage" }, this.inside, this.toast, this.form.host);
    this.root.append(this.who, this.stage);
  }

  confirm(dialog) {
    return askFirst(this, dialog);
  }

  // A line at the bottom for what the page itself has to say.
  say(words) {
    this.toast.textContent = words;
    this.toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => { this.toast.hidden = true; }, 5000);
  }

  become(userId) {
    this.userId = userId;
    this.pressAs = "";
    this.thread = "";
    this.tab = "messages";
    this.form.leave();
    this.form.signature = "";
    this.list.fresh = true;
    this.changed();
  }

  go(at) {
    Object.assign(this, { at, thread: "", tab: "messages" });
    this.root.classList.remove("drawer");
    this.list.fresh = true;
    this.changed();
  }

  openTab(tab) {
    this.tab = tab;
    this.list.fresh = true;
    if (!this.user.deleted) act("open_home", { user: this.userId, tab });
    this.render();
  }

  openThread(ts) {
    this.thread = ts;
    this.threadList.fresh = true;
    this.render();
    this.reply.box.focus();
  }

  render() {
    if (!this.screen || !this.user) return;
    this.drawWho();
    this.drawBar();
    this.drawPlace();
    this.drawThread();
    const home = this.homeShown();
    this.list.hidden = home;
    this.home.hidden = !home;
    this.composer.root.hidden = home || this.user.deleted || Boolean(this.conversation?.is_archived);
    if (home) this.drawHome();
    else if (this.conversation) this.drawConversation();
    else this.list.replaceChildren(h("div", { class: "empty" }, h("h3", {}, "Nothing here"), h("p", {}, "This person is in no conversation.")));
    this.inside.inert = this.screen.views.length > 0;
    this.form.render(this.screen.views);
  }

  homeShown() {
    return Boolean(this.conversation?.is_im) && this.tab === "home";
  }

  drawConversation() {
    const messages = this.conversation.messages;
    const words = this.conversation.is_im ? `Message ${store.directory.app.name}` : `Message #${this.conversation.name}`;
    this.composer.label(words);
    if (messages.length) drawMessages(this.list, topLevel(messages), messages, this);
    else filled(this.list, `empty-${this.conversation.id}-${this.userId}`, () => this.emptiness());
    if (messages.length) this.list.signature = null;
    this.announce(messages);
    if (this.conversation.unread && document.visibilityState === "visible") act("read", { user: this.userId, channel: this.conversation.id });
  }

  emptiness() {
    const app = store.directory.app;
    if (!this.conversation.is_im) return h("div", { class: "empty" }, h("h3", {}, `# ${this.conversation.name}`), h("p", {}, this.conversation.topic || "This is the very beginning of the channel."));
    return h("div", { class: "empty" }, avatar(app.bot_user_id, "big"), h("h3", {}, app.name), h("p", {}, app.description || "This is the very beginning of your direct message history with this app."));
  }

  announce(messages) {
    const last = messages.at(-1);
    const mark = `${this.conversation.id}-${last?.ts}`;
    const fresh = last && this.lastSeen && this.lastSeen !== mark && last.user !== this.userId;
    if (fresh) document.getElementById("news").textContent = `${nameOf(last.user)}: ${drawMrkdwn(last.text, this.user).textContent.slice(0, 200)}`;
    this.lastSeen = mark;
  }

  drawHome() {
    const view = this.screen.home;
    filled(this.home, JSON.stringify([view?.id, view?.version, view?.notice, this.userId]), () => {
      if (!view) return h("div", { class: "empty" }, avatar(store.directory.app.bot_user_id, "big"), h("h3", {}, "Home"), h("p", {}, "The app has not put anything here yet."));
      const trouble = view.notice && h("div", { class: "trouble", role: "alert" }, view.notice);
      return [trouble, h("div", { class: "sheet", data: { testid: "home-view" } }, drawBlocks(view.blocks, viewSurface(view, this, this.form.draftsOf(view))))];
    });
  }

  drawWho() {
    const signature = JSON.stringify([this.userId, store.directory.users, store.directory.teams]);
    filled(this.who, signature, () => {
      const select = h("select", { class: "persona", "aria-label": `Person in the ${this.side} pane`, data: { testid: "persona" }, onchange: () => this.become(select.value) });
      for (const team of store.directory.teams) {
        const people = store.directory.users.filter((u) => u.team_id === team.id && !u.is_bot);
        if (people.length) select.append(h("optgroup", { label: team.name }, people.map((u) => h("option", { value: u.id, selected: u.id === this.userId }, u.title ? `${u.shown_name}, ${u.title}` : u.shown_name))));
      }
      // A forged click: whatever button stands here, pressed by somebody whom Slack would not show it to.
      const others = store.directory.users.filter((u) => !u.is_bot && !u.deleted && u.id !== this.userId);
      const forger = h("select", { class: `persona press-as${this.pressAs ? " forging" : ""}`, "aria-label": `Press buttons in the ${this.side} pane as`, title: "Press buttons as", data: { testid: "press-as" }, onchange: () => this.forge(forger) },
        h("option", { value: "" }, "Press as themselves"), others.map((u) => h("option", { value: u.id, selected: u.id === this.pressAs }, `Press as ${u.shown_name}`)));
      const menu = h("button", { type: "button", class: "quiet burger", "aria-label": "Conversations", onclick: () => this.root.classList.toggle("drawer") }, icon("menu"));
      return [menu, avatar(this.userId, "small"), select, this.badges(), forger];
    });
  }

  forge(select) {
    this.pressAs = select.value;
    select.classList.toggle("forging", Boolean(this.pressAs));
  }

  badges() {
    const user = this.user;
    const team = teamOf(user.team_id)?.name ?? user.team_id;
    return h("span", { class: "badges", data: { testid: "badges" } },
      user.is_foreign && h("span", { class: "badge away" }, team),
      user.is_ultra_restricted ? h("span", { class: "badge guest" }, "Single-channel guest") : user.is_restricted && h("span", { class: "badge guest" }, "Guest"),
      user.deleted && h("span", { class: "badge gone" }, "Deactivated"),
      user.dnd && h("span", { class: "badge" }, "Asleep"),
      h("span", { class: "zone" }, user.tz));
  }

  drawBar() {
    const { conversations } = this.screen;
    const shown = conversations.map((c) => [c.id, c.name, c.unread, c.is_archived]);
    filled(this.bar, JSON.stringify([this.userId, this.conversation?.id, shown]), () => {
      const channels = conversations.filter((c) => !c.is_im);
      const apps = conversations.filter((c) => c.is_im);
      return [h("div", { class: "team" }, teamOf(this.user.team_id)?.name ?? ""),
        channels.length > 0 && h("div", { class: "group" }, "Channels"), channels.map((c) => this.entry(c)),
        apps.length > 0 && h("div", { class: "group" }, "Apps"), apps.map((c) => this.entry(c))];
    });
  }

  entry(channel) {
    const here = this.conversation?.id === channel.id;
    const name = channel.is_im ? store.directory.app.name : channel.name;
    const sign = channel.is_im ? avatar(store.directory.app.bot_user_id, "small") : icon(channel.is_private ? "lock" : "hash");
    const unread = !here && channel.unread;
    return h("button", {
      type: "button", class: `entry${here ? " here" : ""}${unread ? " unread" : ""}`, "aria-current": here ? "page" : null,
      data: { testid: "conversation", conversation: channel.id }, onclick: () => this.go(channel.is_im ? "app" : channel.id),
    }, sign, h("span", { class: "name" }, name), channel.shared_with.length > 0 && icon("connect", "shared with another organisation"),
      unread > 0 && h("span", { class: "count", "aria-label": `${unread} unread` }, String(unread)));
  }

  drawPlace() {
    const c = this.conversation;
    const signature = JSON.stringify([c?.id, c?.topic, c?.members.length, this.tab, store.directory.app.home, this.userId]);
    filled(this.head, signature, () => {
      if (!c) return h("h2", {}, "");
      if (!c.is_im) return [h("h2", {}, icon(c.is_private ? "lock" : "hash"), c.name), h("span", { class: "topic" }, withEmoji(c.topic)), h("span", { class: "members" }, `${c.members.length} members`)];
      return [h("h2", {}, avatar(store.directory.app.bot_user_id, "small"), store.directory.app.name), this.tabs()];
    });
  }

  tabs() {
    const tab = (name, words) => h("button", {
      type: "button", class: `tab${this.tab === name ? " here" : ""}`, "aria-pressed": String(this.tab === name), data: { testid: `tab-${name}` }, onclick: () => this.openTab(name),
    }, words);
    return h("div", { class: "tabs" }, store.directory.app.home && tab("home", "Home"), tab("messages", "Messages"));
  }

  drawThread() {
    const messages = this.conversation?.messages ?? [];
    const parent = messages.find((m) => m.ts === this.thread);
    this.threadPart.hidden = !parent || this.homeShown();
    this.root.classList.toggle("with-thread", !this.threadPart.hidden);
    if (this.threadPart.hidden) return;
    filled(this.threadHead, this.thread, () => [h("h2", {}, "Thread"), h("button", { type: "button", class: "quiet", "aria-label": "Close thread", onclick: () => { this.thread = ""; this.render(); this.composer.box.focus(); } }, icon("close"))]);
    this.reply.label("Reply…");
    const inside = messages.filter((m) => m === parent || m.thread_ts === this.thread);
    drawMessages(this.threadList, inside, messages, this, true);
  }
}
