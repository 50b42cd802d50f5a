// What all parts share: the data, elements made of text only, and how values are written.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const NO_DATA = "no data";

/** An element. Properties in `props`: `on` are listeners; children are elements or text. */
function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for a drawing. */
function s(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value))
        element.addEventListener(event, listener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
  return element;
}

function replace(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
  return element;
}

const missing = () => h("span", { class: "missing" }, NO_DATA);

// Values

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

function clock(ms) {
  const minutes = Math.floor(ms / 60000);
  const seconds = (ms / 1000 - minutes * 60).toFixed(1).padStart(4, "0");
  return `${minutes}:${seconds}`;
}

function lasting(ms) {
  return Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Dollars with three digits that tell something; null where the sum is not known. */
function dollars(usd) {
  if (usd === null || usd === undefined) return null;
  const value = Number(usd);
  if (value > 0 && value < 1e-6) return "<$0.000001";
  return `$${value >= 1 ? value.toFixed(2) : Number(value.toPrecision(3))}`;
}

function valued(value, unit) {
  if (unit === "ms") return `${Math.round(value)} ms`;
  if (unit === "usd") return dollars(value);
  if (unit === "ratio") return value.toFixed(3);
  if (unit === "per minute") return `${Math.round(value)} / min`;
  return GROUPED.format(value);
}

function plural(count, word) {
  return `${GROUPED.format(count)} ${word}${count === 1 ? "" : "s"}`;
}

// Metrics

const metrics = data.metrics.map(
  ([ordinal, turn, metric, value, unit, definition, parameters, first, last]) => ({
    ordinal,
    turn,
    metric,
    value,
    unit,
    definition,
    parameters,
    first,
    last,
  }),
);
const ofSession = new Map();
const ofTurns = new Map();
for (const each of metrics) {
  if (each.turn === null) ofSession.set(each.metric, each);
  else ofTurns.set(each.metric, [...(ofTurns.get(each.metric) || []), each]);
}

function ofTurn(metric, turn) {
  return (ofTurns.get(metric) || []).filter((each) => each.turn === turn);
}

/** The value of rank ⌈share · n⌉ among n: one that was measured, so that it has evidence. */
function ranked(values, share) {
  const sorted = [...values].sort((one, other) => one.value - other.value);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

// Events, by columns: event number `index` has the sequence number `events.first + index`.

const events = data.events;
const atMs = new Float64Array(events.at_us.length);
for (let index = 0, sum = 0; index < atMs.length; index += 1) {
  sum += events.at_us[index];
  atMs[index] = sum / 1000;
}
const atSeq = (seq) => atMs[seq - events.first];
const kindAt = (index) => events.kinds[events.kind[index]];
const endMs = Math.max(data.end_ms, 1);

// State that parts listen to

const listeners = new Map();
function listen(name, listener) {
  listeners.set(name, [...(listeners.get(name) || []), listener]);
}
function tell(name, ...values) {
  for (const listener of listeners.get(name) || []) listener(...values);
}

/** Words for those who do not see that something happened. */
function say(text) {
  byId("said").textContent = text;
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "hidden" });
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = "Copied";
  say("Copied");
  setTimeout(() => {
    button.textContent = before;
  }, 1200);
}
