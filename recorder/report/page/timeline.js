// The time line: one axis, a row a kind of evidence. Where there is no evidence it says so.

const ROWS = [
  { name: "turns", label: "turns", height: 50, draw: turnRow },
  { name: "user", label: "user", height: 66, draw: (top) => laneRow("user", top) },
  { name: "agent", label: "agent, as heard", height: 74, draw: (top) => laneRow("agent", top) },
  { name: "events", label: "events", height: 56, draw: eventRow },
  { name: "tools", label: "tools", height: 30, draw: toolRow },
  { name: "buffer", label: "waiting in player", height: 38, draw: bufferRow },
  { name: "cost", label: "cost", height: 62, draw: costRow },
];
const RULER = 22;
let head = null;

function drawPlot() {
  const plot = byId("plot");
  axis.width = Math.max(320, plot.clientWidth);
  axis.left = axis.width < 640 ? 54 : 104;
  let top = RULER;
  const parts = [];
  for (const row of ROWS) {
    parts.push(
      rowFrame(row, top),
      s("g", { class: row.name, "clip-path": "url(#inside)" }, row.draw(top)),
    );
    top += row.height;
  }
  head = s(
    "g",
    { class: "head" },
    s("line", { y1: RULER - 6, y2: top }),
    s("path", { d: `M-5 ${RULER - 14}h10l-5 9z` }),
  );
  const svg = s(
    "svg",
    { viewBox: `0 0 ${axis.width} ${top + 2}`, role: "img", "aria-label": plotLabel() },
    patterns(top),
    ruler(top),
    parts,
    head,
  );
  replace(plot, svg);
  moveHead();
}

function plotLabel() {
  return `Time line from ${clock(axis.from)} to ${clock(axis.to)}: turns, sound of both sides, events, tools and cost. The tables below say the same in words.`;
}

function patterns(height) {
  return s(
    "defs",
    {},
    s(
      "clipPath",
      { id: "inside" },
      s("rect", { x: axis.left, y: 0, width: axis.width - axis.left - axis.right, height }),
    ),
    s(
      "pattern",
      {
        id: "stripes",
        width: 5,
        height: 5,
        patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(45)",
      },
      s("rect", { width: 5, height: 5, class: "under" }),
      s("rect", { width: 2, height: 5, class: "over" }),
    ),
    s(
      "pattern",
      { id: "spots", width: 4, height: 4, patternUnits: "userSpaceOnUse" },
      s("rect", { width: 4, height: 4, class: "under" }),
      s("circle", { cx: 2, cy: 2, r: 1, class: "over" }),
    ),
    s(
      "pattern",
      {
        id: "hatch",
        width: 6,
        height: 6,
        patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(-45)",
      },
      s("rect", { width: 1.5, height: 6, class: "over" }),
    ),
  );
}

function ruler(bottom) {
  const { step, found } = ticks(axis.from, axis.to, axis.width - axis.left - axis.right);
  const decimals = step < 100 ? 2 : step < 1000 ? 1 : 0;
  return s(
    "g",
    { class: "ruler" },
    found.map((at) =>
      s(
        "g",
        {},
        s("line", { x1: x(at), x2: x(at), y1: RULER - 4, y2: bottom }),
        s(
          "text",
          { x: x(at), y: 12, "text-anchor": x(at) > axis.width - 24 ? "end" : "middle" },
          `${Math.floor(at / 60000)}:${((at % 60000) / 1000).toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0")}`,
        ),
      ),
    ),
  );
}

function rowFrame(row, top) {
  const words = axis.left < 100 ? row.label.split(/[ ,]/).slice(0, 1) : row.label.split(", ");
  return s(
    "g",
    { class: "frame" },
    s("line", { x1: 0, x2: axis.width, y1: top, y2: top }),
    words.map((word, place) => s("text", { x: 2, y: top + 16 + place * 13 }, word)),
  );
}

const nothing = (top, height, text) =>
  s(
    "text",
    { class: "missing", x: axis.left + 8, y: top + height / 2 + 4 },
    `${NO_DATA}${text ? `: ${text}` : ""}`,
  );
const hint = (text) => s("title", {}, text);

/** `text` cut to what `width` pixels hold; nothing when that would say nothing. */
function fitted(text, width) {
  const room = Math.floor(width / 6.2);
  return text.length <= room ? text : room < 14 ? "" : `${text.slice(0, room - 1)}…`;
}

