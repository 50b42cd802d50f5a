// A number opens what it rests on, in a dialog.

const quoted = (text) => `'${String(text).replaceAll("'", "''")}'`;

/** A number that opens its evidence. What `found` holds, the page's `openEvidence` says. */
function num(text, found, props) {
  return h(
    "button",
    {
      type: "button",
      class: `num ${(props && props.class) || ""}`,
      "aria-label": `${found.title}: ${text}. Show the evidence`,
      on: {
        click: (event) => {
          event.stopPropagation();
          openEvidence({ value: text, ...found });
        },
      },
    },
    text,
  );
}

/** Opens the dialog: what a number is, then what `children` say of it. */
function openDialog(found, ...children) {
  const dialog = byId("evidence");
  const close = h(
    "button",
    { type: "button", class: "quiet", "aria-label": "Close", on: { click: () => dialog.close() } },
    "✕",
  );
  replace(
    dialog,
    h("div", { class: "bar" }, h("h2", { id: "evidence-title" }, found.title), close),
    h("p", { class: "big" }, found.value),
    found.what ? prose(found.what) : null,
    ...children,
  );
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

/** Names and values. */
function facts(rows) {
  return h(
    "dl",
    { class: "facts" },
    rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]),
  );
}

/** Text with `code` in it. */
function prose(text) {
  return h(
    "p",
    {},
    ...text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part)),
  );
}

function sqlBlock(title, sql) {
  const button = h("button", { type: "button", class: "copy" }, "Copy");
  button.setAttribute("aria-label", `Copy: ${title}`);
  button.addEventListener("click", () => copy(sql, button));
  return h(
    "div",
    { class: "sql" },
    h("div", { class: "bar" }, h("h3", {}, title), button),
    h("pre", { tabindex: 0, "aria-label": title }, sql),
  );
}
