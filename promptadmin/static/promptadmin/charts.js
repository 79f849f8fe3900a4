/* Draws the charts of panels: <canvas data-chart="id of a JSON script">, with {labels, bars, points, links, unit, max}.

   `bars` are [from, to] pairs, `points` single values in front of them, `links` where a click on a bar leads; colours are the theme's. */
"use strict";

(() => {
  const drawn = new Map();

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function label(item) {
    const value = item.dataset.type === "scatter" ? [item.raw.x] : item.raw;
    return `${item.dataset.label}: ${value.map((end) => end.toFixed(1)).join(" to ")}`;
  }

  function options(data) {
    const dark = document.documentElement.classList.contains("dark");
    const text = color(dark ? "--color-base-300" : "--color-base-700");
    const line = color(dark ? "--color-base-700" : "--color-base-200");
    return {
      animation: false,
      maintainAspectRatio: false,
      indexAxis: "y",
      onClick: (event, [item]) => item && data.links && location.assign(data.links[item.index]),
      onHover: (event, [item]) => { event.native.target.style.cursor = item && data.links ? "pointer" : ""; },
      plugins: {
        legend: { display: false },
        tooltip: { callbacks: { label } },
      },
      scales: {
        x: {
          min: data.min,
          max: data.max,
          ticks: { color: text },
          grid: { color: line },
          title: { display: Boolean(data.unit), text: data.unit, color: text },
        },
        y: { ticks: { color: text, autoSkip: false }, grid: { display: false } },
      },
    };
  }

  function draw(canvas) {
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    drawn.get(canvas)?.destroy();
    canvas.parentElement.style.height = `${data.labels.length * 34 + 64}px`;
    const bars = {
      type: "bar",
      label: data.bars_label,
      data: data.bars,
      backgroundColor: color("--color-primary-300"),
      borderRadius: 4,
      barThickness: 16,
      order: 2,
    };
    const points = {
      type: "scatter",
      label: data.points_label,
      data: data.points.map((value, index) => ({ x: value, y: data.labels[index] })),
      backgroundColor: color("--color-primary-700"),
      borderColor: "#fff",
      borderWidth: 1.5,
      pointRadius: 6,
      pointHoverRadius: 7,
      order: 1,
    };
    const chart = new Chart(canvas, { data: { labels: data.labels, datasets: [bars, points] }, options: options(data) });
    drawn.set(canvas, chart);
  }

  function drawAll() {
    for (const canvas of drawn.keys()) {
      if (!canvas.isConnected) {
        drawn.get(canvas).destroy();
        drawn.delete(canvas);
      }
    }
    document.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSettle", (event) => {
    event.target.setAttribute("aria-busy", "false");
    drawAll();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const notice = document.createElement("p");
    notice.className = "pa-card pa-wide-12 pa-notice";
    notice.textContent = "The panels can't be shown. Reload the page; if that doesn't help, look at the server's log.";
    event.target.replaceChildren(notice);
  });
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
})();
