// charts.js: draws the figures of a page. A figure is JSON in a <script type="application/json">; its colours are CSS
// variables, resolved here, so that the same figure is drawn again when the theme changes. Beside each figure is a table
// of the same numbers, a row for each bar: from it come the box beside a bar and the address that a bar opens.
"use strict";

(() => {
  if (!window.Plotly) {  // the library did not arrive
    for (const plot of document.querySelectorAll(".plot")) {
      const note = document.createElement("p");
      note.className = "note muted";
      note.append("The chart did not load: reload the page. Its numbers are in the table below.");
      plot.replaceChildren(note);
    }
    return;
  }

  const probe = document.createElement("i");
  probe.hidden = true;
  probe.style.forcedColorAdjust = "none";  // or every colour would be the system's one for text
  document.body.append(probe);

  const resolved = (value) => {
    if (typeof value === "string" && value.startsWith("var(--")) {
      probe.style.color = value;
      return getComputedStyle(probe).color;
    }
    if (Array.isArray(value)) return value.map(resolved);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item)]));
    }
    return value;
  };

  const config = { displayModeBar: false, displaylogo: false, plotlyServerURL: "" };
  const places = document.querySelectorAll("[data-figure]");
  const figure = (place) => JSON.parse(document.getElementById(place.dataset.figure).textContent);

  // Names of bars that have no room beside each other give way, the last one stays.
  const thin = (axis, width) => {
    const [from, until] = axis.range, [first, second] = axis.tickvals, last = axis.tickvals.length - 1;
    const longest = 14 + 6 * Math.max(...axis.ticktext.map(({ length }) => length));  // pixels, roughly
    const each = Math.ceil((longest * (until - from)) / (width - 80) / (second - first)) || 1;
    for (const name of ["tickvals", "ticktext"]) axis[name] = axis[name].filter((_, n) => (last - n) % each === 0);
  };

  const draw = () => {
    for (const place of places) {
      const { data, layout } = resolved(figure(place));
      thin(layout.xaxis, place.clientWidth);
      const [from, until] = layout.xaxis.range;
      if (place.clientWidth / (until - from) < 8) {  // the line around the parts of a narrow bar would cover its colour
        for (const { marker } of data) if (marker) marker.line.width = 0;
      }
      Plotly.react(place, data, { ...layout, width: place.clientWidth, height: place.clientHeight }, config);
    }
  };

  // The box beside a bar: its name, then a line for each cell of its row that is not empty.
  const line = (swatch, words, amount) => {
    const part = document.createElement("p"), name = document.createElement("span"), value = document.createElement("b");
    if (swatch) name.append(swatch.cloneNode());
    name.append(words);
    value.append(amount);
    part.append(name, value);
    return part;
  };
  const explain = (box, table, row) => {
    const [, ...heads] = table.tHead.rows[0].cells;
    const title = document.createElement("p");
    title.append(row.cells[0].textContent);
    box.replaceChildren(title, ...heads.flatMap((head, n) => {
      const amount = row.cells[n + 1].textContent.trim();
      return amount ? [line(head.querySelector(".swatch"), head.textContent.trim(), amount)] : [];
    }));
  };

  for (const place of places) {
    const table = document.getElementById(place.dataset.values), rows = [...table.tBodies[0].rows];
    if ("newestFirst" in place.dataset) rows.reverse();
    const [from, until] = figure(place).layout.xaxis.range;
    const box = document.createElement("div");
    let shown = -1;
    box.className = "tip";
    box.setAttribute("role", "status");
    box.hidden = true;
    place.after(box);

    const area = () => place.querySelector(".nsewdrag").getBoundingClientRect();
    const show = (n) => {
      if (n === shown) return;
      shown = rows[n] ? n : -1;
      box.hidden = shown < 0;
      if (box.hidden) return;
      explain(box, table, rows[n]);
      const { left, width } = area(), outer = place.parentElement.getBoundingClientRect();
      const middle = left - outer.left + ((n - from) / (until - from)) * width, gap = 14;
      const beside = middle + gap + box.offsetWidth > outer.width ? middle - gap - box.offsetWidth : middle + gap;
      box.style.left = `${Math.max(0, beside)}px`;
    };
    const at = (event) => {
      const { left, width } = area();
      return event.clientX < left || event.clientX > left + width ? -1 : Math.round(from + ((event.clientX - left) / width) * (until - from));
    };
    const open = (n) => rows[n]?.querySelector("a")?.click();

    place.addEventListener("mousemove", (event) => show(at(event)));
    place.addEventListener("mouseleave", () => show(-1));
    place.addEventListener("blur", () => show(-1));
    place.addEventListener("click", (event) => open(at(event)));
    place.addEventListener("keydown", (event) => {
      const last = rows.length - 1, next = {
        ArrowLeft: shown < 0 ? last : Math.max(shown - 1, 0), ArrowRight: Math.min(shown + 1, last), Home: 0, End: last,
      }[event.key];
      if (event.key === "Enter") open(shown);
      else if (event.key === "Escape") show(-1);
      else if (next !== undefined) {
        event.preventDefault();
        show(next);
      }
    });
  }

  draw();
  // Another width has room for other names of bars, another height belongs to narrow windows: drawn again, once the window
  // keeps its size.
  let resized;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(draw, 100);
  });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", draw);
  document.addEventListener("themechange", draw);

  // On paper: light colours, and the width of a page. A browser that is about to print has not laid out the page for
  // paper yet, so the theme is changed for it.
  const PAPER = 680, theme = document.documentElement.dataset;
  let before;
  const drawForPaper = () => {
    draw();
    for (const place of document.querySelectorAll("[data-figure]")) Plotly.relayout(place, { width: PAPER });
  };
  addEventListener("beforeprint", () => {
    before = theme.theme;
    theme.theme = "light";
    drawForPaper();
  });
  addEventListener("afterprint", () => {
    if (before) theme.theme = before;
    else delete theme.theme;
    draw();
  });
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? drawForPaper() : draw()));
})();
