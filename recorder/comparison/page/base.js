// What the parts of a comparison's page share: the arms, numbers, and drawings that fit their place.

const arms = data.head.arms;
const SHAPES = [
  "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z",
  "M-4.5 -4.5H4.5V4.5H-4.5Z",
  "M0 -6L6 0L0 6L-6 0Z",
  "M0 -6L6 5H-6Z",
];
const armAt = (name) => arms.findIndex((arm) => arm.name === name);

/** The sign of an arm: a shape of its own, so that colour is not all that tells them apart. */
function armSign(place) {
  return s(
    "svg",
    { class: "arm-sign", viewBox: "-7 -7 14 14", "aria-hidden": "true" },
    s("path", { class: `arm${place % 4}`, d: SHAPES[place % 4] }),
  );
}

const armName = (place) => h("span", { class: "arm" }, armSign(place), arms[place].name);

/** A number of the data as a button; `no data` where there is none. */
const shown = (found, props) => (found ? num(found.text, found, props) : missing());

/** `found`: title, text, what, sql. */
function openEvidence(found) {
  openDialog(
    { ...found, value: found.text },
    sqlBlock("In SQL", found.sql),
    h(
      "p",
      { class: "note" },
      "Asked of the store that holds the trial: ",
      h("code", {}, "record sql QUERY"),
      ".",
    ),
  );
}

// Drawings as wide as their place: redrawn when that changes, so that text keeps its size.

const charts = [];

function chart(draw, props) {
  const host = h("div", { class: "chart", ...props });
  charts.push(() => replace(host, draw(Math.max(200, host.clientWidth))));
  return host;
}

function drawCharts() {
  for (const draw of charts) draw();
}

/** A scale from numbers to pixels. */
function scale(low, high, left, right) {
  const span = high - low || 1;
  return (value) => left + ((value - low) / span) * (right - left);
}

/** Round steps between two numbers, about `count`. */
function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step)
    found.push(Number(at.toPrecision(12)));
  return found;
}
