// By scenario: what is compared is how the arms differ in the same scenario.

function drawPaired() {
  byId("paired").classList.toggle("many", arms.length > 2);
  replace(byId("paired"), data.plots.map(drawPlot));
}

function drawPlot(plot) {
  const all = plot.rows.flatMap((row) => row.values.filter(Boolean).map((each) => each.value));
  if (!all.length) return h("div", { class: "plot" }, h("h3", {}, plot.title), missing());
  const most = Math.max(...all, 0);
  const high = plot.better === "higher" ? 1 : most * 1.08 || 1;
  const unit = plot.rows.flatMap((row) => row.values).find(Boolean).text;
  return h(
    "div",
    { class: "plot" },
    h("h3", {}, `${plot.title} (${plot.better} is better)`),
    h(
      "ul",
      { class: "paired" },
      h(
        "li",
        { class: "scale", "aria-hidden": "true" },
        h("span", {}),
        chart((width) => rulerOf(high, unit, width)),
        h("span", { class: "values" }, arms.map(() => h("span", { class: "value" }))),
      ),
      plot.rows.map((row) =>
        h(
          "li",
          {},
          h("span", { class: "scenario" }, row.scenario),
          chart((width) => dumbbell(row, high, width)),
          h(
            "span",
            { class: "values" },
            row.values.map((each, place) =>
              h("span", { class: "value" }, armSign(place), each ? num(each.text.replace("/min", ""), each) : missing()),
            ),
          ),
        ),
      ),
    ),
  );
}

const written = (value, like) =>
  like.startsWith("$") ? dollars(value) : like.includes(" of ") ? `${value * 100} %` : `${value} ms`;

function rulerOf(high, like, width) {
  const at = scale(0, high, 8, width - 8);
  return s(
    "svg",
    { viewBox: `0 0 ${width} 16` },
    ticks(0, high, Math.max(2, width / 110)).map((value) =>
      s("text", { x: Math.min(at(value), width - 24), y: 12, "text-anchor": value ? "middle" : "start" }, written(value, like)),
    ),
  );
}

/** A dot an arm, joined; a little apart in height, so that equal ones are all seen. */
function dumbbell(row, high, width) {
  const at = scale(0, high, 8, width - 8);
  const places = row.values.map((each, place) =>
    each ? [at(each.value).toFixed(1), 14 + (place - (arms.length - 1) / 2) * 7] : null,
  );
  const known = places.filter(Boolean);
  return s(
    "svg",
    { viewBox: `0 0 ${width} 28`, "aria-hidden": "true" },
    s("line", { class: "rail", x1: 8, x2: width - 8, y1: 14, y2: 14 }),
    known.length > 1 ? s("path", { class: "between", d: `M${known.join("L")}` }) : null,
    places.map((each, place) =>
      each
        ? s("path", {
            class: `arm${place % 4} dot`,
            d: SHAPES[place % 4],
            transform: `translate(${each[0]} ${each[1]})`,
          })
        : null,
    ),
  );
}
