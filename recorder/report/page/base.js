// What the parts of a session's page share: its metrics, its events, its clock.

// Values

function clock(ms) {
  const minutes = Math.floor(ms / 60000);
  const seconds = (ms / 1000 - minutes * 60).toFixed(1).padStart(4, "0");
  return `${minutes}:${seconds}`;
}

function lasting(ms) {
  return Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function valued(value, unit) {
  if (unit === "ms") return `${Math.round(value)} ms`;
  if (unit === "usd") return dollars(value);
  if (unit === "ratio") return value.toFixed(3);
  if (unit === "per minute") return `${Math.round(value)} / min`;
  return GROUPED.format(value);
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
