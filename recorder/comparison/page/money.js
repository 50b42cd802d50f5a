// What it cost, by two denominators, and of what a minute's cost is made; and interruptions.

function drawMoney() {
  const { rows, components, parts } = data.money;
  const most = Math.max(
    ...parts.map((own) => own.reduce((sum, each) => sum + (each ? each.value : 0), 0)),
    0,
  );
  replace(
    byId("money"),
    h(
      "div",
      { class: "scroll", role: "region", "aria-label": "Cost by arm", tabindex: 0 },
      h(
        "table",
        {},
        columns(
          ["arm"],
          ["runs", "dollars", "minutes", "per minute", "tasks done", "per successful task"],
        ),
        h(
          "tbody",
          {},
          rows.map((row, place) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, armName(place)),
              h("td", { class: "right" }, row.runs),
              [row.usd, row.minutes, row.a_minute, row.success, row.a_success].map((each) =>
                h("td", { class: "right" }, shown(each)),
              ),
            ),
          ),
        ),
      ),
    ),
    most
      ? [
          h("h3", { class: "apart" }, "A minute, by component"),
          parts.map((own, place) =>
            h(
              "div",
              { class: "bar-row" },
              armName(place),
              chart((width) => stacked(own, most, width)),
            ),
          ),
          componentTable(components, parts),
        ]
      : null,
  );
}

function stacked(own, most, width) {
  const at = scale(0, most, 0, width);
  let sum = 0;
  return s(
    "svg",
    { viewBox: `0 0 ${width} 24`, "aria-hidden": "true" },
    own.map((each, place) => {
      if (!each) return null;
      const from = at(sum);
      sum += each.value;
      return s("rect", {
        class: `area series${place % 6}`,
        x: from,
        y: 2,
        width: Math.max(0, at(sum) - from),
        height: 20,
      });
    }),
  );
}

function componentTable(components, parts) {
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": "Components", tabindex: 0 },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "component"),
          arms.map((_, place) => h("th", { scope: "col", class: "right" }, armName(place))),
        ),
      ),
      h(
        "tbody",
        {},
        components.map((name, row) =>
          h(
            "tr",
            {},
            h(
              "th",
              { scope: "row" },
              s(
                "svg",
                { class: "arm-sign", viewBox: "0 0 14 14", "aria-hidden": "true" },
                s("rect", { class: `area series${row % 6}`, x: 1, y: 1, width: 12, height: 12 }),
              ),
              name,
            ),
            parts.map((own) =>
              h("td", { class: "right" }, own[row] ? shown(own[row]) : h("span", { class: "missing" }, "none")),
            ),
          ),
        ),
      ),
    ),
  );
}

const CELL = [
  ["yields", "yielded"],
  ["silent", "silent after"],
  ["unheard", "made but unheard"],
  ["stops", "false stops"],
];

function drawGrid() {
  replace(
    byId("grid"),
    h(
      "table",
      { class: "grid" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "scenario"),
          arms.map((_, place) => h("th", { scope: "col" }, armName(place))),
        ),
      ),
      h(
        "tbody",
        {},
        data.grid.map((row) =>
          h("tr", {}, h("th", { scope: "row" }, row.scenario), row.cells.map(gridCell)),
        ),
      ),
    ),
  );
}

function gridCell(cell) {
  const known = CELL.filter(([name]) => cell[name]);
  if (!known.length) return h("td", {}, h("span", { class: "missing" }, "not exercised"));
  return h(
    "td",
    {},
    known.map(([name, words]) =>
      h("div", { class: "cell-line" }, judged(name, cell[name]), `${words} `, shown(cell[name])),
    ),
  );
}

/** A sign before what can be good or bad. */
function judged(name, found) {
  if (name !== "yields" && name !== "stops") return h("span", { class: "sign" }, " ");
  const isGood = name === "yields" ? found.value === 1 : found.value === 0;
  return h("span", { class: isGood ? "good" : "bad" }, h("span", { class: "sign" }, isGood ? "✓" : "✕"));
}
