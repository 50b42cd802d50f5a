// A number opens what it rests on: the events, and the SQL that it came from.

const equal = (column, value) =>
  value === null
    ? `${column} IS NULL`
    : `${column} = ${typeof value === "number" ? value : quoted(value)}`;
const SESSION = `session = ${quoted(data.session.id)}`;

const sqlOf = {
  metric: (each) =>
    `SELECT value, unit, turn, definition, parameters, first_seq, last_seq\nFROM metric\nWHERE ${SESSION} AND ordinal = ${each.ordinal};`,
  rank(metric, percent) {
    const where = `${SESSION} AND metric = ${quoted(metric)} AND turn IS NOT NULL`;
    return `SELECT value, turn, first_seq, last_seq\nFROM metric\nWHERE ${where}\nORDER BY value, ordinal\nLIMIT 1 OFFSET (SELECT (count(*) * ${percent} + 99) / 100 - 1\n                FROM metric WHERE ${where});`;
  },
  row: (table, key, value, column = "*") =>
    `SELECT ${column}\nFROM ${table}\nWHERE ${SESSION} AND ${key} = ${value};`,
  sum(where, column) {
    return `SELECT CASE WHEN count(${column}) = count(*) THEN sum(CAST(${column} AS NUMERIC)) END AS ${column}\nFROM cost_line\nWHERE ${[SESSION, ...where].join("\n  AND ")};`;
  },
  events: (first, last) =>
    `SELECT seq, at_ms, sender, kind, type, body\nFROM v_events\nWHERE ${SESSION} AND seq BETWEEN ${first} AND ${last}\nORDER BY seq;`,
};

function metricEvidence(each, title) {
  const about = data.about[each.metric];
  return {
    title: title || (each.turn === null ? each.metric : `${each.metric} of turn ${each.turn}`),
    value: valued(each.value, each.unit),
    what: about.what,
    facts: [
      ["Definition", each.definition],
      ["Parameters", each.parameters === "{}" ? "none" : each.parameters],
    ],
    sql: sqlOf.metric(each),
    first: each.first,
    last: each.last,
  };
}

const metricNum = (each, text) => num(text || valued(each.value, each.unit), metricEvidence(each));

/** A percentile over turns, with what it is of. */
function rankEvidence(metric, percent, name) {
  const values = ofTurns.get(metric);
  const each = ranked(values, percent / 100);
  return {
    ...metricEvidence(each, `${metric}, ${name} of ${plural(values.length, "turn")}`),
    sql: sqlOf.rank(metric, percent),
    facts: [
      ["Of turn", each.turn],
      ["Rank", `⌈${percent} % · ${values.length}⌉ of the sorted values`],
      ["Definition", each.definition],
      ["Parameters", each.parameters === "{}" ? "none" : each.parameters],
    ],
  };
}

const SHOWN = 200;

/** `found`: title, value, what, facts, sql, and the events `first` to `last`. */
function openEvidence(found) {
  const dialog = byId("evidence");
  const from = atSeq(found.first);
  const to = atSeq(found.last);
  openDialog(
    found,
    facts([
      ...(found.facts || []),
      ["Events", `${found.first} to ${found.last}`],
      ["Time", `${clock(from)} to ${clock(to)}`],
    ]),
    h(
      "div",
      { class: "buttons" },
      h(
        "button",
        {
          type: "button",
          on: {
            click: () => {
              dialog.close();
              seek(from);
              byId("timeline").focus();
            },
          },
        },
        "Go to the moment",
      ),
      data.audio
        ? h("button", { type: "button", on: { click: () => playSpan(from, to) } }, "Play it")
        : null,
      h(
        "button",
        {
          type: "button",
          on: {
            click: () => {
              dialog.close();
              showRange(found.first, found.last);
            },
          },
        },
        "Filter the events",
      ),
    ),
    sqlBlock("The value in SQL", found.sql),
    sqlBlock("Its events in SQL", sqlOf.events(found.first, found.last)),
    data.kept
      ? null
      : h(
          "p",
          { class: "note" },
          "The store did not keep read models of this session when the page was made: ",
          h("code", {}, "record rebuild"),
          " makes them.",
        ),
    evidenceEvents(found.first, found.last),
  );
}

function evidenceEvents(first, last) {
  const rows = [];
  let streamed = 0;
  let more = 0;
  for (let seq = first; seq <= last; seq += 1) {
    const index = seq - events.first;
    if (events.audio_ms[index] && seq !== first && seq !== last) streamed += 1;
    else if (rows.length < SHOWN) rows.push(eventLine(index));
    else more += 1;
  }
  const rest = [
    streamed ? `${plural(streamed, "piece")} of audio between them not listed` : "",
    more ? `${plural(more, "event")} more` : "",
  ];
  return h(
    "div",
    {},
    h("h3", {}, "Events it rests on"),
    h("ol", { class: "lines" }, rows),
    h("p", { class: "note" }, rest.filter(Boolean).join("; ")),
  );
}

function eventLine(index) {
  const [sender, kind, type] = kindAt(index);
  const seq = events.first + index;
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: "num",
        "aria-label": `Event ${seq}`,
        on: {
          click: () => {
            byId("evidence").close();
            showEvent(seq);
          },
        },
      },
      seq,
    ),
    h("span", { class: "mono" }, clock(atMs[index])),
    h("span", { class: `who ${sender}` }, arrow(sender)),
    h("span", { class: "type" }, type || kind),
    h(
      "span",
      { class: "text" },
      events.text[index] ||
        (events.audio_ms[index] ? `${lasting(events.audio_ms[index])} of audio` : ""),
    ),
  );
}

const arrow = (sender) =>
  ({ client: "→ client", provider: "← provider", recorder: "• recorder" })[sender];
