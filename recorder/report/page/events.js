// All events: only the rows that are seen are in the document.

const ROW_PX = 26;
const filter = { type: "", sender: "", text: "", streamed: false, from: null, to: null };
let shown = [];
let selected = null;
let list = null;

function drawEvents() {
  const counts = new Map();
  events.kind.forEach((kind) => counts.set(kind, (counts.get(kind) || 0) + 1));
  const types = new Map();
  for (const [kind, count] of counts) {
    const name = events.kinds[kind][2] || events.kinds[kind][1];
    types.set(name, (types.get(name) || 0) + count);
  }
  const change = (name, read) => ({
    input: (event) => {
      filter[name] = read(event.target);
      apply();
    },
  });
  list = h("div", {
    id: "event-list",
    class: "virtual",
    role: "table",
    tabindex: 0,
    "aria-label": "Events",
    on: { scroll: drawSeen, keydown: walk },
  });
  replace(
    byId("events"),
    h(
      "div",
      { class: "controls" },
      h(
        "label",
        {},
        "Type ",
        h(
          "select",
          { id: "event-type", on: change("type", (field) => field.value) },
          h("option", { value: "" }, "all"),
          [...types]
            .sort()
            .map(([name, count]) => h("option", { value: name }, `${name} (${count})`)),
        ),
      ),
      h(
        "label",
        {},
        "From ",
        h(
          "select",
          { id: "event-sender", on: change("sender", (field) => field.value) },
          ["", "client", "provider", "recorder"].map((name) =>
            h("option", { value: name }, name || "all"),
          ),
        ),
      ),
      h(
        "label",
        {},
        "Text ",
        h("input", {
          id: "event-text",
          type: "search",
          on: change("text", (field) => field.value.toLowerCase()),
        }),
      ),
      h(
        "label",
        {},
        h("input", {
          id: "event-streamed",
          type: "checkbox",
          on: {
            change: (event) => {
              filter.streamed = event.target.checked;
              apply();
            },
          },
        }),
        " pieces of audio",
      ),
      h("span", { id: "event-range" }),
      h("span", { id: "event-count", class: "note", role: "status" }),
    ),
    h(
      "div",
      { class: "split" },
      list,
      h(
        "div",
        {
          id: "event-detail",
          class: "detail",
          role: "region",
          tabindex: 0,
          "aria-label": "The chosen event",
        },
        h("p", { class: "note" }, "Choose an event to see its content."),
      ),
    ),
  );
  apply();
}

function apply() {
  shown = [];
  for (let index = 0; index < events.kind.length; index += 1) if (passes(index)) shown.push(index);
  const of = events.kind.length;
  byId("event-count").textContent =
    shown.length === of
      ? plural(of, "event")
      : `${GROUPED.format(shown.length)} of ${plural(of, "event")}`;
  replace(
    byId("event-range"),
    filter.from === null
      ? null
      : h(
          "button",
          {
            type: "button",
            on: {
              click: () => {
                filter.from = filter.to = null;
                apply();
              },
            },
          },
          `events ${filter.from} to ${filter.to} ✕`,
        ),
  );
  list.scrollTop = 0;
  list.setAttribute("aria-rowcount", shown.length);
  drawSeen();
}

function passes(index) {
  const [sender, kind, type] = kindAt(index);
  const seq = events.first + index;
  if (filter.from !== null && (seq < filter.from || seq > filter.to)) return false;
  if (!filter.streamed && !filter.type && events.audio_ms[index] > 0) return false;
  if (filter.type && (type || kind) !== filter.type) return false;
  if (filter.sender && sender !== filter.sender) return false;
  return (
    !filter.text ||
    events.text[index].toLowerCase().includes(filter.text) ||
    (events.body[seq] || "").toLowerCase().includes(filter.text)
  );
}

function drawSeen() {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW_PX) - 10);
  const last = Math.min(
    shown.length,
    Math.ceil((list.scrollTop + list.clientHeight) / ROW_PX) + 10,
  );
  const rows = [];
  for (let place = first; place < last; place += 1) rows.push(eventRowAt(place));
  const canvas = h("div", { class: "canvas", role: "rowgroup" }, rows);
  canvas.style.height = `${shown.length * ROW_PX}px`;
  rows.forEach((row, place) => {
    row.style.top = `${(first + place) * ROW_PX}px`;
  });
  replace(list, canvas);
}

