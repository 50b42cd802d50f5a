// The story of `live_story.py`, told with the official SDK for Node: speech, work with a function,
// the end. Arguments: the base URL, the key, a file with the speech (PCM16 at 24 kHz), the pace of
// its pieces of 100 ms, and JSON with the session, the function's result, the last word of the
// answer, and the ids of events. Writes each event that comes as a line of JSON.

import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { LiveWS } from "openai/resources/live/ws";

const [baseURL, apiKey, file, pace, told] = process.argv.slice(2);
const { session, found, last, ids } = JSON.parse(told);
const CHUNK = 4800;
const speech = readFileSync(file);
const live = new LiveWS(new OpenAI({ apiKey, baseURL, maxRetries: 0 }));

function chunk(at) {
  const piece = Buffer.alloc(CHUNK);
  speech.subarray(at * CHUNK).copy(piece);
  return piece.toString("base64");
}

let sent = 0;
let speaking;

function speak() {
  live.send({ type: "session.input_audio.append", audio: chunk(sent++) });
}

function work(item) {
  const output = { type: "function_call_output", call_id: item.call_id, output: found };
  live.send({ type: "response.item.create", item: output });
  live.send({ type: "response.create", event_id: ids["go-on"] });
}

let said = "";
const reactions = {
  "session.started": () => {
    speaking = setInterval(speak, Number(pace));
  },
  "response.event": ({ event }) => {
    const called = event.item?.type === "function_call";
    if (event.type === "response.output_item.done" && called) work(event.item);
  },
  "session.output_transcript.delta": ({ delta }) => {
    if (said.endsWith(last)) return;
    said += delta;
    if (!said.endsWith(last)) return;
    const content = "The user was told.";
    live.send({ type: "session.thinking.append", content, delegation_id: null, event_id: ids.told });
  },
  "session.thinking.appended": () => {
    clearInterval(speaking);
    live.send({ type: "session.close", event_id: ids.bye });
  },
  "session.closed": () => live.close(),
};

live.on("event", (event) => {
  console.log(JSON.stringify(event));
  reactions[event.type]?.(event);
});
live.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
live.send({ type: "session.start", event_id: ids.start, session });
