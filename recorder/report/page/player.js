// Playback: the sound of both sides, whose time is the session's.

const audio = byId("audio");
let stopAt = null; // ms: where a span that is played ends
let playButton = null;
let timeText = null;
let slider = null;

/** The sound as the page carries it. */
function carried() {
  const text = atob(byId("sound").textContent);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}

/** Make the sound ready when it is first wanted: doing so earlier would hold up the page. */
function load() {
  if (audio.src || !data.audio) return;
  audio.src =
    data.audio.file || URL.createObjectURL(new Blob([carried()], { type: data.audio.type }));
}

let decoded = null; // the samples of both sides; a promise of them at first

/** Least and greatest level (of 127) of `count` equal parts from `from` to `to`; null until the
    samples are there, which are decoded when they are first asked for. */
function fineEnvelope(side, from, to, count) {
  if (!data.audio || data.audio.file) return null;
  if (decoded === null) {
    decoded = new OfflineAudioContext(2, 1, 16000)
      .decodeAudioData(carried().buffer)
      .then((found) => {
        decoded = found;
        tell("view");
      })
      .catch(() => say("The sound cannot be decoded; the wave stays coarse"));
  }
  if (!(decoded instanceof AudioBuffer)) return null;
  const samples = decoded.getChannelData(side === "user" ? 0 : 1);
  const each = (((to - from) / 1000) * decoded.sampleRate) / count;
  const begin = (from / 1000) * decoded.sampleRate;
  return Array.from({ length: count }, (_, part) => {
    let [low, high] = [0, 0];
    const end = Math.min(samples.length, begin + (part + 1) * each);
    for (let place = Math.floor(begin + part * each); place < end; place += 1) {
      if (samples[place] < low) low = samples[place];
      else if (samples[place] > high) high = samples[place];
    }
    return [low * 127, high * 127];
  });
}

function drawPlayer() {
  playButton = h(
    "button",
    { type: "button", class: "play", disabled: !data.audio, on: { click: toggle } },
    "Play",
  );
  timeText = h("span", { class: "mono time" });
  slider = h("input", {
    type: "range",
    min: 0,
    max: Math.round(endMs),
    step: 100,
    value: 0,
    "aria-label": "Position",
    on: { input: () => seek(Number(slider.value)) },
  });
  const speed = h(
    "select",
    {
      "aria-label": "Speed",
      disabled: !data.audio,
      on: {
        change: () => {
          audio.playbackRate = Number(speed.value);
        },
      },
    },
    [0.5, 1, 1.5, 2].map((rate) => h("option", { value: rate, selected: rate === 1 }, `${rate} ×`)),
  );
  const view = (label, text, action) =>
    h(
      "button",
      { type: "button", class: "quiet", "aria-label": label, title: label, on: { click: action } },
      text,
    );
  replace(
    byId("player"),
    playButton,
    slider,
    timeText,
    speed,
    view("Closer", "+", () => zoom(0.5)),
    view("Farther", "−", () => zoom(2)),
    view("Whole session", "fit", fit),
    data.audio
      ? data.audio.file
        ? h(
            "span",
            { class: "note" },
            "sound: ",
            h("code", {}, data.audio.file),
            ", beside this page",
          )
        : null
      : h("span", { class: "missing" }, "no sound was streamed"),
  );
  audio.addEventListener("play", () => {
    playButton.textContent = "Pause";
    requestAnimationFrame(follow);
  });
  audio.addEventListener("pause", () => {
    playButton.textContent = "Play";
    stopAt = null;
    link();
  });
  audio.addEventListener("error", () => say(`The sound ${data.audio.file || ""} cannot be played`));
  showTime();
}

function follow() {
  if (audio.paused) return;
  const inView = now >= axis.from && now <= axis.to;
  setNow(audio.currentTime * 1000);
  if (inView) reveal(now); // who looks elsewhere while it plays is left there
  if (stopAt !== null && now >= stopAt) audio.pause();
  requestAnimationFrame(follow);
}

function toggle() {
  if (!data.audio) return;
  if (!audio.paused) {
    audio.pause();
    return;
  }
  load();
  startAt(now >= endMs - 50 ? 0 : now);
}

function startAt(ms) {
  setNow(ms);
  audio.currentTime = ms / 1000;
  audio.play().catch((error) => {
    if (error.name !== "AbortError") say("The sound cannot be played");
  });
}

function playSpan(from, to) {
  byId("evidence").close();
  load();
  stopAt = Math.min(endMs, Math.max(to, from + 500));
  startAt(from);
  reveal(from);
}

/** Go to a time. */
function seek(ms) {
  if (audio.src) audio.currentTime = ms / 1000;
  setNow(ms);
  reveal(ms);
  if (audio.paused) link();
}

function setNow(ms) {
  now = Math.max(0, Math.min(endMs, ms));
  showTime();
  moveHead();
  tell("now");
}

function showTime() {
  timeText.textContent = `${clock(now)} / ${clock(endMs)}`;
  slider.value = Math.round(now);
  slider.setAttribute("aria-valuetext", clock(now));
}

/** The address of this moment. */
function link() {
  try {
    history.replaceState(null, "", `#t=${(now / 1000).toFixed(1)}`);
  } catch {
    // some viewers keep pages from naming a place in themselves; then there is no address
  }
}
