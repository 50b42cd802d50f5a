// The verdict strip and the tiles.

function drawHead() {
  const { session } = data;
  byId("title").textContent = [session.provider, session.model].filter(Boolean).join(" · ");
  byId("subtitle").textContent =
    `${session.trial} · ${session.started.replace("T", " ")} · session ${session.id}` +
    (session.parent ? ` · replay of ${session.parent}` : "");
  replace(
    byId("verdict"),
    verdicts().map(({ sign, label, content, state }) =>
      h(
        "li",
        { class: state },
        h("span", { class: "sign", "aria-hidden": "true" }, sign),
        h("span", {}, label),
        " ",
        h("strong", {}, content),
      ),
    ),
  );
}

function verdicts() {
  const { session } = data;
  const found = [];
  const ended = session.status === "complete";
  found.push({
    sign: ended ? "✓" : "!",
    label: "tape",
    content: session.status,
    state: ended ? "good" : "doubt",
  });
  found.push(validity());
  const errors = ofSession.get("errors");
  if (errors)
    found.push({
      sign: errors.value ? "✕" : "✓",
      label: "errors",
      content: metricNum(errors),
      state: errors.value ? "bad" : "good",
    });
  found.push({
    sign: "$",
    label: "cost",
    content: costTotal(),
    state: data.cost.unpriced ? "doubt" : "plain",
  });
  found.push({ sign: "◷", label: "length", content: clock(endMs), state: "plain" });
  found.push({ sign: "⇄", label: "turns", content: String(data.turns.length), state: "plain" });
  if (data.unknown.length) {
    const times = data.unknown.reduce((sum, each) => sum + each.times, 0);
    const names = data.unknown.map((each) => [each.type, `${each.times} ×`]);
    const first = Math.min(...data.unknown.map((each) => each.first_seq));
    found.push({
      sign: "?",
      label: "unknown events",
      state: "doubt",
      content: num(String(times), {
        title: "Events that no decoder knows",
        facts: names,
        sql: `SELECT sum(times)\nFROM unknown\nWHERE ${SESSION};`,
        first,
        last: first,
      }),
    });
  }
  return found;
}

/** Whether the client kept time: else the other values are in doubt (docs/metrics.md). */
function validity() {
  const pacing = ofSession.get("pacing_error_p99_ms");
  const ratio = ofSession.get("realtime_ratio");
  if (!pacing || !ratio)
    return { sign: "–", label: "client kept time", content: missing(), state: "none" };
  const holds = pacing.value < 10 && ratio.value >= 0.99 && ratio.value <= 1.01;
  return {
    sign: holds ? "✓" : "!",
    label: holds ? "client kept time: pacing p99" : "client did not keep time: pacing p99",
    content: metricNum(pacing, `${pacing.value.toFixed(1)} ms`),
    state: holds ? "good" : "doubt",
  };
}

function costTotal() {
  const { cost } = data;
  if (!cost.groups.length) return missing();
  const first = Math.min(...cost.groups.map((group) => group.first));
  const last = Math.max(...cost.groups.map((group) => group.last));
  const found = {
    title: "The bill",
    what: "The sum of all lines of the bill. A line whose price is not known makes the sum unknown.",
    sql: sqlOf.sum([], "usd"),
    first,
    last,
  };
  if (cost.total !== null) return num(dollars(cost.total), found);
  const known = cost.known === null ? "unpriced" : `≥ ${dollars(cost.known)}`;
  return num(
    known,
    { ...found, facts: [["Lines without a price", cost.unpriced]] },
    { class: "inferred" },
  );
}

// Tiles

function drawTiles() {
  const tiles = [
    latencyTile("Voice to voice", "v2v_ms"),
    ofTurns.has("v2v_ms") ? null : latencyTile("By events", "event_ms"),
    responseTile(),
    latencyTile("End of speech", "eos_delay_ms"),
    latencyTile("Yield", "yield_ms"),
    toolTile(),
    floorTile(),
    costTile(),
  ];
  replace(byId("tiles"), tiles.filter(Boolean));
}

function tile(label, value, sub, dots) {
  return h(
    "article",
    { class: "tile" },
    h("h3", {}, label),
    h("p", { class: "value" }, value),
    h("p", { class: "sub" }, sub),
    dots || null,
  );
}

function latencyTile(label, metric) {
  const values = ofTurns.get(metric);
  if (!values) return tile(label, missing(), metric);
  const few = values.length < 10;
  const high = few ? rankEvidence(metric, 100, "greatest") : rankEvidence(metric, 90, "p90");
  const middle = rankEvidence(metric, 50, "p50");
  return tile(
    label,
    num(middle.value, middle),
    [`p50 of ${values.length} · ${few ? "max" : "p90"} `, num(high.value, high)],
    dotStrip(values),
  );
}

/** Each value as a dot on a line from 0 to the greatest. */
function dotStrip(values) {
  const low = Math.min(0, ...values.map((each) => each.value));
  const high = Math.max(1, ...values.map((each) => each.value));
  const x = (value) => 4 + ((value - low) / (high - low)) * 152;
  return s(
    "svg",
    { class: "dots", viewBox: "0 0 160 14", "aria-hidden": "true" },
    s("line", { x1: 4, x2: 156, y1: 7, y2: 7, class: "axis" }),
    s("line", { x1: x(0), x2: x(0), y1: 3, y2: 11, class: "axis" }),
    values.map((each) => s("circle", { cx: x(each.value), cy: 7, r: 3, class: "dot" })),
  );
}

function responseTile() {
  const rate = ofSession.get("response_rate");
  if (!rate) return tile("Answered", missing(), "response_rate");
  const count = (name) => (ofSession.get(`turns_${name}`) || { value: 0 }).value;
  const of = count("answered") + count("late") + count("missed");
  const rest = [
    ["late", count("late")],
    ["missed", count("missed")],
    ["cut off by the end", count("censored")],
  ];
  const words = rest.filter(([, value]) => value).map(([name, value]) => `${value} ${name}`);
  return tile(
    "Answered",
    metricNum(rate, `${count("answered")} of ${of}`),
    words.join(", ") || "all within the deadline",
  );
}

function toolTile() {
  const calls = ofSession.get("tool_calls");
  if (!calls) return tile("Tool calls", missing(), "none was called");
  const failed = ofSession.get("tool_failures");
  const exec = ofTurns.get("tool_exec_ms");
  const middle = exec ? rankEvidence("tool_exec_ms", 50, "p50") : null;
  return tile("Tool calls", metricNum(calls), [
    metricNum(failed, `${failed.value} failed`),
    middle ? " · run p50 " : "",
    middle ? num(middle.value, middle) : "",
  ]);
}

function floorTile() {
  const ratio = ofSession.get("talk_ratio");
  if (!ratio) return tile("Agent speaks", missing(), "talk_ratio");
  const over = ofSession.get("overlap_ms");
  const dead = ofSession.get("dead_air_ms");
  return tile("Agent speaks", metricNum(ratio, `${Math.round(ratio.value * 100)} %`), [
    "of speech · overlap ",
    over ? metricNum(over, lasting(over.value)) : missing(),
    " · dead air ",
    dead ? metricNum(dead, lasting(dead.value)) : missing(),
  ]);
}

function costTile() {
  const minute = ofSession.get("usd_per_minute");
  const cached = ofSession.get("cached_ratio");
  return tile("Cost a minute", minute ? metricNum(minute) : missing(), [
    "cached input ",
    cached ? metricNum(cached, `${Math.round(cached.value * 100)} %`) : missing(),
  ]);
}
