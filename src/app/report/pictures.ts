import { encode } from "fast-png";
import type { Sample, SampleData } from "../../data/dataset.js";
import { fixed } from "./page.js";

/** Points of a curve at most: more would not be seen. */
const mostPoints = 160;
const [width, height] = [160, 80];

/** Curves of one example; each has a colour of its own. */
const colours = ["#4f8fc0", "#d98f45", "#79b791", "#9a7fb8", "#c8452f", "#8a8f3a"] as const;

function image({ shape, data }: Sample): string {
  const [rows = 1, columns = 1, channels = 1] = shape;
  const pixels = data instanceof Uint8Array ? data : Uint8Array.from(data);
  const png = encode({ width: columns, height: rows, data: pixels, channels: channels as 1 | 3, depth: 8 });
  return `<img alt="" src="data:image/png;base64,${Buffer.from(png).toString("base64")}">`;
}

/** The least and the most of each of so many parts of a curve. */
function envelope(at: (i: number) => number, length: number): readonly (readonly [least: number, most: number])[] {
  const parts = Math.min(length, mostPoints);
  return Array.from({ length: parts }, (_, p) => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = Math.floor((p * length) / parts); i < Math.max((p + 1) * length, 1) / parts; i++) {
      least = Math.min(least, at(i));
      most = Math.max(most, at(i));
    }
    return [least, most];
  });
}

/** Curves of [time, columns], each in its own range: sensors have unlike units. */
function curves(data: SampleData, length: number, columns: number): string {
  const paths = Array.from({ length: Math.min(columns, colours.length) }, (_, c) => {
    const points = envelope((i) => data[i * columns + c] as number, length);
    const [low, high] = [Math.min(...points.map(([v]) => v)), Math.max(...points.map(([, v]) => v))];
    const y = (v: number): string => fixed(height - 4 - ((height - 8) * (v - low)) / (high - low || 1));
    const x = (i: number): string => fixed((width * i) / Math.max(1, points.length - 1));
    const line = points.map(([least, most], i) => `${i === 0 ? "M" : "L"}${x(i)} ${y(most)}L${x(i)} ${y(least)}`);
    return `<path fill="none" stroke="${colours[c]}" d="${line.join("")}"/>`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="signal">${paths.join("")}</svg>`;
}

/** An example as a picture: an image itself, sound and series as curves; nothing for what has no such form. */
export function pictureOf(sample: Sample): string {
  switch (sample.kind) {
    case "image":
      return image(sample);
    case "audio":
      return curves(sample.data, sample.data.length, 1);
    case "series":
      return curves(sample.data, sample.shape[0] ?? 0, sample.shape[1] ?? 1);
    case "tensor":
      return "";
    default:
      return sample.kind satisfies never;
  }
}
