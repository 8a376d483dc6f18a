// A chart of the last five minutes. It is SVG and takes all colours from the style sheet, so it
// adapts to the colour scheme and to any pixel density on its own.

import { create, setAttribute, setData, setText } from "./dom.js";
import { historySeconds } from "./model.js";

const gridSeconds = 60;

function createSvg(parent, name, className) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  element.setAttribute("class", className);
  return parent.appendChild(element);
}

/**
 * What a definition has:
 * - `id`, `title`;
 * - `text(point)`: the figure of a point;
 * - `alarm(point, snapshot)`: whether the figure must stand out;
 * - `series`: of `{value(point, snapshot), legend(points, snapshot)}`; a value of null is left out;
 * - `scale(points)`: `{top, ticks: [{value, text}]}`, always the same number of ticks;
 * - `bound`: optionally, a value to be drawn as a limit.
 */
export class Chart {
  #definition;
  #figure;
  #text;
  #plot;
  #svg;
  #grid;
  #bound;
  #series;
  #ticks = [];

  constructor(parent, definition) {
    this.#definition = definition;
    this.#figure = parent.appendChild(create("figure", "panel chart"));
    this.#figure.id = `chart-${definition.id}`;
    const caption = this.#figure.appendChild(create("figcaption"));
    setText(caption.appendChild(create("h3")), definition.title);
    this.#text = caption.appendChild(create("strong"));
    this.#buildPlot();
    const legends = this.#figure.appendChild(create("p", "legends"));
    this.#series = definition.series.map((series, i) => this.#buildSeries(series, i, legends));
  }

  update(points, snapshot) {
    const { scale, bound } = this.#definition;
    const { top, ticks } = scale(points);
    const y = (value) => (1 - value / top) * 100;
    this.#drawGrid(ticks, y);
    if (bound !== undefined) {
      setAttribute(this.#bound, "d", `M0 ${y(bound)}H${historySeconds}`);
    }
    for (const series of this.#series) {
      this.#drawSeries(series, y, points, snapshot);
      setText(series.text, series.legend(points, snapshot));
    }
    this.#showFigure(points.at(-1), snapshot);
  }

  #buildPlot() {
    this.#plot = this.#figure.appendChild(create("div", "plot"));
    this.#svg = createSvg(this.#plot, "svg", "");
    setAttribute(this.#svg, "role", "img");
    setAttribute(this.#svg, "viewBox", `0 0 ${historySeconds} 100`);
    setAttribute(this.#svg, "preserveAspectRatio", "none");
    this.#grid = createSvg(this.#svg, "path", "grid");
    this.#bound = createSvg(this.#svg, "path", "bound");
  }

  #buildSeries({ value, legend }, index, legends) {
    const text = legends.appendChild(create("span"));
    const area = createSvg(this.#svg, "path", "area");
    const line = createSvg(this.#svg, "path", "line");
    for (const element of [text, area, line]) {
      setData(element, "series", String(index));
    }
    return { value, legend, text, area, line };
  }

  #drawGrid(ticks, y) {
    const lines = ticks.map(({ value }) => `M0 ${y(value)}H${historySeconds}`);
    for (let x = gridSeconds; x < historySeconds; x += gridSeconds) {
      lines.push(`M${x} 0V100`);
    }
    setAttribute(this.#grid, "d", lines.join(""));
    ticks.forEach(({ value, text }, i) => {
      this.#ticks[i] ??= this.#plot.appendChild(create("span", "tick"));
      this.#ticks[i].style.top = `${y(value)}%`;
      setText(this.#ticks[i], text);
    });
  }

  #drawSeries({ value, area, line }, y, points, snapshot) {
    const x = ({ at }) => historySeconds - (points.at(-1).at - at) / 1000;
    const corners = points
      .filter((point) => value(point, snapshot) !== null)
      .map((point) => [x(point).toFixed(1), y(value(point, snapshot)).toFixed(2)]);
    const path = corners.map((corner) => corner.join(" ")).join("L");
    setAttribute(line, "d", path && `M${path}`);
    setAttribute(area, "d", path && `M${corners[0][0]} 100L${path}V100Z`);
  }

  #showFigure(point, snapshot) {
    const { title, text, alarm } = this.#definition;
    const isAlarm = alarm(point, snapshot);
    setText(this.#text, `${isAlarm ? "▲ " : ""}${text(point)}`);
    setData(this.#figure, "alarm", String(isAlarm));
    const legends = this.#series.map((series) => series.text.textContent).join(", ");
    setAttribute(this.#svg, "aria-label", `${title}: ${text(point)} now; ${legends}`);
  }
}
