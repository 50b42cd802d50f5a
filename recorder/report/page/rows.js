// The rows of the time line: turns, sound, events, tools, what waits in the player, the bill.

// Turns

const turnStart = (turn) => turn.begin_ms ?? turn.user_started_ms ?? atSeq(turn.first_seq);
function turnEnd(turn, place) {
  const next = data.turns[place + 1];
  return next ? turnStart(next) : Math.max(atSeq(turn.last_seq), turn.ended_ms || 0);
}

function turnRow(top) {
  if (!data.turns.length) return nothing(top, 50, "no turns");
  return data.turns.map((turn, place) => {
    const [from, to] = [turnStart(turn), turnEnd(turn, place)];
    if (!seen(from, to)) return null;
    const width = Math.max(2, x(to) - x(from) - 2);
    const v2v = ofTurn("v2v_ms", turn.turn)[0] || ofTurn("event_ms", turn.turn)[0];
    const label = v2v ? `${turn.turn} · ${lasting(v2v.value)}` : String(turn.turn);
    return s(
      "g",
      {
        class: `turn ${turn.turn === turnNow ? "chosen" : ""}`,
        on: { click: () => goTurn(turn.turn) },
      },
      hint(
        `Turn ${turn.turn}: ${v2v ? `${v2v.metric} ${lasting(v2v.value)}` : "no latency known"}`,
      ),
      s("rect", { class: "area", x: x(from), y: top + 3, width, height: 44, rx: 3 }),
      s(
        "text",
        { x: x(from) + 5, y: top + 17 },
        label.length * 6.4 < width - 8
          ? label
          : width > String(turn.turn).length * 7 + 6
            ? turn.turn
            : "",
      ),
      stack(turn, top + 26),
    );
  });
}

/** The parts of a latency, each where it lies on the clock. */
function latencyParts(turn) {
  const stops = [turn.off_ms, turn.user_stopped_ms, turn.first_audio_ms, turn.on_ms];
  if (stops.some((at) => at === null || at === undefined)) return [];
  return [
    ["endpoint", "until the provider said that the user stopped"],
    ["think", "until the first audio came"],
    ["lead", "until the listener heard it"],
  ]
    .map(([name, what], place) => ({ name, what, from: stops[place], to: stops[place + 1] }))
    .filter((part) => part.to > part.from);
}

function stack(turn, top) {
  return latencyParts(turn).map((part) =>
    s(
      "rect",
      {
        class: part.name,
        x: x(part.from),
        y: top,
        width: Math.max(1, x(part.to) - x(part.from)),
        height: 15,
      },
      hint(`${part.name}: ${lasting(part.to - part.from)} ${part.what}`),
    ),
  );
}

// Sound

function laneRow(side, top) {
  const points = data.lanes[side];
  const height = side === "agent" ? 74 : 66;
  const middle = top + 25;
  const drawn = points
    ? wave(...detail(side, points), middle, 21)
    : nothing(top, 44, "no sound was streamed");
  return s(
    "g",
    {},
    s("line", {
      class: "axis",
      x1: axis.left,
      x2: axis.width - axis.right,
      y1: middle,
      y2: middle,
    }),
    drawn,
    spoken(side, top + 61),
    side === "agent" && points ? [unheard(top + height - 9), stalls(middle)] : null,
  );
}

/** The points to draw, how long each is and where the first begins: from the page's envelope, or
    from the sound itself where that is seen too closely for it. */
function detail(side, points) {
  const step = data.lanes.end_ms / points.length;
  const close = x(step) - x(0) > 3;
  const fine = close ? fineEnvelope(side, axis.from, axis.to, axis.width) : null;
  return fine
    ? [fine, (axis.to - axis.from) / fine.length, axis.from, loudest(points)]
    : [points, step, 0, loudest(points)];
}

const loudest = (points) => Math.max(24, ...points.map(([low, high]) => Math.max(high, -low)));

function wave(points, step, begin, most, middle, reach) {
  const first = Math.max(0, Math.floor((axis.from - begin) / step) - 1);
  const last = Math.min(points.length, Math.ceil((axis.to - begin) / step) + 1);
  const y = (level) =>
    (middle - (Math.max(-most, Math.min(most, level)) / most) * reach).toFixed(1);
  const upper = [];
  const lower = [];
  for (let place = first; place < last; place += 1) {
    const [low, high] = points[place];
    const [one, two] = [
      x(begin + place * step).toFixed(1),
      x(begin + (place + 1) * step).toFixed(1),
    ];
    upper.push(`L${one} ${y(Math.max(high, 0.4))}L${two} ${y(Math.max(high, 0.4))}`);
    lower.push(`L${two} ${y(Math.min(low, -0.4))}L${one} ${y(Math.min(low, -0.4))}`);
  }
  return s("path", {
    class: "wave",
    d: upper.length ? `M${upper.join("").slice(1)}${lower.reverse().join("")}Z` : "",
  });
}

