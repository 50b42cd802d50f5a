// Wiring: what is drawn when, the keyboard, the address.

const KEYS = {
  " ": toggle,
  j: () => stepTurn(1),
  k: () => stepTurn(-1),
  e: nextError,
  ArrowRight: () => seek(Math.min(endMs, now + 1000)),
  ArrowLeft: () => seek(Math.max(0, now - 1000)),
  "+": () => zoom(0.5),
  "=": () => zoom(0.5),
  "-": () => zoom(2),
  0: fit,
};

function stepTurn(by) {
  const at = data.turns.findLastIndex((turn) => turnStart(turn) <= now + 1);
  goTurn(Math.max(1, Math.min(data.turns.length, at + 1 + by)));
}

function nextError() {
  if (!data.errors.length) {
    say("No errors");
    return;
  }
  const next = data.errors.find((each) => each.at_ms > now + 1) || data.errors[0];
  seek(next.at_ms);
  say(`Error: ${next.text || next.code}`);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("evidence").open) return;
  const at = event.target;
  if (at.closest("input, select, textarea")) return;
  if (event.key === " " && at.closest("button, a, summary")) return;
  if (event.key.startsWith("Arrow") && at.closest(".virtual, .words, .scroll, .detail")) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function fromAddress() {
  const found = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  if (found) seek(Math.min(endMs, Number(found[1]) * 1000));
}

function drawProvenance() {
  const { session } = data;
  const facts = [
    ["Session", session.id],
    ["Known to the provider as", session.external_id],
    ["Origin", session.origin],
    ["Began", session.started],
    ["Events", session.events],
    ["Digest", session.digest],
    ...session.channels.map((each) => [`Channel ${each.channel}`, `${each.kind} ${each.target}`]),
    ...data.provenance,
    ["Read models", data.kept ? "as the store keeps them" : "made for this page"],
  ];
  replace(
    byId("provenance"),
    h(
      "dl",
      { class: "facts" },
      facts.flatMap(([name, value]) => [
        h("dt", {}, name),
        h("dd", {}, value === null || value === "" ? missing() : String(value)),
      ]),
    ),
  );
  byId("keys").textContent =
    "Keys: space plays, j and k go from turn to turn, e to the next error, ← and → by a second, + − 0 change the scale; Ctrl and the wheel zoom, dragging moves.";
}

function start() {
  drawPlayer();
  drawPlot(); // this and the list of events are measured: while the page is small that costs nothing
  drawEvents();
  drawHead();
  drawTiles();
  drawLegend();
  drawWords();
  drawTurns();
  drawLatency();
  drawCost();
  drawErrors();
  drawProvenance();
  startTheme();
  handleThePlot();
  listen("view", drawPlot);
  listen("now", markTurn);
  addEventListener("keydown", onKey);
  addEventListener("hashchange", fromAddress);
  addEventListener("resize", () => {
    drawPlot();
    drawSeen();
  });
  fromAddress();
  document.documentElement.dataset.ready = "true";
}

start();
