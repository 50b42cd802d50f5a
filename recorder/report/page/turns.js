// The transcript and the table of turns.

function drawWords() {
  if (!data.words.length && !data.calls.length) {
    replace(byId("words"), missing());
    return;
  }
  const entries = [
    ...data.words.map((word) => ({
      at: word.first_ms,
      turn: word.turn,
      isUser: word.role === "user",
      draw: () => utterance(word),
    })),
    ...data.calls.map((call) => ({
      at: call.called_ms,
      turn: call.turn,
      draw: () => callEntry(call),
    })),
    ...data.cuts.map((cut) => ({
      at: cut.at_ms ?? atSeq(cut.first_seq),
      turn: cut.turn,
      draw: () => cutEntry(cut),
    })),
  ];
  const groups = new Map(data.turns.map((turn) => [turn.turn, []]));
  for (const entry of entries.sort((one, other) => one.at - other.at)) {
    if (!groups.has(entry.turn)) groups.set(entry.turn, []);
    groups.get(entry.turn).push(entry);
  }
  replace(
    byId("words"),
    [...groups].map(([turn, list]) =>
      h(
        "section",
        { class: "turn-words", "data-turn": turn, "aria-label": `Turn ${turn}` },
        h("h3", {}, `Turn ${turn}`),
        inOrder(list).map((entry) => entry.draw()),
      ),
    ),
  );
}

/** A user's words are told late; they stand before the answer all the same. */
const inOrder = (list) => [
  ...list.filter((entry) => entry.isUser),
  ...list.filter((entry) => !entry.isUser),
];

const momentButton = (ms) =>
  h(
    "button",
    {
      type: "button",
      class: "moment mono",
      "aria-label": `Go to ${clock(ms)}`,
      on: { click: () => seek(ms) },
    },
    clock(ms),
  );

function wordsAt(word) {
  const turn = data.turns[word.turn - 1];
  if (!turn) return word.first_ms;
  return word.role === "user" ? turnStart(turn) : Math.max(word.first_ms, turn.on_ms ?? 0);
}

const span = (row) =>
  row.first_seq === row.last_seq
    ? `event ${row.first_seq}`
    : `events ${row.first_seq}–${row.last_seq}`;

function utterance(word) {
  const evidence = {
    title: `Words of the ${word.role}`,
    value: word.text,
    facts: [["Via", word.via]],
    sql: sqlOf.row(
      "transcript",
      "ordinal",
      word.ordinal,
      "text, role, via, turn, first_seq, last_seq",
    ),
    first: word.first_seq,
    last: word.last_seq,
  };
  return h(
    "div",
    { class: `said ${word.role}` },
    momentButton(wordsAt(word)),
    h(
      "span",
      { class: "role" },
      word.role === "assistant" ? "agent" : word.role,
      word.via === "text" ? (word.role === "user" ? " (typed)" : " (written)") : "",
    ),
    h("p", {}, word.text, " ", num(span(word), evidence, { class: "small" })),
  );
}

function callEntry(call) {
  return h(
    "div",
    { class: `said tool ${call.failed ? "failed" : ""}` },
    momentButton(call.called_ms),
    h("span", { class: "role" }, "tool"),
    h(
      "p",
      {},
      h("code", {}, `${call.name}(${call.arguments})`),
      h("br"),
      "→ ",
      call.output === null ? missing() : h("code", {}, call.output),
      call.failed ? " failed" : "",
    ),
  );
}

function cutEntry(cut) {
  const ms = cut.at_ms ?? atSeq(cut.first_seq);
  const heard =
    cut.heard_ms === null ? "" : `: ${lasting(cut.heard_ms)} of ${lasting(cut.generated_ms)} heard`;
  return h(
    "div",
    { class: "said cut" },
    momentButton(ms),
    h("span", { class: "role" }, "✕ cut"),
    h("p", {}, `The answer was cut off${heard}`),
  );
}

const TURN_COLUMNS = [
  ["v2v_ms", "v2v"],
  ["event_ms", "event"],
  ["eos_delay_ms", "end of speech"],
  ["first_token_ms", "first word"],
  ["stt_delay_ms", "transcript"],
  ["yield_ms", "yield"],
  ["tool_exec_ms", "tool"],
];

function drawTurns() {
  if (!data.turns.length) {
    replace(byId("turns"), missing());
    return;
  }
  const columns = TURN_COLUMNS.filter(([metric]) => ofTurns.has(metric));
  replace(
    byId("turns"),
    h(
      "table",
      {},
      h("caption", {}, "Times in ms"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["#", "user", "agent"].map((name) => h("th", { scope: "col" }, name)),
          columns.map(([metric, name]) =>
            h("th", { scope: "col", class: "right", title: metric }, name),
          ),
          h("th", { scope: "col", class: "right" }, "$"),
        ),
      ),
      h(
        "tbody",
        {},
        data.turns.map((turn) => turnLine(turn, columns)),
      ),
    ),
  );
}

function turnLine(turn, columns) {
  const signs = [
    turn.was_interrupted ? h("span", { class: "tag cut", title: "interrupted" }, "✕ cut") : null,
    turn.tool_calls ? h("span", { class: "tag" }, `▭ ${plural(turn.tool_calls, "call")}`) : null,
    turn.origin === "text" ? h("span", { class: "tag" }, "typed") : null,
  ];
  return h(
    "tr",
    { "data-turn": turn.turn },
    h(
      "th",
      { scope: "row" },
      h(
        "button",
        {
          type: "button",
          class: "num",
          "aria-label": `Go to turn ${turn.turn}`,
          on: { click: () => goTurn(turn.turn) },
        },
        turn.turn,
      ),
    ),
    h("td", { class: "text" }, turn.user_text || (turn.origin === "agent" ? "–" : missing())),
    h("td", { class: "text" }, turn.agent_text || missing(), " ", signs),
    columns.map(([metric]) => h("td", { class: "right" }, cell(ofTurn(metric, turn.turn)))),
    h("td", { class: "right" }, turnCost(turn)),
  );
}

function cell(values) {
  if (!values.length) return missing();
  return values.flatMap((each, place) => [
    place ? ", " : null,
    metricNum(each, String(Math.round(each.value))),
  ]);
}

function turnCost(turn) {
  if (!turn.lines) return missing();
  return num(
    turn.usd === null ? "unpriced" : dollars(turn.usd),
    {
      title: `Cost of turn ${turn.turn}`,
      facts: [["Lines of the bill", turn.lines]],
      sql: sqlOf.sum([`turn = ${turn.turn}`], "usd"),
      first: turn.first_seq,
      last: turn.last_seq,
    },
    { class: turn.usd === null ? "inferred" : "" },
  );
}

/** Go to a turn: the head, the view, the tables. */
function goTurn(number) {
  const turn = data.turns[number - 1];
  if (!turn) return;
  turnNow = number;
  seek(turnStart(turn));
  drawPlot();
  markTurn();
  say(`Turn ${number}: ${turn.user_text || turn.agent_text}`);
}

function markTurn() {
  const turn = data.turns.findLast((each) => turnStart(each) <= now + 1);
  for (const element of document.querySelectorAll("[data-turn]")) {
    const is = Boolean(turn) && element.dataset.turn === String(turn.turn);
    if (is && element.getAttribute("aria-current") !== "true") {
      element.setAttribute("aria-current", "true");
      const box = element.closest(".words, .scroll");
      if (box.scrollHeight > box.clientHeight)
        box.scrollTop = element.offsetTop - box.clientHeight / 3;
    } else if (!is) element.removeAttribute("aria-current");
  }
}
