// What an application does with Vapi's REST API, told with the official SDK for Node: the story of
// `vapi_story.py`. Reads the URLs that stand for https://api.vapi.ai, one a line; the keys are
// arguments. Writes what came of each as a line of JSON.

import { createInterface } from "node:readline";
import { VapiClient, VapiError } from "@vapi-ai/server-sdk";

const [KEY, WRONG, MISSING] = process.argv.slice(2);
const ONCE = { maxRetries: 0 };
const QUERY = {
  table: "call",
  name: "n",
  operations: [
    { operation: "count", column: "id" },
    { operation: "sum", column: "cost" },
  ],
};

async function story(baseUrl) {
  const sdk = new VapiClient({ token: KEY, baseUrl });
  const stranger = new VapiClient({ token: WRONG, baseUrl });
  const said = [];

  async function tell(step, answer) {
    try {
      said.push({ step, found: await answer });
    } catch (error) {
      if (!(error instanceof VapiError)) throw error;
      said.push({ step, status: error.statusCode, body: error.body });
    }
    return said.at(-1).found;
  }

  const made = await tell("create", sdk.assistants.create({ name: "Desk", firstMessage: "Hello." }));
  const { id } = made;
  await tell("get", sdk.assistants.get({ id }));
  await tell("update", sdk.assistants.update({ id, name: "Front", firstMessage: "Hi." }));
  await tell("get again", sdk.assistants.get({ id }));
  await tell("list", sdk.assistants.list());
  await tell("too long", sdk.assistants.create({ name: "x".repeat(41) }));
  await tell("no such assistant", sdk.assistants.get({ id: MISSING }));
  await tell("wrong key", stranger.assistants.get({ id }));
  await tell("analytics", sdk.analytics.get({ queries: [QUERY] }));
  const transport = { provider: "vapi.websocket" };
  const call = await tell("call", sdk.calls.create({ assistantId: id, transport }));
  await tell("no phone", sdk.calls.create({ assistantId: id }));
  await tell(
    "two assistants",
    sdk.calls.create({ assistantId: id, assistant: { name: "Other" }, transport }),
  );
  await tell("get call", sdk.calls.get({ id: call.id }));
  await tell("rename", sdk.calls.update({ id: call.id, name: "first" }));
  await tell("get renamed", sdk.calls.get({ id: call.id }));
  await tell("no such call", sdk.calls.get({ id: MISSING }));
  await tell("list calls", sdk.calls.list({ limit: 3 }));
  await tell("list of one assistant", sdk.calls.list({ assistantId: id }));
  await tell("analytics again", sdk.analytics.get({ queries: [QUERY] }));
  const other = await tell("create another", sdk.assistants.create({ name: "Other" }));
  await tell("delete", sdk.assistants.delete({ id: other.id }));
  await tell("in use", sdk.assistants.delete({ id }, ONCE));
  await tell("too many", sdk.calls.delete({ id: call.id }, ONCE));
  return said;
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await story(line.trim())));
}
