// charts.js: draws the figures of a page. A figure is JSON in a <script type="application/json">; its colours are CSS
// variables, resolved here, so that the same figure is drawn again when the theme changes.
"use strict";

(() => {
  const probe = document.createElement("i");
  probe.hidden = true;
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

  const config = { displayModeBar: false, displaylogo: false, plotlyServerURL: "", responsive: true };

  const draw = () => {
    for (const place of document.querySelectorAll("[data-figure]")) {
      const { data, layout } = resolved(JSON.parse(document.getElementById(place.dataset.figure).textContent));
      Plotly.react(place, data, layout, config);
    }
  };

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
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
