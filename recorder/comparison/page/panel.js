// What was found: a line a criterion, with its sentence; and which runs do not count.

const SIGNS = {
  better: "▲",
  "better-size-uncertain": "△",
  worse: "▼",
  "worse-size-uncertain": "▽",
  equivalent: "=",
  inconclusive: "?",
  "not-estimable": "–",
};
const KINDS = {
  better: "good",
  "better-size-uncertain": "good",
  worse: "bad",
  "worse-size-uncertain": "bad",
  equivalent: "same",
  inconclusive: "doubt",
  "not-estimable": "doubt",
};
const GATE_SIGNS = { passed: "✓", failed: "✕", open: "?", none: "–" };
const GATE_KINDS = { passed: "good", failed: "bad", open: "doubt", none: "doubt" };

function badge(verdict, words) {
  return h(
    "span",
    { class: `badge ${KINDS[verdict]}` },
    h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[verdict]),
    words,
  );
}

function drawHead() {
  const { head } = data;
  byId("title").textContent = `Trial ${head.trial}`;
  byId("subtitle").textContent =
    `${arms.map((arm) => arm.name).join(", ")}: ${head.size}${head.pilot ? ", a pilot" : ""}`;
  replace(
    byId("warnings"),
    head.warnings.map((text) =>
      h("li", { class: text.startsWith("SIMULATED") ? "loud" : "" }, text),
    ),
  );
  if (head.simulated)
    for (const heading of document.querySelectorAll("main h2"))
      heading.append(" ", h("span", { class: "tag loud" }, "simulated"));
}

function drawArms() {
  replace(
    byId("arms"),
    h(
      "div",
      { class: "scroll", role: "region", "aria-label": "Arms", tabindex: 0 },
      h(
        "table",
        {},
        columns(["arm", "", "at", "model"], ["runs", "that count", "turns"]),
        h(
          "tbody",
          {},
          arms.map((arm, place) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, armName(place)),
              h("td", {}, place ? "challenger" : "baseline"),
              h("td", {}, arm.targets.join(", ")),
              h("td", { class: "text" }, arm.models.join(", ") || missing()),
              [arm.runs, arm.valid, arm.turns].map((count) => h("td", { class: "right" }, count)),
            ),
          ),
        ),
      ),
    ),
  );
}

/** The head of a table: columns of text, then of numbers. */
function columns(words, numbers) {
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      words.map((name) => h("th", { scope: "col" }, name)),
      numbers.map((name) => h("th", { scope: "col", class: "right" }, name)),
    ),
  );
}

function drawPairs() {
  replace(
    byId("pairs"),
    data.pairs.map((pair, number) =>
      h(
        "div",
        { class: "challenge" },
        h("h3", { class: "versus" }, `${pair.challenger} against ${pair.baseline}`),
        h(
          "p",
          { class: `gate ${GATE_KINDS[pair.gate]}` },
          h("span", { class: "sign", "aria-hidden": "true" }, GATE_SIGNS[pair.gate]),
          `Gates: ${pair.gate_words}.`,
        ),
        Object.entries(data.head.families).map(([family, title]) => {
          const found = pair.findings
            .map((finding, place) => [finding, `criterion-${number + 1}-${place + 1}`])
            .filter(([finding]) => finding.family === family);
          return found.length
            ? [
                h("h4", { class: "family" }, title),
                h(
                  "ul",
                  { class: "findings" },
                  found.map(([finding, id]) => drawFinding(finding, id)),
                ),
              ]
            : [];
        }),
        h("h4", { class: "family" }, "In all"),
        h("p", { class: "in-all" }, pair.sentence),
      ),
    ),
  );
}

function drawFinding(finding, id) {
  const { effect } = finding;
  return h(
    "li",
    { class: "finding", id, tabindex: -1 },
    h(
      "div",
      { class: "what" },
      badge(finding.verdict, finding.words),
      h("h5", {}, h("a", { href: `#${id}` }, finding.name)),
    ),
    effect
      ? chart((width) => forest(finding, width), { class: "chart forest" })
      : h("p", { class: "forest note" }, finding.reason),
    h(
      "div",
      { class: "measures" },
      h(
        "dl",
        { class: "effect" },
        pairOf("difference", effect ? shown(effect.number, { class: "strong" }) : missing()),
        effect ? pairOf(effect.confidence, effect.interval) : null,
        pairOf("margin", `± ${finding.margin_text}`),
        effect ? pairOf(finding.family === "primary" ? "p, Holm" : "p", effect.p.replace(/^\./, "0.")) : null,
        effect ? pairOf("n", effect.scenarios) : null,
      ),
      h(
        "dl",
        { class: "both" },
        finding.values.map((each) =>
          pairOf(armName(armAt(each.arm)), [
            shown(each.number),
            h("small", {}, ` n ${each.size}`),
          ]),
        ),
      ),
    ),
    h("p", { class: "sentence" }, `${finding.sentence}.`),
  );
}

