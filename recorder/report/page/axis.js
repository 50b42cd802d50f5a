// The part of the session that is seen, and where in the drawing a time is.

const axis = { from: 0, to: endMs, left: 92, width: 1000, right: 12 };
let now = 0; // ms: the play head
let turnNow = 0; // the turn that was gone to last, from 1; 0 before

const x = (ms) =>
  axis.left + ((ms - axis.from) / (axis.to - axis.from)) * (axis.width - axis.left - axis.right);
const msAt = (px) =>
  axis.from + ((px - axis.left) / (axis.width - axis.left - axis.right)) * (axis.to - axis.from);
const seen = (from, to) => to >= axis.from && from <= axis.to;

const SHORTEST = 500;

/** See from `from` to `to`, within the session. */
function look(from, to) {
  const span = Math.min(endMs, Math.max(SHORTEST, to - from));
  const start = Math.min(Math.max(0, from), endMs - span);
  axis.from = start;
  axis.to = start + span;
  tell("view");
}

function zoom(factor, about) {
  const middle =
    about === undefined
      ? now >= axis.from && now <= axis.to
        ? now
        : (axis.from + axis.to) / 2
      : about;
  look(middle - (middle - axis.from) * factor, middle + (axis.to - middle) * factor);
}

const pan = (ms) => look(axis.from + ms, axis.to + ms);
const fit = () => look(0, endMs);

/** Bring a time into view without changing the scale. */
function reveal(ms) {
  const span = axis.to - axis.from;
  if (ms < axis.from || ms > axis.to) look(ms - span * 0.2, ms + span * 0.8);
}

/** Round steps for a ruler of `width` pixels. */
function ticks(from, to, width) {
  const about = ((to - from) / width) * 90;
  const steps = [
    10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000,
  ];
  const step = steps.find((each) => each >= about) || 1800000;
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return { step, found };
}
