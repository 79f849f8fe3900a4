/* Gives the labels of every chart a colour that can be read on its background; the theme's own grey can't. */
"use strict";

Chart.register({
  id: "labels",
  beforeUpdate(chart) {
    const isDark = document.documentElement.classList.contains("dark");
    const name = isDark ? "--color-base-300" : "--color-base-700";
    const color = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    chart.options.color = color;
    for (const scale of Object.values(chart.options.scales ?? {})) {
      if (scale.ticks) scale.ticks.color = color;
      if (scale.title) scale.title.color = color;
      if (scale.pointLabels) scale.pointLabels.color = color;
    }
  },
});