// The play head and what is read off at it

function moveHead() {
  const inside = now >= axis.from && now <= axis.to;
  head.setAttribute("transform", `translate(${x(now).toFixed(1)} 0)`);
  head.setAttribute("visibility", inside ? "visible" : "hidden");
  readOff(now);
}

function readOff(ms) {
  const turn = data.turns.findLast((each) => turnStart(each) <= ms);
  const depth =
    data.lanes.buffer &&
    data.lanes.buffer[
      Math.min(
        data.lanes.buffer.length - 1,
        Math.floor((ms / data.lanes.end_ms) * data.lanes.buffer.length),
      )
    ];
  const parts = [
    ["time", clock(ms)],
    ["turn", turn ? turn.turn : "none yet"],
  ];
  if (depth !== null && depth !== undefined) parts.push(["waiting", lasting(depth)]);
  if (data.cost.steps.length) parts.push(["cost so far", costAt(ms)]);
  replace(
    byId("readout"),
    parts.map(([name, value]) => h("span", {}, `${name} `, h("strong", {}, String(value)))),
  );
}

function drawLegend() {
  const key = (shape, text) =>
    h("li", {}, s("svg", { viewBox: "-9 -9 18 18", "aria-hidden": "true" }, shape), text);
  const block = (name) => s("rect", { class: name, x: -8, y: -5, width: 16, height: 10 });
  const used = new Set(data.marks.map(markKind));
  const parts = data.turns.some((turn) => latencyParts(turn).length);
  replace(
    byId("legend"),
    h(
      "ul",
      { "aria-label": "Legend" },
      parts
        ? [
            key(block("endpoint"), "endpoint: until the provider told the end of speech"),
            key(block("think"), "think: until the first audio"),
            key(block("lead"), "lead: until it was heard"),
          ]
        : null,
      Object.entries(SHAPES)
        .filter(([name]) => used.has(name))
        .map(([name, [path, , colour]]) =>
          key(s("path", { class: `mark ${colour}`, d: path }), name),
        ),
      data.lanes.unheard.length
        ? key(
            s(
              "g",
              { class: "unheard" },
              s("rect", { class: "back", x: -8, y: -4, width: 16, height: 8 }),
              s("rect", { class: "fore", x: -8, y: -4, width: 16, height: 8 }),
            ),
            "made, never heard",
          )
        : null,
      data.lanes.stalls.length
        ? key(s("path", { class: "stall", d: "M-4 -4l8 8m0 -8l-8 8" }), "player stood still")
        : null,
    ),
  );
}

// Hands

function handleThePlot() {
  const plot = byId("plot");
  plot.setAttribute(
    "aria-label",
    "Time line. J and K go from turn to turn, arrow keys by a second, plus, minus and 0 change the scale.",
  );
  const place = (event) =>
    ((event.clientX - plot.getBoundingClientRect().left) / plot.clientWidth) * axis.width;
  let drag = null;
  plot.addEventListener("pointerdown", (event) => {
    if (event.button === 0) drag = { at: event.clientX, from: axis.from, moved: false };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const px = event.clientX - drag.at;
    if (Math.abs(px) > 4) drag.moved = true;
    if (drag.moved)
      pan(
        drag.from -
          axis.from -
          (px / (axis.width - axis.left - axis.right)) * (axis.to - axis.from),
      );
  });
  addEventListener("pointerup", () => {
    const moved = drag && drag.moved;
    drag = null;
    if (moved) addEventListener("click", stopOnce, { capture: true, once: true });
  });
  plot.addEventListener("click", (event) => {
    if (place(event) >= axis.left && !event.target.closest(".mark, .call, .turn"))
      seek(Math.max(0, Math.min(endMs, msAt(place(event)))));
  });
  plot.addEventListener("pointermove", (event) => {
    if (!drag && place(event) >= axis.left)
      readOff(Math.max(0, Math.min(endMs, msAt(place(event)))));
  });
  plot.addEventListener("pointerleave", () => readOff(now));
  plot.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, msAt(place(event)));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        pan(((event.deltaX || event.deltaY) / axis.width) * (axis.to - axis.from));
      else return;
      event.preventDefault();
    },
    { passive: false },
  );
}

function stopOnce(event) {
  event.stopPropagation();
  event.preventDefault();
}
