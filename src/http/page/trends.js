// Which charts there are.

import {
  formatCount, formatFrameRate, formatOctetRate, formatOctets, formatScaled, formatShare,
} from "./format.js";

const leastTop = 10;
const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
const nearlyFull = 0.9;

/** The least round number that is not below `n`. */
function roundUp(n) {
  const power = 10 ** Math.floor(Math.log10(n));
  return steps.find((step) => step * power >= n) * power;
}

const ratesOf = (points, name) =>
  points.filter(({ rates }) => rates).map(({ rates }) => rates[name]);

function rateChart(id, title, format, alarm) {
  return {
    id,
    title,
    series: [{
      value: ({ rates }) => rates && rates[id],
      legend: (points) => `highest ${format(Math.max(0, ...ratesOf(points, id)))} in 5 min`,
    }],
    text: ({ rates }) => format(rates && rates[id]),
    scale: (points) => {
      const top = roundUp(Math.max(leastTop, ...ratesOf(points, id)));
      const ticks = [top, top / 2, 0];
      return { top, ticks: ticks.map((value) => ({ value, text: formatScaled(value) })) };
    },
    alarm,
  };
}

const never = () => false;

const framesShare = ({ depth }, { stats }) => depth / stats.buffer.max_frames;
const octetsShare = ({ depthOctets }, { stats }) => depthOctets / stats.buffer.max_bytes;

// Either bound may be reached first, so the chart has a line for each, as a share of the bound.
const depthChart = {
  id: "depth",
  title: "Buffer depth",
  series: [
    {
      value: framesShare,
      legend: (points, { stats: { buffer } }) =>
        `frames ${formatShare(buffer.frames, buffer.max_frames)} of ` +
        formatCount(buffer.max_frames),
    },
    {
      value: octetsShare,
      legend: (points, { stats: { buffer } }) =>
        `bytes ${formatShare(buffer.bytes, buffer.max_bytes)} of ` +
        formatOctets(buffer.max_bytes),
    },
  ],
  text: ({ depth }) => `${formatCount(depth)} frames`,
  scale: () => ({
    top: 1.1,
    ticks: [{ value: 1, text: "full" }, { value: 0.5, text: "50 %" }, { value: 0, text: "0" }],
  }),
  bound: 1,
  alarm: (point, snapshot) =>
    Math.max(framesShare(point, snapshot), octetsShare(point, snapshot)) >= nearlyFull,
};

export const trends = [
  rateChart("received", "Received", formatFrameRate, never),
  rateChart("octets", "Received bytes", formatOctetRate, never),
  rateChart("drained", "Drained", formatFrameRate, never),
  rateChart("dropped", "Dropped", formatFrameRate, ({ rates }) => rates?.dropped > 0),
  depthChart,
];
