// The bill by component, and what failed.

function drawCost() {
  const { groups } = data.cost;
  if (!groups.length) {
    replace(byId("cost"), missing(), h("p", { class: "note" }, "The provider told no usage."));
    return;
  }
  const { rank } = costSeries();
  const books = [...new Set(groups.map((group) => group.price_book).filter(Boolean))];
  replace(
    byId("cost"),
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, "The bill by component"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["component", "model", "meter"].map((name) => h("th", { scope: "col" }, name)),
          ["quantity", "rate", "USD"].map((name) =>
            h("th", { scope: "col", class: "right" }, name),
          ),
          h("th", { scope: "col" }, "priced by"),
        ),
      ),
      h(
        "tbody",
        {},
        groups.map((group, place) => costLine(group, rank.get(place))),
      ),
      h(
        "tfoot",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "row", colspan: 5 }, "Total"),
          h("td", { class: "right" }, costTotal()),
          h("td", {}),
        ),
      ),
    ),
    h(
      "p",
      { class: "note" },
      books.length ? `Prices: ${books.join(", ")}. ` : "",
      data.cost.unpriced
        ? `${plural(data.cost.unpriced, "line")} without a known price: the total is unknown. `
        : "",
      h("i", {}, "Rates in italics"),
      " are reckoned from quantity and amount.",
    ),
  );
}

function costLine(group, series) {
  const swatch =
    series === undefined
      ? h("span", { class: "swatch none" })
      : s(
          "svg",
          { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" },
          s("rect", { class: `area series${series}`, width: 10, height: 10 }),
        );
  const where = ["provider", "component", "model", "meter", "unit", "charged_by", "price_book"].map(
    (name) => equal(name, group[name]),
  );
  const evidence = (column, text) => ({
    title: `${column === "usd" ? "Cost" : "Quantity"} of ${group.component}, ${group.meter}`,
    facts: [
      ["Lines of the bill", group.lines],
      ["Model", group.model ?? NO_DATA],
      ["Priced by", group.price_book ?? group.charged_by],
    ],
    sql: sqlOf.sum(where, column),
    first: group.first,
    last: group.last,
    value: text,
  });
  const quantity = `${GROUPED.format(Number(group.quantity))} ${unitName(group)}`;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, swatch, " ", group.component),
    h("td", {}, group.model ?? missing()),
    h("td", {}, group.meter.replaceAll("_", " ")),
    h("td", { class: "right" }, num(quantity, evidence("quantity", quantity))),
    h("td", { class: "right" }, rate(group)),
    h(
      "td",
      { class: "right" },
      group.usd === null
        ? num("unpriced", evidence("usd", "unpriced"), { class: "inferred" })
        : num(dollars(group.usd), evidence("usd", dollars(group.usd))),
    ),
    h("td", {}, group.charged_by),
  );
}

const unitName = (group) =>
  Number(group.quantity) === 1 ||
  !/^(token|second|minute|character|request|message|word)$/.test(group.unit)
    ? group.unit
    : `${group.unit}s`;

function rate(group) {
  if (group.usd === null || Number(group.quantity) === 0) return missing();
  const each = Number(group.usd) / Number(group.quantity);
  const text =
    group.unit === "token" ? `${dollars(each * 1e6)} / M` : `${dollars(each)} / ${group.unit}`;
  return h("i", { title: "reckoned: amount / quantity" }, text);
}

function drawErrors() {
  const errors = data.errors.map((each) =>
    h(
      "tr",
      { class: "trouble" },
      h("th", { scope: "row" }, "! ", each.class),
      h("td", {}, momentButton(each.at_ms)),
      h("td", { class: "text" }, [each.code, each.text].filter(Boolean).join(": ")),
      h("td", {}, each.side ?? missing()),
      h(
        "td",
        {},
        num(`event ${each.seq}`, {
          title: `Error: ${each.code || each.class}`,
          value: each.text || each.code,
          facts: [
            ["Class", each.class],
            ["Fault of", each.side ?? NO_DATA],
            ["Ended the session", each.is_fatal ? "yes" : "no"],
          ],
          sql: sqlOf.row("error", "ordinal", each.ordinal),
          first: each.seq,
          last: each.seq,
        }),
      ),
    ),
  );
  const cuts = data.cuts.map((each) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, "✕ interruption"),
      h("td", {}, momentButton(each.at_ms ?? atSeq(each.first_seq))),
      h(
        "td",
        { class: "text" },
        each.heard_ms === null
          ? `${lasting(each.generated_ms)} had been made`
          : `${lasting(each.heard_ms)} of ${lasting(each.generated_ms)} heard`,
      ),
      h("td", {}, each.by),
      h(
        "td",
        {},
        num(span(each), {
          title: `Interruption in turn ${each.turn}`,
          value: `by the ${each.by}`,
          sql: sqlOf.row("interruption", "ordinal", each.ordinal),
          first: each.first_seq,
          last: each.last_seq,
        }),
      ),
    ),
  );
  if (!errors.length && !cuts.length) {
    replace(byId("errors"), h("p", {}, "No errors, and nobody was interrupted."));
    return;
  }
  replace(
    byId("errors"),
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, "Errors and interruptions"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["what", "when", "text", "by", "events"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h("tbody", {}, errors, cuts),
    ),
  );
}
