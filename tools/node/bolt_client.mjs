// A small app on the official Bolt for JavaScript: a foreign client of the sandbox. Says `ready` once it is connected.
import bolt from "@slack/bolt";

const { App, LogLevel } = bolt;
const app = new App({
  token: process.env.SLACK_BOT_TOKEN, appToken: process.env.SLACK_APP_TOKEN, socketMode: true, logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

const form = {
  type: "modal", callback_id: "ask", title: { type: "plain_text", text: "Ask" }, submit: { type: "plain_text", text: "Send" },
  blocks: [{
    type: "input", block_id: "why", label: { type: "plain_text", text: "Why" },
    element: { type: "plain_text_input", action_id: "why" },
  }],
};

app.command("/breakglass", async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: form });
});

app.view("ask", async ({ ack, body, view, client }) => {
  const why = view.state.values.why.why.value;
  if (why === "no") {
    await ack({ response_action: "errors", errors: { why: "Say more." } });
    return;
  }
  await ack();
  await client.chat.postMessage({
    channel: body.user.id, text: `You said ${why}`,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `You said ${why}` } },
      { type: "actions", block_id: "row", elements: [{ type: "button", action_id: "go", value: "1", text: { type: "plain_text", text: "Go" } }] },
    ],
  });
});

app.action("go", async ({ ack, body, client, respond }) => {
  await ack();
  await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text: "Gone" });
  await respond({ text: "You pressed Go", replace_original: false });
});

app.event("app_home_opened", async ({ event, client }) => {
  const known = await client.users.info({ user: event.user });
  await client.views.publish({
    user_id: event.user,
    view: { type: "home", blocks: [{ type: "section", text: { type: "plain_text", text: `Hello ${known.user.id}` } }] },
  });
});

await app.start();
console.log("ready");
process.on("SIGTERM", async () => { await app.stop(); process.exit(0); });