const pairOf = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

const SIDE = 62; // as wide as `← better`, and some

/** The interval against 0 and the margin. */
function forest(finding, width) {
  const { effect, margin } = finding;
  const ends = [effect.low, effect.high, -margin, margin];
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const pad = (high - low) * 0.06;
  const at = scale(low - pad, high + pad, 4, width - 4);
  const sides = finding.better === "lower" ? ["← better", "worse →"] : ["← worse", "better →"];
  const kind = KINDS[finding.verdict];
  const isFree = at(0) > SIDE && at(0) < width - SIDE; // of the words at either end
  const nought = isFree ? [s("text", { x: at(0), y: 54, "text-anchor": "middle" }, "0")] : [];
  return s(
    "svg",
    {
      viewBox: `0 0 ${width} 58`,
      role: "img",
      "aria-label": `${finding.name}: ${effect.number.text}, interval ${effect.interval}, margin ${finding.margin_text}`,
    },
    s("rect", {
      class: "margin",
      x: at(-margin),
      width: at(margin) - at(-margin),
      y: 4,
      height: 34,
    }),
    s("line", { class: "nought", x1: at(0), x2: at(0), y1: 0, y2: 42 }),
    s("path", {
      class: `interval ${kind}`,
      d: `M${at(effect.low)} 14V28M${at(effect.low)} 21H${at(effect.high)}M${at(effect.high)} 14V28`,
    }),
    s("path", {
      class: `estimate ${kind}`,
      d: SHAPES[2],
      transform: `translate(${at(effect.number.value)} 21)`,
    }),
    s("text", { x: 2, y: 54 }, sides[0]),
    ...nought,
    s("text", { x: width - 2, y: 54, "text-anchor": "end" }, sides[1]),
  );
}

function drawExcluded() {
  if (!data.exclusions.length) {
    replace(byId("excluded"), h("p", {}, "No run is excluded: every verdict is over all runs."));
    return;
  }
  replace(
    byId("excluded"),
    h(
      "p",
      {},
      "Rules about the caller's side exclude runs before anyone looks at what the agent did. A run may break several.",
    ),
    h(
      "div",
      { class: "scroll", role: "region", "aria-label": "Excluded runs", tabindex: 0 },
      h(
        "table",
        {},
        columns(["arm", "rule", "what it says"], ["runs"]),
        h("tbody", {}, data.exclusions.map(exclusion)),
      ),
    ),
    data.pairs.map(withAndWithout),
  );
}

function exclusion(each) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, armAt(each.arm) < 0 ? each.arm : armName(armAt(each.arm))),
    h("td", {}, each.rule),
    h(
      "td",
      { class: "text" },
      each.what,
      h("details", {}, h("summary", {}, "which"), h("p", { class: "mono" }, each.sessions.join(" "))),
    ),
    h("td", { class: "right" }, shown(each.runs)),
  );
}

function withAndWithout(pair) {
  const changed = pair.findings.filter((each) => each.verdict !== each.verdict_all).length;
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": "With and without them", tabindex: 0 },
    h(
      "table",
      {},
      h(
        "caption",
        {},
        `${pair.challenger} against ${pair.baseline}: with the excluded runs ${
          changed ? `${plural(changed, "verdict")} would be another` : "the verdicts are the same"
        }`,
      ),
      columns(["criterion", "without them (what counts)", "with them"], []),
      h(
        "tbody",
        {},
        pair.findings.map((each) =>
          h(
            "tr",
            { class: each.verdict === each.verdict_all ? "" : "changed" },
            h("th", { scope: "row" }, each.name),
            h("td", {}, badge(each.verdict, each.words), h("small", {}, each.effect_short)),
            h("td", {}, badge(each.verdict_all, each.words_all), h("small", {}, each.effect_all)),
          ),
        ),
      ),
    ),
  );
}
