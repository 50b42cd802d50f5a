// What pages share: the data, elements made of text only, and how values are written.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const NO_DATA = "no data";

/** An element. Properties in `props`: `on` are listeners; children are elements or text. */
function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for a drawing. */
function s(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value))
        element.addEventListener(event, listener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
  return element;
}

function replace(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
  return element;
}

const missing = () => h("span", { class: "missing" }, NO_DATA);

// Values

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

/** Dollars with three digits that tell something; null where the sum is not known. */
function dollars(usd) {
  if (usd === null || usd === undefined) return null;
  const value = Number(usd);
  if (value > 0 && value < 1e-6) return "<$0.000001";
  return `$${value >= 1 ? value.toFixed(2) : Number(value.toPrecision(3))}`;
}

function plural(count, word) {
  return `${GROUPED.format(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** Words for those who do not see that something happened. */
function say(text) {
  byId("said").textContent = text;
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "hidden" });
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = "Copied";
  say("Copied");
  setTimeout(() => {
    button.textContent = before;
  }, 1200);
}
