// How the waits of all turns are spread, an arm a line.

function drawSpread() {
  const { values, rows, sql } = data.spread;
  if (!values.some((each) => each.length)) {
    replace(byId("spread"), missing());
    return;
  }
  replace(
    byId("spread"),
    h(
      "p",
      { class: "note" },
      "The share of turns that were answered within a time. Turns of one run are not independent: whether the arms differ, only the verdicts say.",
    ),
    h(
      "div",
      { class: "two" },
      chart((width) => cumulative(values, width)),
      h(
        "div",
        { class: "scroll", role: "region", "aria-label": "Percentiles", tabindex: 0 },
        h(
          "table",
          {},
          h("caption", {}, "Percentiles of the turns, by nearest rank"),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, ""),
              arms.map((_, place) => h("th", { scope: "col", class: "right" }, armName(place))),
            ),
          ),
          h(
            "tbody",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "row" }, "turns"),
              values.map((each, place) =>
                h(
                  "td",
                  { class: "right" },
                  num(String(each.length), {
                    title: `Turns of ${arms[place].name}`,
                    text: String(each.length),
                    what: "Every measured `v2v_ms` of the runs that count.",
                    sql: sql[place],
                  }),
                ),
              ),
            ),
            rows.map((row) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, `P${row.percent}`),
                row.values.map((each) =>
                  h(
                    "td",
                    { class: "right" },
                    each ? shown(each) : h("span", { class: "missing" }, "too few"),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

function cumulative(values, width) {
  const all = values.flat();
  const low = Math.min(0, ...all);
  const high = Math.max(...all) * 1.03;
  const at = scale(low, high, 42, width - 10);
  const up = scale(0, 1, 232, 22);
  return s(
    "svg",
    {
      viewBox: `0 0 ${width} 262`,
      role: "img",
      "aria-label": `Share of turns answered within a time: ${values
        .map((each, place) => `${arms[place].name}, ${plural(each.length, "turn")}`)
        .join("; ")}`,
    },
    [0, 0.25, 0.5, 0.75, 0.9, 1].map((share) => [
      s("line", { class: "gridline", x1: 42, x2: width - 10, y1: up(share), y2: up(share) }),
      s("text", { x: 36, y: up(share) + 4, "text-anchor": "end" }, `${share * 100} %`),
    ]),
    ticks(low, high, width / 90).map((ms) => [
      s("line", { class: "gridline", x1: at(ms), x2: at(ms), y1: 22, y2: 232 }),
      s("text", { x: Math.min(at(ms), width - 22), y: 248, "text-anchor": "middle" }, String(ms)),
    ]),
    s("text", { x: width - 10, y: 261, "text-anchor": "end" }, "ms"),
    values.map((each, place) => (each.length ? steps(each, place, at, up, low) : null)),
    values.map((each, place) => [
      s("path", {
        class: `arm${place % 4}`,
        d: SHAPES[place % 4],
        transform: `translate(${50 + place * 110} 9)`,
      }),
      s("text", { class: "key", x: 60 + place * 110, y: 13 }, arms[place].name),
    ]),
  );
}

/** A step a turn; the arm's sign where half of its turns are answered. */
function steps(values, place, at, up, low) {
  let path = `M${at(low)} ${up(0)}`;
  values.forEach((value, index) => {
    path += `H${at(value).toFixed(1)}V${up((index + 1) / values.length).toFixed(1)}`;
  });
  const middle = values[Math.ceil(values.length / 2) - 1];
  return [
    s("path", { class: `ecdf arm${place % 4}`, d: path }),
    s("path", {
      class: `arm${place % 4} dot`,
      d: SHAPES[place % 4],
      transform: `translate(${at(middle).toFixed(1)} ${up(0.5)})`,
    }),
  ];
}
