/* The office's script: draws the charts from the tables on the page, and asks for the live figures now and then.
   Without it everything is still there to read: the tables are the charts' one source. */
"use strict";
(() => {
  const PULSE_MS = 30000;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /* --- Live figures */
  const place = document.querySelector("[data-pulse]");
  let tag = "";
  const show = (values) => {
    document.querySelectorAll("[data-live]").forEach((spot) => {
      const text = String(values[spot.dataset.live] ?? spot.textContent);
      if (spot.textContent !== text) spot.textContent = text;
    });
    document.querySelectorAll("[data-live-bar]").forEach((bar) => { bar.value = values.bar; });
  };
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(place.dataset.pulse, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (answer.redirected) location.reload(); // signed out: better a way in than an old figure
      if (answer.status !== 200 || answer.redirected) return;
      tag = answer.headers.get("ETag") || "";
      show(await answer.json());
    } catch { /* the next beat tries again */ }
  };
  if (place) {
    setInterval(ask, PULSE_MS);
    document.addEventListener("visibilitychange", ask);
  }

  /* --- Charts */
  const days = document.getElementById("days");
  if (!window.uPlot || !days) return;
  const unit = 10 ** Number(days.dataset.exponent);
  const money = new Intl.NumberFormat(days.dataset.locale, {
    style: "currency", currency: days.dataset.currency, notation: "compact", maximumFractionDigits: 1,
  });
  const full = new Intl.NumberFormat(days.dataset.locale, { style: "currency", currency: days.dataset.currency });
  const rows = [...days.tBodies[0].rows].reverse().map((row) => row.dataset);
  const minor = (text) => (text === "" || text === undefined ? null : Number(text) / unit);
  const at = (day) => Date.parse(`${day}T12:00:00Z`) / 1000;
  const DAY = 86400;

  const goals = () => {
    const goal = minor(days.dataset.goal);
    const changes = [...document.querySelectorAll("#changes-table [data-field=goal]")].map((row) => row.dataset);
    return (x) => {
      const later = changes.filter((one) => at(one.day) > x).pop();
      return later ? minor(later.before) : goal;
    };
  };
  const base = (box) => ({
    width: box.clientWidth, height: Math.max(190, Math.min(300, Math.round(box.clientWidth * 0.42))),
    cursor: { drag: { x: false, y: false } }, legend: { live: true },
    tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
  });
  const axes = (x) => {
    const ink = { stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
    return [{ ...ink, ...x, grid: { show: false } }, { ...ink, size: 62, values: (_plot, ticks) => ticks.map((one) => money.format(one)) }];
  };
  const spell = (_plot, value) => (value === null || value === undefined ? "–" : full.format(value));
  const dayName = new Intl.DateTimeFormat(days.dataset.locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const onDay = { label: "Day", value: (_plot, x) => (x ? dayName.format(new Date(x * 1000)) : "–") };
  const dayAxis = { values: (_plot, ticks) => ticks.map((one) => dayName.format(new Date(one * 1000))), space: 64, incrs: [1, 2, 7, 14, 30, 61, 91, 182, 365].map((n) => n * DAY) };

  const drawings = {
    "so-far": (box) => {
      const xs = rows.map((row) => at(row.day));
      const closes = days.dataset.closes ? at(days.dataset.closes) : null;
      for (let x = xs[xs.length - 1] + DAY; closes && x <= closes; x += DAY) xs.push(x);
      const goal = goals();
      const even = xs.map((x, i) => (rows[i] ? minor(rows[i].even) : null));
      const lastEven = rows.length - 1;
      if (closes && minor(days.dataset.goal) && even[lastEven] !== null) {
        for (let i = rows.length; i < xs.length; i += 1) {
          even[i] = even[lastEven] + (minor(days.dataset.goal) - even[lastEven]) * (xs[i] - xs[lastEven]) / (closes - xs[lastEven]);
        }
      }
      const data = [xs, xs.map((_x, i) => (rows[i] ? minor(rows[i].soFar) : null)), even, xs.map((x) => goal(x))];
      const series = [onDay,
        { label: "So far", stroke: css("--accent"), width: 2.5, fill: `${css("--accent")}1c`, value: spell, points: { show: false } },
        { label: "Even pace", stroke: css("--edge"), width: 1.5, dash: [3, 4], value: spell, points: { show: false } },
        { label: "Goal", stroke: css("--good"), width: 1.5, dash: [8, 4], value: spell, points: { show: false } }];
      return new uPlot({ ...base(box), series, axes: axes(dayAxis), scales: { x: { time: false }, y: { range: (_u, _lo, hi) => [0, hi * 1.06 || 1] } } }, data, box);
    },
    "by-day": (box) => {
      const data = [rows.map((row) => at(row.day)), rows.map((row) => minor(row.net))];
      return bars(box, data, [onDay, { label: "That day" }], axes(dayAxis));
    },
    "by-hour": (box) => {
      const hours = [...document.getElementById("hours").tBodies[0].rows].map((row) => row.dataset);
      const data = [hours.map((one) => Number(one.hour)), hours.map((one) => minor(one.net))];
      const clock = (_plot, x) => (x === null || x === undefined ? "–" : `${String(x).padStart(2, "0")}:00`);
      return bars(box, data, [{ label: "Hour", value: clock }, { label: "Raised" }], axes({ values: (_plot, ticks) => ticks.map((one) => `${one}h`), incrs: [1, 2, 3, 6] }));
    },
  };
  const bars = (box, data, names, axis) => new uPlot({
    ...base(box), axes: axis,
    series: [names[0], { ...names[1], stroke: css("--accent"), fill: css("--accent"), width: 0, value: spell, paths: uPlot.paths.bars({ size: [0.72, 40] }), points: { show: false } }],
    scales: { x: { time: false, range: (_u, lo, hi) => { const pad = data[0].length > 1 ? (data[0][1] - data[0][0]) * 0.6 : 1; return [lo - pad, hi + pad]; } }, y: { range: (_u, lo, hi) => [Math.min(0, lo), hi > 0 ? hi * 1.06 : 1] } },
  }, data, box);

  const latest = (plot) => plot.data[1].reduce((last, value, at) => (value === null || value === 0 ? last : at), 0);

  const drawn = [];
  const draw = () => {
    drawn.splice(0).forEach((plot) => plot.destroy());
    document.querySelectorAll("[data-chart]").forEach((figure) => {
      const box = figure.querySelector(".chart-box");
      box.hidden = false;
      const plot = drawings[figure.dataset.chart](box);
      setTimeout(() => plot.setLegend({ idx: latest(plot) }), 0);
      drawn.push(plot);
    });
  };
  draw();
  let width = innerWidth;
  let wait = 0;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; clearTimeout(wait); wait = setTimeout(draw, 150); } });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
