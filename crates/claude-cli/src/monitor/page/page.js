"use strict";

// The page asks for the state every two seconds and draws all of it anew. Texts are only ever set as texts.
const find = (selector) => document.querySelector(selector);
let range = "hour", state = null, timer = 0;
const cursors = {};

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const shape = (name, attributes, text = "") => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
};

const duration = (ms) => ms === null ? "–" : ms < 995 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`;
const share = (part) => part === null ? "–" : `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)}\u00a0%`;
const clock = (seconds) => new Date(seconds * 1000).toLocaleString([], range === "hour" || range === "day"
  ? { hour: "2-digit", minute: "2-digit" } : { year: "numeric", month: "short", day: "numeric", hour: "2-digit" });
const ago = (seconds) => {
  const passed = Math.max(0, Math.round(state.now - seconds));
  return passed < 120 ? `${passed} s ago` : passed < 7200 ? `${Math.round(passed / 60)} min ago` : `at ${clock(seconds)}`;
};

function rows(pairs) {
  const list = make("dl");
  for (const [name, value] of pairs) list.append(make("dt", {}, name), make("dd", {}, value));
  return list;
}

function describe(point) {
  if (!point) return "";
  const [at, median, high, errors, runs] = point;
  return `${clock(at)}: median ${duration(median)}, 95 % ${duration(high)}, errors ${share(errors)} of ${runs}`;
}

// Times above, errors below; a cursor that a pointer or the arrow keys move.
function chart(probe, points) {
  const width = Math.max(200, find("#probes").clientWidth / Math.max(1, Math.floor(find("#probes").clientWidth / 360)) - 34);
  const { from, to } = state.chart, [top, base, floor] = [14, 92, 130];
  const x = (at) => ((at - from) / (to - from || 1)) * width;
  const most = Math.max(1, ...points.map((point) => point[2] ?? 0));
  const y = (ms) => base - (ms / most) * (base - top);
  const last = points.at(-1);
  const label = `${probe}: ${points.length} points; the last at ${describe(last) || "no time"}`;
  const svg = shape("svg", { viewBox: `0 0 ${width} 144`, role: "img", tabindex: "0", "aria-label": label });
  svg.append(shape("line", { class: "axis", x1: 0, x2: width, y1: base, y2: base }));
  svg.append(shape("line", { class: "axis", x1: 0, x2: width, y1: floor, y2: floor }));
  const timed = points.filter((point) => point[1] !== null);
  const along = (index) => timed.map((point) => `${x(point[0]).toFixed(1)},${y(point[index]).toFixed(1)}`);
  if (timed.length > 1) {
    svg.append(shape("polygon", { class: "band", points: [...along(1), ...along(2).reverse()].join(" ") }));
    svg.append(shape("polyline", { class: "line", points: along(1).join(" ") }));
  }
  for (const point of timed.length < 40 ? timed : []) {
    svg.append(shape("circle", { class: "dot", cx: x(point[0]), cy: y(point[1]), r: 2.5 }));
  }
  const bar = Math.max(2, width / Math.max(60, points.length) - 1);
  for (const [at, , , errors] of points) {
    if (errors > 0) {
      const height = Math.max(3, errors * 32);
      svg.append(shape("rect", { class: "error", x: x(at), y: floor - height, width: bar, height }));
    }
  }
  svg.append(shape("text", { x: 0, y: 11 }, timed.length ? duration(most) : "no times yet"));
  svg.append(shape("text", { x: 0, y: 143 }, clock(from)));
  svg.append(shape("text", { x: width, y: 143, "text-anchor": "end" }, "errors, 0 to 100 %"));
  const told = make("p", { class: "told", "aria-live": "polite" });
  const cursor = shape("line", { class: "cursor", y1: 0, y2: floor, x1: -9, x2: -9 });
  svg.append(cursor);
  const show = (index) => {
    const point = points[index];
    cursors[probe] = point ? point[0] : undefined;
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, point ? x(point[0]) : -9);
    told.textContent = describe(point);
  };
  const nearest = (at) => points.reduce((best, point, index) => Math.abs(point[0] - at) < Math.abs(points[best][0] - at) ? index : best, 0);
  const current = () => cursors[probe] === undefined || !points.length ? -1 : nearest(cursors[probe]);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = current() < 0 ? points.length - 1 : current() + step;
    show(Math.min(points.length - 1, Math.max(0, index)));
  });
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), at = from + ((event.clientX - box.left) / box.width) * (to - from);
    show(nearest(at));
  });
  if (current() >= 0) show(current());
  return [svg, told];
}

function card(probe) {
  const { name, last, windows } = probe, failure = last && last.failure;
  const word = !last ? "not yet run" : failure ? failure.class : "well";
  const badge = make("span", { class: !last ? "" : failure ? "bad" : "well", id: `state-${name}` }, word);
  const figures = [["last run", last ? `${duration(last.took_ms)}, ${ago(last.at)}` : "–"]];
  const hour = windows["1h"];
  figures.push(["median, 1 h", duration(hour.p50)]);
  figures.push(["95 %, 99 %, 1 h", `${duration(hour.p95)}, ${duration(hour.p99)}`]);
  figures.push(["errors 5 min", share(windows["5m"].errors)]);
  figures.push(["errors 1 h, 6 h", `${share(windows["1h"].errors)}, ${share(windows["6h"].errors)}`]);
  const classes = Object.entries(windows["6h"].classes).map(([kind, count]) => `${kind} ${count}`).join(", ");
  figures.push(["failures, 6 h", classes || "none"]);
  const article = make("article", { id: `probe-${name}`, "aria-label": name });
  article.append(make("h2", {}, name, badge), rows(figures), ...chart(name, state.chart.series[name] || []));
  return article;
}

function draw() {
  const failing = state.probes.filter((probe) => probe.last && probe.last.failure).map((probe) => probe.name);
  const run = state.probes.some((probe) => probe.last);
  const overall = find("#overall"), words = failing.length ? `failing: ${failing.join(", ")}` : run ? "all is well" : "waiting for the first runs";
  if (overall.textContent !== words) overall.textContent = words;
  overall.className = failing.length ? "bad" : run ? "well" : "";
  document.title = failing.length ? `failing – claudectl monitor` : "claudectl monitor";
  const notes = state.alerts.map((alert) => `alert ${alert.alert}: ${alert.probe}, began ${ago(alert.since)}`).concat(state.notes);
  find("#notes").replaceChildren(...notes.map((note) => make("li", {}, note)));
  find("#notes").hidden = notes.length === 0;

  const focused = document.activeElement && document.activeElement.closest("article svg") && document.activeElement.closest("article").id;
  find("#probes").replaceChildren(...state.probes.map(card));
  if (focused) find(`#${focused} svg`).focus();

  const limits = state.limits ? state.limits.rows : [];
  find("#limits").hidden = limits.length === 0;
  find("#limits div").replaceChildren(...limits.flatMap((row) => [
    make("p", {}, `${row.name}: ${row.remaining} of ${row.limit} a minute, ${ago(state.limits.at)}`),
    make("meter", { min: 0, max: row.limit, value: row.remaining, "aria-label": row.name }),
  ]));

  const failures = state.failures.map((one) => make("li", {},
    `${ago(one.at)} · ${one.probe} · ${one.failure.class} · ${duration(one.took_ms)}: ${one.failure.told} `,
    make("code", {}, one.failure.request_id || "")));
  find("#failures").replaceChildren(make("h2", {}, "Last failures"),
    failures.length ? make("ol", {}, ...failures) : make("p", {}, "none"));
}

async function poll() {
  clearTimeout(timer);
  const asked = range;
  try {
    const answer = await fetch(`state?range=${asked}`, { cache: "no-store" });
    const fresh = await answer.json();
    if (asked !== range) return;
    state = fresh;
    draw();
  } catch {
    find("#overall").textContent = "the monitor does not answer";
    find("#overall").className = "bad";
  }
  timer = setTimeout(poll, document.hidden ? 30000 : 2000);
}

for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", () => {
    range = button.dataset.range;
    for (const other of document.querySelectorAll("nav button")) other.setAttribute("aria-pressed", String(other === button));
    poll();
  });
}
document.addEventListener("visibilitychange", poll);
addEventListener("resize", () => state && draw());
poll();
