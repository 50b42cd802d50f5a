// One turn has many latencies: every definition there is evidence for, side by side and as a picture.

const HUMAN_GAP = 200; // ms: the usual gap between people (Levinson & Torreira 2015)
let chosen = null;
let budget = 1500;

const WAITS = [
  "v2v_ms",
  "arrival_ms",
  "first_substantive_ms",
  "event_ms",
  "event_committed_ms",
  "event_created_ms",
  "event_asked_ms",
  "first_token_ms",
];
const FAMILIES = ["response", "endpointing", "transcription", "interruption", "tools", "vendor"];

/** Latencies of turns: what the user waits for by each definition, then its parts, by family. */
function definitions() {
  const rank = (metric) =>
    WAITS.includes(metric)
      ? WAITS.indexOf(metric)
      : 100 * (1 + FAMILIES.indexOf(data.about[metric].family));
  return [...ofTurns]
    .filter(
      ([metric, values]) => values[0].unit === "ms" && FAMILIES.includes(data.about[metric].family),
    )
    .map(([metric]) => metric)
    .sort((one, other) => rank(one) - rank(other));
}

function drawLatency() {
  const names = definitions();
  if (!names.length) {
    replace(byId("latency"), missing());
    return;
  }
  chosen = names.includes("v2v_ms") ? "v2v_ms" : names.includes("event_ms") ? "event_ms" : names[0];
  const choice = h(
    "select",
    {
      id: "definition",
      on: {
        change: () => {
          chosen = choice.value;
          drawSpread();
        },
      },
    },
    names.map((name) => h("option", { value: name, selected: name === chosen }, name)),
  );
  const limit = h("input", {
    id: "budget",
    type: "number",
    min: 0,
    step: 100,
    value: budget,
    on: {
      input: () => {
        budget = Number(limit.value) || 0;
        drawSpread();
      },
    },
  });
  replace(
    byId("latency"),
    h(
      "div",
      { class: "controls" },
      h("label", {}, "Definition ", choice),
      h("label", {}, "Budget ", limit, " ms"),
    ),
    h(
      "div",
      { class: "pair" },
      h("div", { id: "spread" }),
      h(
        "div",
        { class: "scroll", role: "region", tabindex: 0, "aria-label": "All definitions" },
        definitionTable(names),
      ),
    ),
  );
  drawSpread();
}

function definitionTable(names) {
  return h(
    "table",
    {},
    h("caption", {}, "The same turns by each definition, in ms"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "definition"),
        ["turns", "least", "p50", "p90", "greatest"].map((name) =>
          h("th", { scope: "col", class: "right" }, name),
        ),
      ),
    ),
    h(
      "tbody",
      {},
      names.map((name) => {
        const values = ofTurns.get(name);
        const at = (percent, title) => {
          const each = rankEvidence(name, percent, title);
          return h("td", { class: "right" }, num(each.value.replace(" ms", ""), each));
        };
        return h(
          "tr",
          {},
          h("th", { scope: "row", title: data.about[name].what.replaceAll("`", "") }, name),
          h("td", { class: "right" }, values.length),
          at(1, "least"),
          at(50, "p50"),
          values.length < 10
            ? h(
                "td",
                { class: "right" },
                h("span", { class: "missing", title: "fewer than 10 values" }, "too few"),
              )
            : at(90, "p90"),
          at(100, "greatest"),
        );
      }),
    ),
  );
}

function drawSpread() {
  const values = [...ofTurns.get(chosen)].sort((one, other) => one.value - other.value);
  const width = 560;
  const left = 40;
  const high = Math.max(budget, HUMAN_GAP, ...values.map((each) => each.value)) * 1.05;
  const low = Math.min(0, ...values.map((each) => each.value)) * 1.05;
  const at = (ms) => left + ((ms - low) / (high - low)) * (width - left - 16);
  const share = (part) => 250 - part * 150;
  const within = values.filter((each) => each.value <= budget).length;
  const picture = s(
    "svg",
    {
      viewBox: `0 0 ${width} 286`,
      class: "spread",
      role: "img",
      "aria-label": `${chosen}: ${values.length} values from ${Math.round(values[0].value)} to ${Math.round(values.at(-1).value)} ms, ${within} within ${budget} ms`,
    },
    grid(low, high, at, width, left),
    thresholds(at),
    strip(values, at),
    steps(values, at, share, low, high),
  );
  replace(
    byId("spread"),
    prose(data.about[chosen].what),
    picture,
    h("p", {}, `${within} of ${plural(values.length, "value")} within the budget of ${budget} ms.`),
  );
}

function grid(low, high, at, width, left) {
  return s(
    "g",
    { class: "ruler" },
    ticks(low, high, width - left).found.map((ms) =>
      s(
        "g",
        {},
        s("line", { x1: at(ms), x2: at(ms), y1: 24, y2: 250 }),
        s("text", { x: at(ms), y: 266, "text-anchor": "middle" }, String(ms)),
      ),
    ),
    s("text", { x: width - 16, y: 282, "text-anchor": "end" }, "ms"),
    [0, 0.5, 0.9, 1].map((part) =>
      s(
        "g",
        {},
        s("line", { x1: left, x2: width - 16, y1: 250 - part * 150, y2: 250 - part * 150 }),
        s("text", { x: left - 4, y: 254 - part * 150, "text-anchor": "end" }, `${part * 100} %`),
      ),
    ),
  );
}

function thresholds(at) {
  return s(
    "g",
    { class: "threshold" },
    [
      [HUMAN_GAP, "people: 200 ms", "start"],
      [budget, `budget: ${budget} ms`, "end"],
    ].map(([ms, text, anchor]) =>
      s(
        "g",
        {},
        s("line", { x1: at(ms), x2: at(ms), y1: 16, y2: 250 }),
        s(
          "text",
          { x: at(ms) + (anchor === "start" ? 4 : -4), y: 14, "text-anchor": anchor },
          text,
        ),
      ),
    ),
  );
}

/** A sign a turn: its shape says what kind of turn it was. */
function strip(values, at) {
  return s(
    "g",
    { class: "strip" },
    values.map((each, place) => {
      const turn = data.turns[each.turn - 1];
      const shape = turn.was_interrupted
        ? "M-4 -4L4 4M4 -4L-4 4"
        : turn.tool_calls
          ? "M0 -5L5 0L0 5L-5 0Z"
          : "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z";
      const kind = turn.was_interrupted ? "cut" : turn.tool_calls ? "tool" : "agent";
      return s(
        "path",
        {
          class: `mark ${kind}`,
          d: shape,
          transform: `translate(${at(each.value).toFixed(1)} ${46 + (place % 3) * 14})`,
          on: { click: () => openEvidence(metricEvidence(each)) },
        },
        hint(
          `Turn ${each.turn}: ${Math.round(each.value)} ms${turn.was_interrupted ? ", interrupted" : ""}${turn.tool_calls ? ", with a tool" : ""}`,
        ),
      );
    }),
  );
}

function steps(values, at, share, low, high) {
  let path = `M${at(low)} ${share(0)}`;
  values.forEach((each, place) => {
    path += `H${at(each.value).toFixed(1)}V${share((place + 1) / values.length).toFixed(1)}`;
  });
  return s("path", { class: "ecdf", d: `${path}H${at(high)}` });
}
