// Wiring: what is drawn when, the keyboard, the address.

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("evidence").open) return;
  const at = event.target;
  if (at.closest("input, select, textarea")) return;
  const turn = data.turns[Math.max(0, turnNow)];
  if (event.key === "j") goTurn(turnNow + 1);
  else if (event.key === "k") goTurn(turnNow - 1);
  else if (event.key === " " && turn && !at.closest("button, a, summary, .scroll")) {
    if (playing) stopSound();
    else playSides(turn.sides);
  } else if (turn?.sides[Number(event.key) - 1]) playSides([turn.sides[Number(event.key) - 1]]);
  else return;
  event.preventDefault();
}

function fromAddress() {
  const turn = /^#turn-(\d+)$/.exec(location.hash);
  if (turn) goTurn(Number(turn[1]) - 1);
  else if (/^#criterion-\d+-\d+$/.test(location.hash)) byId(location.hash.slice(1))?.focus();
}

function drawProvenance() {
  replace(
    byId("tested"),
    data.head.not_tested.map((each) => h("li", {}, each)),
  );
  replace(byId("provenance"), facts(data.head.facts));
  byId("keys").textContent =
    "Keys: j and k go from turn to turn, space plays all sides of a turn or stops, 1, 2, 3 play one side. A number opens its SQL.";
}

function start() {
  drawHead();
  drawArms();
  drawPairs();
  drawExcluded();
  drawPaired();
  drawSpread();
  drawMoney();
  drawGrid();
  drawTurns();
  drawProvenance();
  drawCharts();
  startTheme();
  addEventListener("keydown", onKey);
  addEventListener("hashchange", fromAddress);
  addEventListener("resize", drawCharts);
  fromAddress();
  document.documentElement.dataset.ready = "true";
}

start();