function spoken(side, y) {
  const field = side === "user" ? "user_text" : "agent_text";
  const begin = (turn) =>
    side === "user" ? turnStart(turn) : (turn.on_ms ?? turn.first_audio_ms ?? turn.first_text_ms);
  const said = data.turns.filter(
    (turn) => turn[field] && begin(turn) !== null && begin(turn) !== undefined,
  );
  return said.map((turn, place) => {
    const from = begin(turn);
    const to = place + 1 < said.length ? begin(said[place + 1]) : endMs;
    return seen(from, to)
      ? s(
          "text",
          { class: "said", x: x(from), y },
          hint(turn[field]),
          fitted(turn[field], x(to) - x(from) - 8),
        )
      : null;
  });
}

/** What was made and never heard: it would have been played from here on. */
function unheard(top) {
  return data.lanes.unheard
    .filter(([at, ms]) => seen(at, at + ms))
    .map(([at, ms]) =>
      s(
        "g",
        { class: "unheard" },
        hint(`${lasting(ms)} of audio that nobody heard`),
        s("rect", {
          class: "back",
          x: x(at),
          y: top,
          width: Math.max(3, x(at + ms) - x(at)),
          height: 7,
        }),
        s("rect", {
          class: "fore",
          x: x(at),
          y: top,
          width: Math.max(3, x(at + ms) - x(at)),
          height: 7,
        }),
      ),
    );
}

function stalls(middle) {
  return data.lanes.stalls
    .filter(([from, to]) => seen(from, to))
    .map(([from, to]) =>
      s(
        "path",
        { class: "stall", d: `M${x(from) - 3} ${middle - 3}l6 6m0 -6l-6 6` },
        hint(`The player stood still for ${lasting(to - from)}`),
      ),
    );
}

// Events

const SHAPES = {
  "user speech started": ["M0 -5L5 4H-5Z", 0, "user"],
  "user speech stopped": ["M0 5L5 -4H-5Z", 0, "user"],
  committed: ["M-6 -6H6V6H-6Z", 0, "client"],
  asked: ["M-4 0H4M0 -4V4", 1, "client"],
  response: ["M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z", 1, "agent"],
  "response done": ["M0 -5L5 0L0 5L-5 0Z", 1, "agent"],
  interrupted: ["M-4 -4L4 4M4 -4L-4 4", 2, "cut"],
  "heard until": ["M-3 -5V5M3 -5V5", 2, "cut"],
  "tool call": ["M-5 -3H5V3H-5Z", 2, "tool"],
  "tool result": ["M-5 -3H5V3H-5ZM-5 0H5", 2, "tool"],
  ready: ["M-4 4V-5L4 -2L-4 1", 2, "plain"],
  configured: ["M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0ZM0 -4V4", 2, "plain"],
  stall: ["M-4 -5H4L-4 5H4Z", 2, "trouble"],
  error: ["M-2 -5H2L1 2H-1ZM-1.5 4H1.5V6H-1.5Z", 2, "trouble"],
  ended: ["M-4 -4V4M-1 -4H4V4H-1Z", 2, "plain"],
};

const markKind = ([, , name, word]) => (name === "user speech" ? `${name} ${word}` : name);

function eventRow(top) {
  if (!data.marks.length) return nothing(top, 56, "no event with a meaning of its own");
  const inView = data.marks.filter((mark) => seen(mark[1], mark[1]));
  const density = inView.length / axis.width;
  const size = density > 0.5 ? 0.45 : density > 0.12 ? 0.7 : 1;
  return inView.map((mark) => {
    const [seq, at, , word] = mark;
    const [path, level, colour] = SHAPES[markKind(mark)];
    const [, , type] = kindAt(seq - events.first);
    return s(
      "path",
      {
        class: `mark ${colour}`,
        d: path,
        transform: `translate(${x(at).toFixed(1)} ${top + 10 + level * 18}) scale(${size})`,
        on: { click: () => showEvent(seq) },
      },
      hint(
        `${markKind(mark)}${word && mark[2] !== "user speech" ? `: ${word}` : ""}\nevent ${seq}, ${type}, at ${clock(at)}`,
      ),
    );
  });
}

// Tools

function toolRow(top) {
  if (!data.calls.length) return nothing(top, 30, "no tool was called");
  return data.calls.map((call, place) => {
    const following = data.calls[place + 1];
    const [from, to] = [call.called_ms, call.answered_ms ?? call.called_ms];
    const spoke = resumed(call);
    if (!seen(from, spoke ?? to)) return null;
    const state = call.failed ? "failed" : call.answered_ms === null ? "open" : "";
    return s(
      "g",
      { class: `call ${state}`, on: { click: () => openCall(call) } },
      hint(
        `${call.name}: ${call.answered_ms === null ? "no result" : `result after ${lasting(to - from)}`}${call.failed ? ", failed" : ""}`,
      ),
      s("rect", {
        class: "run",
        x: x(from),
        y: top + 6,
        width: Math.max(3, x(to) - x(from)),
        height: 12,
      }),
      spoke
        ? s("path", { class: "resume", d: `M${x(to)} ${top + 12}H${x(spoke)}m-4 -4l4 4l-4 4` })
        : null,
      s(
        "text",
        { x: x(from), y: top + 28 },
        fitted(call.name, following ? x(following.called_ms) - x(from) : 200),
      ),
    );
  });
}