function eventRowAt(place) {
  const index = shown[place];
  const [sender, kind, type] = kindAt(index);
  const seq = events.first + index;
  const cellOf = (name, ...content) => h("span", { class: name, role: "cell" }, ...content);
  return h(
    "div",
    {
      class: `event ${seq === selected ? "selected" : ""}`,
      role: "row",
      "aria-rowindex": place + 1,
      "data-seq": seq,
      on: { click: () => select(seq) },
    },
    cellOf("mono right seq", String(seq)),
    cellOf("mono right", (atMs[index] / 1000).toFixed(3)),
    cellOf(`who ${sender}`, arrow(sender)),
    cellOf("type", type || kind),
    cellOf(
      "text",
      events.text[index] ||
        (events.audio_ms[index] ? `${lasting(events.audio_ms[index])} of audio` : ""),
    ),
  );
}

/** Arrow keys in the list go from event to event. */
function walk(event) {
  const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12 }[event.key];
  if (!by || !shown.length) return;
  event.preventDefault();
  event.stopPropagation();
  const place = selected === null ? -1 : shown.indexOf(selected - events.first);
  const next = Math.max(0, Math.min(shown.length - 1, place + by));
  select(events.first + shown[next]);
  if (next * ROW_PX < list.scrollTop) list.scrollTop = next * ROW_PX;
  if ((next + 1) * ROW_PX > list.scrollTop + list.clientHeight)
    list.scrollTop = (next + 1) * ROW_PX - list.clientHeight;
}

function select(seq) {
  selected = seq;
  for (const row of list.querySelectorAll(".event"))
    row.classList.toggle("selected", row.dataset.seq === String(seq));
  const index = seq - events.first;
  const [sender, kind, type] = kindAt(index);
  const body = events.body[seq];
  const sql = `SELECT seq, at_ms, sender, kind, type, body\nFROM v_events\nWHERE ${SESSION} AND seq = ${seq};`;
  const copier = (label, text) => {
    const button = h("button", { type: "button" }, label);
    button.addEventListener("click", () => copy(text, button));
    return button;
  };
  replace(
    byId("event-detail"),
    h("h3", {}, `${seq} · ${type || kind}`),
    h(
      "p",
      { class: "note" },
      `${arrow(sender)} · ${kind} · channel ${events.channel[index]} · ${(atMs[index] / 1000).toFixed(6)} s`,
      events.audio_ms[index] ? ` · ${lasting(events.audio_ms[index])} of audio` : "",
    ),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", on: { click: () => seek(atMs[index]) } }, "Go to the moment"),
      copier("Copy SQL", sql),
      copier("Copy replay command", `replay serve ${data.session.id}`),
    ),
    body === undefined
      ? h(
          "p",
          { class: "note" },
          "The page does not carry the content of pieces of audio: ",
          h("code", {}, `record show ${data.session.id} --json --raw`),
        )
      : h("pre", {}, pretty(body)),
    events.cut.includes(seq)
      ? h("p", { class: "note" }, "The rest of a long body is not shown.")
      : null,
  );
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** Show one event, whatever is filtered. */
function showEvent(seq) {
  Object.assign(filter, { type: "", sender: "", text: "", streamed: true, from: null, to: null });
  resetFields();
  apply();
  list.scrollTop = Math.max(0, (seq - events.first) * ROW_PX - list.clientHeight / 2);
  drawSeen();
  select(seq);
  byId("raw").scrollIntoView({ block: "start" });
  list.focus({ preventScroll: true });
}

function showRange(first, last) {
  Object.assign(filter, { type: "", sender: "", text: "", streamed: false, from: first, to: last });
  resetFields();
  apply();
  byId("raw").scrollIntoView({ block: "start" });
  list.focus({ preventScroll: true });
}

function resetFields() {
  for (const name of ["type", "sender", "text"]) byId(`event-${name}`).value = filter[name];
  byId("event-streamed").checked = filter.streamed;
}
