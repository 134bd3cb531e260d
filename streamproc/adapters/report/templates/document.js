"use strict";
// Draws each option in its place. SVG, so that paper gets lines and not dots; always light, as paper is.
const options = JSON.parse(document.getElementById("options").textContent);
const charts = [...document.querySelectorAll("[data-chart]")].map((place) => {
  const chart = echarts.init(place, null, { renderer: "svg" });
  chart.setOption(options[Number(place.dataset.chart)]);
  return chart;
});
const fit = () => charts.forEach((chart) => chart.resize());
addEventListener("resize", fit);
matchMedia("print").addEventListener("change", fit);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((figures) => { figures.open = true; }));