/** When the agent was heard after a result. */
function resumed(call) {
  const each = ofTurn("tool_resume_ms", call.turn).find((one) => one.first === call.last_seq);
  return each && call.answered_ms !== null ? call.answered_ms + each.value : null;
}

function openCall(call) {
  openEvidence({
    title: `Call of ${call.name}`,
    value: call.answered_ms === null ? "no result" : lasting(call.answered_ms - call.called_ms),
    facts: [
      ["Arguments", call.arguments],
      ["Result", call.output === null ? NO_DATA : call.output],
      ["Failed", call.failed === null ? NO_DATA : call.failed ? "yes" : "no"],
    ],
    sql: sqlOf.row("tool_call", "ordinal", call.ordinal),
    first: call.first_seq,
    last: call.last_seq,
  });
}

// What waits in the player, and the bill as it grows

function bufferRow(top) {
  const depth = data.lanes.buffer;
  if (!depth) return nothing(top, 38);
  const step = data.lanes.end_ms / depth.length;
  const most = Math.max(1, ...depth);
  const bottom = top + 35;
  let path = "";
  depth.forEach((ms, place) => {
    const at = place * step;
    if (seen(at, at + step))
      path += `L${x(at).toFixed(1)} ${(bottom - (ms / most) * 26).toFixed(1)}H${x(at + step).toFixed(1)}`;
  });
  return [
    s("path", {
      class: "depth",
      d: path ? `M${x(Math.max(0, axis.from)).toFixed(1)} ${bottom}${path}V${bottom}Z` : "",
    }),
    s(
      "text",
      { class: "scale", x: axis.width - axis.right - 4, y: top + 13, "text-anchor": "end" },
      `greatest ${lasting(most)}`,
    ),
  ];
}

const SERIES = 6;

/** The dearest groups of the bill get a series of their own, the rest share one. */
function costSeries() {
  const order = data.cost.groups
    .map((group, place) => ({ place, usd: Number(group.usd || 0) }))
    .filter((each) => each.usd > 0)
    .sort((one, other) => other.usd - one.usd);
  const rank = new Map(order.map((each, place) => [each.place, Math.min(place, SERIES - 1)]));
  return { rank, count: Math.min(order.length, SERIES) };
}

function costRow(top) {
  const { steps, known } = data.cost;
  if (known === null || Number(known) === 0)
    return nothing(top, 62, steps.length ? "unpriced" : "no usage was told");
  const { rank, count } = costSeries();
  const bottom = top + 58;
  const y = (usd) => bottom - (usd / Number(known)) * 46;
  const sums = new Array(count).fill(0);
  const corners = sums.map(() => []);
  const note = (at) => {
    let below = 0;
    sums.forEach((usd, place) => {
      below += usd;
      corners[place].push([at, below]);
    });
  };
  note(0);
  for (const [at, group, usd] of steps) {
    if (usd === null || !rank.has(group)) continue;
    sums[rank.get(group)] += Number(usd);
    note(at);
  }
  note(endMs);
  const line = (points) =>
    points
      .map(
        ([at, usd], place) =>
          `${place ? `H${x(at).toFixed(1)}V${y(usd).toFixed(1)}` : `M${x(at).toFixed(1)} ${y(usd).toFixed(1)}`}`,
      )
      .join("");
  const areas = corners.map((points, place) =>
    s("path", {
      class: `area series${place}`,
      d: `${line(points)}H${x(endMs).toFixed(1)}V${bottom}H${x(0).toFixed(1)}Z`,
    }),
  );
  const unpriced = steps
    .filter(([, , usd]) => usd === null)
    .map(([at]) =>
      s(
        "text",
        { class: "unpriced", x: x(at), y: top + 12, "text-anchor": "middle" },
        hint("used, and unpriced"),
        "?",
      ),
    );
  return [
    areas.reverse(),
    unpriced,
    s(
      "text",
      { class: "scale", x: axis.left + 6, y: top + 14 },
      `${dollars(known)}${data.cost.unpriced ? " and what is unpriced" : ""} in the end`,
    ),
  ];
}

/** What the bill was at a time, in words; a provider may tell all of it at the end. */
function costAt(ms) {
  const told = data.cost.steps.filter(([at]) => at <= ms);
  if (!told.length) return "none told yet";
  if (told.some(([, , usd]) => usd === null)) return "unpriced";
  return dollars(told.reduce((sum, [, , usd]) => sum + Number(usd), 0));
}
