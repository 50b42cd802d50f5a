// The same turn of the script in every arm: seen on one scale, heard one after the other.

const clips = JSON.parse(byId("sound").textContent);
const sounds = new Map(); // place -> address of its sound, made when it is first played
let turnNow = -1; // the card that keys speak of
let playing = null; // the side that sounds, and those that follow
const heads = new Map(); // side -> moves the line that shows what sounds

function soundOf(place) {
  if (!sounds.has(place)) {
    const bytes = Uint8Array.from(atob(clips[place]), (letter) => letter.charCodeAt(0));
    sounds.set(place, URL.createObjectURL(new Blob([bytes], { type: "audio/flac" })));
  }
  return sounds.get(place);
}

function drawTurns() {
  const left = data.left_out.length
    ? ` Left out, so that the page stays small: ${data.left_out.join("; ")}.`
    : "";
  replace(
    byId("turns"),
    h(
      "p",
      { class: "note" },
      data.turns.length
        ? `Of ${plural(data.paired, "turn")} that every arm answered: each arm's median wait and its longest. The others are on the tapes (record report SESSION).${left}`
        : `No turn was answered in every arm by runs that count.${left}`,
    ),
    data.turns.map(drawTurn),
  );
  const audio = byId("audio");
  audio.addEventListener("timeupdate", () => playing && moveHead(playing.side, audio.currentTime));
  audio.addEventListener("ended", goOn);
  audio.addEventListener("pause", goOn); // the end is told so alone where it was sought to just before
}

function drawTurn(turn, place) {
  const longest = Math.max(...turn.sides.map((side) => side.ms), 1);
  const gain = gainOf(turn);
  return h(
    "article",
    { class: "turn-card", id: `turn-${place + 1}`, tabindex: -1, "aria-label": turn.name },
    h(
      "div",
      { class: "bar" },
      h("h3", {}, h("a", { href: `#turn-${place + 1}` }, turn.name)),
      h("button", { type: "button", class: "play-all", on: { click: () => playSides(turn.sides) } }, "Play all"),
    ),
    h("p", { class: "why" }, turn.why.map((why) => [h("span", { class: "tag" }, why), " "])),
    turn.sides.map((side) => drawSide(side, turn, longest, gain)),
  );
}

function drawSide(side, turn, longest, gain) {
  const place = armAt(side.arm);
  const button = h(
    "button",
    {
      type: "button",
      class: "play",
      "aria-label": `Play ${side.arm}, ${turn.name}`,
      on: { click: () => (playing?.side === side ? stopSound() : playSides([side])) },
    },
    "▶",
  );
  side.button = button;
  return h(
    "div",
    { class: "side" },
    h("div", { class: "side-head" }, button, armName(place), h("span", { class: "wait" }, "waited ", shown(side.wait))),
    chart((width) => waves(side, longest, gain, width), { class: "chart waves" }),
    h(
      "p",
      { class: "words" },
      h("span", { class: "role user" }, "caller "),
      side.user_text || missing(),
      h("br", {}),
      h("span", { class: "role agent" }, "agent "),
      side.agent_text || missing(),
      side.is_cut ? h("small", {}, " (the sound is cut off)") : null,
      h("br", {}),
      h("small", {}, `session ${side.session}, turn ${side.turn} of its tape`),
    ),
  );
}

function waves(side, longest, gain, width) {
  const at = scale(0, longest, 0, width);
  const head = s("line", { class: "playhead hidden-line", x1: 0, x2: 0, y1: 0, y2: 72 });
  heads.set(side, (ms) => {
    head.setAttribute("class", ms === null ? "playhead hidden-line" : "playhead");
    head.setAttribute("x1", at(ms || 0));
    head.setAttribute("x2", at(ms || 0));
  });
  return s(
    "svg",
    {
      viewBox: `0 0 ${width} 90`,
      role: "img",
      "aria-label": `${side.arm}: the caller above, the agent below`,
      on: {
        click: (event) => {
          const box = event.currentTarget.getBoundingClientRect();
          playSides([side], ((event.clientX - box.left) / box.width) * longest);
        },
      },
    },
    s("rect", { class: "ground", x: 0, y: 0, width: at(side.ms), height: 72 }),
    s("path", { class: "wave user", d: wave(side.user, side.ms, at, 18, gain) }),
    s("path", { class: "wave agent", d: wave(side.agent, side.ms, at, 54, gain) }),
    waited(side, at, width),
    ticks(0, longest / 1000, Math.max(2, width / 90)).map((second) =>
      s("text", { x: Math.min(at(second * 1000), width - 14), y: 86 }, second ? `${second} s` : "0"),
    ),
    head,
  );
}

/** Pixels for a level, so that the loudest of all sides of a turn fills its lane. */
function gainOf(turn) {
  const levels = turn.sides.flatMap((side) => [...side.user, ...side.agent].flat().map(Math.abs));
  return 17 / levels.reduce((most, each) => Math.max(most, each), 8);
}

function wave(points, ms, at, middle, gain) {
  const each = ms / Math.max(points.length, 1);
  return points
    .map(
      ([low, high], place) =>
        `M${at((place + 0.5) * each).toFixed(1)} ${(middle - high * gain - 0.4).toFixed(1)}V${(middle - low * gain + 0.4).toFixed(1)}`,
    )
    .join("");
}

/** From the caller's last sound to the agent's first. */
function waited(side, at) {
  const { off_ms: off, on_ms: on } = side;
  if (off === null || on === null || on < off) return null;
  return s(
    "g",
    { class: "waited" },
    s("rect", { x: at(off), y: 0, width: Math.max(1, at(on) - at(off)), height: 72 }),
    s("path", { d: `M${at(off)} 0V72M${at(on)} 0V72` }),
  );
}

function playSides(sides, fromMs = 0) {
  stopSound();
  const [side, ...rest] = sides;
  const audio = byId("audio");
  playing = { side, rest };
  audio.src = soundOf(side.sound);
  audio.currentTime = fromMs / 1000;
  audio.play().catch((error) => {
    if (error.name !== "AbortError") say("The sound cannot be played"); // else it was stopped
  });
  side.button.textContent = "■";
  turnNow = data.turns.findIndex((turn) => turn.sides.includes(side));
  say(`Playing ${side.arm}`);
}

function stopSound() {
  byId("audio").pause();
  if (!playing) return;
  playing.side.button.textContent = "▶";
  heads.get(playing.side)(null);
  playing = null;
}

/** What sounded is over: the next side. */
function goOn() {
  const audio = byId("audio");
  if (!playing || !(audio.ended || audio.paused)) return;
  const { rest } = playing;
  stopSound();
  if (rest.length) playSides(rest);
}

function moveHead(side, seconds) {
  heads.get(side)(seconds * 1000);
}

/** Make a card the one that keys speak of. */
function goTurn(place) {
  if (!data.turns.length) return;
  turnNow = Math.max(0, Math.min(data.turns.length - 1, place));
  const card = byId(`turn-${turnNow + 1}`);
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `#turn-${turnNow + 1}`);
}
